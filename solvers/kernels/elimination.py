"""Elimination over the field of p elements: the rank of an integer matrix, exactly."""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel


@kernel
def rank_modulo(a: np.ndarray, prime: int) -> int:
    """The rank of ``a`` (m, n), int64 residues in [0, prime), prime < 2^31; ``a`` is overwritten. Cost m n rank.

    Products of two residues stay below 2^62.
    """
    m, n = a.shape
    rank = 0
    for i in range(m):
        pivot = -1
        for j in range(n):
            if a[i, j] != 0:
                pivot = j
                break
        if pivot < 0:
            continue
        rank += 1
        # the inverse by the extended algorithm of Euclid
        old, new, before, after = prime, a[i, pivot], 0, 1
        while new != 0:
            quotient = old // new
            old, new = new, old - quotient * new
            before, after = after, before - quotient * after
        inverse = before % prime
        for k in range(i + 1, m):
            if a[k, pivot] != 0:
                factor = prime - (a[k, pivot] * inverse) % prime
                for j in range(pivot, n):
                    if a[i, j] != 0:
                        a[k, j] = (a[k, j] + factor * a[i, j]) % prime
    return rank


@kernel
def product_modulo(a: np.ndarray, b: np.ndarray, prime: int) -> np.ndarray:
    """a (m, k) times b (k, n), int64 residues in [0, prime), prime < 2^31."""
    m, n = a.shape[0], b.shape[1]
    c = np.zeros((m, n), dtype=np.int64)
    for i in range(m):
        for k in range(a.shape[1]):
            factor = a[i, k]
            if factor != 0:
                for j in range(n):
                    c[i, j] = (c[i, j] + factor * b[k, j]) % prime
    return c
