"""Compiled loops over sampled entries of a train: products of core slices and their adjoint.

Sample j has the index i_j of the mode at hand; cores come as (mode, left rank a, right rank b) so that a slice is
contiguous. Cost 2 m r^2 each for m samples.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel


@kernel
def times_slice(rows: np.ndarray, core: np.ndarray, index: np.ndarray) -> np.ndarray:
    """rows (m, a), core (n, a, b) of one dtype -> rows[j] @ core[i_j], (m, b)."""
    m, a = rows.shape
    b = core.shape[2]
    out = np.zeros((m, b), dtype=rows.dtype)
    for j in range(m):
        i = index[j]
        for p in range(a):
            factor = rows[j, p]
            for q in range(b):
                out[j, q] += factor * core[i, p, q]
    return out


@kernel
def outer_sums(left: np.ndarray, values: np.ndarray, right: np.ndarray, index: np.ndarray, n: int) -> np.ndarray:
    """Sum over the samples of each slice of values[j] left[j] x right[j], (n, a, b); all of one dtype."""
    m, a = left.shape
    b = right.shape[1]
    out = np.zeros((n, a, b), dtype=left.dtype)
    for j in range(m):
        i = index[j]
        for p in range(a):
            factor = values[j] * left[j, p]
            for q in range(b):
                out[i, p, q] += factor * right[j, q]
    return out


@kernel
def ridge_slices(
    core: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray,
    target: np.ndarray,
    order: np.ndarray,
    first: np.ndarray,
    ridge: float,
) -> None:
    """Every slice of ``core`` (n, a, b) becomes the minimiser S of the sum over the samples of its index of

        weights[j] |left[j] S right[j] - target[j]|^2  +  ridge |S|^2,

    with left (m, a), right (m, b), all but the weights of one dtype, real or complex; the samples of index i are
    order[first[i]:first[i + 1]]. By Cholesky's factorisation of the normal equations; a slice without samples becomes
    zero. Cost m (a b)^2 / 2 + n (a b)^3 / 6.
    """
    n, a, b = core.shape
    q = a * b
    normal = np.empty((q, q), dtype=core.dtype)
    rhs, row = np.empty(q, dtype=core.dtype), np.empty(q, dtype=core.dtype)
    for i in range(n):
        normal[:] = 0.0
        rhs[:] = 0.0
        for place in range(first[i], first[i + 1]):
            j = order[place]
            for s in range(a):
                for t in range(b):
                    row[s * b + t] = left[j, s] * right[j, t]
            for s in range(q):
                factor = weights[j] * np.conj(row[s])
                rhs[s] += factor * target[j]
                for t in range(s + 1):
                    normal[s, t] += factor * row[t]
        size = 0.0
        for s in range(q):
            size += normal[s, s].real
        if size == 0.0:
            core[i] = 0.0
            continue
        for s in range(q):
            normal[s, s] += ridge + 1e-13 * size
        # Cholesky's factor in the place of the lower triangle, with the forward substitution
        for s in range(q):
            for t in range(s + 1):
                value = normal[s, t]
                for p in range(t):
                    value -= normal[s, p] * np.conj(normal[t, p])
                normal[s, t] = np.sqrt(max(value.real, 1e-15 * size)) if s == t else value / normal[t, t]
            value = rhs[s]
            for p in range(s):
                value -= normal[s, p] * rhs[p]
            rhs[s] = value / normal[s, s]
        for s in range(q - 1, -1, -1):
            value = rhs[s]
            for p in range(s + 1, q):
                value -= np.conj(normal[p, s]) * rhs[p]
            rhs[s] = value / normal[s, s]
        for s in range(a):
            for t in range(b):
                core[i, s, t] = rhs[s * b + t]
