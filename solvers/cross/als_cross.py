"""``als_cross``: the solution of a parametric linear system as a train, from few solves of the full system.

Two nested approximations, each refined until it is good enough for the accuracy: the spatial basis
(solvers.cross.reduced_basis) and, in it, the train over the parameters (solvers.cross.als_sweep). The points where the
full system is solved are chosen among random ones and the index sets of the train; the end is judged by the residual
of the train itself at fresh random points.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import numpy as np

from solvers.checkpoint import Journal, Question
from solvers.cross.als_sweep import Sweeps, random_points
from solvers.cross.parametric_system import ParametricSystem
from solvers.cross.reduced_basis import ReducedBasis
from solvers.cross.search import EVIDENCE
from solvers.methods import ALSCross
from solvers.solution import Checked, IterationState, NotConverged, Solution, Status
from solvers.trains.tensor_train import TensorTrain

BASIS_SHARE = 0.5  # of the accuracy, for the root mean square residual of the basis
WORST = 30.0  # the largest residual over the candidates may be this many times the accuracy
TRAIN_SHARE = 0.3  # of the accuracy, for the train in the basis
ENOUGH_SHARE = 0.7  # of the accuracy, for a train that hardly improves any more
CUT_SHARE = 0.05  # of the accuracy, for one truncation
BATCH = 0.2  # of the basis, at most, is added at once
ROUNDS = 4
KEPT = 20  # points of a check that failed, the worst: they stay among those judged
FIRST = 12  # samples in the first index sets


def als_cross(
    system: ParametricSystem,
    *,
    method: ALSCross | None = None,
    accuracy: float = 1e-6,
    start: ReducedBasis | None = None,
    executor: Executor | None = None,
    rng: np.random.Generator | None = None,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: str | Path | None = None,
    earlier: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The solution u(x; i_1, ..., i_d) of A(i) u = f(i) on the whole grid, as a train of shape (N, n_1, ..., n_d).

    ``accuracy``: relative error in the energy norm of the mean operator, root mean square over the parameters; no
    checked point is worse than 30 times that. ``start``: a basis from an earlier call on the same full system (its
    solves are not made again). ``executor``: for the solves of the full system. ``checkpoint``: their solutions are
    kept in files of this name with a number, from which a call that is repeated takes them; ``earlier``: the name of
    those of another call for the same full system, from which a new basis begins. Neither counts beside a ``start``.

    ``value``: the train, spatial core first; ``residual``: (2,) root mean square and largest relative residual of the
    train in the dual norm at fresh random points; ``counts``: solves (distinct points), reduced_solves, sweeps, basis;
    ``extra``: the basis (``start`` of a next call), ``checked`` points and unseen_share, the probability that the
    parameters where the residual is worse can have although none was found (9.2 over ``checked``, but for one case in
    10^4); ``history``: one entry a batch of solves or
    a sweep, residuals as above, ``extra`` with the solves so far. Status CONVERGED, BASIS_LIMIT (max_solves bound),
    RANK_LIMIT or ITERATION_LIMIT. Raises NotConverged, with the solution, when ``throw``.
    """
    method, rng = method or ALSCross(), rng or np.random.default_rng(0)
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    if start is None:
        question = Question([system.loads, *(matrix.data for matrix in system.matrices)], [])
        start = ReducedBasis(system, executor, Journal(checkpoint, question))
        start.begin_with(Journal(earlier).known.values())
    if not system.loads.any():
        return _zero(system, start)
    return _Run(system, method, accuracy, start, rng, callback).run(throw)


def _zero(system: ParametricSystem, basis: ReducedBasis) -> Solution:
    """The solution without a load, exactly."""
    value = TensorTrain(tuple(np.zeros((1, n, 1)) for n in (system.size, *system.shape)))
    counts = {"solves": basis.solves, "reduced_solves": 0, "sweeps": 0, "basis": basis.m}
    extra = {"basis": basis, "checked": 0, "unseen_share": 0.0}
    looked = Checked("the loads", "all of them", "zero, and so is the solution", True)
    return Solution(value, Status.CONVERGED, 1, np.zeros(2), (), counts, {"solve_s": 0.0}, extra, (looked,))


