"""From one grid to the next finer or coarser one: linear interpolation and its reverse, on any axis of a train.

A cell grid has its points x_i = start + (i + 1/2) h in the middle of cells; halving the cells puts two new points at a
quarter and three quarters of each, with the values

    y_(2i) = (3 x_i + x_(i-1)) / 4,    y_(2i+1) = (3 x_i + x_(i+1)) / 4.

A node grid x_i = start + i h keeps its points: y_(2i) = x_i, y_(2i+1) = (x_i + x_(i+1)) / 2. Beyond the ends stands
what the boundary condition says (the ghost values of solvers.formats.quantics.operators). The new bit is the last of
its axis, so the operator is a sum of shifts on the old bits times a column for the new one, TT-ranks 3, one more an
end. Khoromskij, Oseledets, Russ. J. Numer. Anal. Math. Modelling 25, 303 (2010). Bits in sequence; cost O(d R^2 r^2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.quantics.axes import deparallelised
from solvers.formats.quantics.bits import check_levels, check_modes
from solvers.formats.quantics.functions import unit_vector
from solvers.formats.quantics.operators import (
    GHOST,
    PERIODIC,
    check_ends,
    cyclic_shift,
    diagonal,
    identity,
    shift,
)
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

CELL, NODE = "cell", "node"
# values of the two new points of (itself, its left neighbour, its right neighbour)
STENCILS = {CELL: ([0.75, 0.75], [0.25, 0.0], [0.0, 0.25]), NODE: ([1.0, 0.5], [0.0, 0.0], [0.0, 0.5])}


def prolongation(levels: int, grid: str = CELL, left: str = "dirichlet", right: str = "dirichlet") -> TTOperator:
    """The (2N x N) operator of linear interpolation from N = 2^levels points to 2N, as levels + 1 cores.

    The last core has two rows and one column: it applies to a vector with a last mode of size 1 (``refine`` puts it
    there). ``grid``: "cell" or "node"; ends as in ``laplacian``: they say what stands one point beyond. TT-ranks 3
    to 5, nodes one less. Raises ValueError for another grid or other ends.
    """
    check_levels([levels])
    check_ends(left, right)
    if grid not in STENCILS:
        raise ValueError(f"grid must be '{CELL}' or '{NODE}', not {grid!r}")
    own, before, after = STENCILS[grid]
    step = cyclic_shift if left == PERIODIC else shift
    terms = [(identity(levels), own), (step(levels, 1), before), (step(levels, -1), after)]
    if left != PERIODIC:
        for index, end, column in ((0, left, before), (2**levels - 1, right, after)):
            terms.append((diagonal(unit_vector(levels, index)), [GHOST[end] * value for value in column]))
    total: TTOperator | None = None
    for operator, column in terms:
        if any(column):
            core = np.array(column).reshape(1, 2, 1, 1)
            term = TTOperator((*operator.cores, core))
            total = term if total is None else deparallelised(total + term)
    assert total is not None
    return total


def refine(
    x: TensorTrain,
    levels: Sequence[int],
    axis: int = 0,
    grid: str = CELL,
    left: str = "dirichlet",
    right: str = "dirichlet",
    tol: float = 1e-12,
) -> TensorTrain:
    """``x`` on a grid twice as fine along ``axis``, by linear interpolation, rounded with relative error ``tol``.

    ``levels``: those of every axis, bits in sequence. Right to O(h^2) for smooth functions. Cost O(n R^2 r^2) a core
    and the rounding. Raises ValueError where ``x`` does not have these levels, for another axis, and as
    ``prolongation``.
    """
    first, last = _span(x, levels, axis)
    operator = prolongation(last - first, grid, left, right)
    cores = list(x.cores[first:last])
    rank = cores[-1].shape[2]
    cores.append(np.eye(rank).reshape(rank, 1, rank))
    new = []
    for a, core in zip(operator.cores, cores):
        p, _, _, q = a.shape
        product = np.tensordot(a, core, axes=(2, 1)).transpose(0, 3, 1, 2, 4)
        new.append(product.reshape(p * core.shape[0], 2, q * core.shape[2]))
    return TensorTrain((*x.cores[:first], *new, *x.cores[last:])).round(tol)


def coarsen(x: TensorTrain, levels: Sequence[int], axis: int = 0, grid: str = CELL) -> TensorTrain:
    """``x`` on a grid half as fine along ``axis``: the mean of the two cells of a pair, or every other node.

    Exact, the ranks do not grow. Raises ValueError where ``x`` does not have these levels, for another axis or grid,
    and for an axis of one level.
    """
    first, last = _span(x, levels, axis)
    if grid not in STENCILS:
        raise ValueError(f"grid must be '{CELL}' or '{NODE}', not {grid!r}")
    if last - first == 1:
        raise ValueError(f"axis {axis} has one level only and cannot be made coarser")
    weights = [0.5, 0.5] if grid == CELL else [1.0, 0.0]
    merged = np.tensordot(x.cores[last - 2], np.tensordot(x.cores[last - 1], weights, axes=(1, 0)), axes=(2, 0))
    return TensorTrain((*x.cores[: last - 2], merged, *x.cores[last:]))


def _span(x: TensorTrain, levels: Sequence[int], axis: int) -> tuple[int, int]:
    """The first mode of ``axis`` and the one after its last."""
    check_modes(x.shape, levels)
    if not 0 <= axis < len(levels):
        raise ValueError(f"there is no axis {axis} among {len(levels)}")
    first = sum(levels[:axis])
    return first, first + levels[axis]
