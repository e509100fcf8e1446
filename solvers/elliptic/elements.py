"""The elements of a trial space one by one: where they lie, a function on them, and one space inside a finer one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.elliptic.leaves import Axis, Pieces, basis


@dataclass(frozen=True)
class Element:
    """The points first .. first + edges of the grid, and the columns column .. column + degree of the space."""

    start: int  # of the leaf: the first point that is its own
    level: int
    first: int
    edges: int
    degree: int
    column: int

    def at(self, indices: np.ndarray) -> np.ndarray:
        """Its basis functions at grid indices, integer or not: (m, degree + 1)."""
        if self.edges == 0:
            return np.ones((len(indices), 1))
        return basis(2.0 * (indices - self.first) / self.edges - 1.0, self.degree)

    @property
    def columns(self) -> slice:
        return slice(self.column, self.column + self.degree + 1)


def elements(axis: Axis | Pieces) -> Iterator[Element]:
    """Those of the leaves, in order."""
    column = 0
    for start, level in axis.leaves:
        edges = 2**level - (start == 0)
        degree = min(axis.degree, edges)
        yield Element(start, level, max(start - 1, 0), edges, degree, column)
        column += degree


def values_at(axis: Axis, indices: np.ndarray) -> np.ndarray:
    """All basis functions at integer grid indices (m,): (m, n)."""
    pieces = list(elements(axis.pieces or axis))
    which = np.searchsorted([piece.start for piece in pieces], indices, side="right") - 1
    out = np.zeros((len(indices), axis.size))
    for k in np.unique(which):
        rows = np.flatnonzero(which == k)
        at = pieces[k].at(indices[rows].astype(float))
        if axis.pieces is None:
            out[rows, pieces[k].columns] = at
        else:
            assert axis.pieces.coefficients is not None
            out[rows] = at @ axis.pieces.coefficients[pieces[k].columns]
    return out


def at_indices(axes: Sequence[Axis], coefficients: np.ndarray, indices: Sequence[np.ndarray]) -> np.ndarray:
    """A function at grid points, one vector (m,) of indices an axis: (m,)."""
    count = len(indices[0])
    known = np.broadcast_to(coefficients, (count, *coefficients.shape))
    for axis, index in zip(axes, indices):
        known = np.einsum("m...n,mn->m...", np.moveaxis(known, 1, -1), values_at(axis, index))
    return known


def embedding(coarse: Axis, fine: Axis) -> np.ndarray:
    """Coefficients of a function of ``coarse`` in the finer space ``fine``, whose leaves divide its leaves: (n', n)."""
    out = np.zeros((fine.size, coarse.size))
    olds = list(elements(coarse))
    starts = [old.start for old in olds]
    for new in elements(fine):
        old = olds[int(np.searchsorted(starts, new.start, side="right")) - 1]
        if new.degree == new.edges:  # every grid function: agree at the points
            points = new.first + np.arange(new.edges + 1.0)
        else:
            angles = np.pi * np.arange(new.degree + 1) / new.degree
            points = new.first + new.edges * (0.5 - 0.5 * np.cos(angles))
        out[new.columns, old.columns] = np.linalg.solve(new.at(points), old.at(points))
    return out
