"""Indices of a train as of an array of numpy: integers, slices, None, Ellipsis, vectors of integers and masks; exact.

An integer picks the matrix of its mode, which joins a neighbouring core; a slice picks part of the mode; None is a new
mode of size 1. Vectors of integers on neighbouring modes are read together, as in numpy: point p of the new mode has
the indices p of all of them. The ranks do not grow. Cost: that of copying what is left, and r^3 an integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import TypeAlias

import numpy as np

from solvers.formats.trains.contraction import folded

One: TypeAlias = "int | slice | EllipsisType | np.ndarray | Sequence[int] | Sequence[bool] | None"
Key: TypeAlias = "One | tuple[One, ...]"


def indexed(cores: Sequence[np.ndarray], key: Key) -> tuple[np.ndarray, ...] | complex:
    """The cores of x[key], or the entry where no mode is left.

    Raises IndexError for indices out of range or too many of them, ValueError for what selects nothing or is no index
    with one clear meaning.
    """
    parts = _complete(key, len(cores))
    if any(isinstance(part, np.ndarray) for part in parts):
        _check_neighbours(parts)
    pieces: list[np.ndarray] = []
    points: np.ndarray | None = None  # the core (a, p, b) of vectors of integers that are read together
    length = _common_length(parts)
    k = 0
    for part in parts:
        if part is None:
            rank = cores[k].shape[0] if k < len(cores) else 1
            pieces.append(np.eye(rank)[:, None, :])
            continue
        core = cores[k]
        if isinstance(part, slice):
            chosen = core[:, part]
            if chosen.shape[1] == 0:
                raise ValueError(f"the slice selects nothing of mode {k}, of size {core.shape[1]}")
            pieces.append(chosen)
        elif length is None:
            pieces.append(core[:, _within(np.asarray(part), core.shape[1], k)])
        else:
            indices = np.broadcast_to(_within(np.asarray(part), core.shape[1], k), (length,))
            chosen = core[:, indices]
            if points is None:
                points = chosen
                pieces.append(points)
            else:
                points = np.matmul(points.transpose(1, 0, 2), chosen.transpose(1, 0, 2)).transpose(1, 0, 2)
                pieces[-1] = points
        k += 1
    return folded(pieces)


def _complete(key: Key, d: int) -> list[int | slice | np.ndarray | None]:
    """One part a mode, and None where a new one comes; masks are vectors of integers."""
    given = list(key) if isinstance(key, tuple) else [key]
    dots = [i for i, part in enumerate(given) if part is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index has one Ellipsis at most")
    used = sum(part is not None and part is not Ellipsis for part in given)
    if used > d:
        raise IndexError(f"{used} indices are too many for {d} modes")
    at = dots[0] if dots else len(given)
    filled: list[One] = [*given[:at], *[slice(None)] * (d - used), *given[at + 1 :]]
    parts: list[int | slice | np.ndarray | None] = []
    for part in filled:
        if part is None or isinstance(part, slice):
            parts.append(part)
        elif isinstance(part, int | np.integer) and not isinstance(part, bool | np.bool_):
            parts.append(int(part))
        else:
            parts.append(_vector(part))
    return parts


def _vector(part: object) -> np.ndarray | int:
    array = np.asarray(part) if isinstance(part, np.ndarray | list | tuple | range) else np.asarray(None)
    if array.ndim == 0 and array.dtype.kind in "iu":
        return int(array)
    if array.ndim == 1 and array.dtype == bool:
        return np.flatnonzero(array) if array.any() else _refuse("a mask without a True selects nothing")
    if array.ndim == 1 and array.size == 0:
        _refuse("an empty list of indices selects nothing")
    if array.ndim != 1 or array.dtype.kind not in "iu":
        shown = f"an array {array.dtype} {array.shape}" if array.dtype != object else repr(part)
        raise IndexError(
            f"an index is an integer, a slice, None, ... or a vector of integers, not {shown} (points: entries)"
        )
    return array


def _refuse(text: str) -> np.ndarray:
    raise ValueError(text)


def _common_length(parts: Sequence[int | slice | np.ndarray | None]) -> int | None:
    """How many points vectors of integers have, None where there are none."""
    lengths = {len(part) for part in parts if isinstance(part, np.ndarray)}
    if not lengths:
        return None
    if len(lengths - {1}) > 1:
        raise IndexError(f"vectors of {sorted(lengths)} integers cannot be read together")
    return max(lengths)


def _check_neighbours(parts: Sequence[int | slice | np.ndarray | None]) -> None:
    """ValueError unless all integers and vectors stand side by side: elsewhere numpy moves their mode to the front."""
    places = [i for i, part in enumerate(parts) if isinstance(part, int | np.ndarray)]
    if places[-1] - places[0] + 1 != len(places):
        raise ValueError("integers beside a vector of integers have to stand next to it: index in two steps")


def _within(index: np.ndarray, n: int, k: int) -> np.ndarray:
    if ((index < -n) | (index >= n)).any():
        raise IndexError(
            f"index {index if index.ndim == 0 else index.tolist()} is out of range for mode {k} of size {n}"
        )
    return index % n
