"""maxvol and rectangular maxvol: exact interpolation, bounded coefficients, near the largest volume."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.cross.maxvol import maxvol, rectangular_maxvol


def random_matrix(m, r, seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((m, r))
    return a + 1j * rng.standard_normal((m, r)) if dtype == np.complex128 else a


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(0, 30), st.integers(0, 10**6), st.sampled_from([np.float64, np.complex128]))
def test_interpolation(r, more, seed, dtype):
    a = random_matrix(r + more, r, seed, dtype)
    rows, c = maxvol(a)
    assert len(set(rows.tolist())) == r
    np.testing.assert_allclose(c @ a[rows], a, atol=1e-10 * np.abs(a).max() * np.linalg.cond(a))
    np.testing.assert_allclose(c[rows], np.eye(r), atol=1e-10)
    assert np.abs(c).max() <= 1.05 + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 40), st.integers(0, 10**6), st.sampled_from([np.float64, np.complex128]))
def test_rectangular(r, more, seed, dtype):
    a = random_matrix(r + more, r, seed, dtype)
    rows, c = rectangular_maxvol(a, 1.5)
    assert len(set(rows.tolist())) == len(rows) and r <= len(rows) <= min(2 * r, r + more)
    np.testing.assert_allclose(c @ a[rows], a, atol=1e-9 * np.abs(a).max() * np.linalg.cond(a))
    others = np.setdiff1d(np.arange(r + more), rows)
    norms = np.linalg.norm(c[others], axis=1)
    assert len(rows) == min(2 * r, r + more) or norms.max(initial=0.0) <= 1.5 + 1e-9


def test_rectangular_coefficients_have_least_norm():
    a = random_matrix(40, 4, 1)
    rows, c = rectangular_maxvol(a, 1.2)
    others = np.setdiff1d(np.arange(40), rows)
    np.testing.assert_allclose(c[others], (a @ np.linalg.pinv(a[rows]))[others], atol=1e-10)


def test_close_to_the_largest_volume():
    for seed in range(10):
        a = random_matrix(9, 3, seed)
        rows, _ = maxvol(a, 1.0)
        best = max(abs(np.linalg.det(a[list(chosen)])) for chosen in itertools.combinations(range(9), 3))
        assert abs(np.linalg.det(a[rows])) >= 0.4 * best


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_rank_deficient(dtype):
    a = random_matrix(20, 2, 3, dtype) @ random_matrix(2, 5, 4, dtype)
    rows, c = maxvol(a)
    assert len(set(rows.tolist())) == 5
    assert np.abs(c).max() <= 1.05 + 1e-9
    np.testing.assert_allclose(c @ a[rows], a, atol=1e-12)
    rows, c = maxvol(np.zeros((6, 3)))
    assert len(set(rows.tolist())) == 3 and np.isfinite(c).all()


def test_sharp_error_bound_of_the_cross():
    """A = (J + eps 1)^-1 of size r + 1: the error over sigma_(r+1) is (n + eps)/(1 + eps)."""
    n, eps = 5, 1e-3
    a = np.linalg.inv(np.ones((n, n)) + eps * np.eye(n))
    block = a[:-1, :-1]
    error = np.abs(a - a[:, :-1] @ np.linalg.inv(block) @ a[:-1]).max()
    sigma = np.linalg.svd(a)[1][-1]
    assert error / sigma == pytest.approx((n + eps) / (1 + eps), rel=1e-6)
    assert error <= n * sigma * (1 + 1e-9)


def test_refusals():
    with pytest.raises(ValueError, match="rows"):
        maxvol(np.ones((2, 3)))
    with pytest.raises(ValueError, match="NaN"):
        maxvol(np.array([[np.nan], [1.0]]))
