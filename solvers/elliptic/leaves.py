"""Polynomials on dyadic pieces of a grid of 2^L points: a small exact subspace of the grid functions, for any L.

The indices 0 .. N - 1 are cut into leaves [s, s + m), m = 2^l, s a multiple of m. On the points s - 1 .. s + m - 1
(the first leaf: 0 .. m - 1) a function is a polynomial of degree min(p, m); neighbours share the point between them.
Leaves of at most p points hold every grid function, so nothing is approximated on small grids; on large ones few
leaves, halved where the function is rough, stand for 2^L points. It is the multiscale polynomial form of quantics
trains (Lindsey, arXiv:2311.12554) used as a trial space; TT-ranks of the result: p + 1 and the leaves left open.

Sums over the points or edges of a leaf are exact to degree 2 n - 1 by n nodes: Gauss quadrature of the measure with
equal masses at m points, from the recurrence of the Gram (discrete Chebyshev) polynomials,

    beta_k = k^2 (m^2 - k^2) / (4 (4 k^2 - 1)),   nodes and weights by Golub and Welsch, Math. Comp. 23, 221 (1969).

Index letters: t point of an element, j basis function, q quadrature node. The basis: two hats and integrated Legendre
polynomials N_j = (P_j - P_(j-2)) / (2 j - 1); differences over a step are integrals of P_(j-1), no digit lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander
from scipy.linalg import eigh_tridiagonal
from scipy.sparse import csr_matrix

from solvers.formats.quantics.bits import check_levels

# steps from the last point to the end of the interval; "free" and "periodic" are of mapped domains
OFFSET = {"dirichlet": 1.0, "face": 0.5, "neumann": 0.5, "free": 0.0, "periodic": 0.5}
# conductance of the edge from the last point to zero
GROUND = {"dirichlet": 1.0, "face": 2.0, "neumann": 0.0, "free": 0.0, "periodic": 0.0}
MORE_NODES = 4  # quadrature nodes beyond the degree: products of two functions with a coefficient

Leaf = tuple[int, int]  # (first index, level: 2^level points)
Rule = tuple[np.ndarray, np.ndarray]  # points and weights


@dataclass(frozen=True, eq=False)
class Pieces:
    """Polynomials of ``degree`` on ``leaves`` alone, and what functions adapted to a coefficient are in them.

    ``coefficients``: a sparse matrix (functions of the pieces, functions of the axis).
    """

    levels: int
    ends: tuple[str, str]
    degree: int
    leaves: tuple[Leaf, ...]
    step: float
    coefficients: csr_matrix | None


@dataclass(frozen=True, eq=False)
class Axis:
    """The trial space on one axis of [0, 1].

    ``levels`` L, ``step`` h, ``ends``, ``degree``, ``leaves`` in order. Of the points: positions ``node_x`` (q,),
    weights (h times how many points a node stands for), and ``values`` (q, n), basis functions there. Of the edges, at
    their midpoints: ``edge_x`` (e,), ``edge_weights``, and ``slopes`` (e, n), differences over h, and ``averages``
    (e, n), means of their two ends.
    """

    levels: int
    ends: tuple[str, str]
    degree: int
    leaves: tuple[Leaf, ...]
    step: float
    node_x: np.ndarray
    node_weights: np.ndarray
    values: np.ndarray
    edge_x: np.ndarray
    edge_weights: np.ndarray
    slopes: np.ndarray
    averages: np.ndarray
    pieces: Pieces | None = None  # of functions that are no polynomials on the leaves

    @property
    def size(self) -> int:
        """Number of basis functions."""
        return self.values.shape[1]


def step_of(levels: int, ends: tuple[str, str]) -> float:
    """The step h of the grid x_i = (i + offset) h on [0, 1]: a zero stands one step ("dirichlet") or half a step
    ("face") beyond the last point, a mirror ("neumann") half a step."""
    return 1.0 / (2.0**levels - 1.0 + OFFSET[ends[0]] + OFFSET[ends[1]])


def positions(indices: np.ndarray, levels: int, ends: tuple[str, str]) -> np.ndarray:
    """Coordinates of grid indices, integer or not."""
    return (indices + OFFSET[ends[0]]) * step_of(levels, ends)


def split(leaves: Sequence[Leaf], which: Sequence[bool]) -> list[Leaf]:
    """Those of ``which`` halved, as far as they have two points."""
    new: list[Leaf] = []
    for (start, level), halve in zip(leaves, which):
        if halve and level > 0:
            new += [(start, level - 1), (start + 2 ** (level - 1), level - 1)]
        else:
            new.append((start, level))
    return new


def deeper(
    leaves: Sequence[Leaf], levels: int, depth: int, marks: list[int], ends: Sequence[int] | None = None
) -> list[Leaf]:
    """The leaves, those at both ends and beside the marks halved until they are 2^-depth of the axis."""
    leaves = list(leaves)
    rough = {*((0, 2**levels) if ends is None else ends), *marks}
    while True:
        which = [level > max(levels - depth, 0) and (s in rough or s + 2**level in rough) for s, level in leaves]
        if not any(which):
            return leaves
        leaves = split(leaves, which)


def axis_of(levels: int, ends: tuple[str, str], leaves: Sequence[Leaf], degree: int) -> Axis:
    """The space of degree ``degree`` on ``leaves``.  Raises ValueError for levels out of 1 .. 60."""
    check_levels([levels])
    step = step_of(levels, ends)
    nodes: list[tuple[np.ndarray, np.ndarray]] = []
    edges: list[tuple[np.ndarray, np.ndarray]] = []
    blocks: list[tuple[int, _Piece]] = []
    size = 0
    for k, (start, level) in enumerate(leaves):
        piece = leaf_piece(level, degree, k == 0)
        # the first index of the element in coordinates from the left end, exact to rounding
        first = start - (0 if k == 0 else 1) + OFFSET[ends[0]]
        nodes.append(((first + piece.node_t) * step, piece.node_weights * step))
        edges.append(((first + piece.edge_t) * step, piece.edge_weights * step))
        column = max(size - 1, 0)  # the left point is the right one of the leaf before
        blocks.append((column, piece))
        size = column + piece.values.shape[1]
    values = np.zeros((sum(len(x) for x, _ in nodes), size))
    slopes = np.zeros((sum(len(x) for x, _ in edges), size))
    averages = np.zeros_like(slopes)
    row = edge = 0
    for column, piece in blocks:
        count, own = len(piece.edge_t), slice(column, column + piece.values.shape[1])
        values[row : row + len(piece.node_t), own] = piece.values
        if count:
            slopes[edge : edge + count, own] = piece.slopes / step
            averages[edge : edge + count, own] = piece.averages
        row, edge = row + len(piece.node_t), edge + count
    return assembled((levels, ends, degree, tuple(leaves), step), nodes, edges, values, slopes, averages)


def coarser(axis: Axis, halvings: int) -> Axis:
    """The same pieces of a grid of 2^halvings times fewer points; what is shorter than its step is one point."""
    leaves = [(start >> halvings, max(level - halvings, 0)) for start, level in axis.leaves]
    return axis_of(axis.levels - halvings, axis.ends, list(dict.fromkeys(leaves)), axis.degree)


def assembled(
    grid: tuple[int, tuple[str, str], int, tuple[Leaf, ...], float],
    nodes: Sequence[Rule],
    edges: Sequence[Rule],
    values: np.ndarray,
    slopes: np.ndarray,
    averages: np.ndarray | None = None,
    pieces: Pieces | None = None,
) -> Axis:
    """The axis of ``grid`` (levels, ends, degree, leaves, step) from points and weights, leaf by leaf.

    ``values``, ``slopes``: of the functions there, as in ``Axis``. The edges of the ends are added. ``averages``: None
    where cells are not asked for.
    """
    ground_x, ground_weights, ground, halves = ground_edges(grid[1], grid[4], values.shape[1])
    return Axis(
        *grid,
        np.concatenate([x for x, _ in nodes]),
        np.concatenate([w for _, w in nodes]),
        values,
        np.concatenate([*(x for x, _ in edges), ground_x]),
        np.concatenate([*(w for _, w in edges), ground_weights]),
        np.concatenate([slopes, ground]),
        np.zeros((0, values.shape[1])) if averages is None else np.concatenate([averages, halves]),
        pieces,
    )


def ground_edges(
    ends: tuple[str, str], step: float, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The edges from the first and the last point to the zeros beyond, or from the last to the first."""
    x, weights, rows = [], [], []
    if ends[0] == "periodic":
        joint = np.zeros((2, size))
        joint[:, 0] = 1.0 / step, 0.5
        joint[:, -1] = -1.0 / step, 0.5
        return np.zeros(1), np.array([step]), joint[:1], joint[1:]
    for end, column, at, inwards in ((ends[0], 0, 0.0, 1.0), (ends[1], size - 1, 1.0, -1.0)):
        if GROUND[end]:
            x.append(at + inwards * 0.5 * OFFSET[end] * step)
            weights.append(GROUND[end] * step)
            row = np.zeros(size)
            row[column] = inwards / step
            rows.append(row)
    slopes = np.array(rows).reshape(len(rows), size)
    return np.array(x), np.array(weights), slopes, 0.5 * step * np.abs(slopes)


