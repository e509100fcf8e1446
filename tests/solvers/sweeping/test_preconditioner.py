"""The preconditioner is the inverse diagonal of the local operator in its basis; mode bases are kept where possible."""

import numpy as np
import pytest
from linear_cases import convection_diffusion, random_definite

from solvers.formats.trains.construct import kronecker_sum
from solvers.sweeping.local_operator import OperatorCore, half
from solvers.sweeping.local_system import LocalSystem
from solvers.sweeping.preconditioner import ModeBasis, preconditioner


def hermitian(n, rng, dtype=float):
    matrix = rng.standard_normal((n, n)).astype(dtype)
    if matrix.dtype.kind == "c":
        matrix += 1j * rng.standard_normal((n, n))
    return matrix @ matrix.conj().T + np.eye(n)


def kronecker_environments(a, b, rng, dtype):
    """Environments (a', alpha, a), (beta, b, b') of a Kronecker sum: the identity, and a definite matrix."""
    left, right = np.zeros((a, 2, a), dtype=dtype), np.zeros((2, b, b), dtype=dtype)
    left[:, 0], left[:, 1] = np.eye(a), hermitian(a, rng, dtype)
    right[0], right[1] = hermitian(b, rng, dtype).T, np.eye(b)
    return left, right


def rotation(p, shape):
    """The matrix whose columns are the preconditioner's basis, in the unrotated bonds."""
    a, _, b = shape
    left = np.eye(a) if p.gauge_left is None else p.gauge_left
    right = np.eye(b) if p.gauge_right is None else p.gauge_right
    if p.side == 0:
        return np.kron(np.kron(left, p.basis), right)
    return np.kron(left, p.basis.T) if p.side == 1 else np.kron(p.basis, right)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("side", ["left", "right", "centre"])
def test_exact_inverse_of_a_kronecker_sum(side, dtype):
    rng = np.random.default_rng(0)
    a, n, b = 4, 5, 3
    operator = kronecker_sum([hermitian(n, rng, dtype)] * 3)
    core = OperatorCore.of(operator.cores[1], np.dtype(dtype))
    left, right = kronecker_environments(a, b, rng, dtype)
    if not np.allclose(core.dense[0, :, :, 0], np.eye(n)):  # the identity passes on the other index
        left, right = left[:, ::-1].copy(), right[::-1].copy()
    system = LocalSystem(left, core, right)
    p = preconditioner(left, core, right, side, ModeBasis())
    basis = rotation(p, system.shape)
    inverse = basis @ np.diag(p.inverse) @ basis.conj().T
    np.testing.assert_allclose(inverse @ system.dense(), np.eye(system.size), atol=1e-10)


@pytest.mark.parametrize("side", ["left", "right", "centre"])
def test_diagonal_of_the_operator_in_the_basis(side):
    rng = np.random.default_rng(1)
    operator = random_definite((4, 4, 4), 2, rng, np.complex128)
    core = OperatorCore.of(operator.cores[1], np.dtype(complex))
    p, _, _, q = core.dims
    left = rng.standard_normal((3, p, 3)) + 1j * rng.standard_normal((3, p, 3))
    right = rng.standard_normal((q, 2, 2)) + 1j * rng.standard_normal((q, 2, 2))
    system = LocalSystem(left, core, right)
    found = preconditioner(left, core, right, side, ModeBasis())
    basis = rotation(found, system.shape)
    np.testing.assert_allclose(basis.conj().T @ basis, np.eye(system.size), atol=1e-12)
    diagonal = np.diag(basis.conj().T @ system.dense() @ basis)
    np.testing.assert_allclose(1.0 / found.inverse, diagonal, atol=1e-10 * np.abs(diagonal).max())


def test_a_mode_basis_is_kept_only_where_every_block_is_diagonal_in_it():
    rng = np.random.default_rng(2)
    core = OperatorCore.of(kronecker_sum([hermitian(6, rng)] * 3).cores[1], np.dtype(float))
    mode, twin = ModeBasis.twins()
    mode.update(core, np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    kept = mode.basis
    assert mode.shared
    mode.update(core, np.array([2.0, 5.0]), np.array([1.0, 7.0]))
    assert mode.basis is kept
    mirrored = core.mirrored()
    twin.update(mirrored, np.array([1.0, 1.0]), np.array([1.0, 1.0]))
    images = np.einsum("mi,amnb,nj->aijb", kept, mirrored.dense, kept)
    np.testing.assert_allclose(twin.diagonal, np.einsum("aiib->aib", images), atol=1e-12)
    mode = ModeBasis()
    core = OperatorCore.of(convection_diffusion(3, 6).cores[1], np.dtype(float))
    mode.update(core, np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    assert mode.shared is False


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("density", [0.1, 0.6, 1.0])
def test_half_in_any_order_of_the_entries(dtype, density):
    rng = np.random.default_rng(3)
    dense = rng.standard_normal((3, 4, 5, 2)).astype(dtype) * (rng.random((3, 4, 5, 2)) <= density)
    left, x = rng.standard_normal((6, 3, 7)).astype(dtype), rng.standard_normal((7, 5, 9)).astype(dtype)
    if dtype is complex:
        dense, left, x = dense * (1.0 + 0.5j), left * (0.3 - 1.0j), x * 1j
    expected = np.einsum("pax,aijb,xjr->pibr", left, dense, x).reshape(24, 18)
    core = OperatorCore.of(dense, np.dtype(dtype))
    np.testing.assert_allclose(half(left, core, x), expected, atol=1e-12)
    order = rng.permutation(len(core.values))
    shuffled = OperatorCore(np.ascontiguousarray(core.entries[order]), core.values[order], core.dims)
    np.testing.assert_allclose(half(left, shuffled, x), expected, atol=1e-12)
