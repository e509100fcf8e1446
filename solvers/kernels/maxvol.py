"""Compiled loops of maxvol: exchanging and adding rows of a tall matrix through its interpolation coefficients."""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel


@kernel
def exchange(c: np.ndarray, rows: np.ndarray, tol: float, most: int) -> int:
    """Swap rows until no entry of c (m, r) = A A[rows]^-1 passes ``tol`` in size; c and rows are updated in place.

    Each swap multiplies the volume of A[rows] by the entry found and costs one rank-one update, 2 m r. Returns the
    number of swaps.
    """
    m, r = c.shape
    row, column = np.empty(r, dtype=c.dtype), np.empty(m, dtype=c.dtype)
    for swap in range(most):
        best, i, j = 0.0, 0, 0
        for p in range(m):
            for q in range(r):
                size = abs(c[p, q])
                if size > best:
                    best, i, j = size, p, q
        if best <= tol:
            return swap
        rows[j] = i
        pivot = c[i, j]
        for q in range(r):
            row[q] = c[i, q]
        row[j] -= 1.0
        for p in range(m):
            column[p] = c[p, j] / pivot
        for p in range(m):
            factor = column[p]
            if factor != 0.0:
                for q in range(r):
                    c[p, q] -= factor * row[q]
    return most


@kernel
def extend(c: np.ndarray, norms: np.ndarray, rows: np.ndarray, count: int, most: int, tol: float) -> int:
    """Add rows while some row of c (m, most) has a norm above ``tol``: rectangular maxvol.

    c holds coefficients in its first ``count`` columns, ``norms`` their squared row norms. Each addition updates c to
    the least-norm coefficients of the longer list of rows, 4 m r. Returns the number of rows.
    """
    m = c.shape[0]
    product = np.empty(m, dtype=c.dtype)
    while count < most:
        i = np.argmax(norms)
        if norms[i] <= tol * tol:
            break
        scale = 1.0 / (1.0 + norms[i])
        for p in range(m):
            total = c[p, 0] * np.conj(c[i, 0])
            for q in range(1, count):
                total += c[p, q] * np.conj(c[i, q])
            product[p] = total
        own = c[i, :count].copy()
        for p in range(m):
            factor = product[p] * scale
            for q in range(count):
                c[p, q] -= factor * own[q]
            c[p, count] = factor
            norms[p] -= (abs(product[p]) ** 2) * scale
        norms[i] = 0.0
        rows[count] = i
        count += 1
    return count
