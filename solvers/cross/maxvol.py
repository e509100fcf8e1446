"""Rows of large volume of a tall matrix: maxvol and rectangular maxvol.

For A (m, r) of rank r, maxvol finds r rows with A = C A[rows], |C| <= tol in every entry: a local maximum of the
volume |det A[rows]|. Goreinov, Oseledets, Savostyanov, Tyrtyshnikov, Zamarashkin, in Matrix Methods: Theory,
Algorithms, Applications (World Scientific, 2010), p. 247. Rectangular maxvol adds rows until every row of C has norm
at most tol: Mikhalev and Oseledets, Linear Algebra Appl. 538, 187 (2018), algorithm 2.
Cost 2 m r^2 for the start by LU and 2 m r a swap.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lu_factor, solve_triangular

from solvers.formats.trains.factorisations import check_finite, qr_factors
from solvers.kernels import maxvol as kernels

TOLERANCE = 1.05
MOST_SWAPS = 1000


def maxvol(matrix: np.ndarray, tol: float = TOLERANCE) -> tuple[np.ndarray, np.ndarray]:
    """Rows (r,) and C (m, r) with matrix = C matrix[rows], C[rows] = 1, |C| <= ``tol`` (unless 1000 swaps end it).

    A matrix of smaller rank is completed to full rank by its orthogonal factor, so that rows are always distinct and C
    bounded; then matrix = C matrix[rows] still holds. Raises ValueError for m < r, NaN or infinity.
    """
    m, r = matrix.shape
    if m < r:
        raise ValueError(f"maxvol needs at least as many rows as columns, not shape {matrix.shape}")
    check_finite(matrix, "the matrix")
    basis, _ = qr_factors(matrix)  # orthonormal columns: the same C, without the condition of the matrix
    lu, pivots = lu_factor(basis, check_finite=False)
    order = np.arange(m)
    for k, p in enumerate(pivots):
        order[k], order[p] = order[p], order[k]
    rows = order[:r].astype(np.int64)
    top = lu[:r]
    # basis = P^-1 L U, so C = L (L[:r])^-1 in the order of the pivots
    c = np.empty_like(basis)
    c[order[:r]] = np.eye(r)
    rest = lu[r:]
    c[order[r:]] = solve_triangular(top, rest.T, lower=True, unit_diagonal=True, trans=1, check_finite=False).T
    kernels.exchange(c, rows, max(tol, 1.0), MOST_SWAPS)
    return rows, c


def rectangular_maxvol(matrix: np.ndarray, tol: float = 1.5, most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows (s,) with r <= s <= ``most`` (default 2 r) and C (m, s) with matrix = C matrix[rows], row norms <= ``tol``.

    Where ``most`` ends it the norms may be larger. Raises ValueError as ``maxvol``.
    """
    m, r = matrix.shape
    most = min(m, 2 * r if most is None else max(most, r))
    first, square = maxvol(matrix)
    c = np.zeros((m, most), dtype=square.dtype)
    c[:, :r] = square
    rows = np.empty(most, dtype=np.int64)
    rows[:r] = first
    norms = np.sum(np.abs(square) ** 2, axis=1)
    norms[first] = 0.0
    count = kernels.extend(c, norms, rows, r, most, tol)
    rows = rows[:count].copy()
    c = c[:, :count].copy()
    c[rows] = np.eye(count)  # the interpolation reproduces the rows chosen
    return rows, c
