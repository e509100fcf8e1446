"""Few levels of a dense matrix and the proof that none is missing, against LAPACK and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group

from solvers.eigen import counted
from solvers.eigen.counted import levels_below, lowest_of_dense


def hermitian(n: int, complex_: bool, rng: np.random.Generator, decades: float = 0.0) -> np.ndarray:
    h = rng.standard_normal((n, n)) * 10.0 ** rng.uniform(-decades, 0.0, (n, n))
    if complex_:
        h = h + 1j * rng.standard_normal((n, n))
    return h + h.conj().T


@given(n=st.integers(1, 40), complex_=st.booleans(), seed=st.integers(0, 10**6), decades=st.floats(0.0, 8.0))
def test_the_count_is_that_of_the_eigenvalues(n, complex_, seed, decades):
    rng = np.random.default_rng(seed)
    h = hermitian(n, complex_, rng, decades)
    values = np.linalg.eigvalsh(h)
    shift = float(rng.uniform(values[0] - 1.0, values[-1] + 1.0))
    if np.abs(values - shift).min() > 1e-9 * np.abs(values).max():
        assert levels_below(h, shift) == int(np.sum(values < shift))


@pytest.mark.parametrize("complex_", [False, True])
def test_few_levels_of_many(complex_):
    h = hermitian(640, complex_, np.random.default_rng(1)) + np.diag(np.arange(640.0) * 3.0)
    values, vectors = lowest_of_dense(h, 7)
    assert values == pytest.approx(np.linalg.eigvalsh(h)[:7], abs=1e-10)
    assert np.abs(vectors.conj().T @ vectors - np.eye(7)).max() < 1e-11
    assert np.abs(h @ vectors - vectors * values).max() < 1e-9


@pytest.mark.parametrize("repeats", [2, 5, 20])
def test_repeated_levels_are_counted(repeats):
    """One random start sees a repeated level once: the count says that the others are missing."""
    n = 600
    levels = np.sort(np.repeat(np.arange(n // repeats + 1.0), repeats)[:n])
    q = ortho_group.rvs(n, random_state=2)
    values, vectors = lowest_of_dense((q * levels) @ q.T, 12)
    assert values == pytest.approx(levels[:12], abs=1e-9)
    assert np.abs(vectors.T @ vectors - np.eye(12)).max() < 1e-10


def test_a_level_that_lanczos_misses_is_not_missed(monkeypatch):
    """The count is the judge: a search that loses a level is thrown away."""
    h = hermitian(600, False, np.random.default_rng(3)) + np.diag(np.arange(600.0))
    true = np.linalg.eigvalsh(h)[:6]
    whole = counted.eigsh

    def blind(matrix, k, **options):
        values, vectors = whole(matrix, k=k + 1, **options)
        order = np.argsort(values)
        kept = np.delete(order, 2)
        return values[kept], vectors[:, kept]

    monkeypatch.setattr(counted, "eigsh", blind)
    assert lowest_of_dense(h, 6)[0] == pytest.approx(true, abs=1e-10)


def test_a_shift_between_blocks_of_two():
    """Zero diagonals make the factorisation take blocks of two rows."""
    h = np.kron(np.diag([1.0, 2.0, 3.0]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert [levels_below(h, s) for s in (-2.5, -1.5, 0.0, 1.5, 3.5)] == [1, 2, 3, 4, 6]
