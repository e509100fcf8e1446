"""Lines, planes and coarse grids of a quantics train, for figures, without the full array.

Every mode (a bit of an axis) is either kept or contracted with a vector of two numbers: (1, 0) or (0, 1) picks a bit,
(1/2, 1/2) averages over it. Contracted cores are matrices and are multiplied into a neighbour, so what is left is a
short train, whose full array is small. Cost O(d r^2) for a point, O(d r^3) for the matrices, and m^2 r for m^2 entries.
The bits may be in either order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from solvers.formats.quantics.bits import SEQUENTIAL, check_modes, to_bits
from solvers.formats.trains.cores import MAX_FULL_SIZE, check_full_size, contracted
from solvers.formats.trains.tensor_train import TensorTrain

MEAN, FIRST = "mean", "first"
WEIGHTS = {MEAN: np.array([0.5, 0.5]), FIRST: np.array([1.0, 0.0])}


def line(
    x: TensorTrain, levels: Sequence[int], axis: int, at: Mapping[int, int], order: str = SEQUENTIAL
) -> np.ndarray:
    """All 2^L entries along ``axis``, (2^L,), at the grid indices ``at`` of every other axis: {axis: index}.

    Raises ValueError where ``x`` does not have these levels or an axis is missing or not there, IndexError for an index
    outside.
    """
    check_modes(x.shape, levels, order)
    return reduced(x, levels, {axis: levels[axis] if 0 <= axis < len(levels) else 0}, at, MEAN, order)


def plane(
    x: TensorTrain,
    levels: Sequence[int],
    axes: tuple[int, int],
    at: Mapping[int, int],
    max_points: int = 256,
    how: str = MEAN,
    order: str = SEQUENTIAL,
) -> np.ndarray:
    """A slice along two axes, at most ``max_points`` points each, in the order of ``axes``; see ``reduced``.

    ``at``: the grid index of every other axis. Raises ValueError and IndexError as ``line``.
    """
    return reduced(x, levels, _capped(levels, axes, max_points), at, how, order)


def coarse_grid(
    x: TensorTrain, levels: Sequence[int], max_points: int = 64, how: str = MEAN, order: str = SEQUENTIAL
) -> np.ndarray:
    """All axes, at most ``max_points`` points each; see ``reduced``.  Raises ValueError as ``line``."""
    return reduced(x, levels, _capped(levels, range(len(levels)), max_points), {}, how, order)


def reduced(
    x: TensorTrain,
    levels: Sequence[int],
    keep: Mapping[int, int],
    at: Mapping[int, int],
    how: str = MEAN,
    order: str = SEQUENTIAL,
) -> np.ndarray:
    """The array over the leading bits of some axes, at fixed indices of the others.

    ``keep``: {axis: levels kept}, the axes of the result in this order, 2^kept points each. Of the dropped bits "mean"
    takes the mean (the value of the larger cell), "first" the first point. ``at``: {axis: index} for every other axis.
    Raises ValueError where ``x`` does not have these levels, an axis is missing, given twice or not there, more levels
    are kept than there are, or the result has more than 10^7 entries; IndexError for an index outside.
    """
    places = check_modes(x.shape, levels, order)
    if how not in WEIGHTS:
        raise ValueError(f"how must be '{MEAN}' or '{FIRST}', not {how!r}")
    if sorted([*keep, *at]) != list(range(len(levels))):
        raise ValueError(f"every axis of {len(levels)} is either kept or fixed, not {list(keep)} and {list(at)}")
    if any(not 0 <= kept <= levels[axis] for axis, kept in keep.items()):
        raise ValueError(f"the levels kept {dict(keep)} must lie between 0 and those of the axes {tuple(levels)}")
    check_full_size([2**kept for kept in keep.values()], MAX_FULL_SIZE)
    fixed = to_bits(np.array([[at.get(axis, 0) for axis in range(len(levels))]]), levels, order)[0]
    cores: list[np.ndarray] = []
    left = np.ones((1, 1))
    kept_places = []
    for core, (axis, bit), value in zip(x.cores, places, fixed):
        if axis in keep and bit < keep[axis]:
            cores.append(np.tensordot(left, core, axes=(1, 0)))
            left = np.eye(core.shape[2])
            kept_places.append((axis, bit))
        elif axis in keep:
            left = left @ np.tensordot(core, WEIGHTS[how], axes=(1, 0))
        else:
            left = left @ core[:, value]
    if not cores:
        return left.reshape((1,) * len(keep))
    cores[-1] = np.tensordot(cores[-1], left, axes=(2, 0))
    array = contracted(cores).reshape((2,) * len(kept_places))
    wanted = [kept_places.index((axis, bit)) for axis, kept in keep.items() for bit in range(kept)]
    return array.transpose(wanted).reshape([2**kept for kept in keep.values()])


def _capped(levels: Sequence[int], axes: Sequence[int], max_points: int) -> dict[int, int]:
    """The levels kept of every axis in ``axes``, for at most ``max_points`` points."""
    if max_points < 1:
        raise ValueError(f"max_points must be at least 1, not {max_points}")
    if len(set(axes)) != len(axes) or not set(axes) <= set(range(len(levels))):
        raise ValueError(f"axes {tuple(axes)} must be different ones of the {len(levels)} axes")
    return {axis: min(levels[axis], int(max_points).bit_length() - 1) for axis in axes}
