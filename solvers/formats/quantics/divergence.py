"""-div(a grad u) + c u by second differences as an operator that knows what it is: ``divergence_form``.

Along an axis D^T w D / h^2, D the differences of neighbours, the first one from the zero of its end, and w the
coefficient at the middles of the edges; the edge behind the last point is an entry of its own. Half edges, to the zero
of a face, conduct twice, and the edges to a mirror nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.quantics.axes import on_axis, reordered
from solvers.formats.quantics.bits import SEQUENTIAL, check_levels, check_order
from solvers.formats.quantics.coefficients import Coefficient, Ends, Function, Given, checked_ends, function_of
from solvers.formats.quantics.forms import Form, FormOperator, known_form
from solvers.formats.quantics.functions import heaviside, unit_vector
from solvers.formats.quantics.grids import on_grid
from solvers.formats.quantics.operators import diagonal, first_difference
from solvers.formats.trains.construct import ones
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

OFFSET = {"dirichlet": 1.0, "face": 0.5, "neumann": 0.5}  # steps from the last point to the end
CONDUCTANCE = {"dirichlet": 1.0, "face": 2.0, "neumann": 0.0}  # of the edge behind it
TOL = 1e-13  # of the coefficients as trains
CLEAN = 1e-14  # of the operator
MOST_AXES = 3


def divergence_form(
    levels: int | Sequence[int],
    diffusion: Given | tuple[Given, ...] = 1.0,
    *,
    reaction: Given = 0.0,
    ends: Ends = "dirichlet",
    order: str = SEQUENTIAL,
) -> FormOperator:
    """The matrix of -div(a grad u) + c u on 2^levels[k] points of the unit interval, square or cube.

    ``diffusion`` a > 0 (a tuple: one a direction), ``reaction`` c, ``ends``: as ``elliptic`` takes them, whose matrix
    it is. ``solve`` knows it for what it is, and so it does its multiples, its sums with others on the grid, among them
    multiples of the identity, Kronecker sums and products: right on any number of levels. TT-ranks: about four times
    those of a. Functions are also called half a step beyond the end of an axis. Raises ValueError for other arguments
    and functions that polynomials on some tens of pieces an axis do not follow (``elliptic`` follows rougher ones).
    """
    sizes = check_levels([levels] if isinstance(levels, int | np.integer) else levels)
    d = len(sizes)
    if d > MOST_AXES:
        raise ValueError(f"one to three axes can be taken, not {d}")
    check_order(order, sizes)
    pairs = checked_ends(ends, d)
    parts = diffusion if isinstance(diffusion, tuple) else (diffusion,) * d
    if len(parts) != d:
        raise ValueError(f"a tuple of coefficients has one a direction, {d}, not {len(parts)}")
    known = {id(one): function_of(one, d, "the coefficient", positive=True) for one in parts}
    a = [known[id(one)] for one in parts]
    for one in a:
        if not callable(one) and one <= 0.0:
            raise ValueError(f"the coefficient must be positive, not {one!r}")
    c = function_of(reaction, d, "the reaction")
    steps = [1.0 / (2.0**n - 1.0 + OFFSET[left] + OFFSET[right]) for n, (left, right) in zip(sizes, pairs)]
    grid = _Grid(sizes, pairs, steps)
    total = grid.along(0, a[0])
    for k in range(1, d):
        total = (total + grid.along(k, a[k])).round(CLEAN)
    if callable(c) or c != 0.0:
        total = (total + diagonal(grid.sampled(c, grid.starts))).round(CLEAN)
    form = Form(
        sizes,
        pairs,
        tuple(0.0 if callable(one) else one / h**2 for one, h in zip(a, steps)),
        0.0 if callable(c) else c,
        order,
        tuple(((1.0 / h**2, one),) if callable(one) else () for one, h in zip(a, steps)),
        ((1.0, c),) if callable(c) else (),
    )
    if order != SEQUENTIAL and d > 1:
        total = reordered(total, sizes, order, CLEAN)
    return known_form(total, form)


class _Grid:
    """The points of a problem, and trains of functions on them."""

    def __init__(self, levels: tuple[int, ...], ends: tuple[tuple[str, str], ...], steps: list[float]) -> None:
        self.levels, self.ends, self.steps = levels, ends, steps
        self.starts = [OFFSET[left] * h for (left, _), h in zip(ends, steps)]

    def sampled(self, f: Coefficient, starts: Sequence[float], axes: Sequence[int] | None = None) -> TensorTrain:
        """A function of the coordinates of ``axes`` (default: of all)."""
        axes = range(len(self.levels)) if axes is None else axes
        levels = [self.levels[k] for k in axes]
        if not callable(f):
            return ones((2,) * sum(levels)) * f
        return on_grid(f, levels, starts, [self.steps[k] for k in axes], TOL)

    def along(self, axis: int, a: Coefficient) -> TTOperator:
        """D^T w D / h^2 along one axis."""
        levels, h, (left, right) = self.levels[axis], self.steps[axis], self.ends[axis]
        starts = list(self.starts)
        starts[axis] -= 0.5 * h
        weights = self.sampled(a, starts)
        if CONDUCTANCE[left] != 1.0:
            weights = weights * on_axis(heaviside(levels, 1), axis, self.levels)
            if CONDUCTANCE[left]:
                weights = weights + self._edge(axis, a, 0.25 * h, 0) * CONDUCTANCE[left]
        difference = on_axis(first_difference(levels), axis, self.levels)
        total = (difference.T @ diagonal(weights.round(CLEAN)) @ difference).round(CLEAN)
        if CONDUCTANCE[right]:
            last = self._edge(axis, a, 1.0 - 0.5 * OFFSET[right] * h, 2**levels - 1)
            total = (total + diagonal(last) * CONDUCTANCE[right]).round(CLEAN)
        return total * (1.0 / h**2)

    def _edge(self, axis: int, a: Coefficient, at: float, index: int) -> TensorTrain:
        """a at one place of an axis, as a train that is zero but at one of its points."""
        others = [k for k in range(len(self.levels)) if k != axis]
        one = unit_vector(self.levels[axis], index)
        if not others:
            return one * (float(a(np.array([[at]]))[0]) if callable(a) else a)
        inner = _fixed(a, axis, at) if callable(a) else a
        whole = self.sampled(inner, [self.starts[k] for k in others], others)
        before = sum(self.levels[k] for k in others if k < axis)
        cores = list(whole.cores)
        rank = cores[before].shape[0] if before < len(cores) else 1
        own = [np.einsum("aib,pq->apibq", core, np.eye(rank)).reshape(rank, 2, rank) for core in one.cores]
        return TensorTrain((*cores[:before], *own, *cores[before:]))


def _fixed(a: Function, axis: int, at: float) -> Function:
    """``a`` with the coordinate of one axis put in."""
    return lambda points: a(np.insert(points, axis, at, axis=1))
