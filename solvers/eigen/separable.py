"""Operators that are sums over groups of modes, H = sum_g 1 x ... x H_g x ... x 1: every level is a sum of theirs.

1. The operator is rounded, and the bonds found across which nothing couples (solvers.linear.parts). What is between
   two such bonds falls apart where its graph of interactions does (solvers.eigen.components), wherever the modes stand.
2. Where every group is small enough to be diagonalised, the lowest sums, those nearest to a number, and the number of
   sums in a window follow from the levels of the groups, exactly, whatever the dimension of the whole.
Cost O(d R^5) for the bonds of rank R, and the diagonalisation of each group.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from solvers.eigen.components import components, interleaved, part_on
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.parts import uncoupled
from solvers.sweeping.local_operator import OperatorCore

SAME = 1e-13  # relative Frobenius norm of a coupling that counts as none
LARGEST_GROUP = 2500  # product functions: 15 s with all vectors, measured
MOST_MERGED = 20_000_000  # sums kept when levels are counted in a window
ROUNDED = 1e-15
ROUNDING = 3.0  # times eps and the largest level of a group: what LAPACK may move a level by; a third of it measured


def groups(operator: TTOperator) -> tuple[list[TTOperator], list[tuple[int, ...]]] | None:
    """The parts of a sum over two groups of modes at least, and the modes of each; None for any other operator.

    The mean of the whole (its trace over its dimension) is shared out to the first group.
    """
    size = operator.norm()
    if operator.d == 1 or not 0.0 < size < math.inf:
        return None
    rounded = operator.round(ROUNDED)
    cuts = uncoupled([OperatorCore.of(core, operator.dtype) for core in rounded.cores], SAME)
    modes: list[tuple[int, ...]] = []
    for a, b in pairwise([0, *cuts, operator.d]):
        own = components(part_on(rounded, range(a, b)), SAME * size / math.sqrt(_outside(operator, a, b)))
        modes += [tuple(a + k for k in group) for group in own]
    if len(modes) == 1:
        return None
    mean = _number(operator)
    found = []
    for g, group in enumerate(modes):
        part = part_on(operator, group)
        if g:  # without the mean, which the first part has
            part = part - _identity(part.row_shape) * mean
        found.append(part)
    return found, modes


def _outside(operator: TTOperator, a: int, b: int) -> float:
    """Product functions of the modes that are not among a..b-1."""
    return math.prod(float(n) for n in (*operator.row_shape[:a], *operator.row_shape[b:]))


def _number(operator: TTOperator) -> complex:
    """Trace over dimension."""
    number: complex = part_on(operator, ()).cores[0][0, 0, 0, 0].item()
    return number


def _identity(shape: Sequence[int]) -> TTOperator:
    return TTOperator(tuple(np.eye(n)[None, :, :, None] for n in shape))


class Sums:
    """Levels of the groups, and their sums; ``modes``: of each group."""

    def __init__(self, parts: Sequence[TTOperator], modes: Sequence[tuple[int, ...]]) -> None:
        self.modes = modes
        self.shapes = [part.row_shape for part in parts]
        self.levels: list[np.ndarray] = []
        self.vectors: list[np.ndarray] = []
        self.errors = 0.0
        eps = float(np.finfo(float).eps)
        known: list[tuple[TTOperator, np.ndarray, np.ndarray]] = []
        for part in parts:
            twin = next((k for k in known if _equal(k[0], part)), None)
            if twin is None:
                h = part.full(LARGEST_GROUP**2)
                w, v = np.linalg.eigh(0.5 * (h + h.conj().T))
                twin = part, w, v
                known.append(twin)
            self.levels.append(twin[1])
            self.vectors.append(twin[2])
            self.errors += ROUNDING * eps * float(np.abs(twin[1]).max(initial=0.0))

    @classmethod
    def of(cls, operator: TTOperator) -> Sums | None:
        """Of an operator that is a sum of small groups; None for any other."""
        found = groups(operator)
        if found is None or any(math.prod(part.row_shape) > LARGEST_GROUP for part in found[0]):
            return None
        return cls(*found)

    @property
    def size(self) -> float:
        """Dimension of the whole."""
        return float(math.prod(float(len(w)) for w in self.levels))

    def lowest(self, n: int) -> tuple[np.ndarray, list[tuple[int, ...]]]:
        """The ``n`` lowest sums, ascending, and which level of each group they are of. Cost O(n groups log n)."""
        start = (0,) * len(self.levels)
        heap = [(self._sum(start), start)]
        seen = {start}
        energies: list[float] = []
        places: list[tuple[int, ...]] = []
        while heap and len(places) < n:
            energy, place = heapq.heappop(heap)
            energies.append(energy)
            places.append(place)
            for g in range(len(place)):
                if place[g] + 1 < len(self.levels[g]):
                    following = (*place[:g], place[g] + 1, *place[g + 1 :])
                    if following not in seen:
                        seen.add(following)
                        heapq.heappush(heap, (self._sum(following), following))
        return np.array(energies), places

    def _sum(self, place: tuple[int, ...]) -> float:
        return math.fsum(w[i] for w, i in zip(self.levels, place))

    def below(self, bound: float) -> int | None:
        """How many sums are less than ``bound``; None where that takes too many partial sums.

        Two halves of the groups are merged by sorting: neither may have more than ``MOST_MERGED`` sums.
        """
        found = self._halves()
        if found is None:
            return None
        first, second = found[1]
        return int(np.searchsorted(np.sort(second), bound - first, side="left").sum())

    def _halves(self) -> tuple[list[list[int]], list[np.ndarray]] | None:
        """Two halves of the groups, of about as many sums each, and those sums."""
        halves: list[list[int]] = [[], []]
        sizes = [1.0, 1.0]
        for g in sorted(range(len(self.levels)), key=lambda g: -len(self.levels[g])):
            side = int(sizes[1] < sizes[0])
            halves[side].append(g)
            sizes[side] *= len(self.levels[g])
        if max(sizes) > MOST_MERGED:
            return None
        sums = []
        for part in halves:
            total = np.zeros(1)
            for g in part:
                total = np.add.outer(total, self.levels[g]).ravel()
            sums.append(total)
        return halves, sums

    def nearest(self, target: float, n: int) -> tuple[np.ndarray, list[tuple[int, ...]]] | None:
        """The ``n`` sums nearest to ``target``, ascending, and their places; None where that takes too many sums."""
        found = self._halves()
        if found is None:
            return None
        halves, sums = found
        ranks = np.argsort(sums[1], kind="stable")
        second = sums[1][ranks]
        at = np.searchsorted(second, target - sums[0])
        best: list[tuple[float, int, int]] = []
        for step in range(-n, n):  # of each sum of the first half, the n nearest partners on either side
            index = at + step
            inside = np.flatnonzero((index >= 0) & (index < len(second)))
            distance = np.abs(sums[0][inside] + second[index[inside]] - target)
            keep = np.argsort(distance, kind="stable")[:n] if len(distance) > n else np.arange(len(distance))
            best += [(float(distance[i]), int(inside[i]), int(index[inside[i]])) for i in keep]
            best = heapq.nsmallest(n, best)
        places = []
        for _, i, j in best:
            place = [0] * len(self.levels)
            for part, flat in zip(halves, (i, int(ranks[j]))):
                for g, own in zip(part, np.unravel_index(flat, [len(self.levels[g]) for g in part]) if part else ()):
                    place[g] = int(own)
            places.append(tuple(place))
        places.sort(key=self._sum)
        return np.array([self._sum(place) for place in places]), places

    def train(self, place: tuple[int, ...], tol: float = 1e-14) -> TensorTrain:
        """The state of these levels: the product of the groups' vectors, of norm one."""
        parts = zip(self.shapes, self.vectors, place)
        return interleaved([tt_svd(v[:, i].reshape(shape), tol) for shape, v, i in parts], self.modes)


def _equal(a: TTOperator, b: TTOperator) -> bool:
    return a.row_shape == b.row_shape and all(np.array_equal(p, q) for p, q in zip(a.cores, b.cores))
