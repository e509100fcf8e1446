"""Sums over groups of modes that are not Hermitian: all orders against all sums, wherever the modes stand."""

import generators
import numpy as np
import pytest

from solvers.eigen import explicit
from solvers.eigen.general.eig import eig
from solvers.eigen.general.order import Order
from solvers.eigen.general.sums import by_sums
from solvers.formats.trains.construct import kronecker_sum
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.solution import Status

KEYS = {"LR": lambda w: -w.real, "SR": lambda w: w.real, "LM": lambda w: -np.abs(w), "SM": np.abs}


@pytest.mark.parametrize("which", [*KEYS, "target"])
def test_nine_sites_of_random_matrices(which: str) -> None:
    """4^9 product functions, which no vectors are made of."""
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((4, 4)) for _ in range(9)]
    sums = np.zeros(1)
    for part in parts:
        sums = np.add.outer(sums, np.linalg.eigvals(part)).ravel()
    target = 1.0 + 2.0j
    asked = {"target": target} if which == "target" else {"which": which}
    key = KEYS.get(which, lambda w: np.abs(w - target))
    found = eig(kronecker_sum(parts), 5, accuracy=1e-10, **asked)
    w = found.value.eigenvalues
    np.testing.assert_allclose(key(w), np.sort(key(sums))[: len(w)], atol=1e-12)
    assert found.value.completeness == "proved" and found.residual.max() < 1e-11
    assert found.counts["groups"] == 9 and found.counts["functions"] == 4


def test_groups_woven_into_each_other() -> None:
    rng = np.random.default_rng(3)
    mats = [np.array([np.eye(2), *rng.standard_normal((3, 2, 2))]) for _ in range(6)]
    terms = [(1.0, {k: 1}) for k in range(6)] + [(0.7, {k: 2, k + 2: 3}) for k in range(4)]
    a = sum_of_products(mats, terms)
    dense = a.full()

    def of_group(part, m):
        value = eig(part, m, accuracy=1e-10).value
        return value, {}

    value, counts = by_sums(a, 6, Order("LR"), 1e-10, of_group)
    exact = np.linalg.eigvals(dense)
    np.testing.assert_allclose(-value.eigenvalues.real, np.sort(-exact.real)[: len(value.eigenvalues)], atol=1e-12)
    for w, r, l in zip(value.eigenvalues, value.right, value.left):
        assert np.linalg.norm(dense @ r.full().ravel() - w * r.full().ravel()) < 1e-11
        assert np.linalg.norm(dense.conj().T @ l.full().ravel() - np.conj(w) * l.full().ravel()) < 1e-11
    assert counts["groups"] == 2


def test_a_group_too_large_for_vectors_by_trains(monkeypatch) -> None:
    """Two chains, each by trains: the status is what the parts have."""
    monkeypatch.setattr(explicit, "SMALL", 0)
    monkeypatch.setattr(explicit, "DENSE", 4)
    one = generators.glauber(4)
    both = generators.beside(one, one)
    found = eig(both, 3, accuracy=1e-7, throw=False)
    rates = generators.glauber_eigenvalues(4, 4)
    exact = np.sort(np.add.outer(rates, rates).ravel())[::-1][:3]
    np.testing.assert_allclose(found.value.eigenvalues.real, exact, atol=1e-7)
    assert found.status is Status.CONVERGED and found.value.completeness.startswith("searched")


def test_a_defective_group_is_not_called_converged() -> None:
    jordan = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    turn, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))
    parts = [turn @ jordan @ turn.T, *[np.diag([0.0, -float(k)]) for k in range(1, 18)]]
    found = eig(kronecker_sum(parts), 2, accuracy=1e-10, throw=False)
    assert found.status is Status.PRECISION
    assert np.all(np.abs(found.value.eigenvalues - 1.0) <= found.value.errors)
