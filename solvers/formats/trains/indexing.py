"""Indices of a train as of an array of numpy: integers, slices, None, Ellipsis, vectors of integers and masks; exact.

An integer picks the matrix of its mode, which joins a neighbouring core; a slice picks part of the mode; None is a new
mode of size 1. Vectors of integers on neighbouring modes are read together, as in numpy: point p of the new mode has
the indices p of all of them. The ranks do not grow. Cost: that of copying what is left, and r^3 an integer.

An operator takes one such key for its rows and one for its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import TypeAlias

import numpy as np

from solvers.formats.trains.contraction import folded
from solvers.formats.trains.cores import moderate_rows
from solvers.formats.trains.factorisations import check_finite, power_of_two

One: TypeAlias = "int | slice | EllipsisType | np.ndarray | Sequence[int] | Sequence[bool] | None"
Key: TypeAlias = "One | tuple[One, ...]"


def indexed(cores: Sequence[np.ndarray], key: Key) -> tuple[np.ndarray, ...] | complex:
    """The cores of x[key], or the entry where no mode is left.

    Raises IndexError for indices out of range or too many of them, ValueError for what selects nothing or is no index
    with one clear meaning.
    """
    parts = parts_of(key, [core.shape[1] for core in cores])
    pieces: list[np.ndarray] = []
    points: np.ndarray | None = None  # the core (a, p, b) of vectors of integers that are read together
    length = common_length(parts)
    k = 0
    for part in parts:
        if part is None:
            rank = cores[k].shape[0] if k < len(cores) else 1
            pieces.append(np.eye(rank)[:, None, :])
            continue
        core = cores[k]
        k += 1
        if isinstance(part, slice) or length is None:
            pieces.append(core[:, part])
            continue
        chosen = core[:, np.broadcast_to(part, (length,))]
        if points is None:
            points = chosen
            pieces.append(points)
        else:
            points = np.matmul(points.transpose(1, 0, 2), chosen.transpose(1, 0, 2)).transpose(1, 0, 2)
            pieces[-1] = points
    return folded(pieces)


def entries_at(cores: Sequence[np.ndarray], indices: np.ndarray) -> np.ndarray:
    """Entries (m,) at the multi-indices (m, d). Raises ValueError for no integers of this shape, IndexError outside."""
    indices = np.asarray(indices)
    d, shape = len(cores), tuple(core.shape[1] for core in cores)
    if indices.ndim != 2 or indices.shape[1] != d:
        raise ValueError(f"indices must have shape (m, {d}), not {indices.shape}")
    if indices.dtype.kind not in "iu":
        raise ValueError(f"indices must be integers, not {indices.dtype}")
    if indices.size and not ((indices >= 0) & (indices < np.array(shape))).all():
        raise IndexError(f"an index lies outside the tensor of shape {shape}")
    dtype = cores[0].dtype
    rows, exponents = np.ones((len(indices), 1), dtype=dtype), None
    for core, index in zip(cores, indices.T, strict=True):
        product = np.empty((len(rows), core.shape[2]), dtype=dtype)
        order = np.argsort(index, kind="stable")
        values, starts = np.unique(index[order], return_index=True)
        for value, chosen in zip(values, np.split(order, starts[1:])):
            product[chosen] = rows[chosen] @ core[:, value, :]
        rows, exponents = moderate_rows(product, exponents)
    found = rows[:, 0] if exponents is None else power_of_two(rows[:, 0], exponents)
    check_finite(found, "the entries (overflow: rescale the train)")
    return found


def operator_indexed(cores: Sequence[np.ndarray], key: object) -> tuple[np.ndarray, ...] | complex:
    """The cores of A[rows, columns], of operators (a, i, j, b) or, where rows or columns are all integers, of a train.

    Raises IndexError and ValueError as ``indexed``, and for what is no pair.
    """
    if not isinstance(key, tuple) or len(key) != 2:
        raise IndexError("an operator takes the indices of its rows and those of its columns: A[rows, columns]")
    rows = _own_parts(key[0], [core.shape[1] for core in cores], "rows")
    columns = _own_parts(key[1], [core.shape[2] for core in cores], "columns")
    pieces = []
    for core, i, j in zip(cores, rows, columns):
        kept = core[:, i if not isinstance(i, int) else slice(i, i + 1)]
        kept = kept[:, :, j if not isinstance(j, int) else slice(j, j + 1)]
        pieces.append(kept[:, 0, 0] if isinstance(i, int) and isinstance(j, int) else kept)
    if all(isinstance(i, int) for i in rows):
        pieces = [piece if piece.ndim == 2 else piece[:, 0] for piece in pieces]
    elif all(isinstance(j, int) for j in columns):
        pieces = [piece if piece.ndim == 2 else piece[:, :, 0] for piece in pieces]
    return folded(pieces)


def _own_parts(key: object, shape: Sequence[int], what: str) -> list[int | slice | np.ndarray]:
    """A part a mode; a vector of integers on one mode at most, and none new."""
    parts = parts_of(key, shape)  # type: ignore[arg-type]
    chosen = [part for part in parts if part is not None]
    if len(chosen) < len(parts):
        raise IndexError("an operator gets no new modes by None: use reshape")
    if sum(isinstance(part, np.ndarray) for part in chosen) > 1:
        raise ValueError(f"one vector of integers for the {what} at a time: index in two steps")
    return chosen


def parts_of(key: Key, shape: Sequence[int]) -> list[int | slice | np.ndarray | None]:
    """One part a mode of ``shape``, and None where a new one comes; masks are vectors of integers, none negative.

    Raises IndexError and ValueError as ``indexed``.
    """
    d = len(shape)
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
        k = sum(known is not None for known in parts)
        if part is None:
            parts.append(part)
        elif isinstance(part, slice):
            if len(range(*part.indices(shape[k]))) == 0:
                raise ValueError(f"the slice selects nothing of mode {k}, of size {shape[k]}")
            parts.append(part)
        else:
            whole = isinstance(part, int | np.integer) and not isinstance(part, bool | np.bool_)
            parts.append(_within(np.asarray(part) if whole else _vector(part, shape[k]), shape[k], k))
    if any(isinstance(part, np.ndarray) for part in parts):
        _check_neighbours(parts)
    return parts


def _vector(part: object, n: int) -> np.ndarray:
    array = np.asarray(part) if isinstance(part, np.ndarray | list | tuple | range) else np.asarray(None)
    if array.ndim == 0 and array.dtype.kind in "iu":
        return array
    if array.ndim == 1 and array.dtype == bool:
        if len(array) != n:
            raise IndexError(f"a mask of {len(array)} does not fit a mode of size {n}")
        array = np.flatnonzero(array)
    if array.ndim == 1 and array.size == 0:
        raise ValueError("a mask without a True, or an empty list, selects nothing")
    if array.ndim != 1 or array.dtype.kind not in "iu":
        shown = f"an array {array.dtype} {array.shape}" if array.dtype != object else repr(part)
        raise IndexError(
            f"an index is an integer, a slice, None, ... or a vector of integers, not {shown} (points: entries)"
        )
    return array


def common_length(parts: Sequence[int | slice | np.ndarray | None]) -> int | None:
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


def _within(index: np.ndarray, n: int, k: int) -> np.ndarray | int:
    if ((index < -n) | (index >= n)).any():
        raise IndexError(f"index {index.tolist()} is out of range for mode {k} of size {n}")
    return index % n if index.ndim else int(index) % n
