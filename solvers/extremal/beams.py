"""Candidates for the extremes of a train: beams of first indices against beams of last ones.

    1. Some multi-indices are given; their ends at every bond are the first beams of continuations.
    2. A sweep goes along the modes with p beginnings: each with all n indices of the mode, times all m continuations
       known there, is one matrix product of values; those beginnings go on whose values reach highest, lowest, and
       whose rows are longest (with the cores after them orthogonal: most of |x|^2 lies there).
    3. The beginnings are the continuations of the next sweep, which goes the other way, until two find nothing new.

Sozykin, Chertkov, Schutski, Phan, Cichocki, Oseledets, NeurIPS 2022 (TTOpt) for the sets on both sides; Chertkov,
Ryzhakov, Novikov, Oseledets, arXiv:2209.14808 for beams of long rows. Cost p n r (r + m) a mode and sweep.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.extremal.prefixes import Seen
from solvers.formats.trains.tensor_train import TensorTrain

WIDTH = 48  # beginnings that go on, a third of each sort
SWEEPS = 10

Ends = list[tuple[np.ndarray, np.ndarray]]  # a bond: the first index, and which of the next bond after


def beams(x: TensorTrain, points: np.ndarray, seen: Seen) -> int:
    """Betters ``seen`` from multi-indices (m, d), and returns how many sweeps that took; ``x``: real, with centre 0."""
    forward = x.cores
    backward = tuple(core.transpose(2, 1, 0) for core in reversed(x.orthogonalise(x.d - 1).cores))
    ends = _ends_of(points)
    still = 0
    for sweep in range(SWEEPS):
        turned = sweep % 2 == 1
        before = seen.low, seen.high
        ends = _swept(backward if turned else forward, ends, seen, turned)
        still = still + 1 if before == (seen.low, seen.high) else 0
        if still == 2:
            return sweep + 1
    return SWEEPS


def _ends_of(points: np.ndarray) -> Ends:
    """The continuations that points (m, d) have at every bond, each once."""
    d = points.shape[1]
    ends: Ends = []
    which = np.zeros(len(points), dtype=np.int64)
    for k in range(d - 1, -1, -1):
        pairs, which = np.unique(np.column_stack([points[:, k], which]), axis=0, return_inverse=True)
        which = which.reshape(-1)
        ends.append((pairs[:, 0], pairs[:, 1]))
    return ends[::-1]


def _swept(cores: Sequence[np.ndarray], ends: Ends, seen: Seen, turned: bool) -> Ends:
    """One sweep against the continuations ``ends``; the beginnings of it, as continuations of the other direction."""
    d = len(cores)
    # the vectors of the continuations, from the last mode on
    vectors = [np.ones((1, 1))]
    for core, (index, after) in zip(reversed(cores), reversed(ends)):
        pieces = core.transpose(1, 0, 2)[index] @ vectors[-1].T[after][:, :, None]
        vectors.append(pieces[:, :, 0].T)
    vectors.reverse()
    rows = np.ones((1, 1))
    chain: Ends = []
    for k in range(d):
        n = cores[k].shape[1]
        new = np.tensordot(rows, cores[k], axes=1).reshape(-1, cores[k].shape[2])
        values = new @ vectors[k + 1]
        for at in {int(values.argmin()), int(values.argmax())}:
            value = values.flat[at]
            if value < seen.low or value > seen.high:
                row, column = divmod(at, values.shape[1])
                whole = _taken([*chain, (row % n, row // n)], -1) + _taken(ends[k + 1 :], column)
                seen.update(np.array([value]), np.array([whole[::-1] if turned else whole]))
        kept = _kept(values, new)
        rows = new[kept]
        chain.append((kept % n, kept // n))
    return chain[::-1]


def _taken(ends: Sequence[tuple], which: int) -> list[int]:
    """Indices along a chain: a whole one from its last (scalar) link back, or continuations from ``which`` on."""
    found = []
    if which < 0:
        index, parent = ends[-1]
        found.append(int(index))
        for own, parents in reversed(ends[:-1]):
            found.append(int(own[parent]))
            parent = parents[parent]
        return found[::-1]
    for own, after in ends:
        found.append(int(own[which]))
        which = int(after[which])
    return found


def _kept(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Which rows go on."""
    if len(rows) <= WIDTH:
        return np.arange(len(rows))
    third = WIDTH // 3
    sizes = np.einsum("pr,pr->p", rows, rows)
    ranked = (-values.max(axis=1), values.min(axis=1), -sizes)
    return np.unique(np.concatenate([np.argpartition(measure, third)[:third] for measure in ranked]))
