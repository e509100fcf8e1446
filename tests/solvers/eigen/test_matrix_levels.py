"""Lowest levels of a matrix by its connected parts, against dense diagonalisation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg as la
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.eigen import explicit, matrix_levels
from solvers.eigen.matrix_levels import connected, sector_levels


def shuffled(sizes, rng, complex_=False):
    """A Hermitian matrix of blocks of these sizes, its rows in random order."""
    blocks = [rng.standard_normal((n, n)) + (1j * rng.standard_normal((n, n)) if complex_ else 0.0) for n in sizes]
    order = rng.permutation(sum(sizes))
    return la.block_diag(*(b + b.conj().T for b in blocks))[order][:, order]


def right(h, count, found):
    values, vectors, _ = found
    np.testing.assert_allclose(values, np.linalg.eigvalsh(h)[:count], atol=1e-9)
    np.testing.assert_allclose(vectors.conj().T @ vectors, np.eye(count), atol=1e-9)
    np.testing.assert_allclose(h @ vectors, vectors * values, atol=1e-7)


@given(st.integers(0, 10**6), st.lists(st.integers(1, 60), min_size=1, max_size=12), st.booleans(), st.booleans())
@settings(max_examples=30)
def test_parts_of_any_sizes(seed, sizes, complex_, sparse):
    rng = np.random.default_rng(seed)
    h = shuffled(sizes, rng, complex_)
    count = int(rng.integers(1, len(h) + 1))
    given_h = sp.csr_matrix(h) if sparse else h
    found = sector_levels(given_h, count, rng)
    assert found is not None and found[2] == 0
    right(h, count, found)
    if len(h) > matrix_levels.STACKED:
        assert connected(given_h)[0] == len(sizes)


@pytest.mark.parametrize("complex_", [False, True])
def test_parts_that_are_too_large_are_searched(monkeypatch, complex_):
    """And those without a wanted level only glanced at, or left out."""
    rng = np.random.default_rng(5)
    h = shuffled([90, 100, 110, 40], rng, complex_)
    h = la.block_diag(h, np.diag(np.full(120, 200.0)) + 0.01 * shuffled([120], rng, complex_))
    monkeypatch.setattr(explicit, "DENSE", 60)
    lanczos, tried = matrix_levels._lanczos, []

    def counted(block, count, rng, bound):
        tried.append((block.shape[0], bool(np.isfinite(bound))))
        return lanczos(block, count, rng, bound)

    monkeypatch.setattr(matrix_levels, "_lanczos", counted)
    found = sector_levels(sp.csr_matrix(h), 6, rng)
    assert found is not None and found[2] >= matrix_levels.AGREEING
    right(h, 6, found)
    assert tried == [(90, True), (100, True), (110, True)]


def test_equal_parts_have_equal_levels():
    """A repeated level of one matrix, which a random start sees once, is one of each part."""
    rng = np.random.default_rng(6)
    block = rng.standard_normal((40, 40))
    h = np.kron(np.eye(5), block + block.T)
    values, vectors, starts = sector_levels(sp.csr_matrix(h), 7, rng)
    assert starts == 0
    np.testing.assert_allclose(values, np.linalg.eigvalsh(h)[:7], atol=1e-10)
    assert all(np.count_nonzero(v) <= 40 for v in vectors.T)


def test_what_rounding_left_connects_nothing():
    rng = np.random.default_rng(7)
    h = shuffled([50, 60], rng)
    noise = rng.standard_normal(h.shape) * 1e-17
    assert connected(h + noise + noise.T)[0] == 2
    assert connected(np.zeros((40, 40)))[0] == 40
    right(h, 5, sector_levels(h + noise + noise.T, 5, rng))
    sparse = sp.csr_matrix(h + noise + noise.T)
    before = sparse.copy()
    right(h, 5, sector_levels(sparse, 5, rng))
    assert (sparse != before).nnz == 0 and sparse.nnz == before.nnz  # it is left as it is
