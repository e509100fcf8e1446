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
    """Sum over the samples of each slice of values[j] left[j] x right[j], (n, a, b)."""
    m, a = left.shape
    b = right.shape[1]
    out = np.zeros((n, a, b))
    for j in range(m):
        i = index[j]
        for p in range(a):
            factor = values[j] * left[j, p]
            for q in range(b):
                out[i, p, q] += factor * right[j, q]
    return out
