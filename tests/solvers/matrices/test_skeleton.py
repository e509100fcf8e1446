"""Skeleton decompositions: errors and bounds against enumeration, closed forms, and matrices that are hard to take."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers.matrices import skeleton as module
from solvers.matrices.skeleton import bound_factor, skeleton


def ridge(n, eps):
    return np.linalg.inv(np.ones((n, n)) + eps * np.eye(n))


def grid(n, f):
    i = np.arange(1.0, n + 1.0)
    return f(i[:, None], i[None, :])


# matrix, rank, largest volume, largest error of an entry, sigma_{r+1}: by enumeration of all submatrices
KNOWN = {
    "inv(J + I), 2": (ridge(2, 1.0), 1, 0.6666666666666666, 0.5, 0.3333333333333333),
    "inv(J + 0.1 I), 3": (ridge(3, 0.1), 2, 35.48387096774188, 0.9090909090909083, 0.3225806451612901),
    "inv(J + 0.001 I), 5": (ridge(5, 1e-3), 4, 200159968006.50757, 0.9990009990010549, 0.19996000799832842),
    "inv(J + 0.001 I), 8": (ridge(8, 1e-3), 7, 1.2510936132996435e20, 0.9990009990008275, 0.1249843769528741),
    "cos(i j), 7": (grid(7, lambda i, j: np.cos(i * j)), 2, 1.7573360667379954, 1.4736797734383893, 2.1497640457566494),
    "Hilbert, 7": (
        grid(7, lambda i, j: 1 / (i + j - 1)),
        3,
        0.0018396781789638919,
        0.0011571428571428288,
        0.0010085876107701146,
    ),
    "exp(-|i-j|/3), 8": (
        grid(8, lambda i, j: np.exp(-abs(i - j) / 3)),
        3,
        0.804584828092081,
        0.5827829453479101,
        0.46720687497653274,
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_volume_error_and_bound_are_those_of_enumeration(name):
    matrix, rank, volume, error, after = KNOWN[name]
    found = skeleton(matrix, rank)
    # the inverse of J + eps I has lost log10(n / eps) digits
    assert math.exp(found.log_volume) == pytest.approx(volume, rel=1e-8)
    assert found.error == pytest.approx(error, rel=1e-9)
    assert found.singular_value == pytest.approx(after, rel=1e-9)
    assert found.bound == pytest.approx((rank + 1) * after, rel=1e-9)
    assert found.maximal and found.error <= found.bound


@pytest.mark.parametrize(("n", "eps"), [(3, 1.0), (4, 0.1), (6, 1e-2)])
def test_the_bound_is_reached(n, eps):
    """inv(J + eps I) at rank n - 1: (n + eps) / (1 + eps) times sigma_n, the closed form."""
    found = skeleton(ridge(n, eps), n - 1)
    assert found.error / found.singular_value == pytest.approx((n + eps) / (1 + eps), rel=1e-10)


@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(2, 6), st.integers(1, 3), st.booleans())
def test_the_largest_volume_keeps_its_bound(seed, m, n, rank, imaginary):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((m, n)) + (1j * rng.standard_normal((m, n)) if imaginary else 0.0)
    found = skeleton(matrix, min(rank, m, n))
    assert found.maximal
    assert found.error <= found.bound * (1 + 1e-10) + 1e-13
    assert np.abs(matrix - found.full()).max() == pytest.approx(found.error, abs=1e-13)
    np.testing.assert_array_equal(found.left, matrix[:, found.columns])


def test_turns_of_maxvol_find_the_largest_volume_of_small_matrices(monkeypatch):
    for name, (matrix, rank, volume, _, _) in KNOWN.items():
        monkeypatch.setattr(module, "FEW", 0)
        found = skeleton(matrix, rank)
        assert not found.maximal
        assert math.exp(found.log_volume) == pytest.approx(volume, rel=1e-7), name


def test_a_smooth_function_of_many_points_is_within_the_bound():
    x = np.linspace(0.0, 1.0, 200)
    matrix = 1.0 / (1.0 + x[:, None] + x[None, :])
    errors = [skeleton(matrix, rank).error for rank in (2, 4, 6)]
    bounds = [skeleton(matrix, rank).bound for rank in (2, 4, 6)]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert all(error <= bound for error, bound in zip(errors, bounds))


def test_more_rows_and_columns_lower_bound_and_error():
    rng = np.random.default_rng(5)
    matrix = rng.standard_normal((60, 8)) @ rng.standard_normal((8, 50)) + 0.05 * rng.standard_normal((60, 50))
    square, wide = skeleton(matrix, 8), skeleton(matrix, 8, extra=8)
    assert (len(wide.rows), len(wide.columns), wide.core.shape) == (16, 16, (16, 16))
    assert wide.bound == pytest.approx(bound_factor(8, 16, 16) * wide.singular_value) and wide.bound < square.bound
    assert wide.error < square.error and np.linalg.matrix_rank(wide.full()) == 8
    assert bound_factor(5, 5, 5) == pytest.approx(6.0)


def test_a_matrix_of_smaller_rank_is_reproduced():
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((30, 3)) @ rng.standard_normal((3, 40))
    for rank in (3, 5):
        found = skeleton(matrix, rank)
        assert found.error < 1e-11 * np.abs(matrix).max()
        assert len(set(found.rows)) == len(set(found.columns)) == rank


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e-300])
def test_scales_change_nothing(scale):
    matrix = grid(9, lambda i, j: 1 / (i + j))
    plain, scaled = skeleton(matrix, 3), skeleton(scale * matrix, 3)
    np.testing.assert_array_equal(plain.rows, scaled.rows)
    assert scaled.error == pytest.approx(scale * plain.error, rel=1e-6)
    assert scaled.log_volume == pytest.approx(plain.log_volume + 3 * math.log(scale), rel=1e-12)


@pytest.mark.parametrize("matrix", [np.zeros((4, 5)), np.full((3, 3), 7.0)])
def test_constant_matrices_have_no_error_but_rounding(matrix):
    assert skeleton(matrix, 1).error == 0.0
    more = skeleton(matrix, 2)  # the inverse of a block of rank one is by singular values
    assert np.abs(more.full() - matrix).max() == more.error <= min(more.bound, 1e-14)


@pytest.mark.parametrize(
    ("matrix", "rank", "said"),
    [
        (np.ones(3), 1, "needs a matrix with entries"),
        (np.ones((0, 3)), 1, "needs a matrix with entries"),
        (np.ones((2, 3)), 3, r"rank must lie in 1 \.\.\. 2"),
        (np.ones((2, 3)), 0, "rank must lie in"),
        (np.array([[np.nan, 1.0]]), 1, "NaN or infinity"),
    ],
)
def test_what_cannot_be_taken_is_refused(matrix, rank, said):
    with pytest.raises(ValueError, match=said):
        skeleton(matrix, rank)


def test_entries_that_are_no_numbers_are_refused():
    with pytest.raises(TypeError, match="the matrix"):
        skeleton(np.array([["a", "b"]]), 1)
    with pytest.raises(ValueError, match="extra must be at least 0"):
        skeleton(np.ones((2, 2)), 1, extra=-1)
