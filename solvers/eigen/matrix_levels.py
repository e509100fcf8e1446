"""The lowest eigenpairs of an explicit Hermitian matrix, part by part.

1. Rows that no entries connect are separate matrices: magnetisations, particle numbers and parities that the basis
   shows come apart without being asked for. Entries at the rounding of the largest connect nothing.
2. Parts of up to ``STACKED`` rows are diagonalised together, larger ones by ``lowest_of_dense``, from the smallest on
   as long as all of them take no longer than one matrix of ``explicit.DENSE`` rows: their lists are proved.
3. The others by Lanczos from a random start; then from others in the complement of what was found (every level a random
   vector cannot see is a repeated one), until ``AGREEING`` starts in a row add nothing below the last level wanted of
   all parts: such a list is searched, not proved.
4. A part whose Gershgorin discs lie above the last level wanted so far holds none of the levels, and is left out.

Connected components: Pearce, An Improved Algorithm for Finding the Strongly Connected Components of a Directed Graph
(2005), as in scipy; Lanczos: Lehoucq, Sorensen, Yang, ARPACK Users' Guide (SIAM 1998). Cost O(n^3) of the parts that
are dense; of the others some hundred products a start.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from solvers.eigen import explicit
from solvers.eigen.counted import lowest_of_dense

STACKED = 32  # rows of parts that are diagonalised together
AGREEING = 2  # random starts in a row that find nothing new
MOST_STARTS = 12
GLANCE = 2  # levels of a part that may hold none of those wanted
MOST_WORK = 4e10  # products of a start times entries of the matrix and of the Krylov vectors: about a minute
MOST_NUMBERS = 1e8  # in Krylov vectors
LANCZOS = 1e-12  # residual over the spread of the spectrum
EPS = float(np.finfo(float).eps)


class _Lowest:
    """The ``count`` lowest levels of the parts so far: value, rows of its part, vector on them."""

    def __init__(self, count: int):
        self.count = count
        self.found: list[tuple[float, np.ndarray, np.ndarray]] = []

    @property
    def bound(self) -> float:
        """Above it no level is wanted."""
        return self.found[-1][0] if len(self.found) == self.count else np.inf

    def take(self, values: np.ndarray, rows: np.ndarray, vectors: np.ndarray) -> None:
        """Of ``values`` (m,) with ``vectors`` (n, m) on ``rows`` (n,), or (n, m) where every level has its own."""
        for i in np.flatnonzero(values < self.bound):
            self.found.append((float(values[i]), rows if rows.ndim == 1 else rows[:, i], vectors[:, i].copy()))
        self.found.sort(key=lambda level: level[0])
        del self.found[self.count :]

    def whole(self, n: int, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """(values (count,), vectors (n, count)), ascending."""
        vectors = np.zeros((n, len(self.found)), dtype=dtype)
        for i, (_, rows, vector) in enumerate(self.found):
            vectors[rows, i] = vector
        return np.array([value for value, _, _ in self.found]), vectors


def sector_levels(
    h: explicit.Matrix, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int] | None:
    """The ``count`` lowest levels of a matrix, their vectors, and the random starts that searched (0: proved).

    ``h``: (n, n) Hermitian, dense or sparse; ``count`` at most n. None where Lanczos comes to no end.
    """
    n = h.shape[0]
    number, labels = connected(h) if n > STACKED else (1, np.zeros(n, dtype=np.int64))
    if number == 1:
        if n > explicit.DENSE:
            return _lanczos(h, count, rng, np.inf)
        return *lowest_of_dense(_dense(h), count), 0
    lowest, starts, work = _Lowest(count), 0, 0.0
    for rows, block in _parts(sp.csr_matrix(h), number, labels):
        if block.ndim == 3:
            values, vectors = np.linalg.eigh(block)
            flat = np.ascontiguousarray(vectors.transpose(1, 0, 2)).reshape(block.shape[1], -1)
            own = np.argsort(values, axis=None, kind="stable")[:count]
            lowest.take(values.ravel()[own], np.repeat(rows.T, block.shape[1], axis=1)[:, own], flat[:, own])
            continue
        size = len(rows)
        if _least(block) > lowest.bound:
            continue
        work += float(size) ** 3
        if work <= float(explicit.DENSE) ** 3:
            lowest.take(*_on(rows, lowest_of_dense(_dense(block), min(count, size))))
            continue
        found = _lanczos(block, min(count, size), rng, lowest.bound)
        if found is None:
            return None
        lowest.take(*_on(rows, found[:2]))
        starts = max(starts, found[2])
    return *lowest.whole(n, h.dtype), starts


def _dense(h: explicit.Matrix) -> np.ndarray:
    dense = h.toarray() if sp.issparse(h) else np.array(h)
    return 0.5 * (dense + dense.conj().T)


def _on(rows: np.ndarray, found: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return found[0], rows, found[1]


def _least(block: sp.csr_matrix) -> float:
    """No level lies below (Gershgorin)."""
    diagonal = np.real(block.diagonal())
    return float(np.min(diagonal + np.abs(diagonal) - np.asarray(abs(block).sum(axis=1)).ravel()))


def connected(h: explicit.Matrix) -> tuple[int, np.ndarray]:
    """How many parts there are, and that of every row; what lies below the rounding of the largest entry is none.

    Left out are at most rows times that, less than what rounding does to a level of the whole matrix.
    """
    entries = sp.coo_matrix(h)
    sizes = np.abs(entries.data)
    large = sizes > EPS * sizes.max(initial=0.0)
    graph = sp.csr_matrix((sizes[large], (entries.row[large], entries.col[large])), shape=entries.shape)
    number, labels = connected_components(graph, directed=False)
    return int(number), labels


def _parts(h: sp.csr_matrix, number: int, labels: np.ndarray) -> Iterator[tuple[np.ndarray, Any]]:
    """(rows (m, n), matrices (m, n, n)) of the small parts of each size, then (rows (n,), matrix) of the others,
    ascending in size."""
    sizes = np.bincount(labels, minlength=number)
    place = np.argsort(np.argsort(sizes, kind="stable"))  # of a part among those of ascending size
    order = np.argsort(place[labels], kind="stable")
    sizes = np.sort(sizes)
    begins = np.concatenate([[0], np.cumsum(sizes)])
    sorted_h = h[order][:, order].tocsr()
    for size in np.unique(sizes[sizes <= STACKED]):
        own = np.flatnonzero(sizes == size)
        first, last = begins[own[0]], begins[own[-1] + 1]
        entries = sorted_h[first:last, first:last].tocoo()
        blocks = np.zeros((len(own), size, size), dtype=h.dtype)
        same = entries.row // size == entries.col // size
        row, column = entries.row[same], entries.col[same]
        blocks[row // size, row % size, column % size] = entries.data[same]
        yield order[first:last].reshape(len(own), size), 0.5 * (blocks + blocks.conj().transpose(0, 2, 1))
    for part in np.flatnonzero(sizes > STACKED):
        first, last = begins[part], begins[part + 1]
        yield order[first:last], sorted_h[first:last, first:last]


def _lanczos(h: Any, count: int, rng: np.random.Generator, bound: float) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Levels by Lanczos from random starts, each in the complement of those before; None where one does not end.

    Of a part whose levels are wanted below ``bound`` alone, the first start finds ``GLANCE`` of them.
    """
    n = h.shape[0]
    top = float(abs(h).sum(axis=1).max()) or 1.0  # Gershgorin: h - top is not positive, h + top not negative
    lowered = sp.csr_matrix(h - top * sp.identity(n, dtype=h.dtype, format="csr")) if sp.issparse(h) else None
    values, vectors = np.zeros(0), np.zeros((n, 0), dtype=h.dtype)
    agreed = starts = 0
    unsearched = True
    while agreed < AGREEING and starts < MOST_STARTS:
        if starts == 0 and np.isfinite(bound):
            wanted = min(count, GLANCE)
        else:
            wanted, unsearched = (count if unsearched else min(count, max(2, count // 2))), False
        known = vectors

        def product(x: np.ndarray, known: np.ndarray = known) -> np.ndarray:
            x = x.ravel()
            if known.shape[1]:
                x = x - known @ (known.conj().T @ x)
            y = h @ x - top * x if lowered is None else lowered @ x
            return y - known @ (known.conj().T @ y) if known.shape[1] else y

        begin = rng.standard_normal(n).astype(h.dtype)
        begin -= known @ (known.conj().T @ begin)
        basis = min(n - 1, max(2 * wanted + 20, 40))
        most = int(MOST_WORK / ((h.nnz + n * basis) * (basis - wanted)))
        if most < 2 or float(n) * basis > MOST_NUMBERS:
            return None
        try:
            linear = LinearOperator((n, n), matvec=product, dtype=h.dtype)
            found = eigsh(linear, k=wanted, which="SA", v0=begin, ncv=basis, tol=LANCZOS, maxiter=most)
        except ArpackError:  # no end within the work allowed among them
            return None
        starts += 1
        new = found[1] - known @ (known.conj().T @ found[1])
        basis_of, _ = np.linalg.qr(np.concatenate([known, new], axis=1))
        small = basis_of.conj().T @ (h @ basis_of)
        energies, mixing = np.linalg.eigh(0.5 * (small + small.conj().T))
        limit = min(bound, values[count - 1] if len(values) >= count else np.inf)
        agreed = agreed + 1 if found[0].min() + top >= limit - 1e-10 * top else 0
        keep = min(len(energies), count)
        values, vectors = energies[:keep], basis_of @ mixing[:, :keep]
    return values, vectors, starts
