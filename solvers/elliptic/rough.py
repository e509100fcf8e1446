"""Rough coefficients that are products, a(x) = a_1(x_1) a_2(x_2): trial functions that follow them on long leaves.

    1. On a leaf, T g is the u with -(a_j u')' = a_j g that is zero at both ends. Trial functions are the solutions
       for g = 0, two, and T^k of these and of 1 / a_j, k = 1, 2 ..., orthonormal in energy: where a is constant,
       the polynomials, elsewhere what does for u what these do there. The first two are those of multiscale finite
       elements (Hou, Wu, J. Comput. Phys. 134, 169 (1997)).
    2. T is two integrals over short pieces of degree 15 that follow a_j; the matrices are those of the grid, by sums
       over the pieces.
    3. The operator is diagonal in the eigenfunctions of the axes (solvers.elliptic.bases): no step is iterated.
Measured: (2 + cos(2 pi x_1 / eps)) (2 + cos(2 pi x_2 / eps)) with eps = 2^-10 to 1e-11 in 2 s, 181 functions an axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from scipy.sparse import csr_matrix

from solvers.elliptic.bases import Basis, along_all, basis_of, outer
from solvers.elliptic.elements import Element, elements
from solvers.elliptic.galerkin import Found, solve_in
from solvers.elliptic.leaves import OFFSET, Axis, Leaf, Pieces, assembled, basis, deeper, leaf_piece, step_of
from solvers.elliptic.resolution import resolved
from solvers.formats.quantics.coefficients import Coefficient, Function

PIECE_DEGREE = 15
MOST_PIECES = 20_000  # of an axis: seconds
SHORTEST = 5  # levels of a piece: polynomials of the degree on its points
DEPENDENT = 1e-5  # of the norm of a new function: what is left of it beside the others
PRODUCT = 1e-11  # relative: a coefficient that is a product
SCOUTS = 500
ABOUT = 0.4483  # of every axis: the point through which the factors are taken, one there

Line = Callable[[np.ndarray], np.ndarray]  # (m,) -> (m,)

POINTS = -np.cos(np.pi * np.arange(PIECE_DEGREE + 1) / PIECE_DEGREE)
_POWERS = chebyshev.chebvander(POINTS, PIECE_DEGREE)
_MOMENTS = np.array([0.0 if k % 2 else 2.0 / (1.0 - k * k) for k in range(PIECE_DEGREE + 1)])
WEIGHTS = np.linalg.solve(_POWERS.T, _MOMENTS)  # of the integral over [-1, 1]
PRIMITIVE = (  # from values to the integral from -1
    chebyshev.chebvander(POINTS, PIECE_DEGREE + 1)
    @ chebyshev.chebint(np.eye(PIECE_DEGREE + 1), lbnd=-1)
    @ np.linalg.inv(_POWERS)
)
TO_BASIS = np.linalg.inv(basis(POINTS, PIECE_DEGREE))


@dataclass(frozen=True, eq=False)
class Product:
    """-div(a grad u) = f with a = ``size`` a_1 a_2 ..., the factors one at a point, and f a number."""

    lines: list[Line]
    size: float
    load: float

    def axes(
        self, levels: Sequence[int], ends: Sequence[tuple[str, str]], degree: int, depth: int, tolerance: float
    ) -> list[Axis]:
        """Four leaves, halved towards the ends, and functions on them that follow the factors; equal axes once."""
        made: list[Axis] = []
        for k, (n, pair) in enumerate(zip(levels, ends)):
            same = [made[j] for j in range(k) if self._alike(j, k) and (levels[j], ends[j]) == (n, pair)]
            leaves = deeper([(i << (n - 2), n - 2) for i in range(4)], n, depth, [])
            made.append(same[0] if same else adapted_axis(n, pair, leaves, degree, self.lines[k], tolerance))
        return made

    def _alike(self, j: int, k: int) -> bool:
        points = np.random.default_rng(0).random(SCOUTS)
        return bool(np.allclose(self.lines[j](points), self.lines[k](points), PRODUCT, 0.0))

    def solved(self, axes: Sequence[Axis]) -> Found:
        """The Galerkin solution, diagonal in the eigenfunctions."""
        bases: list[Basis] = []
        for k, (axis, a) in enumerate(zip(axes, self.lines)):
            same = [bases[j] for j in range(k) if axes[j] is axis]
            bases.append(same[0] if same else basis_of(axis, a(axis.edge_x), a(axis.node_x)))
        moments = self.load * outer([axis.values.T @ axis.node_weights for axis in axes])
        return solve_in(bases, [self.size] * len(axes), 0.0, moments, None, 0.0, None)

    def side(
        self, axes: Sequence[Axis], coefficients: np.ndarray, waves: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> float:
        """sum a D phi D u for a product phi of ``waves``, values at the nodes and slopes at the edges."""
        parts = list(zip(axes, self.lines, waves))
        masses = [axis.values.T @ (axis.node_weights * a(axis.node_x) * w) for axis, a, (w, _) in parts]
        rises = [axis.slopes.T @ (axis.edge_weights * a(axis.edge_x) * s) for axis, a, (_, s) in parts]
        total = 0.0
        for k in range(len(axes)):
            vectors = [rises[j] if j == k else masses[j] for j in range(len(axes))]
            total += self.size * float(along_all([v[None] for v in vectors], coefficients).reshape(()))
        return total


def product_of(diffusion: Sequence[Coefficient], reaction: Coefficient, load: object) -> Product | None:
    """One coefficient that is a product of functions of the coordinates, with c = 0 and f a number; None for others."""
    a, d = diffusion[0], len(diffusion)
    if d < 2 or not callable(a) or any(one is not a for one in diffusion) or not isinstance(load, float):
        return None
    if callable(reaction) or reaction != 0.0:
        return None
    middle = np.full(d, ABOUT)
    size = float(a(middle[None])[0])

    def line(axis: int) -> Line:
        def values(x: np.ndarray) -> np.ndarray:
            points = np.tile(middle, (len(x), 1))
            points[:, axis] = x
            result: np.ndarray = a(points) / size
            return result

        return values

    lines = [line(k) for k in range(d)]
    points = np.random.default_rng(1).random((SCOUTS, d))
    product = size * np.prod([one(points[:, k]) for k, one in enumerate(lines)], axis=0)
    exact = a(points)
    return Product(lines, size, load) if (np.abs(product - exact) <= PRODUCT * exact).all() else None


def adapted_axis(
    levels: int, ends: tuple[str, str], leaves: Sequence[Leaf], degree: int, a: Line, tolerance: float
) -> Axis:
    """An axis of ``degree`` - 1 adapted bubbles a leaf.  Raises ValueError where 20,000 pieces do not follow a."""
    function: Function = lambda points: a(points[:, 0])  # noqa: E731
    fine = resolved([function], list(leaves), 0, [levels], [ends], tolerance, MOST_PIECES)
    step, size = step_of(levels, ends), len(leaves) * degree + 1
    if min(level for _, level in fine) < SHORTEST:
        raise ValueError("the pieces that follow the coefficient are as short as the grid is fine: relax accuracy")
    pieces = list(elements(Pieces(levels, ends, PIECE_DEGREE, tuple(fine), step, None)))
    which = np.searchsorted([start for start, _ in leaves], [piece.start for piece in pieces], side="right") - 1
    nodes: list[tuple[np.ndarray, np.ndarray]] = []
    edges: list[tuple[np.ndarray, np.ndarray]] = []
    rules = [leaf_piece(piece.level, PIECE_DEGREE, piece.start == 0) for piece in pieces]
    values = np.zeros((sum(len(rule.node_t) for rule in rules), size))
    slopes = np.zeros((sum(len(rule.edge_t) for rule in rules), size))
    inner = np.zeros((len(pieces), PIECE_DEGREE + 1, degree + 1))
    row = edge = 0
    for leaf in range(len(leaves)):
        here = np.flatnonzero(which == leaf)
        inner[here] = _functions([pieces[k] for k in here], OFFSET[ends[0]], step, degree, a)
        columns = slice(leaf * degree, leaf * degree + degree + 1)
        for k in here:
            rule, first = rules[k], pieces[k].first + OFFSET[ends[0]]
            nodes.append(((first + rule.node_t) * step, rule.node_weights * step))
            edges.append(((first + rule.edge_t) * step, rule.edge_weights * step))
            values[row : row + len(rule.node_t), columns] = rule.values @ inner[k]
            slopes[edge : edge + len(rule.edge_t), columns] = rule.slopes @ inner[k] / step
            row, edge = row + len(rule.node_t), edge + len(rule.edge_t)
    # neighbours share a point: the rows of all pieces but the last without their right ends
    rows = PIECE_DEGREE * np.arange(len(pieces))[:, None, None] + np.arange(PIECE_DEGREE + 1)[:, None]
    places = (degree * which)[:, None, None] + np.arange(degree + 1)
    rows, places = np.broadcast_arrays(rows, places)
    kept = np.ones(inner.shape, dtype=bool)
    kept[:-1, -1] = False
    shape = PIECE_DEGREE * len(pieces) + 1, size
    coefficients = csr_matrix((inner[kept], (rows[kept], places[kept])), shape=shape)
    made = Pieces(levels, ends, PIECE_DEGREE, tuple(fine), step, coefficients)
    return assembled((levels, ends, degree, tuple(leaves), step), nodes, edges, values, slopes, pieces=made)


def _functions(pieces: list[Element], offset: float, step: float, degree: int, a: Line) -> np.ndarray:
    """Left, bubbles and right, as coefficients on every piece of a leaf: (pieces, PIECE_DEGREE + 1, degree + 1)."""
    length = np.array([piece.edges for piece in pieces])[:, None] * step
    first = (np.array([piece.first for piece in pieces])[:, None] + offset) * step
    x = first + 0.5 * length * (POINTS + 1.0)
    coefficient = a(x.reshape(-1)).reshape(x.shape)
    weights = 0.5 * length * WEIGHTS / coefficient  # of energies, for fluxes

    def primitive(f: np.ndarray) -> np.ndarray:
        inside = 0.5 * length * (f @ PRIMITIVE.T)
        before = np.concatenate([[0.0], np.cumsum(inside[:, -1])[:-1]])
        result: np.ndarray = inside + before[:, None]
        return result

    rise = primitive(1.0 / coefficient)
    right, flux = rise / rise[-1, -1], 1.0 / rise[-1, -1]
    bubbles: list[tuple[np.ndarray, np.ndarray]] = []
    seeds = [1.0 - right, right, 1.0 / coefficient]
    while len(bubbles) < degree - 1:
        new: list[np.ndarray] = []
        for seed in seeds:
            q = -primitive(coefficient * seed)
            u = primitive(q / coefficient)
            q, u = q - u[-1, -1] * flux, u - u[-1, -1] * right
            size = float(np.sum(weights * q * q))
            for _ in range(2):
                for other, of_other in bubbles:
                    share = float(np.sum(weights * q * of_other))
                    u, q = u - share * other, q - share * of_other
            left = float(np.sum(weights * q * q))
            if left > DEPENDENT**2 * size and len(bubbles) < degree - 1:
                bubbles.append((u / left**0.5, q / left**0.5))
                new.append(u / left**0.5)
        if not new:
            raise ValueError("a leaf has fewer adapted functions than were asked for")
        seeds = new
    functions = np.stack([1.0 - right, *(u for u, _ in bubbles), right], axis=2)
    result: np.ndarray = np.matmul(TO_BASIS, functions)
    return result
