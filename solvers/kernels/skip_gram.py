"""Compiled loops over rows of the skip-gram objective: value, slope and curvature in every entry of a block of X.

Row i of the objective, to be made large, is

    f_i = sum_j [a_ij log sigma(x_ij) + b_i c_j log sigma(-x_ij)],   sigma(x) = 1 / (1 + exp(-x)),

with counts a in compressed rows and the weights b c of rank one. log sigma(-x) = -softplus(x), and no exponential of a
positive number is taken. Cost some 20 ns an entry, whatever the number of counts.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel


@kernel
def row_values(
    x: np.ndarray,
    start: np.ndarray,
    index: np.ndarray,
    counts: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    first: int,
) -> np.ndarray:
    """x (p, m), compressed rows (start, index, counts), weights rows (n,), columns (m,) -> f of rows first .. (p,)."""
    p, m = x.shape
    values = np.zeros(p)
    for i in range(p):
        total = 0.0
        for j in range(m):
            t = x[i, j]
            total -= columns[j] * (max(t, 0.0) + np.log1p(np.exp(-abs(t))))
        total *= rows[first + i]
        for k in range(start[first + i], start[first + i + 1]):
            t = x[i, index[k]]
            total -= counts[k] * (max(-t, 0.0) + np.log1p(np.exp(-abs(t))))
        values[i] = total
    return values


@kernel
def row_slopes(
    x: np.ndarray,
    start: np.ndarray,
    index: np.ndarray,
    counts: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    first: int,
    curvature: np.ndarray,
) -> np.ndarray:
    """The same, with x overwritten by the slope a (1 - sigma) - b c sigma, and ``curvature`` (p, m) by
    (a + b c) sigma (1 - sigma), which is minus the second derivative."""
    p, m = x.shape
    values = np.zeros(p)
    rest = np.empty(m)  # 1 - sigma, of one row
    both = np.empty(m)  # sigma (1 - sigma)
    for i in range(p):
        weight = rows[first + i]
        total = 0.0
        for k in range(start[first + i], start[first + i + 1]):
            t = x[i, index[k]]
            total -= counts[k] * (max(-t, 0.0) + np.log1p(np.exp(-abs(t))))
        for j in range(m):
            t = x[i, j]
            small = np.exp(-abs(t))
            share = 1.0 / (1.0 + small)
            own = weight * columns[j]
            total -= own * (max(t, 0.0) + np.log1p(small))
            rest[j] = small * share if t >= 0.0 else share
            both[j] = small * share * share
            x[i, j] = -own * (share if t >= 0.0 else small * share)
            curvature[i, j] = own * both[j]
        for k in range(start[first + i], start[first + i + 1]):
            j = index[k]
            x[i, j] += counts[k] * rest[j]
            curvature[i, j] += counts[k] * both[j]
        values[i] = total
    return values
