"""``eig`` of a large space: subspaces of trains for right and for left vectors, then a search for what they lack.

1. Right trains by inverse iteration of a subspace (solvers.eigen.subspace), left ones by that of the adjoint; a
   two-sided Rayleigh-Ritz makes pairs of both (solvers.eigen.general.pairs). Of a generator the left ones l come first:
   they are observables, of small ranks, and the first is constant. Times the stationary state p they are the starts of
   the right ones: r = p l, entry by entry, where balance is detailed.
2. Searches in the complement of the pairs (solvers.eigen.general.search), on the side of the smaller trains, until
   their discs cover what the list claims to be empty.
3. What a search found ahead of the list's last eigenvalue is one of the starts of 1, again. The list is "searched"
   where the last round of searches was made to its end and found nothing; else the result is not CONVERGED.
Cost: two linear systems an eigenvalue and pass of 1, five a pass of 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from solvers.checkpoint import Content, joined, random_state, restore, under
from solvers.eigen.general.order import Order
from solvers.eigen.general.pairs import Limits, is_generator, size_of, solution_of, two_sided
from solvers.eigen.general.search import COARSE, PLACES, WANTED, Region, seen_by_powers, smooth, starts
from solvers.eigen.general.states import EigenPairs
from solvers.eigen.general.stationary import relaxed
from solvers.eigen.spans import Known, Pairs, stored_pairs
from solvers.eigen.subspace import BESIDE, Subspace
from solvers.formats.trains.construct import ones
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import IterationState, Solution, Status

GOAL = 0.3  # of the accuracy: the residuals of a subspace
APART = 1e-3  # of the mean size of A: right and left eigenvalues that differ by more are different ones
ROUNDING = 1e-12  # of the mean size of A: residuals that are not asked to be smaller
ROUNDS = 3  # of lists and searches
CERTAIN = 3.0  # times residual and condition: how far an eigenvalue of a search may be off
CERTAIN_GOAL = 1e-4  # of the residual that is enough where it decides: searches that stand near the list's last go on
RELAXED = 1e-8  # of the stationary state and its products with left trains, as starts
TIE = 3.0  # times the accuracy: who differs by less from the list's last is as good as that
MOST_CONDITION = 1e6  # of the pairs whose complement is searched: its projector has the norm of their conditions
MOST_DOUBT = 1e3  # of the largest condition of the pairs: what it tells of those of a search


class Trains:
    """One question at work: an Iteration (solvers.iteration)."""

    def __init__(
        self, operator: TTOperator, n: int, order: Order, accuracy: float, max_rank: int, rng: np.random.Generator
    ) -> None:
        if order.which == "LM" and order.target is None:
            raise ValueError('which="LM" needs a space of at most 100,000 functions: ask for LR, SR, or a target')
        self.operator, self.n, self.order, self.rng = operator, n, order, rng
        self.limits = Limits(order, accuracy, max_rank)
        self.size = size_of(operator)
        self.generator = is_generator(operator)
        self.bounded = order.target is None and order.which == "LR" and self.generator
        self.sides = ("left", "right") if self.bounded else ("right", "left")
        self.stage, self.round = self.sides[0], 1
        self.finer = False  # whether the residuals of this round are to be below the first goal
        self.right: Subspace | None = None
        self.left: Subspace | None = None
        self.search: Subspace | None = None
        self.value: EigenPairs | None = None
        self.candidates: list[TensorTrain] = []
        self.heights: list[float] = []  # of the places searched in this round
        self.height = 0.0  # up to which imaginary parts were seen
        self.unsure = False  # whether a search of this round did not end
        self.counts = {"linear_systems": 0, "passes": 0, "searches": 0, "rounds": 1}

    def steps(self) -> Iterator[IterationState]:
        """A state a pass of any subspace."""
        while self.stage != "over":
            space = self._space()
            before = space.solves
            for state in space.steps():
                self.counts["passes"] += 1
                self.counts["linear_systems"] += space.solves - before
                before = space.solves
                yield replace(state, label=f"{self.stage} pass" if self.stage != "search" else "search")
                if self.stage == "search" and self._decided(space):
                    break
            self._ended(space)

    def _space(self) -> Subspace:
        """The subspace of this stage, where it is or from its starts."""
        if self.stage == "search":
            if self.search is None:
                self.search = self._searching(self.heights[-1])
            return self.search
        space: Subspace | None = getattr(self, self.stage)
        if space is None:
            space = self._subspace(self._starts(self.stage), self.stage == "left")
            setattr(self, self.stage, space)
        return space

    def _starts(self, side: str) -> list[TensorTrain]:
        """Of the subspace of a side: what is known of it, what the other side tells, what searches found."""
        other = self.left if side == "right" else self.right
        told = [] if other is None or side == self.sides[0] else other.pairs.trains
        known = [] if self.value is None else self.value.right if side == "right" else self.value.left
        if side == "left":
            first = [ones(self.operator.row_shape)] if self.generator else []
            return [*first, *(known or told), *self.candidates][: self.n + BESIDE]
        if self.bounded:
            p = known[0] if known else relaxed(self.operator, RELAXED, self.limits.max_rank, self.rng)
            return [p, *known[1:], *((p * l).round(RELAXED, self.limits.max_rank) for l in told)]
        return [*known, *self.candidates]

    def _subspace(self, start: list[TensorTrain], adjoint: bool = False, pairs: Pairs | None = None) -> Subspace:
        order, outside = self.order, self._outside()
        operator = self.operator.adjoint() if adjoint else self.operator
        if pairs is None and not order.disc and self.round == 1:
            start = [*start, *smooth(operator, self.n + BESIDE, 1.0 if order.which == "LR" else -1.0)]
        if adjoint:
            order = Order(order.which, None if order.target is None else complex(np.conj(order.target)))
            outside = np.conj(outside).item() if isinstance(outside, complex) else outside
        return Subspace(
            operator,
            None,
            order,
            self.n,
            outside=outside,
            goal=GOAL * self.limits.accuracy,
            max_rank=self.limits.max_rank,
            hermitian=False,
            rng=self.rng,
            start=start,
            bounded=self.bounded,
            pairs=pairs,
        )

    def _outside(self) -> complex:
        """A number beside what is wanted."""
        if self.order.target is not None:
            return self.order.target
        if self.order.which == "SM" or self.bounded:
            return 0.0
        return self.size if self.order.which == "LR" else -self.size

    def _ended(self, space: Subspace) -> None:
        """What comes after this subspace."""
        if self.stage == self.sides[0]:
            self.stage = self.sides[1]
            if not self.finer:
                setattr(self, self.stage, None)
        elif self.stage == self.sides[1]:
            self._listed()
        else:
            self._searched(space)

    def _listed(self) -> None:
        """Both subspaces have ended: pairs of them, and the first place to look from."""
        assert self.right is not None and self.left is not None
        pairs = self.right.pairs
        within = 3.0 * max(self.limits.accuracy, float(pairs.residuals[: self.n].max()))
        take = self.order.cut(pairs.w, self.n, self.operator.dtype.kind != "c", within)
        stops = [s.status for s in (self.right, self.left) if s.status is not Status.CONVERGED]
        stopped = stops[0] if stops else Status.STAGNATED
        self.value = two_sided(self.operator, pairs.trains, self.left.pairs.trains, take, self.limits, stopped)
        if self._sides_differ() and self.round < ROUNDS:
            self.candidates = [*self.left.pairs.trains[: self.n], *pairs.trains[: self.n]]
            self._again()
            return
        if not stops and self._to_be_finer():
            return
        self.candidates, self.heights, self.height, self.unsure, self.search = [], [], 0.0, False, None
        conditions = self.value.conditions
        whole = len(conditions) >= self.n and all(s is Status.CONVERGED for s in self.value.statuses)
        if whole and conditions.max() <= MOST_CONDITION:
            region, known = self._region(), self._known()
            seen = seen_by_powers(self.operator, known, self.rng)
            region.raise_to(np.concatenate([pairs.w[: self.n + BESIDE], seen]))
            self.height = region.height
            self._next_place(region, 0.0)
        else:
            self._over(False)

    def _sides_differ(self) -> bool:
        """Whether right and left subspace have ended at different eigenvalues: each lacks what the other has."""
        assert self.right is not None and self.left is not None
        right, left = self.right.pairs.w[: self.n], np.conj(self.left.pairs.w[: self.n])
        m = min(len(right), len(left))
        apart = np.abs(np.sort(self.order.keys(right))[:m] - np.sort(self.order.keys(left))[:m])
        return bool(apart.max() > max(TIE * self.limits.accuracy, APART * self.size))

    def _to_be_finer(self) -> bool:
        """Residuals met the goal and errors are beyond the accuracy, by the conditions: once more, with residuals that
        allow for these: errors fall with the square of both. False where rounding errors do not let them."""
        assert self.value is not None and self.right is not None and self.left is not None
        beyond = float(self.value.errors.max()) / self.limits.accuracy
        goal = max(self.right.goal / max(2.0 * math.sqrt(beyond), 2.0), ROUNDING * self.size)
        if beyond <= 1.0 or goal > 0.5 * self.right.goal:
            return False
        self.right.goal = self.left.goal = goal
        self.stage, self.finer = self.sides[0], True
        return True

    def _region(self) -> Region:
        assert self.value is not None and self.right is not None
        beside = self.right.pairs.w[self.n : self.n + BESIDE]
        region = Region(self.order, self.value.eigenvalues, beside, self.bounded)
        region.height = self.height
        return region

    def _known(self) -> Known:
        assert self.value is not None
        return Known(self.value.right, self.value.left)

    def _next_place(self, region: Region, height: float) -> None:
        self.heights.append(height)
        self.stage, self.search = "search", None

    def _searching(self, height: float, pairs: Pairs | None = None) -> Subspace:
        assert self.value is not None
        region, known, operator = self._region(), self._known(), self.operator
        place = region.place(height)
        if self._on_the_left():
            known, operator, place = Known(known.left, known.right), operator.adjoint(), place.conjugate()
        self.counts["searches"] += pairs is None
        return Subspace(
            operator,
            None,
            Order(self.order.which, place),
            self._most(),
            outside=place,
            goal=CERTAIN_GOAL * COARSE * region.depth,
            max_rank=self.limits.max_rank,
            hermitian=False,
            rng=self.rng,
            start=starts(operator, known, WANTED + BESIDE, self.rng) if pairs is None else [],
            known=known,
            pairs=pairs,
        )

    def _on_the_left(self) -> bool:
        """Whether the left trains of the list are the smaller ones: those beside them are as well, mostly."""
        assert self.value is not None
        right, left = (sum(c.size for x in side for c in x.cores) for side in (self.value.right, self.value.left))
        return left < right

    def _of_search(self, space: Subspace) -> np.ndarray:
        """Eigenvalues of A that a search has."""
        return np.asarray(np.conj(space.pairs.w) if self._on_the_left() else space.pairs.w)

    def _most(self) -> int:
        """Eigenvalues that a search can find in the complement."""
        assert self.value is not None
        rest = math.prod(float(m) for m in self.operator.row_shape) - len(self.value.eigenvalues)
        return int(min(WANTED, rest))

    def _doubt(self, p: Pairs) -> np.ndarray:
        """How far the eigenvalues of a search may be off: as ill-conditioned as those that are listed."""
        assert self.value is not None
        condition = float(np.clip(self.value.conditions.max(), 1.0, MOST_DOUBT))
        return np.asarray(CERTAIN * p.residuals * condition)

    def _decided(self, space: Subspace) -> bool:
        """Whether the first ones of a search are found, and are ahead of the list's last or behind it for certain."""
        region, p, n = self._region(), space.pairs, space.n
        doubt = self._doubt(p)[:n]
        far = np.abs(self.order.keys(self._of_search(space)[:n]) - region.last)
        settled = p.residuals[:n] <= COARSE * region.depth
        return bool(np.all(settled & ((far > doubt) | (doubt <= TIE * self.limits.accuracy))))

    def _searched(self, space: Subspace) -> None:
        """A search has ended: what of it is ahead of the list, and where to look next."""
        assert self.value is not None
        region, p = self._region(), space.pairs
        keys = self.order.keys(self._of_search(space))
        doubt = self._doubt(p)
        tie = TIE * self.limits.accuracy
        converged = self._decided(space)
        ahead = [i for i in range(len(p.w)) if keys[i] < region.last - tie and (i < space.n or converged)]
        ahead = [i for i in ahead if i < space.n or keys[i] < region.last - doubt[i]]
        self.candidates += [p.trains[i] for i in ahead]
        self.unsure |= not converged
        settled = p.residuals <= COARSE * region.depth
        many = int(np.argmin(settled)) if not settled.all() else len(settled)
        radius = float(np.abs(p.w[:many] - space.outside).max(initial=0.0))
        if self.candidates:
            if self.round < ROUNDS:
                self._again()
            else:
                self._over(False)
            return
        height = self.heights[-1]
        reach = abs(height) + region.half_height(radius)
        if not region.disc and height > 0.0 and self.operator.dtype.kind == "c":
            self._next_place(region, -height)  # below the axis too
        elif region.disc or reach >= region.height:
            self._over(not self.unsure)
        elif len(self.heights) < PLACES:
            self._next_place(region, min(region.height, reach + max(region.half_height(radius), 0.5 * region.width)))
        else:
            self._over(False)

    def _again(self) -> None:
        """Another round."""
        self.round += 1
        self.counts["rounds"] = self.round
        self.stage, self.finer, self.right, self.left, self.search = self.sides[0], False, None, None, None

    def _over(self, searched: bool) -> None:
        assert self.value is not None
        self.stage = "over"
        if searched:
            self.value = replace(self.value, completeness=f"searched {len(self.heights)} times")

    def solution(self) -> Solution:
        """The pairs."""
        assert self.value is not None
        found = solution_of(self.operator, self.value, self.counts)
        if found.converged and len(self.value.eigenvalues) < self.n:
            return replace(found, status=Status.STAGNATED)
        return found

    def content(self) -> Content:
        """The subspaces and the pairs, as far as they are."""
        spaces = {name: getattr(self, name) for name in SPACES}
        data = {name: getattr(self, name) for name in KEPT}
        data |= {f"{name}_goal": space.goal for name, space in spaces.items() if space is not None}
        candidates = Pairs(np.zeros(0), self.candidates, np.zeros(0))
        arrays, own = joined({**spaces, "value": self.value, "candidates": candidates})
        return arrays, {**data, **own, "generator_state": random_state(self.rng)}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name in KEPT:
            setattr(self, name, data[name])
        self.candidates = stored_pairs(under(arrays, "candidates"), data["candidates"]).trains
        if "value" in data:
            self.value = EigenPairs.stored(under(arrays, "value"), data["value"])
        for name in (name for name in SPACES if name in data):
            pairs = stored_pairs(under(arrays, name), data[name])
            if name == "search":
                space = self._searching(self.heights[-1], pairs)
            else:
                space = self._subspace([], name == "left", pairs)
            space.restore(data[name])
            space.goal = data[f"{name}_goal"]
            setattr(self, name, space)
        restore(self.rng, data["generator_state"])


SPACES = ("right", "left", "search")
KEPT = ("stage", "round", "finer", "heights", "height", "unsure", "counts")
