"""The local exponential against a dense one, its error estimate, and what it conserves."""

import numpy as np
import pytest
from scipy.linalg import expm

from solvers.dynamics.krylov import bond_core, local_exponential
from solvers.kernels.exponential import small_exponential
from solvers.sweeping.local_operator import OperatorCore


def local_system(rng, a=4, n=5, b=3, p=2, hermitian=True, dtype=complex):
    def random(*shape):
        array = rng.standard_normal(shape)
        return array + 1j * rng.standard_normal(shape) if dtype is complex else array

    core, left, right = random(p, n, n, p), random(a, p, a), random(p, b, b)
    if hermitian:
        core = core + core.transpose(0, 2, 1, 3).conj()
        left = left + left.transpose(2, 1, 0).conj()
        right = right + right.transpose(0, 2, 1).conj()
    dense = np.einsum("xpa,pijq,qby->xiyajb", left, core, right).reshape(a * n * b, -1)
    scale = np.linalg.norm(dense, 2)
    return left / scale, OperatorCore.of(core, np.dtype(dtype)), right, dense / scale, random(a, n, b)


@pytest.mark.parametrize("scale", [-0.3j, -40j, -2.0, 1.0])
@pytest.mark.parametrize("hermitian", [True, False])
@pytest.mark.parametrize("tol", [1e-4, 1e-10])
def test_against_dense(scale, hermitian, tol):
    left, core, right, dense, x = local_system(np.random.default_rng(1), hermitian=hermitian)
    if not hermitian and abs(scale) > 10:
        scale = -8j
    found = local_exponential(left, core, right, x, scale, tol, hermitian=hermitian, dimension=20)
    exact = expm(scale * dense) @ x.ravel()
    growth = max(1.0, np.linalg.norm(expm(scale * dense), 2))
    error = np.linalg.norm(found.value.ravel() - exact)
    assert error <= 3 * tol * growth
    assert error <= 3 * found.error * growth + 1e-12 * growth and found.error <= tol


def test_real_arrays():
    left, core, right, dense, x = local_system(np.random.default_rng(2), dtype=float)
    found = local_exponential(left, core, right, x, -1.5, 1e-12, hermitian=True, dimension=30)
    assert found.value.dtype == np.float64
    np.testing.assert_allclose(found.value.ravel(), expm(-1.5 * dense) @ x.ravel(), atol=1e-10)


def test_norm_and_energy_are_kept_whatever_the_tolerance():
    left, core, right, dense, x = local_system(np.random.default_rng(3), a=8, b=8)
    found = local_exponential(left, core, right, x, -2j, 1e-2, hermitian=True, dimension=30)
    y = found.value
    assert np.linalg.norm(y) == pytest.approx(np.linalg.norm(x), rel=1e-14)
    before, after = (np.vdot(v, dense @ v.ravel()).real for v in (x.ravel(), y.ravel()))
    assert after == pytest.approx(before, abs=1e-13 * np.linalg.norm(x) ** 2)


def test_a_small_space_splits_the_step():
    left, core, right, dense, x = local_system(np.random.default_rng(5))
    found = local_exponential(left, core, right, x, -20j, 1e-8, hermitian=True, dimension=6)
    assert found.products > 6
    np.testing.assert_allclose(found.value.ravel(), expm(-20j * dense) @ x.ravel(), atol=1e-7)


def test_eigenvector_and_zero():
    left, core, right, dense, x = local_system(np.random.default_rng(6))
    values, vectors = np.linalg.eigh(dense)
    lowest = vectors[:, 0].reshape(x.shape)
    found = local_exponential(left, core, right, lowest, -1j, 1e-12, hermitian=True, dimension=9)
    np.testing.assert_allclose(found.value.ravel(), np.exp(-1j * values[0]) * vectors[:, 0], atol=1e-12)
    assert found.products <= 3
    assert not local_exponential(left, core, right, 0.0 * x, -1j, 1e-12, hermitian=True, dimension=9).value.any()


def test_bond():
    left, _, right, _, _ = local_system(np.random.default_rng(7))
    s = np.random.default_rng(8).standard_normal((4, 1, 3)) + 0j
    dense = np.einsum("xpa,pby->xyab", left, right).reshape(12, 12)
    core = bond_core(2, np.dtype(complex))
    found = local_exponential(left, core, right, s, 0.7j, 1e-12, hermitian=True, dimension=12)
    np.testing.assert_allclose(found.value.ravel(), expm(0.7j * dense) @ s.ravel(), atol=1e-10)


def test_small_exponential():
    rng = np.random.default_rng(9)
    for size in (0.1, 5.0, 60.0):
        matrix = size * (rng.standard_normal((6, 6)) + 1j * rng.standard_normal((6, 6))) / 6.0
        np.testing.assert_allclose(small_exponential(matrix), expm(matrix), rtol=1e-10, atol=1e-12)


def test_a_shift_is_taken_out():
    left, core, right, dense, x = local_system(np.random.default_rng(10))
    found = local_exponential(left, core, right, x, -1.0, 1e-12, hermitian=True, dimension=30, shift=0.4)
    np.testing.assert_allclose(found.value.ravel(), expm(0.4 * np.eye(len(dense)) - dense) @ x.ravel(), atol=1e-10)


@pytest.mark.parametrize("hermitian", [True, False])
def test_a_tolerance_below_rounding_does_not_end_it_early(hermitian):
    levels = np.linspace(0.0, 30.0, 90)
    core = OperatorCore.of(np.diag(levels).reshape(1, 90, 90, 1), np.dtype(float))
    one, x = np.ones((1, 1, 1)), np.ones((1, 90, 1))
    found = local_exponential(one, core, one, x, -3.0, 0.0, hermitian=hermitian, dimension=20)
    np.testing.assert_allclose(found.value.ravel(), np.exp(-3.0 * levels), atol=1e-12)
