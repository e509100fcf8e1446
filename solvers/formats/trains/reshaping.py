"""Modes split and merged, in C order: the first of the new modes is the slowest.

A boundary between modes is the number of indices before it (for operators of rows and of columns). Old and new
boundaries of which one divides the other can both be cut; across an old boundary that does not fit a new one the modes
are merged first.
    1. merge across old boundaries that fit some new one in no way,
    2. split at the new boundaries, by SVDs of the centre core from left to right: the new ranks are minimal,
    3. merge across the old boundaries that are not wanted.
A merge is exact, a split to the tolerance of the SVDs. Cost of a merged core of N indices between ranks a and b:
N a b min(a, b) a split. Index letters: a, b ranks; a size is a tuple, (n,) of a train, (rows, columns) of an operator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from solvers.formats.trains.contraction import folded
from solvers.formats.trains.cores import MAX_FULL_SIZE, spread
from solvers.formats.trains.factorisations import LeftSVD, frobenius, truncation_rank
from solvers.formats.trains.orthogonalisation import swept_cores
from solvers.formats.trains.rounding import check_truncation

Size: TypeAlias = tuple[int, ...]


def reshaped_cores(cores: Sequence[np.ndarray], sizes: Sequence[Size], tol: float) -> tuple[np.ndarray, ...]:
    """Cores (a, *size, b) of the same entries with modes of ``sizes``; relative error ``tol`` of all splits.

    Raises ValueError where the numbers of indices differ, a size is not positive, or more than 10^7 entries have to be
    merged into one core.
    """
    check_truncation(tol, None)
    old, wanted = [core.shape[1:-1] for core in cores], [tuple(int(n) for n in size) for size in sizes]
    if not wanted or any(n < 1 for size in wanted for n in size) or _whole(old) != _whole(wanted):
        raise ValueError(f"modes {_shown(old)} cannot become {_shown(wanted)}: the numbers of indices differ")
    one = (1,) * len(old[0])
    proper = [size for size in wanted if size != one]
    cuts_old, cuts_new = _boundaries(old), _boundaries(proper)
    kept = [cut for cut in cuts_old if all(_divides(cut, new) or _divides(new, cut) for new in cuts_new)]
    merged = _merged(_without_ones(cores), kept)
    every = sorted({*kept, *cuts_new}, key=math.prod)
    split = _split(merged, every, tol) if len(every) > len(set(kept)) else merged
    return tuple(_with_ones(_merged(split, cuts_new), wanted))


def whole_shape(given: Sequence[int | Sequence[int]], old: Sequence[int]) -> tuple[int, ...]:
    """A shape given as numbers or as one list, a -1 replaced by what is left.

    Raises ValueError for anything else.
    """
    listed = list(given[0]) if len(given) == 1 and not isinstance(given[0], int | np.integer) else list(given)
    sizes = [int(n) for n in listed if isinstance(n, int | np.integer)]
    rest = math.prod(n for n in sizes if n != -1)
    if len(sizes) != len(listed) or not sizes or sizes.count(-1) > 1 or any(n < 1 and n != -1 for n in sizes):
        raise ValueError(f"a shape is a list of sizes from 1, one of them -1 at most, not {listed}")
    return tuple(math.prod(old) // rest if n == -1 else n for n in sizes)


def _whole(sizes: Sequence[Size]) -> Size:
    return tuple(math.prod(size[c] for size in sizes) for c in range(len(sizes[0])))


def _shown(sizes: Sequence[Size]) -> str:
    if len(sizes) == 0 or len(sizes[0]) == 1:
        return str(tuple(size[0] for size in sizes))
    return str(tuple(sizes))


def _boundaries(sizes: Sequence[Size]) -> list[Size]:
    """How many indices are before each inner boundary; those of modes of size 1 are none."""
    if not sizes:
        return []
    total = _whole(sizes)
    inner = [_whole(sizes[:k]) for k in range(1, len(sizes))]
    return sorted({cut for cut in inner if cut != total and math.prod(cut) > 1}, key=math.prod)


def _divides(p: Size, q: Size) -> bool:
    return all(b % a == 0 for a, b in zip(p, q))


def _merged(cores: Sequence[np.ndarray], kept: Sequence[Size]) -> list[np.ndarray]:
    """Cores multiplied together between the boundaries ``kept``."""
    new: list[np.ndarray] = []
    before = (1,) * (cores[0].ndim - 2)
    opened = True  # whether the next core begins a mode
    for core in cores:
        new.append(core) if opened else new.append(_product(new.pop(), core))
        before = tuple(n * m for n, m in zip(before, core.shape[1:-1]))
        opened = before in kept
    return new


def _without_ones(cores: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The cores, those of size 1 multiplied into their neighbours; one of size 1 where there are no others."""
    pieces = [core.reshape(len(core), -1) if set(core.shape[1:-1]) == {1} else core for core in cores]
    if all(piece.ndim == 2 for piece in pieces):
        pieces[0] = cores[0]
    found = folded(pieces)
    assert isinstance(found, tuple)
    return list(found)


