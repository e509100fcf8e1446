"""Eigenvalues of a small Hermitian pencil A x = w B x nearest to a number, or lowest, and how many lie below one.

1. The pencil falls apart where its graph does: parity, particle number, Sz, whatever a permutation shows; each part is
   solved by itself.
2. Up to ``WHOLE`` rows a part is diagonalised. Above, Lanczos by the factors of A - s B (spectral transformation,
   Ericsson and Ruhe, Math. Comp. 35, 1251 (1980)); the list is proved by two counts where these are affordable.
3. The count below a number: negative pivots of A - s B (Sylvester's law of inertia; Parlett, The Symmetric Eigenvalue
   Problem (SIAM 1998), sec. 3.3 and 15.3), dense, or sparse without exchanges of rows, whose growth is watched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg as sl
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh, splu

from solvers.eigen.counted import levels_below

WHOLE = 1600  # rows: 3 s with all vectors, measured
COUNTED = 4200  # rows of a dense count: 3 s
LARGEST_FACTORS = 40_000  # rows of sparse factors
SPARE = 4
GROWTH = 1e6  # of the factors' entries, above which pivots without exchanges say nothing
LANCZOS = 1e-13
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Near:
    """``w`` ascending, ``vectors`` (N, m) with x^H B x = 1, and whether a count ``proved`` the list."""

    w: np.ndarray
    vectors: np.ndarray
    proved: bool


class Pencil:
    """A Hermitian matrix A, a positive definite B or None, dense or sparse, in parts that nothing couples."""

    def __init__(self, a: Any, b: Any | None) -> None:
        self.a = sp.csr_matrix(a)
        self.b = None if b is None else sp.csr_matrix(b)
        graph = abs(self.a) if self.b is None else abs(self.a) + abs(self.b)
        count, labels = connected_components(graph, directed=False)
        if count > len(labels) // 2:  # next to diagonal: many parts of one row
            count, labels = 1, np.zeros(len(labels), dtype=int)
        order = np.argsort(labels, kind="stable")
        self.parts = np.split(order, np.cumsum(np.bincount(labels, minlength=count))[:-1])

    @property
    def size(self) -> int:
        """Rows."""
        return int(self.a.shape[0])

    @property
    def norm(self) -> float:
        """Bound of the size of A."""
        return float(abs(self.a).sum(axis=1).max())

    def _of(self, rows: np.ndarray) -> tuple[sp.csr_matrix, sp.csr_matrix | None]:
        if len(rows) == self.size:
            return self.a, self.b
        b = None if self.b is None else sp.csr_matrix(self.b[rows][:, rows])
        return sp.csr_matrix(self.a[rows][:, rows]), b

    def nearest(self, n: int, target: float | None, rng: np.random.Generator) -> Near | None:
        """The ``n`` eigenvalues nearest to ``target`` (None: the lowest); None where no part of this is affordable."""
        values, columns, proved = [], [], True
        for rows in self.parts:
            found = _part_nearest(*self._of(rows), n, target, rng)
            if found is None:
                return None
            values.append(found.w)
            whole = np.zeros((self.size, len(found.w)), dtype=found.vectors.dtype)
            whole[rows] = found.vectors
            columns.append(whole)
            proved &= found.proved
        w, vectors = np.concatenate(values), np.concatenate(columns, axis=1)
        chosen = np.argsort(w if target is None else np.abs(w - target), kind="stable")[:n]
        chosen = chosen[np.argsort(w[chosen], kind="stable")]
        return Near(w[chosen], vectors[:, chosen], proved)

    def below(self, shift: float) -> int | None:
        """Eigenvalues below the shift; None where a part is too large, or the shift is one of them."""
        total = 0
        for rows in self.parts:
            count = _part_below(*self._of(rows), shift)
            if count is None:
                return None
            total += count
        return total


def _part_nearest(
    a: sp.csr_matrix, b: sp.csr_matrix | None, n: int, target: float | None, rng: np.random.Generator
) -> Near | None:
    size = a.shape[0]
    if size <= WHOLE or (n + SPARE > size // 6 and size <= COUNTED):
        dense = a.toarray()
        mass = None if b is None else b.toarray()
        try:
            w, v = sl.eigh(0.5 * (dense + dense.conj().T), None if mass is None else 0.5 * (mass + mass.conj().T))
        except sl.LinAlgError as error:
            raise ValueError("mass is not positive definite") from error
        chosen = np.argsort(w if target is None else np.abs(w - target), kind="stable")[: min(n, size)]
        return Near(w[chosen], v[:, chosen], True)
    if size > LARGEST_FACTORS or n + SPARE > size // 6:
        return None
    top = float(abs(a).sum(axis=1).max())
    if target is None:  # below all: B is positive definite
        target = float(eigsh(a, k=1, M=b, which="SA", tol=1e-3, return_eigenvectors=False)[0]) if b is None else 0.0
        target -= 1e-3 * top if b is None else 0.0
        lowest = True
    else:
        lowest = False
    shift = target + 1e-9 * top * (0.5 + rng.random())
    moved = sp.csc_matrix(a - shift * (sp.identity(size) if b is None else b))
    try:
        factors = splu(moved)
        inverse = LinearOperator(a.shape, matvec=lambda x: factors.solve(np.asarray(x, moved.dtype)), dtype=moved.dtype)
        start = rng.standard_normal(size)
        w, v = eigsh(
            a,
            k=n + SPARE,
            M=b,
            sigma=shift,
            OPinv=inverse,
            v0=start.astype(a.dtype),
            tol=LANCZOS,
            ncv=min(size - 1, 3 * (n + SPARE) + 20),
        )
    except (RuntimeError, MemoryError, ArpackError):
        return None
    chosen = np.argsort(w if lowest else np.abs(w - target), kind="stable")[: min(n, size)]
    w, v = w[chosen], v[:, chosen]
    radius = float(np.abs(w - target).max())
    proved = _proved(a, b, np.sort(w), target, radius * (1.0 + 1e-9) + 1e-9 * top, lowest)
    return Near(w, v, proved)


def _proved(
    a: sp.csr_matrix, b: sp.csr_matrix | None, w: np.ndarray, target: float, radius: float, lowest: bool
) -> bool:
    """Whether as many eigenvalues as were found lie in the window that ends next to the farthest one."""
    above = _part_below(a, b, target + radius)
    below = 0 if lowest else _part_below(a, b, target - radius)
    return above is not None and below is not None and above - below == len(w)


def _part_below(a: sp.csr_matrix, b: sp.csr_matrix | None, shift: float) -> int | None:
    size = a.shape[0]
    moved = sp.csc_matrix(a - shift * (sp.identity(size) if b is None else b))
    if size <= COUNTED:
        dense = moved.toarray()
        return levels_below(0.5 * (dense + dense.conj().T), 0.0)
    if size > LARGEST_FACTORS:
        return None
    try:
        factors = splu(moved, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except (RuntimeError, MemoryError):
        return None
    if not np.array_equal(factors.perm_r, factors.perm_c):
        return None
    pivots = factors.U.diagonal()
    size_of = float(abs(moved).max())
    if not np.all(np.isfinite(pivots)) or float(abs(factors.U).max()) > GROWTH * size_of:
        return None
    return int(np.sum(pivots.real < 0.0))
