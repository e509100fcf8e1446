"""The rounds of ALS-cross: a basis for all candidates, a train in it, and a look at the train elsewhere.

See solvers.cross.als_cross. What a file goes on from are the points that were solved at, in turn, whose solutions the
journal of the basis holds, the train and its index sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from solvers.checkpoint import Content, random_state, restore
from solvers.cross.als_sweep import Sweeps, random_points
from solvers.cross.parametric_system import ParametricSystem
from solvers.cross.reduced_basis import ReducedBasis
from solvers.cross.search import EVIDENCE
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.methods import ALSCross
from solvers.solution import Checked, IterationState, Solution, Status

BASIS_SHARE = 0.5  # of the accuracy, for the root mean square residual of the basis
WORST = 30.0  # the largest residual over the candidates may be this many times the accuracy
TRAIN_SHARE = 0.3  # of the accuracy, for the train in the basis
ENOUGH_SHARE = 0.7  # of the accuracy, for a train that hardly improves any more
CUT_SHARE = 0.05  # of the accuracy, for one truncation
BATCH = 0.2  # of the basis, at most, is added at once
ROUNDS = 4
KEPT = 20  # points of a check that failed, the worst: they stay among those judged
FIRST = 12  # samples in the first index sets
_PLACE = ("round", "reduced_solves", "swept", "passes", "least", "waited", "short", "capped", "over", "fresh")
_POINTS = ("candidates", "worst", "samples", "chosen", "missed", "errors")


class Rounds:
    """The solution of a ``system`` in a ``basis`` that grows, under way."""

    def __init__(
        self,
        system: ParametricSystem,
        method: ALSCross,
        accuracy: float,
        basis: ReducedBasis,
        rng: np.random.Generator,
    ) -> None:
        self.system, self.method, self.accuracy, self.rng = system, method, accuracy, rng
        self.reduced = basis
        self.solved: list[np.ndarray] = []  # points the basis was given, in turn
        self.round = self.reduced_solves = self.swept = 0
        self.short = self.capped = self.over = False  # of solves, of ranks; whether nothing is left to do
        none = np.zeros((0, system.d), dtype=np.int64)
        self.candidates: np.ndarray | None = None  # that the basis shall serve; None: before the first round
        self.worst = none  # points of failed checks: they stay among those judged
        self.chosen: np.ndarray | None = None  # to be solved at next; None: the candidates are to be judged
        self.train: Sweeps | None = None  # of this round
        self.samples = none  # that it is compared at
        self.missed: np.ndarray | None = None  # points for the next sweep back, none where it is good enough
        self.passes, self.least, self.waited = 0, np.inf, 0
        self.errors, self.fresh = np.array([np.inf]), 0  # of the last check, and at how many fresh points

    def steps(self) -> Iterator[IterationState]:
        """A state a batch of solves, a sweep or a check, until the train is good enough, or a limit; none for zeros."""
        if not self.system.loads.any():
            return
        if self.candidates is None:
            if not self.reduced.m:
                self.solve(np.array([[len(w) // 2 for w in self.system.weights]]))
            self.candidates = self.random(self.method.candidates)
        while not self.over:
            # 1 solves at the worst candidates, until the basis serves all of them
            if self.train is None:
                yield from self.enrich(np.concatenate([self.candidates, self.worst]))
                self.samples = self.random(self.method.candidates)
                self.train = Sweeps(self.reduced, self.samples[:FIRST], self.method.max_rank)
                self.passes, self.least, self.waited = 0, np.inf, 0
            # 2 sweeps, until the train agrees with the reduced solutions
            yield from self.sweep(self.train)
            # 3 its residuals at points not looked at before, which are the candidates of the next round
            yield self.check(self.train)

    def random(self, count: int) -> np.ndarray:
        return random_points(self.system, count, self.rng)

    def solve(self, points: np.ndarray) -> int:
        """Solve at grid points; how many are new."""
        self.solved.append(points)
        return self.reduced.add(points)

    def enrich(self, candidates: np.ndarray) -> Iterator[IterationState]:
        """Batches of solves at the candidates that the basis serves worst."""
        while True:
            if self.chosen is None:
                errors, riesz = self.reduced.judge(candidates)
                self.reduced_solves += len(candidates)
                self.chosen = candidates[self.next_solves(errors, riesz)]
                yield self.state("basis", self.reduced.m, errors)
            chosen, self.chosen = self.chosen, None
            before = self.reduced.m
            if not len(chosen) or not self.solve(chosen) or self.reduced.m == before:
                return

    def next_solves(self, errors: np.ndarray, riesz: np.ndarray) -> np.ndarray:
        """Which candidates; none where all are served, or no solve is left."""
        none = np.zeros(0, dtype=np.int64)
        if self.good(errors, BASIS_SHARE):
            return none
        room = self.method.max_solves - self.reduced.solves
        if room <= 0:
            self.short = True
            return none
        above = 0.3 * BASIS_SHARE * self.accuracy
        return self.reduced.worst(errors, riesz, above, min(room, max(2, int(BATCH * self.reduced.m))))

    def sweep(self, train: Sweeps) -> Iterator[IterationState]:
        """Sweeps until the train agrees with the reduced solutions at the samples."""
        exact = self.reduced.reduced_solutions(self.samples)
        if not self.passes:
            self.reduced_solves += len(self.samples)
        size = np.linalg.norm(exact, axis=1)
        while True:
            if self.missed is None:
                capped = train.forward(CUT_SHARE * self.accuracy)
                self.swept, self.passes = self.swept + 1, self.passes + 1
                errors = np.linalg.norm(train.values(self.samples) - exact, axis=1) / size
                if self.settled(errors):
                    self.missed = self.samples[:0]
                    self.capped |= capped and not self.good(errors, TRAIN_SHARE)
                else:
                    self.missed = self.samples[np.argsort(errors)[::-1][: 4 + max(train.ranks) // 4]]
                yield self.state("sweep", max(train.ranks), errors)
            missed, self.missed = self.missed, None
            if not len(missed):
                break
            train.backward(missed)
            if self.passes >= self.method.sweeps:
                break
        self.reduced.sets = train.sets

    def settled(self, errors: np.ndarray) -> bool:
        """Whether the train is good enough, or gets no better."""
        mean = float(np.sqrt(np.mean(errors**2)))
        slow = mean > 0.5 * self.least and self.good(errors, ENOUGH_SHARE)
        if slow or self.good(errors, TRAIN_SHARE):
            return True
        self.waited = 0 if mean < 0.7 * self.least else self.waited + 1
        self.least = min(self.least, mean)
        return self.waited >= 3

    def check(self, train: Sweeps) -> IterationState:
        """The train at fresh points, and where it was wrong before."""
        fresh = self.random(self.method.candidates)
        errors = self.judged(train, fresh)
        if len(self.worst):
            errors = np.append(errors, max(self.judged(train, self.worst), default=0.0))
        self.round += 1
        self.errors, self.fresh = errors, len(fresh)
        self.over = self.good(errors) or self.short or self.capped or self.round == ROUNDS
        if not self.over:
            failed = fresh[np.argsort(errors[: len(fresh)])[::-1][:KEPT]]
            self.worst = np.concatenate([self.worst, failed])
            self.candidates = np.concatenate([fresh, train.sets[0]])
            self.train = None
        return self.state("check", max(train.ranks), errors)

    def judged(self, train: Sweeps, points: np.ndarray) -> np.ndarray:
        """Relative residuals of the train at grid points (p, d)."""
        return self.reduced.residuals(points, self.reduced.basis @ train.values(points).T)[0]

    def good(self, errors: np.ndarray, share: float = 1.0) -> bool:
        """Whether relative residuals are small enough, in the mean and the largest."""
        return bool(np.sqrt(np.mean(errors**2)) <= share * self.accuracy and errors.max() <= WORST * self.accuracy)

    def state(self, label: str, rank: int, errors: np.ndarray) -> IterationState:
        extra = {"solves": self.reduced.solves, "basis": self.reduced.m}
        return IterationState(0, label, rank, 0.0, residuals=sizes(errors), extra=extra)

    def content(self) -> Content:
        """Where it is; the solutions come to the disk with it, in the journal of the basis."""
        self.reduced.journal.flush()
        data: dict[str, Any] = {name: getattr(self, name) for name in _PLACE}
        points = {name: getattr(self, name) for name in _POINTS}
        arrays: dict[str, np.ndarray] = {name: array for name, array in points.items() if array is not None}
        arrays |= {f"solved.{k}": some for k, some in enumerate(self.solved)}
        data |= {"solved": len(self.solved), "generator": random_state(self.rng), "train": None}
        data["sets"] = self.reduced.sets is not None
        arrays |= {f"sets.{k}": some for k, some in enumerate(self.reduced.sets or ())}
        if self.train is not None:
            arrays |= {f"train.sets.{k}": some for k, some in enumerate(self.train.sets)}
            arrays |= {f"train.{k}": core for k, core in enumerate(self.train.cores)}
            data["train"] = self.train.solves
        return arrays, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there, with a basis of the same solutions."""
        d = self.system.d
        for name in _PLACE:
            setattr(self, name, data[name])
        for name in _POINTS:
            setattr(self, name, arrays.get(name))
        self.solved = []
        for k in range(data["solved"]):
            self.solve(arrays[f"solved.{k}"])
        restore(self.rng, data["generator"])
        if data["train"] is not None:
            self.train = Sweeps(self.reduced, self.samples[:FIRST], self.method.max_rank)
            self.train.sets = [arrays[f"train.sets.{k}"] for k in range(d)]
            self.train.cores = [arrays[f"train.{k}"] for k in range(d + 1)]
            self.train.solves = data["train"]
        self.reduced.sets = [arrays[f"sets.{k}"] for k in range(d)] if data["sets"] else None

    def solution(self) -> Solution:
        """The last train, its first core over the unknowns."""
        if not self.system.loads.any():
            return self.zero()
        train, errors, reduced = self.train, self.errors, self.reduced
        assert train is not None
        reduced.journal.flush()
        status = Status.CONVERGED if self.good(errors) else Status.ITERATION_LIMIT
        if status is not Status.CONVERGED and (self.short or self.capped):
            status = Status.BASIS_LIMIT if self.short else Status.RANK_LIMIT
        first = reduced.basis @ train.cores[0][0]
        residual = sizes(errors)
        share = min(1.0, EVIDENCE / self.fresh) if status is Status.CONVERGED else 1.0
        looked = Checked(
            "the train at parameters not looked at before",
            f"residuals at {self.fresh} random points and those found wrong earlier",
            f"root mean square {amount(residual[0])}, largest {amount(residual[1])}; worse at parameters of "
            f"probability {amount(share)} at most",
            self.good(errors),
        )
        return Solution(
            TensorTrain((first[None], *train.cores[1:])),
            status,
            int(status is Status.CONVERGED),
            residual,
            (),
            self.counts(self.reduced_solves + train.solves),
            {},
            {"basis": reduced, "checked": self.fresh, "unseen_share": share},
            (looked,),
        )

    def zero(self) -> Solution:
        """The solution without a load, exactly."""
        value = TensorTrain(tuple(np.zeros((1, n, 1)) for n in (self.system.size, *self.system.shape)))
        extra = {"basis": self.reduced, "checked": 0, "unseen_share": 0.0}
        looked = Checked("the loads", "all of them", "zero, and so is the solution", True)
        return Solution(value, Status.CONVERGED, 1, np.zeros(2), (), self.counts(0), {}, extra, (looked,))

    def counts(self, reduced_solves: int) -> dict[str, int]:
        solves, basis = self.reduced.solves, self.reduced.m
        return {"solves": solves, "reduced_solves": reduced_solves, "sweeps": self.swept, "basis": basis}


def sizes(errors: np.ndarray) -> np.ndarray:
    """The root mean square and the largest (2,)."""
    return np.array([np.sqrt(np.mean(errors**2)), errors.max()])