def _product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    size = tuple(n * m for n, m in zip(x.shape[1:-1], y.shape[1:-1]))
    if x.shape[0] * math.prod(size) * y.shape[-1] > MAX_FULL_SIZE:
        raise ValueError(f"a merged core would have {x.shape[0]} x {size} x {y.shape[-1]} entries: round first")
    wide = np.tensordot(x, y, axes=(-1, 0))  # a n.. m.. b
    c = len(size)
    order = [0, *(axis for k in range(c) for axis in (1 + k, 1 + c + k)), 1 + 2 * c]
    return wide.transpose(order).reshape(x.shape[0], *size, y.shape[-1])


def _split(cores: Sequence[np.ndarray], cuts: Sequence[Size], tol: float) -> list[np.ndarray]:
    """The cores cut at all of ``cuts``, which are a chain of divisors with the boundaries there are."""
    flat = [core.reshape(core.shape[0], -1, core.shape[-1]) for core in cores]
    sizes = [core.shape[1:-1] for core in cores]
    swept, exponent = swept_cores(flat, None, 0)
    budget = tol * frobenius(swept[0]) / math.sqrt(len(cuts))
    new: list[np.ndarray] = []
    carried = np.ones((1, 1))
    before = (1,) * len(sizes[0])
    for core, size in zip(swept, sizes):
        rest = np.tensordot(carried, core, axes=(1, 0)).reshape(carried.shape[0], *size, core.shape[-1])
        after = tuple(p * n for p, n in zip(before, size))
        for cut in [c for c in cuts if c != before and _divides(before, c) and _divides(c, after) and c != after]:
            head = tuple(c // p for c, p in zip(cut, before))
            left, rest = _cut(rest, head, budget)
            new.append(left)
            before = cut
        if core is swept[-1]:
            new.append(rest)
            break
        left, carried = _ended(rest)
        new.append(left)
        before = after
    return list(spread(new, exponent, len(new) - 1)) if exponent else new


def _cut(core: np.ndarray, head: Size, budget: float) -> tuple[np.ndarray, np.ndarray]:
    """A centre core (a, head x tail, b) as a left-orthogonal core (a, head, r) and the new centre (r, tail, b)."""
    a, *size, b = core.shape
    c = len(size)
    tail = tuple(n // h for n, h in zip(size, head))
    wide = core.reshape(a, *(n for pair in zip(head, tail) for n in pair), b)
    order = [0, *range(1, 2 * c, 2), *range(2, 2 * c + 1, 2), 2 * c + 1]
    matrix = wide.transpose(order).reshape(a * math.prod(head), -1)
    svd = LeftSVD(np.array(matrix, order="F"))
    rank, _ = truncation_rank(svd.s, budget, None)
    u = svd.vectors(rank)
    return u.reshape(a, *head, rank), (u.conj().T @ matrix).reshape(rank, *tail, b)


def _ended(core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A left-orthogonal core and the triangular factor that moves on."""
    q, r = np.linalg.qr(core.reshape(-1, core.shape[-1]))
    return q.reshape(*core.shape[:-1], -1), r


def _with_ones(cores: Sequence[np.ndarray], wanted: Sequence[Size]) -> list[np.ndarray]:
    """The cores with modes of size 1 where they are wanted."""
    new: list[np.ndarray] = []
    rest = list(cores)
    one = (1,) * len(wanted[0])
    if all(size == one for size in wanted):
        return [rest[0], *(np.ones((1, *one, 1)) for _ in wanted[1:])]
    for size in wanted:
        if size == one:
            rank = new[-1].shape[-1] if new else 1
            new.append(np.eye(rank).reshape(rank, *one, rank))
        else:
            new.append(rest.pop(0))
    return new