class _Run:
    """What one call knows while it runs."""

    def __init__(
        self,
        system: ParametricSystem,
        method: ALSCross,
        accuracy: float,
        start: ReducedBasis,
        rng: np.random.Generator,
        callback: Callable[[IterationState], None] | None,
    ) -> None:
        self.system, self.method, self.accuracy, self.rng, self.callback = system, method, accuracy, rng, callback
        self.begin = time.perf_counter()
        self.reduced = start
        self.history: list[IterationState] = []
        self.capped = self.short = False
        self.sweeps = self.reduced_solves = 0

    def report(self, label: str, rank: int, errors: np.ndarray) -> None:
        size = np.array([np.sqrt(np.mean(errors**2)), errors.max()])
        state = IterationState(
            len(self.history) + 1,
            label,
            rank,
            time.perf_counter() - self.begin,
            residuals=size,
            extra={"solves": self.reduced.solves, "basis": self.reduced.m},
        )
        self.history.append(state)
        if self.callback is not None:
            self.callback(state)

    def run(self, throw: bool) -> Solution:
        method = self.method
        if not self.reduced.m:
            middle = np.array([[len(w) // 2 for w in self.system.weights]])
            self.reduced.add(middle)
        candidates = random_points(self.system, method.candidates, self.rng)
        train, errors, fresh, worst = None, np.array([np.inf]), candidates, candidates[:0]
        for _ in range(ROUNDS):
            self.enrich(np.concatenate([candidates, worst]))
            train = self.train(random_points(self.system, method.candidates, self.rng))
            fresh = random_points(self.system, method.candidates, self.rng)
            errors = self.judged(train, fresh)
            # what was found wrong before stays in the judgement
            errors = np.append(errors, max(self.judged(train, worst), default=0.0)) if len(worst) else errors
            self.report("check", max(train.ranks), errors)
            if self.good(errors) or self.short or self.capped:
                break
            worst = np.concatenate([worst, fresh[np.argsort(errors[: len(fresh)])[::-1][:KEPT]]])
            candidates = np.concatenate([fresh, train.sets[0]])
        assert train is not None
        self.reduced.journal.flush()
        status = Status.CONVERGED if self.good(errors) else Status.ITERATION_LIMIT
        if status is not Status.CONVERGED and (self.short or self.capped):
            status = Status.BASIS_LIMIT if self.short else Status.RANK_LIMIT
        first = self.reduced.basis @ train.cores[0][0]
        value = TensorTrain((first[None], *train.cores[1:]))
        counts = {
            "solves": self.reduced.solves,
            "reduced_solves": self.reduced_solves + train.solves,
            "sweeps": self.sweeps,
            "basis": self.reduced.m,
        }
        residual = np.array([np.sqrt(np.mean(errors**2)), errors.max()])
        share = min(1.0, EVIDENCE / len(fresh)) if status is Status.CONVERGED else 1.0
        looked = Checked(
            "the train at parameters not looked at before",
            f"residuals at {len(fresh)} random points and those found wrong earlier",
            f"root mean square {residual[0]:.1e}, largest {residual[1]:.1e}; worse at parameters of "
            f"probability {share:.1e} at most",
            self.good(errors),
        )
        solution = Solution(
            value,
            status,
            int(status is Status.CONVERGED),
            residual,
            tuple(self.history),
            counts,
            {"solve_s": time.perf_counter() - self.begin},
            {"basis": self.reduced, "checked": len(fresh), "unseen_share": share},
            (looked,),
        )
        if throw and status is not Status.CONVERGED:
            raise NotConverged(solution)
        return solution

    def judged(self, train: Sweeps, points: np.ndarray) -> np.ndarray:
        """Relative residuals of the train at grid points (p, d)."""
        return self.reduced.residuals(points, self.reduced.basis @ train.values(points).T)[0]

    def good(self, errors: np.ndarray, share: float = 1.0) -> bool:
        """Whether relative residuals are small enough, in the mean and the largest."""
        return bool(np.sqrt(np.mean(errors**2)) <= share * self.accuracy and errors.max() <= WORST * self.accuracy)

    def enrich(self, candidates: np.ndarray) -> None:
        """Solve at the worst candidates until the basis serves all of them."""
        while True:
            errors, riesz = self.reduced.judge(candidates)
            self.reduced_solves += len(candidates)
            self.report("basis", self.reduced.m, errors)
            if self.good(errors, BASIS_SHARE):
                return
            room = self.method.max_solves - self.reduced.solves
            if room <= 0:
                self.short = True
                return
            most = min(room, max(2, int(BATCH * self.reduced.m)))
            above = 0.3 * BASIS_SHARE * self.accuracy
            chosen = self.reduced.worst(errors, riesz, above, most)
            before = self.reduced.m
            if not len(chosen) or not self.reduced.add(candidates[chosen]) or self.reduced.m == before:
                return

    def train(self, samples: np.ndarray) -> Sweeps:
        """Sweeps until the train agrees with the reduced solutions at the samples."""
        sweeps = Sweeps(self.reduced, samples[:FIRST], self.method.max_rank)
        exact = self.reduced.reduced_solutions(samples)
        self.reduced_solves += len(samples)
        size = np.linalg.norm(exact, axis=1)
        best, waited = np.inf, 0
        for _ in range(self.method.sweeps):
            capped = sweeps.forward(CUT_SHARE * self.accuracy)
            self.sweeps += 1
            errors = np.linalg.norm(sweeps.values(samples) - exact, axis=1) / size
            self.report("sweep", max(sweeps.ranks), errors)
            mean = float(np.sqrt(np.mean(errors**2)))
            slow = mean > 0.5 * best and self.good(errors, ENOUGH_SHARE)
            if slow or self.good(errors, TRAIN_SHARE):
                break
            waited = 0 if mean < 0.7 * best else waited + 1
            best = min(best, mean)
            if waited >= 3:
                break
            extra = samples[np.argsort(errors)[::-1][: 4 + max(sweeps.ranks) // 4]]
            sweeps.backward(extra)
        else:
            capped = False
        self.reduced.sets = sweeps.sets
        self.capped |= capped and not self.good(errors, TRAIN_SHARE)
        return sweeps
