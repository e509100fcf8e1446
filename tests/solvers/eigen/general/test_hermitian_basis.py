"""Lindblad operators in real numbers: the basis, what is recognised, and stationary states by both routes."""

import numpy as np
import pytest

from solvers.eigen.general import stationary as module
from solvers.eigen.general.hermitian_basis import hermitian_matrices, in_hermitian_basis, turned
from solvers.eigen.general.stationary import stationary
from solvers.formats.trains.construct import rank_one, rank_one_operator
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain, dot

ONE, RAISE, Z = np.eye(2), np.array([[0.0, 1.0], [0.0, 0.0]]), np.diag([1.0, -1.0])


def dissipator(jump: np.ndarray) -> np.ndarray:
    """L x conj(L) - (L^H L x 1 + 1 x (L^H L)^T) / 2."""
    n = jump.conj().T @ jump
    return np.kron(jump, jump.conj()) - 0.5 * np.kron(n, ONE) - 0.5 * np.kron(ONE, n.T)


def driven(n: int, pump: float = 0.8, loss: float = 0.5, dephasing: float = 0.1) -> TTOperator:
    """A chain H = sum (S+ S- + h.c.), pumped at the first spin and damped at the last, with dephasing."""
    left, right = [np.kron(x, ONE) for x in (RAISE, RAISE.T)], [np.kron(ONE, x.T) for x in (RAISE, RAISE.T)]
    ends = [pump * dissipator(RAISE), loss * dissipator(RAISE.T), dephasing * dissipator(Z)]
    stack = np.array([np.eye(4), *left, *right, *ends], dtype=complex)
    terms: list = [(1.0, {0: 5}), (1.0, {n - 1: 6}), *((1.0, {k: 7}) for k in range(n))]
    for k in range(n - 1):
        terms += [(-1j, {k: 1, k + 1: 2}), (-1j, {k: 2, k + 1: 1}), (1j, {k: 3, k + 1: 4}), (1j, {k: 4, k + 1: 3})]
    return sum_of_products([stack] * n, terms)


def populations(rho: TensorTrain) -> np.ndarray:
    """Of the first level of every spin."""
    d = rho.d
    up = np.diag([1.0, 0.0]).ravel()
    return np.array([dot(rank_one([up if j == k else ONE.ravel() for j in range(d)]), rho).real for k in range(d)])


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_basis_is_of_hermitian_matrices_and_unitary(n: int) -> None:
    u = hermitian_matrices(n)
    np.testing.assert_allclose(u.conj().T @ u, np.eye(n * n), atol=1e-15)
    matrices = u.T.reshape(-1, n, n)
    np.testing.assert_allclose(matrices, matrices.conj().transpose(0, 2, 1), atol=0.0)


def test_a_lindblad_operator_is_real_there_and_the_same() -> None:
    a = driven(3)
    found = in_hermitian_basis(a)
    assert found is not None and found[0].dtype == np.float64
    u = np.kron(np.kron(found[1][0], found[1][1]), found[1][2])
    whole = found[0].full()
    np.testing.assert_allclose(u @ whole.reshape(64, 64) @ u.conj().T, a.full().reshape(64, 64), atol=1e-13)
    x = rank_one([np.arange(4.0) + 1j * k for k in range(3)])
    np.testing.assert_allclose(turned(turned(x, found[1], back=True), found[1]).full(), x.full(), atol=1e-12)


def test_what_leaves_the_hermitian_matrices_is_not_recognised() -> None:
    assert in_hermitian_basis(driven(2) * 1j) is None
    assert in_hermitian_basis(rank_one_operator([np.eye(4) + 0j, np.eye(3) + 0j])) is None


def test_the_driven_chain() -> None:
    """Densities of the closed linear equations for <S+_i string S-_j>: 0.62285714 is 109/175."""
    found = stationary(driven(5), left=rank_one([ONE.ravel()] * 5))
    np.testing.assert_allclose(populations(found.value), [5 / 7, 109 / 175, 101 / 175, 93 / 175, 16 / 35], atol=1e-12)
    assert found.value.dtype.kind == "c" and found.extra["error"] <= 1e-8
    rho = found.value.full().reshape((2, 2) * 5).transpose(0, 2, 4, 6, 8, 1, 3, 5, 7, 9).reshape(32, 32)
    np.testing.assert_allclose(rho, rho.conj().T, atol=1e-12)
    assert np.linalg.eigvalsh(rho).min() > -1e-9


def test_by_implicit_steps_as_by_vectors(monkeypatch) -> None:
    exact = stationary(driven(4), left=rank_one([ONE.ravel()] * 4)).value
    monkeypatch.setattr(module, "LARGEST_FACTORS", 0)
    found = stationary(driven(4), left=rank_one([ONE.ravel()] * 4), accuracy=1e-7)
    assert (found.value - exact).norm() <= found.extra["error"] * exact.norm() <= 1e-7 * exact.norm()
