"""Which mode holds which bit: the order of the modes of a quantics train, and indices as bits.

An index of an axis of 2^L points is written in L bits, most significant first, one mode of size 2 a bit. Axes may have
different numbers of levels L in the order "sequential" (all bits of axis 0, then those of axis 1, ...); in the order
"interleaved" (the first bit of every axis, then the second of every axis, ...) they have the same.
Index letters: i grid index, k mode, b bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SEQUENTIAL, INTERLEAVED = "sequential", "interleaved"
MAX_LEVELS = 60  # an index stays a 64-bit integer


def check_levels(levels: Sequence[int]) -> tuple[int, ...]:
    """``levels`` as a tuple.  Raises ValueError for none, or anything but integers from 1 to 60."""
    values = tuple(levels)
    if not values:
        raise ValueError("at least one axis is needed")
    for value in values:
        if not isinstance(value, int | np.integer) or not 1 <= value <= MAX_LEVELS:
            raise ValueError(f"levels must be integers from 1 to {MAX_LEVELS}, not {value!r}")
    return tuple(int(value) for value in values)


def check_order(order: str, levels: Sequence[int]) -> None:
    """Raise ValueError for an unknown order, or the interleaved one with unequal ``levels``."""
    if order not in (SEQUENTIAL, INTERLEAVED):
        raise ValueError(f"order must be '{SEQUENTIAL}' or '{INTERLEAVED}', not {order!r}")
    if order == INTERLEAVED and len(set(levels)) > 1:
        raise ValueError(f"interleaved axes need equal levels, not {tuple(levels)}")


def layout(levels: Sequence[int], order: str = SEQUENTIAL) -> list[tuple[int, int]]:
    """The pair (axis, bit) of every mode, bit 0 the most significant.  Raises ValueError for bad arguments."""
    levels = check_levels(levels)
    check_order(order, levels)
    if order == SEQUENTIAL:
        return [(axis, bit) for axis, count in enumerate(levels) for bit in range(count)]
    return [(axis, bit) for bit in range(levels[0]) for axis in range(len(levels))]


def check_modes(shape: Sequence[int], levels: Sequence[int], order: str = SEQUENTIAL) -> list[tuple[int, int]]:
    """The layout, where ``shape`` is that of a quantics train with these ``levels``; ValueError where it is not."""
    places = layout(levels, order)
    if tuple(shape) != (2,) * len(places):
        raise ValueError(f"levels {tuple(levels)} need {len(places)} modes of size 2, not the shape {tuple(shape)}")
    return places


def to_bits(indices: np.ndarray, levels: Sequence[int], order: str = SEQUENTIAL) -> np.ndarray:
    """Grid indices (m, axes) -> multi-indices (m, modes) of the quantics train.

    Raises ValueError for another shape or no integers, IndexError for an index outside the grid.
    """
    places = layout(levels, order)
    indices = np.asarray(indices)
    if indices.ndim != 2 or indices.shape[1] != len(levels) or indices.dtype.kind not in "iu":
        raise ValueError(f"indices must be integers (m, {len(levels)}), not {indices.dtype} {indices.shape}")
    if indices.size and not ((indices >= 0) & (indices < 2 ** np.array(levels, dtype=np.int64))).all():
        raise IndexError(f"an index lies outside the grid of levels {tuple(levels)}")
    columns = [(indices[:, axis].astype(np.int64) >> (levels[axis] - 1 - bit)) & 1 for axis, bit in places]
    return np.column_stack(columns)


def from_bits(bits: np.ndarray, levels: Sequence[int], order: str = SEQUENTIAL) -> np.ndarray:
    """Multi-indices (m, modes) of the quantics train -> grid indices (m, axes), the inverse of ``to_bits``.

    Raises ValueError for another shape or entries other than 0 and 1.
    """
    places = layout(levels, order)
    bits = np.asarray(bits)
    if bits.ndim != 2 or bits.shape[1] != len(places) or not np.isin(bits, (0, 1)).all():
        raise ValueError(f"bits must be zeros and ones (m, {len(places)}), not shape {bits.shape}")
    indices = np.zeros((len(bits), len(levels)), dtype=np.int64)
    for k, (axis, bit) in enumerate(places):
        indices[:, axis] += bits[:, k].astype(np.int64) << (levels[axis] - 1 - bit)
    return indices


def closed(cores: Sequence[np.ndarray], left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
    """Cores (s, ..., s) with the first contracted with ``left`` (s,) and the last with ``right`` (s,): outer ranks 1.

    How an automaton of s states that reads the bits becomes a train: start row, transitions, end column.
    """
    new = list(cores)
    new[0] = np.tensordot(np.asarray(left)[None], new[0], axes=(1, 0))
    new[-1] = np.tensordot(new[-1], np.asarray(right)[:, None], axes=(-1, 0))
    return tuple(new)
