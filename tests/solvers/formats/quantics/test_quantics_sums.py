"""Exponential sums: the promised accuracy and few terms; sums of separable terms against dense arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.quantics.axes import reordered
from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.sums import gaussian_sum, inverse_distance, inverse_shifted, separable
from solvers.formats.trains.construct import tt_svd

few = settings(max_examples=25, deadline=None, derandomize=True)


def relative_error(power, weights, exponents, smallest, largest):
    """Largest relative error of sum_k w exp(-e r^power) r on points other than those of the check."""
    r = np.geomspace(smallest, largest, 30_011)
    return np.abs(r * (np.exp(-exponents * r[:, None] ** power) @ weights) - 1.0).max()


# terms of a plain trapezoidal rule for 2^7 points on a box of 64 bohr, and of one for eigenvalues plus 0.5
@pytest.mark.parametrize(("accuracy", "plain"), [(1e-4, 41), (1e-6, 75)])
def test_inverse_distance(accuracy, plain):
    box, step = 32.0, 64.0 / 2**7
    weights, exponents = inverse_distance(step / 2.0, np.sqrt(3.0) * box, accuracy)
    assert relative_error(2, weights, exponents, step / 2.0, np.sqrt(3.0) * box) <= 1.01 * accuracy
    assert len(weights) <= plain // 2
    assert (weights > 0.0).all() and (np.diff(exponents) > 0.0).all()


@pytest.mark.parametrize(("accuracy", "plain"), [(1e-3, 21), (1e-4, 29), (1e-6, 49)])
def test_inverse_shifted(accuracy, plain):
    largest = 0.5 + 12.0 * (2**7 / 64.0) ** 2  # the three-dimensional Laplacian of the same grid, and the shift
    weights, exponents = inverse_shifted(0.5, largest, accuracy)
    assert relative_error(1, weights, exponents, 0.5, largest) <= 1.01 * accuracy
    assert len(weights) <= 0.6 * plain


@few
@given(st.floats(-6.0, 6.0), st.floats(0.0, 8.0), st.floats(-13.0, -0.5))
def test_accuracy_everywhere(low, decades, digits):
    smallest, accuracy = 10.0**low, 10.0**digits
    largest = smallest * 10.0**decades
    for build, power in ((inverse_distance, 2), (inverse_shifted, 1)):
        weights, exponents = build(smallest, largest, accuracy)
        assert relative_error(power, weights, exponents, smallest, largest) <= 1.05 * accuracy + 1e-15
        assert len(weights) <= 12 + (4.0 - 1.2 * digits) * (4.0 + decades)


@pytest.mark.parametrize("build", [inverse_distance, inverse_shifted])
@pytest.mark.parametrize(
    ("smallest", "largest", "accuracy"),
    [
        (0.0, 1.0, 1e-3),
        (2.0, 1.0, 1e-3),
        (1.0, np.inf, 1e-3),
        (1e-320, 1e-319, 1e-3),
        (1.0, 1e60, 1e-3),
        (np.nan, 1.0, 1e-3),
        (1.0, 2.0, 1e-17),
        (1.0, 2.0, 1.0),
    ],
)
def test_intervals_and_accuracies_out_of_reach(build, smallest, largest, accuracy):
    with pytest.raises(ValueError, match=r"interval|accuracy"):
        build(smallest, largest, accuracy)


@few
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(1, 12),
    st.integers(0, 10**6),
    st.booleans(),
    st.sampled_from([0.0, 1e-12, 1e-2, 0.3]),
)
def test_separable_is_the_sum_of_products(levels, terms, seed, turned, tol):
    rng = np.random.default_rng(seed)
    factors = [rng.standard_normal((2**n, terms)) for n in levels]
    if turned:
        factors[-1] = factors[-1] + 1j * rng.standard_normal(factors[-1].shape)
    exact = factors[0].T
    for factor in factors[1:]:
        exact = exact[..., None] * factor.T.reshape(terms, *(1,) * (exact.ndim - 1), -1)
    exact = exact.sum(axis=0)
    train = separable(factors, tol)
    error = np.linalg.norm(train.full().reshape(exact.shape) - exact)
    assert error <= (tol + 1e-13) * np.linalg.norm(exact)


def test_separable_does_not_carry_redundant_terms():
    rng = np.random.default_rng(0)
    base = [rng.standard_normal((16, 2)) for _ in range(3)]
    many = [np.repeat(b, 30, axis=1) for b in base]
    assert separable(many).ranks[4] == separable(many).ranks[8] == 2
    again = separable(many, order="interleaved")
    assert (reordered(again, [4] * 3, "sequential") - separable(base) * 30.0).norm() < 1e-11 * again.norm()
    assert separable([np.zeros((4, 3))] * 2).norm() == 0.0


@pytest.mark.parametrize("tol", [1e-5, 1e-9])
def test_potential_of_a_point_charge(tol):
    """1/|x - c| on 2^27 points, from an exponential sum."""
    levels, step = 9, 20.0 / 2**9
    points = -10.0 + step * (np.arange(2**levels) + 0.5)
    centre = np.array([0.0, 1.25, -2.5])  # faces of cells: half a step away on every axis
    weights, exponents = inverse_distance(step / 2.0, 35.0, 0.1 * tol)
    train = gaussian_sum(weights, exponents, [points] * 3, centre, tol)
    index = np.random.default_rng(0).integers(0, 2**levels, (500, 3))
    index[0] = [256, 288, 192]  # next to the charge
    exact = 1.0 / np.linalg.norm(points[index] - centre, axis=1)
    error = np.abs(train.entries(to_bits(index, [levels] * 3)) - exact)
    assert exact.max() > 20.0
    # relative in the 2-norm, whose mean over the points is about 0.1
    assert np.sqrt(np.mean(error**2)) <= 2.0 * tol * 0.15


def test_ranks_of_a_sum_are_those_of_the_full_array():
    points = -3.0 + 6.0 / 32 * (np.arange(32) + 0.5)
    weights, exponents = inverse_distance(0.1, 6.0, 1e-7)
    square = (points - 0.1) ** 2
    exact = np.exp(-exponents * (square[:, None, None, None] + square[:, None, None] + square[:, None])) @ weights
    train = gaussian_sum(weights, exponents, [points] * 3, [0.1] * 3, 1e-6)
    assert train.max_rank <= tt_svd(exact.reshape((2,) * 15), 1e-6).max_rank
    assert np.linalg.norm(train.full().reshape(exact.shape) - exact) <= 1e-6 * np.linalg.norm(exact)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: separable([]), "at least one"),
        (lambda: separable([np.ones((4, 2)), np.ones((4, 3))]), "shapes"),
        (lambda: separable([np.ones((6, 2))]), "shapes"),
        (lambda: separable([np.ones(4)]), "shapes"),
        (lambda: separable([np.ones((4, 0))]), "shapes"),
        (lambda: separable([np.full((4, 2), np.nan)]), "NaN"),
        (lambda: separable([np.ones((4, 2))], tol=1.0), "tol"),
        (lambda: separable([np.ones((4, 2)), np.ones((8, 2))], order="interleaved"), "equal levels"),
        (lambda: gaussian_sum(np.ones(2), np.ones(3), [np.arange(4.0)], [0.0]), "one length"),
        (lambda: gaussian_sum(np.ones(2), np.ones(2), [np.arange(4.0)], [0.0, 0.0]), "centre"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
