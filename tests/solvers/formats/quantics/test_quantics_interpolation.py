"""Piecewise interpolation of functions as quantics trains: against samples, singular ends, kinks, jumps, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.functions import sampled
from solvers.formats.quantics.interpolation import POINTS, interpolated, lagrange

FUNCTIONS = {
    "smooth": lambda x: np.exp(-x) * np.cos(3.0 * x),
    "pole near": lambda x: 1.0 / (x + 1e-3),
    "root": np.sqrt,
    "kink": lambda x: np.abs(x - 0.3),
    "jump": lambda x: np.where(x > 1.0 / 3.0, 2.0, -1.0),
    "wave": lambda x: np.exp(40j * x),
    "chirp": lambda x: np.sin(50.0 * x**2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("levels", [1, 4, 5, 6, 7, 13])
@pytest.mark.parametrize("tol", [1e-5, 1e-11])
def test_equal_to_the_samples(name, levels, tol):
    f = FUNCTIONS[name]
    exact = f(np.arange(2**levels) / 2**levels)
    train = interpolated(f, levels, 0.0, 1.0 / 2**levels, tol)
    error = np.abs(train.full().reshape(-1) - exact).max()
    assert error <= 2.0 * tol * np.abs(exact).max()
    assert train.round(tol).max_rank <= sampled(exact, tol).max_rank


@pytest.mark.parametrize(
    ("f", "ranks"),
    [
        (lambda x: 1.0 / (x + 1.0), (3, 4, 6)),
        (lambda x: 1.0 / (x + 0.1), (4, 6, 8)),
        (lambda x: 1.0 / (x + 1e-3), (4, 7, 9)),
        (np.sqrt, (4, 6, 8)),
        (lambda x: np.sin(50.0 * x**2), (8, 11, 14)),
    ],
    ids=["1/(x+1)", "1/(x+0.1)", "1/(x+0.001)", "sqrt", "chirp"],
)
def test_ranks_by_accuracy_on_2_to_the_14_points(f, ranks):
    train = interpolated(f, 14, 0.0, 1.0 / 2**14, 1e-14)
    exact = f(np.arange(2**14) / 2**14)
    for tol, rank in zip((1e-4, 1e-8, 1e-12), ranks):
        rounded = train.round(tol)
        # the ranks of a TT-SVD, or one less: rounding passes on what a cut leaves of the tolerance
        assert rank - 1 <= rounded.max_rank <= rank
        assert np.linalg.norm(rounded.full().reshape(-1) - exact) <= 1.01 * tol * np.linalg.norm(exact)


def test_few_values_on_a_huge_grid():
    calls = []

    def f(x):
        calls.append(len(x))
        return np.sqrt(x)

    step = 2.0**-40
    train = interpolated(f, 40, 0.0, step, 1e-10)
    points = np.random.default_rng(0).integers(0, 2**40, 1000)
    points[:20] = np.arange(20)
    error = np.abs(train.entries(to_bits(points[:, None], [40])) - np.sqrt(step * points))
    assert error.max() < 2e-10 + 1e-14 * 2.0**20
    assert sum(calls) < 20_000 and train.max_rank <= 12


def test_a_peak_is_found_where_it_is_announced():
    def f(x):
        return 1.0 / (1.0 + ((x - 0.123456) / 1e-7) ** 2)

    step = 2.0**-32
    points = np.round((0.123456 + np.linspace(-3e-7, 3e-7, 40)) / step).astype(np.int64)
    train = interpolated(f, 32, 0.0, step, 1e-10, features=[(0.123456, 1e-7)])
    error = np.abs(train.entries(to_bits(points[:, None], [32])) - f(step * points))
    assert error.max() < 1e-8
    # a feature outside the grid changes nothing
    again = interpolated(np.exp, 8, 0.0, 1 / 256, 1e-10, features=[(-3.0, 1e-9), (7.0, 1e-9)])
    np.testing.assert_allclose(again.full().reshape(-1), np.exp(np.arange(256) / 256), rtol=1e-9)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=POINTS))
def test_lagrange_polynomials_reproduce_polynomials(coefficients):
    u = 0.5 - 0.5 * np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    t = np.linspace(0.0, 1.0, 23)
    np.testing.assert_allclose(
        np.polyval(coefficients, u) @ lagrange(t), np.polyval(coefficients, t), atol=1e-13 * POINTS
    )
    np.testing.assert_allclose(lagrange(u), np.eye(POINTS), atol=1e-13)


def test_zero_and_constant():
    assert interpolated(np.zeros_like, 20).norm() == 0.0
    one = interpolated(np.ones_like, 20)
    assert one.max_rank == 1
    assert one.norm() == pytest.approx(2.0**10, rel=1e-13)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: interpolated(np.sqrt, 8, -1.0, 1e-3), "finite"),
        (lambda: interpolated(np.exp, 8, step=0.0), "step"),
        (lambda: interpolated(lambda x: 1.0, 8), "numbers"),
        (lambda: interpolated(np.exp, 8, step=0.01, tol=1.0), "tol"),
        (lambda: interpolated(lambda x: np.sin(1e9 * x), 30, 0.0, 2.0**-30), "resolved"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
