"""Products of few quanta: their matrix against the whole one, and eigenvectors near to given ones."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest

from solvers.eigen.homing import nearest_eigenvectors
from solvers.eigen.pruned import PrunedMatrix, count_products, products_of, shifts_of


def oscillators(d: int, size: int) -> list[np.ndarray]:
    """1, q, q^2, q^3, q^4, p^2 + q^2 and d/dq of each mode in oscillator functions."""
    big = size + 4
    ladder = np.diag(np.sqrt(np.arange(1, big) / 2.0), 1)
    q = ladder + ladder.T
    powers = [np.linalg.matrix_power(q, p)[:size, :size] for p in range(5)]
    stack = np.array([*powers, np.diag(2.0 * np.arange(size) + 1.0), (ladder - ladder.T)[:size, :size]])
    return [stack] * d


def random_terms(d: int, rng: np.random.Generator) -> list[tuple[float, dict[int, int]]]:
    """Oscillators, couplings of up to four modes and a product of two momenta."""
    terms: list[tuple[float, dict[int, int]]] = [(0.5 + 0.1 * k, {k: 5}) for k in range(d)]
    for _ in range(12):
        modes = rng.choice(d, size=int(rng.integers(1, min(d, 4) + 1)), replace=False)
        terms.append((0.05 * float(rng.standard_normal()), {int(k): int(rng.integers(1, 3)) for k in modes}))
    return [*terms, *([(0.03, {0: 6, d - 1: 6})] if d > 1 else []), (0.7, {})]


def whole(matrices: list[np.ndarray], terms: list[tuple[float, dict[int, int]]]) -> np.ndarray:
    """The matrix over all products."""
    return sum(c * reduce(np.kron, [m[t.get(k, 0)] for k, m in enumerate(matrices)]) for c, t in terms)


@pytest.mark.parametrize("d, quanta", [(1, 6), (2, 5), (3, 4), (4, 3)])
def test_the_matrix_is_that_part_of_the_whole_one(d: int, quanta: int) -> None:
    rng = np.random.default_rng(d)
    matrices, terms = oscillators(d, quanta + 1), random_terms(d, rng)
    products = products_of(quanta, [quanta + 1] * d)
    assert len(products) == count_products(d, quanta)
    assert np.all(np.diff(products.sum(axis=1)) >= 0) and len(np.unique(products, axis=0)) == len(products)
    h = PrunedMatrix(shifts_of(matrices, terms), products)
    for count in (1, len(products) // 2, len(products)):  # rows are appended, none changes
        h.grow(count)
    place = np.ravel_multi_index(products.T, (quanta + 1,) * d)
    exact = whole(matrices, terms)[np.ix_(place, place)]
    np.testing.assert_allclose(h.dense(), exact, atol=1e-12)
    x = rng.standard_normal((len(products), 3))
    np.testing.assert_allclose(h @ x, exact @ x, atol=1e-11)


def test_no_mode_has_more_functions_than_allowed() -> None:
    products = products_of(6, [3, 7])
    assert products[:, 0].max() == 2 and products[:, 1].max() == 6 and products.sum(axis=1).max() == 6


def test_eigenvectors_near_to_given_ones_pass_by_lower_levels() -> None:
    rng = np.random.default_rng(5)
    a = np.diag(np.arange(60.0)) + 0.05 * rng.standard_normal((60, 60))
    a = 0.5 * (a + a.T)
    a[0, 0] = -500.0  # of a hole
    energies, vectors = np.linalg.eigh(a)
    given = np.linalg.qr(vectors[:, [5, 7]] + 0.05 * rng.standard_normal((60, 2)))[0]
    found = nearest_eigenvectors(a.__matmul__, np.diag(a), given, tol=1e-9, scale=1.0)
    np.testing.assert_allclose(found.levels, energies[[5, 7]], atol=1e-10)
    np.testing.assert_allclose(np.abs(np.sum(found.vectors * vectors[:, [5, 7]], axis=0)), 1.0, atol=1e-9)
    assert found.residuals.max() <= 1e-9
