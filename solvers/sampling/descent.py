"""Many samples on their way through a train, mode by mode, in batches.

Samples that have chosen the same indices so far are one row v, as long as that pays:

    1. Together: while the rows times the n indices of a mode are no more than the samples, the density of each row is
       computed once, and its samples are spread over it.
    2. Apart: then every sample has a row of its own, and finds its index by itself (solvers.sampling.conditional).

Batches of 4096 samples with the same beginnings, depth first, so that rows stay in cache and memory is bounded. What a
sample becomes depends on its own numbers alone, whatever the batch. Index letters: m samples; p rows; d modes.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels import descents as kernels
from solvers.sampling.conditional import Conditionals, chosen

BATCH = 4096  # samples at once: their rows of rank 50 are 1.6 MB
BELOW_ONE = float(np.nextafter(1.0, 0.0))


def descend(
    known: Conditionals, numbers: np.ndarray, index: np.ndarray, *, given: bool = False, places: bool = True
) -> None:
    """In place: ``numbers`` (m, d) in [0, 1) -> ``index`` (m, d), and the places within their cells in ``numbers``.

    ``given``: the other way, indices and places -> numbers. ``places`` False: only indices are wanted, and ``index``
    may be the memory of ``numbers``.
    """
    stack = [(0, np.ones((1, 1), dtype=known.dtype), np.zeros(len(index), dtype=np.int64), np.arange(len(index)))]
    while stack:
        k, rows, owner, ids = stack.pop()
        n = known.shape[k]
        if len(rows) * n > len(ids):
            for first in range(0, len(ids), BATCH):
                here = slice(first, first + BATCH)
                _apart(known, k, rows[owner[here]], ids[here], numbers, index, given, places)
            continue
        u = numbers[ids, k]
        found, below, mass = chosen(known.masses(k, rows), owner, u, index[ids, k] if given else None)
        if places:
            numbers[ids, k] = _place(u, below, mass, given)
        if not given:
            index[ids, k] = found
        if k + 1 < len(known.shape):
            order, bounds = kernels.sorted_by(owner * n + found, len(rows) * n)
            pairs = np.flatnonzero(np.diff(bounds))
            rows = known.advanced(k, rows[pairs // n], pairs % n)
            owner = np.repeat(np.arange(len(pairs)), np.diff(bounds)[pairs])
            stack += [(k + 1, *part) for part in _parts(rows, owner, ids[order])]


def _parts(rows: np.ndarray, owner: np.ndarray, ids: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Rows in groups of about a batch of samples; a row keeps all of its own."""
    starts = np.append(np.unique(owner[::BATCH]), len(rows))
    bounds = np.searchsorted(owner, starts)
    return [
        (rows[starts[j] : starts[j + 1]], owner[bounds[j] : bounds[j + 1]] - starts[j], ids[bounds[j] : bounds[j + 1]])
        for j in range(len(starts) - 1)
    ]


def _apart(
    known: Conditionals,
    first: int,
    rows: np.ndarray,
    ids: np.ndarray,
    numbers: np.ndarray,
    index: np.ndarray,
    given: bool,
    places: bool,
) -> None:
    """The modes from ``first`` on of samples with a row each."""
    u = numbers[ids, first:].T.copy()
    i = index[ids, first:].T.copy() if given else np.empty(u.shape, dtype=np.int64)
    at = np.arange(len(ids))  # which sample each row is of
    for k in range(first, len(known.shape)):
        mine = u[k - first][at]
        order, found, below, mass, rows = known.each(k, rows, mine, i[k - first][at] if given else None)
        at = at[order]
        if not given:
            i[k - first][at] = found
        if places:
            u[k - first][at] = _place(mine[order], below, mass, given)
    if places:
        numbers[ids, first:] = u.T
    if not given:
        index[ids, first:] = i.T


def _place(number: np.ndarray, below: np.ndarray, mass: np.ndarray, given: bool) -> np.ndarray:
    """The place in a cell of a number, or, where the index is given, the number of a place."""
    if given:
        return np.minimum(below + number * mass, BELOW_ONE)
    return np.clip((number - below) / np.where(mass > 0.0, mass, 1.0), 0.0, BELOW_ONE)
