"""Compiled loops over samples on their way through a train: sorting by index, masses of rows, searches.

Real and complex rows alike. Index letters: j sample; i index of a mode.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel


@kernel
def sorted_by(index: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The order (m,) that sorts indices (m,) below n, stable, and where each of 0 ... n begins in it, (n + 1,)."""
    bounds = np.zeros(n + 1, dtype=np.int64)
    for j in range(len(index)):
        bounds[index[j] + 1] += 1
    for i in range(n):
        bounds[i + 1] += bounds[i]
    free = bounds[:-1].copy()
    order = np.empty(len(index), dtype=np.int64)
    for j in range(len(index)):
        i = index[j]
        order[free[i]] = j
        free[i] += 1
    return order, bounds


@kernel
def forms(products: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
    """out[j] = Re products[j] . conj(rows[j])."""
    for j in range(len(rows)):
        total = 0.0
        for a in range(rows.shape[1]):
            total += (products[j, a] * np.conj(rows[j, a])).real
        out[j] = total


@kernel
def squares(rows: np.ndarray, out: np.ndarray) -> None:
    """out[j] = |rows[j]|^2."""
    for j in range(len(rows)):
        total = 0.0
        for a in range(rows.shape[1]):
            total += (rows[j, a] * np.conj(rows[j, a])).real
        out[j] = total


@kernel
def divide_rows(rows: np.ndarray, sizes: np.ndarray) -> None:
    """Each row over its size, one of size zero as it is."""
    for j in range(len(rows)):
        if sizes[j] > 0.0:
            factor = 1.0 / sizes[j]
            for a in range(rows.shape[1]):
                rows[j, a] *= factor


@kernel
def cells(edges: np.ndarray, owner: np.ndarray, u: np.ndarray) -> np.ndarray:
    """For each u[j] the cell i of its edges, edges[owner[j], i] <= u[j] < edges[owner[j], i + 1], by bisection; of
    those beyond the last edge the last cell that is not empty."""
    n = edges.shape[1] - 1
    found = np.empty(len(u), dtype=np.int64)
    for j in range(len(u)):
        row = edges[owner[j]]
        low, high = 0, n
        while high - low > 1:
            middle = (low + high) // 2
            if u[j] >= row[middle]:
                low = middle
            else:
                high = middle
        while low > 0 and row[low + 1] <= row[low]:
            low -= 1
        found[j] = low
    return found
