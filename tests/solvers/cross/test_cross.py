"""Cross approximation of functions: exact ranks, accuracy, counts, limits, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.cross.cross import cross
from solvers.formats.trains.construct import random_train
from solvers.methods import Cross
from solvers.solution import NotConverged, Status

RNG = np.random.default_rng(2)
UNIT = np.linspace(0.0, 1.0, 64)


def largest_error(train, f, shape, seed=99, count=20_000):
    """Largest error at random multi-indices over the largest value there."""
    points = np.random.default_rng(seed).integers(0, shape, (count, len(shape)))
    exact = f(points)
    return np.abs(train.entries(points) - exact).max() / np.abs(exact).max()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(1, 7), r=st.integers(1, 6), complex_=st.booleans())
def test_exact_ranks_are_recovered(seed, d, r, complex_):
    rng = np.random.default_rng(seed)
    x = random_train(tuple(rng.integers(2, 9, d)), r, rng)
    if complex_:
        x = x + 1j * random_train(x.shape, 1, rng)
    solution = cross(x.entries, x.shape, accuracy=1e-10, rng=rng)
    full = x.full()
    assert np.abs(solution.value.full() - full).max() <= 1e-9 * np.abs(full).max()
    assert max(solution.value.ranks) <= max(x.round(1e-12).ranks)


def test_evaluations_of_an_exact_rank():
    x = random_train((20,) * 6, 5, RNG)
    solution = cross(x.entries, x.shape, accuracy=1e-9)
    assert solution.value.ranks == (1, 5, 5, 5, 5, 5, 1)
    assert solution.counts["evaluations"] <= 5 * 6 * 20 * 25  # of 6.4e7 entries; d n r^2 = 3000
    assert solution.counts["check_evaluations"] <= 15_000


@pytest.mark.parametrize(
    "f, most",
    [(lambda c: 1.0 / (1.0 + (c**2).sum(axis=1)), 140_000), (lambda c: np.sqrt((c**2).sum(axis=1)), 470_000)],
    ids=["inverse", "root"],
)
def test_eight_dimensions(f, most):
    solution = cross(f, (64,) * 8, grids=[UNIT] * 8, accuracy=1e-8)
    assert solution.counts["evaluations"] <= most
    assert largest_error(solution.value, lambda p: f(UNIT[p]), (64,) * 8) <= 1e-8
    assert 0.1 * solution.residual[0] <= largest_error(solution.value, lambda p: f(UNIT[p]), (64,) * 8)


PANEL = {
    "oscillating": lambda c: np.cos(3.0 * c.sum(axis=1)) + 0.1 * c[:, 0],
    "exponential": lambda c: np.exp(-c.prod(axis=1)),
    "kink": lambda c: np.abs(c.sum(axis=1) - 1.3),
    "sign change": lambda c: np.sin(c[:, 0] * c[:, 1] + c[:, 2] ** 2 - c[:, 3]),
    "rational": lambda c: 1.0 / (0.05 + np.abs(c - 0.5).sum(axis=1)),
}


@pytest.mark.parametrize("name", sorted(PANEL))
@pytest.mark.parametrize("accuracy", [1e-3, 1e-6])
def test_the_error_estimate_is_not_below_the_error(name, accuracy):
    f, grid = PANEL[name], np.linspace(0.0, 1.0, 16)
    solution = cross(f, (16,) * 4, grids=[grid] * 4, accuracy=accuracy)
    full = np.stack(np.meshgrid(*[grid] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    exact = f(full)
    error = np.abs(solution.value.full().ravel() - exact).max() / np.abs(exact).max()
    assert solution.status is Status.CONVERGED and solution.residual[0] <= accuracy
    assert error <= 3 * solution.residual[0] + 1e-13  # over all 65536 entries
    assert error <= 2 * accuracy


def test_constant_and_zero():
    for value in (0.0, -3.5, 1e-200, 2.0 - 1.0j):
        solution = cross(lambda p, value=value: np.full(len(p), value), (7, 5, 6))
        assert solution.value.ranks == (1, 1, 1, 1)
        assert np.allclose(solution.value.full(), value, rtol=1e-13, atol=0.0)
        assert solution.counts["sweeps"] <= 2


def peak(p):
    centre = np.array([20, 31, 44, 37, 28, 25])
    return np.exp(-2000.0 * (((p - centre) / 63.0) ** 2).sum(axis=1))


def test_a_peaked_function_is_found():
    solution = cross(peak, (64,) * 6, accuracy=1e-8)
    near = np.random.default_rng(0).integers(15, 50, (4000, 6))
    assert np.isclose(solution.value.entries(np.array([[20, 31, 44, 37, 28, 25]]))[0], 1.0, rtol=1e-8)
    assert np.abs(solution.value.entries(near) - peak(near)).max() <= 1e-8


def test_a_single_entry_is_found_from_a_start_point():
    where = np.array([3, 60, 17, 5, 40])

    def f(p):
        return np.where((p == where).all(axis=1), 2.5, 0.0)

    solution = cross(f, (64,) * 5, start=where)
    assert solution.value.entries(where[None])[0] == pytest.approx(2.5)
    elsewhere = np.random.default_rng(0).integers(0, 64, (5000, 5))
    assert np.abs(solution.value.entries(elsewhere) - f(elsewhere)).max() < 1e-12


def test_two_separate_peaks_are_both_found():
    one, two = np.array([5, 5, 5, 5]), np.array([26, 24, 27, 25])

    def f(p):
        return sum(np.exp(-0.5 * ((p - c) ** 2).sum(axis=1)) for c in (one, two))

    solution = cross(f, (32,) * 4, start=np.array([one, two]), accuracy=1e-9)
    assert np.allclose(solution.value.entries(np.array([one, two])), 1.0, rtol=1e-8)


def test_several_outputs_share_their_evaluations():
    calls = []

    def f(c):
        calls.append(len(c))
        s = c.sum(axis=1)
        return np.column_stack([np.exp(-s), np.cos(s), s**2])

    grid = np.linspace(0.0, 1.0, 12)
    solution = cross(f, (12,) * 4, grids=[grid] * 4, accuracy=1e-9)
    assert solution.value.shape == (12, 12, 12, 12, 3)
    full = np.stack(np.meshgrid(*[grid] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    exact = f(full).reshape(12, 12, 12, 12, 3)
    assert np.abs(solution.value.full() - exact).max() <= 1e-8 * np.abs(exact).max()
    assert sum(calls[:-1]) == solution.counts["evaluations"] + solution.counts["check_evaluations"]


def test_the_same_seed_gives_the_same_train():
    f = PANEL["kink"]
    grids = [np.linspace(0.0, 1.0, 10)] * 4
    one, two = (cross(f, (10,) * 4, grids=grids, accuracy=1e-5, rng=np.random.default_rng(8)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one.value.cores, two.value.cores))
    assert one.counts == two.counts


@pytest.mark.parametrize(
    "method, status",
    [
        (Cross(max_rank=3), Status.RANK_LIMIT),
        (Cross(max_rank=3, whole=0), Status.RANK_LIMIT),
        (Cross(sweeps=2, whole=0), Status.ITERATION_LIMIT),
        (Cross(max_evaluations=2000), Status.ITERATION_LIMIT),
    ],
)
def test_limits_are_said(method, status):
    f, grids = PANEL["rational"], [np.linspace(0.0, 1.0, 16)] * 4
    with pytest.raises(NotConverged) as caught:
        cross(f, (16,) * 4, grids=grids, accuracy=1e-8, method=method)
    solution = caught.value.solution
    assert solution.status is status and solution.residual[0] > 1e-8
    assert max(solution.value.ranks) <= method.max_rank
    error = largest_error(solution.value, lambda p: f(grids[0][p]), (16,) * 4)
    assert error <= 3 * solution.residual[0]


def test_noise_does_not_converge():
    table = np.random.default_rng(0).standard_normal(16**4)
    weights = 16 ** np.arange(4)
    with pytest.raises(NotConverged):
        cross(lambda p: table[p @ weights], (16,) * 4, method=Cross(max_rank=20), accuracy=1e-3)


def test_what_is_refused():
    def bad(p):
        return np.where(p[:, 0] == 2, np.nan, 1.0)

    for f, shape, options, message in [
        (bad, (4, 4), {}, r"not finite at the multi-index \(2, "),
        (lambda p: np.ones(3), (4, 4), {}, "must return an array of shape"),
        (lambda p: np.array(["a"] * len(p)), (4, 4), {}, "must return numbers"),
        (lambda p: np.ones(len(p)), (), {}, "at least one mode"),
        (lambda p: np.ones(len(p)), (4, 0), {}, "at least one index"),
        (lambda p: np.ones(len(p)), (4, 4), {"grids": [np.arange(4.0)]}, "grids"),
        (lambda p: np.ones(len(p)), (4, 4), {"start": np.array([4, 0])}, "outside"),
        (lambda p: np.ones(len(p)), (4, 4), {"start": np.array([0.5, 0.0])}, "multi-indices"),
        (lambda p: np.ones(len(p)), (4, 4), {"accuracy": 0.0}, "accuracy"),
    ]:
        with pytest.raises(ValueError, match=message):
            cross(f, shape, **options)
    with pytest.raises(ValueError, match="max_rank"):
        Cross(max_rank=0)