@dataclass(frozen=True, eq=False)
class _Piece:
    """What leaves of one size have in common; t counts points from the first of the element."""

    node_t: np.ndarray
    node_weights: np.ndarray
    values: np.ndarray
    edge_t: np.ndarray
    edge_weights: np.ndarray
    slopes: np.ndarray  # over a step of one
    averages: np.ndarray


@lru_cache(maxsize=512)
def leaf_piece(level: int, degree: int, first: bool) -> _Piece:
    m = 2**level
    edges = m - 1 if first else m
    z, weights = equal_masses(m, degree + MORE_NODES)
    node_t = z if first else z + 1.0
    if edges == 0:
        return _Piece(node_t, weights, np.ones((1, 1)), np.zeros(0), np.zeros(0), np.zeros((0, 1)), np.zeros((0, 1)))
    q = min(degree, edges)
    edge_z, edge_weights = equal_masses(edges, degree + MORE_NODES)
    values = basis(2.0 * node_t / edges - 1.0, q)
    middles = (2.0 * edge_z + 1.0) / edges - 1.0
    averages = 0.5 * (basis(middles - 1.0 / edges, q) + basis(middles + 1.0 / edges, q))
    slopes = differences(middles, q, 1.0 / edges)
    return _Piece(node_t, weights, values, edge_z + 0.5, edge_weights, slopes, averages)


