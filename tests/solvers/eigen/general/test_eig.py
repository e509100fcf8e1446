"""Eigenvalues of operators that are not Hermitian: exact ones, their conditions, and errors that hold."""

import generators
import numpy as np
import pytest

from solvers.eigen.general import small
from solvers.eigen.general.eig import eig
from solvers.formats.trains.construct import operator_tt_svd, rank_one_operator
from solvers.formats.trains.tensor_train import dot
from solvers.solution import NotConverged, Status


def operator_of(matrix: np.ndarray, shape: tuple[int, ...]):
    return operator_tt_svd(matrix.reshape(shape * 2), 1e-15)


def by_lapack(matrix: np.ndarray, key) -> np.ndarray:
    w = np.linalg.eigvals(matrix)
    return w[np.argsort(key(w), kind="stable")]


ORDERS = {"LR": lambda w: -w.real, "SR": lambda w: w.real, "LM": lambda w: -np.abs(w), "SM": np.abs}


@pytest.mark.parametrize("which", ORDERS)
@pytest.mark.parametrize("complex_", [False, True])
def test_every_order_against_lapack(which: str, complex_: bool) -> None:
    rng = np.random.default_rng(3)
    a = rng.standard_normal((24, 24)) + (1j * rng.standard_normal((24, 24)) if complex_ else 0.0)
    found = eig(operator_of(a, (2, 3, 4)), 5, which=which, accuracy=1e-9)
    w = found.value.eigenvalues
    exact = by_lapack(a, ORDERS[which])
    np.testing.assert_allclose(np.sort(ORDERS[which](w)), ORDERS[which](exact)[: len(w)], atol=1e-11)
    assert found.value.completeness == "proved" and len(w) in (5, 6)
    for value, r, l, c in zip(w, found.value.right, found.value.left, found.value.conditions):
        right, left = r.full().ravel(), l.full().ravel()
        assert np.linalg.norm(a @ right - value * right) < 1e-9
        assert np.linalg.norm(a.conj().T @ left - np.conj(value) * left) < 1e-9
        assert dot(l, r) == pytest.approx(1.0 / c, abs=1e-10)


def test_a_conjugate_pair_is_not_cut() -> None:
    turn = np.array([[1.0, 2.0], [-2.0, 1.0]])
    a = np.zeros((4, 4))
    a[:2, :2], a[2, 2], a[3, 3] = turn, 0.5, -3.0
    found = eig(operator_of(a, (2, 2)), 1)
    np.testing.assert_allclose(found.value.eigenvalues, [1 + 2j, 1 - 2j], atol=1e-13)
    assert len(eig(operator_of(a, (2, 2)), 3).value.eigenvalues) == 3


@pytest.mark.parametrize("order", [2, 3])
def test_a_defective_eigenvalue_is_not_called_converged(order: int) -> None:
    """Of a Jordan block rounding errors make eps^(1/order): the error says so, and covers it."""
    rng = np.random.default_rng(order)
    jordan = np.diag([1.0] * order + [-1.0, -2.0, -3.0, -4.0][: 6 - order])
    jordan[np.arange(order - 1), np.arange(1, order)] = 1.0
    turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    found = eig(operator_of(turn @ jordan @ turn.T, (2, 3)), order, accuracy=1e-10, throw=False)
    off = np.abs(found.value.eigenvalues[:order] - 1.0)
    assert found.status is Status.PRECISION and off.max() > 1e-10
    assert np.all(off <= found.value.errors[:order])
    with pytest.raises(NotConverged):
        eig(operator_of(turn @ jordan @ turn.T, (2, 3)), order, accuracy=1e-10)


def test_errors_cover_ill_conditioned_eigenvalues() -> None:
    """A matrix of integers with a condition of 1e7: triangular, so that its eigenvalues are known."""
    rng = np.random.default_rng(5)
    a = np.triu(rng.integers(-40, 40, (12, 12)).astype(float), 1) + np.diag(np.arange(12.0))
    turn, _ = np.linalg.qr(rng.standard_normal((12, 12)))
    found = eig(operator_of(turn @ a @ turn.T, (3, 4)), 12, accuracy=1.0, throw=False)
    off = np.abs(np.sort_complex(found.value.eigenvalues) - np.arange(12.0))
    order = np.lexsort((found.value.eigenvalues.imag, found.value.eigenvalues.real))
    assert off.max() > 1e-12 and np.all(off <= found.value.errors[order])


def test_generators_of_chains() -> None:
    for n in (6, 8):
        found = eig(generators.glauber(n), 6)
        np.testing.assert_allclose(found.value.eigenvalues, generators.glauber_eigenvalues(n, 6), atol=1e-12)


def test_arnoldi_finds_what_lapack_finds(monkeypatch) -> None:
    monkeypatch.setattr(small, "DENSE", 50)
    monkeypatch.setattr(small, "LARGEST_DENSE", 0)
    found = eig(generators.exclusion(10), 9)
    assert found.value.completeness.startswith("searched")
    off = np.abs(found.value.eigenvalues[:9] - generators.EXCLUSION_10[:9])
    assert off.max() < 1e-12 and np.all(off <= found.value.errors[:9])


def test_nearest_to_a_number_and_a_repeated_eigenvalue(monkeypatch) -> None:
    monkeypatch.setattr(small, "DENSE", 20)
    rng = np.random.default_rng(0)
    w = np.concatenate([[2.0, 2.0, 2.0, 2.1], rng.uniform(5.0, 9.0, 176)])
    v = rng.standard_normal((180, 180)) + 9.0 * np.eye(180)
    a = v @ np.diag(w) @ np.linalg.inv(v)
    found = eig(operator_of(a, (4, 5, 9)), 4, target=1.9, accuracy=1e-7)
    np.testing.assert_allclose(found.value.eigenvalues, [2.0, 2.0, 2.0, 2.1], atol=1e-10)


def test_a_permuted_block_structure_is_seen() -> None:
    assert len(small._parts(small.sp.csr_matrix(np.kron(np.eye(2), np.ones((2, 2)))))) == 2


@pytest.mark.parametrize("n", [0, 7, True, 1.5])
def test_how_many_must_fit(n) -> None:
    with pytest.raises(ValueError, match="n is"):
        eig(rank_one_operator([np.eye(2), np.eye(3)]), n)


def test_refusals_are_one_line() -> None:
    a = rank_one_operator([np.eye(2), np.eye(3)])
    with pytest.raises(ValueError, match=r"LR .largest real part"):
        eig(a, 1, which="LA")
    with pytest.raises(ValueError, match="finite"):
        eig(a, 1, target=np.nan)
    with pytest.raises(ValueError, match="square"):
        eig(rank_one_operator([np.ones((2, 3))]), 1)


def test_one_function_and_the_zero_operator() -> None:
    assert eig(rank_one_operator([np.array([[2.5]])]), 1).value.eigenvalues[0] == 2.5
    found = eig(rank_one_operator([np.zeros((2, 2)), np.eye(2)]), 4)
    np.testing.assert_array_equal(found.value.eigenvalues, np.zeros(4))


def test_a_cap_on_the_ranks_is_told() -> None:
    found = eig(generators.exclusion(6), 3, max_rank=1, throw=False)
    assert found.status is Status.RANK_LIMIT and max(x.max_rank for x in found.value.right) == 1
    assert found.residual.max() > 1e-3