def basis(xi: np.ndarray, degree: int) -> np.ndarray:
    """Left hat, bubbles of degrees 2 to ``degree``, right hat at ``xi`` in [-1, 1]: (q, degree + 1)."""
    legendre = legvander(xi, degree)
    j = np.arange(2, degree + 1)
    bubbles = (legendre[:, 2:] - legendre[:, :-2]) / np.sqrt(4.0 * j - 2.0)
    return np.column_stack([0.5 * (1.0 - xi), bubbles, 0.5 * (1.0 + xi)])


def differences(middles: np.ndarray, degree: int, half: float) -> np.ndarray:
    """basis(middles + half) - basis(middles - half), as integrals of Legendre polynomials."""
    x, w = leggauss(degree // 2 + 1)
    inside = legvander(middles[:, None] + half * x, degree - 1)  # (q, g, degree)
    integrals = half * np.tensordot(inside, w, axes=(1, 0))
    j = np.arange(2, degree + 1)
    hat = np.full(len(middles), half)
    return np.column_stack([-hat, integrals[:, 1:] * np.sqrt(j - 0.5), hat])


@lru_cache(maxsize=512)
def equal_masses(m: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes in [0, m - 1] and weights of the sum over 0 .. m - 1; all points where these are at most ``count``."""
    if m <= count:
        return np.arange(float(m)), np.ones(m)
    k = np.arange(1.0, count)
    beta = k**2 * (1.0 - (k / m) ** 2) / (4.0 * k**2 - 1.0)
    y, vectors = eigh_tridiagonal(np.zeros(count), np.sqrt(beta))
    return 0.5 * (m - 1.0) + 0.5 * m * y, m * vectors[0] ** 2
