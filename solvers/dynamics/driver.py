"""What drives a stepper from one output time to the next: steps, ranks, errors, records, checkpoints.

Steps are fixed, or adapted: a step is compared with two halves of it, which are kept, and the next one follows the
error per unit of time, e h^-1 ~ h^p for order p. With fixed steps the same comparison is made at a few probes on the
way, so that their error is known too. A start whose ranks were enlarged begins with short steps, a share of the
time gone by: its new directions fill like powers of the time, which a splitting resolves only step by step. What the
ranks leave out is bounded by the integral of the defect ||(1 - P) A x|| (solvers.dynamics.defect): for a Hermitian A in
real time the error of the state obeys d||e||/dt <= defect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.dynamics.evolution import Evolution
from solvers.dynamics.stored import content, continued
from solvers.methods import BUG, TDVP, Implicit
from solvers.solution import IterationState, Solution, Status
from solvers.trains.operator import TTOperator
from solvers.trains.tensor_train import TensorTrain

Method = TDVP | BUG | Implicit
Observer = Callable[[float, TensorTrain], Mapping[str, Any]]

SHARES = {"steps": 0.4, "ranks": 0.4, "krylov": 1e-3}  # of the accuracy
PROBES = 12  # comparisons of a fixed step with two halves of it, evenly spaced, and
PROBE_AGAIN = 1.4  # times the age at the last one: an entangling state soon has other errors
FIRST_STEP = 1e-2  # of the whole time, the first adaptive step at most
SAFETY, SLOWEST, FASTEST = 0.85, 0.25, 2.0  # of the step-size control
GRADING, FINEST = 0.15, 1 / 64  # steps grow with the time since a start whose ranks were enlarged, from this share on
ROUNDING = 1e-13  # of the norm: errors of a step below are not those of its length
SMALLEST_STEP = 1e-9  # of the whole time
BESIDE = 0.3  # of what the ranks leave out, a step may err where that is more than its share
DEFECT_EVERY = 4  # steps, once the ranks are at their cap
TIGHTEST = 1e-14
KINDS = ("projection", "truncation", "step", "krylov")


class Stepper(Protocol):
    """A method for one step; ``order`` steers the step size, the other members are described where they are made."""

    order: int
    truncation: float
    residual: float
    work: Any

    @property
    def grows(self) -> bool: ...

    def advance(self, h: float) -> None: ...

    def train(self) -> TensorTrain: ...

    def load(self, x: TensorTrain) -> None: ...

    def snapshot(self) -> Any: ...

    def restore(self, saved: Any) -> None: ...

    def defect(self) -> float: ...

    def grow(self, tol: float) -> bool: ...


def make_stepper(
    operator: TTOperator, start: TensorTrain, method: Method, factor: complex, tol: float, hermitian: bool,
    conserve: Sequence[TensorTrain] = (),
) -> Stepper:  # fmt: skip
    """The stepper of a method; ``tol``: relative error a unit of time that its local problems may make."""
    if isinstance(method, TDVP):
        from solvers.dynamics.tdvp import TDVPStepper

        return TDVPStepper(operator, start, method, factor, tol, hermitian=hermitian)
    if isinstance(method, BUG):
        from solvers.dynamics.bug import BUGStepper

        return BUGStepper(operator, start, method, factor, tol, hermitian=hermitian, conserve=conserve)
    from solvers.dynamics.implicit import ImplicitStepper

    return ImplicitStepper(operator, start, method, factor, tol, hermitian=hermitian, conserve=conserve)


class Driver:
    """What one evolution knows while it runs; errors are 2-norms relative to that of the state, accumulated."""

    def __init__(
        self, operator: TTOperator, start: TensorTrain, times: np.ndarray, method: Method, factor: complex,
        accuracy: float, hermitian: bool, conserve: Sequence[TensorTrain],
    ) -> None:  # fmt: skip
        self.begin = time.perf_counter()
        self.times, self.method, self.accuracy = times, method, accuracy
        self.span = float(times[-1] - times[0]) or 1.0
        tol = max(SHARES["krylov"] * accuracy / self.span, TIGHTEST)
        self.stepper = make_stepper(operator, start, method, factor, tol, hermitian, conserve)
        self.operator, self.factor = operator, factor
        arrays = [*operator.cores, *start.cores, times, *(core for train in conserve for core in train.cores)]
        self.question = Question(arrays, [repr(method), repr(factor), repr(accuracy)])
        self.checkpoint = Checkpoint(None)
        self.observe: Observer | None = None
        self.callback: Callable[[IterationState], None] | None = None
        self.compile_s = 0.0
        self.h = self.first = method.time_step or FIRST_STEP * self.span
        self.steps: list[float] = []
        self.rows: dict[str, list[Any]] = {}
        self.projection, self.splitting = 0.0, 0.0
        self.rate = self.probed = self.probed_at = 0.0  # of the splitting error; the last probe's step and age
        self.defect = self.slope = self.pending = 0.0  # the latest, its change in time, the time since
        self.since = self.idle = self.waited = self.rejected = 0
        self.lost, self.counted = np.zeros(2), np.zeros(2)  # truncations and local solves: relative, and as counted
        self.stuck = self.grown = False
        self.age = 0.0
        self.rest = 0.0  # of the interval under way

    def keep_in(self, file: str | Path) -> None:
        """Continue from ``file`` where it exists, and write it on the way."""
        self.checkpoint = Checkpoint(file, self.question)

    def result(self) -> Solution:
        first = continued(self)
        if first is None:
            first = 0
            self._grow()
            self.defect = self.stepper.defect()
            self._record(0)
            self._report()
        probes = {round(i) for i in np.linspace(0, max(len(self.times) - 2, 0), PROBES)}
        last = len(self.times) - 2
        for i in range(first, last + 1):
            length = float(self.times[i + 1] - self.times[i])
            probe = i in probes and not self.rest
            self.rest = self.rest or length
            self._interval(i, length, probe)
            if self.stuck:
                break
            if i == last:
                self._measure()
            self.rest = 0.0
            self._record(i + 1)
            self.checkpoint.save(partial(content, self, i + 1), last=i == last)
            self._report()
        return self._solution()

    def _interval(self, i: int, length: float, probe: bool) -> None:
        """The rest of what lies between output times i and i + 1, as far as a step can be made."""
        if isinstance(self.method, Implicit):
            self._blocks(i, length)
            return
        fixed = self.method.time_step is not None
        while self.rest > 1e-12 * length and not self.stuck:
            longest = min(self.h, max(GRADING * self.age, FINEST * self.first)) if self.grown else self.h
            parts = max(1, int(np.ceil(self.rest / longest - 1e-9)))
            h = self.rest / parts
            self._grow()
            if fixed:
                if probe or h > 1.5 * self.probed or self.age > PROBE_AGAIN * self.probed_at:
                    self.rate, self.probed, self.probed_at = 2.0 * self._compare(h)[0] / h, h, self.age
                    probe = False
                self.stepper.advance(h)
                self.splitting += self.rate * (h / self.probed) ** self.stepper.order * h / self.norm
            elif not self._adapted(h, BESIDE * self.defect * h):
                continue
            self.steps.append(h)
            self.age += h
            self.since += 1
            self.pending += h
            if self.stepper.grows or self.since >= DEFECT_EVERY:
                self._measure()
            self._account()
            self.rest -= h
            if self.rest > 1e-12 * length:
                self.checkpoint.save(partial(content, self, i))

    def _blocks(self, i: int, length: float) -> None:
        """The same in blocks of the implicit method, which estimates the error of its steps itself."""
        stepper: Any = self.stepper
        parts = max(1, int(np.ceil(length / (self.method.time_step or length) - 1e-9)))
        for _ in range(round(parts * self.rest / length)):
            before = stepper.step_error
            stepper.advance(length / parts)
            self.steps.append(length / parts)
            self.splitting += (stepper.step_error - before) / self.norm
            self._account()
            self.rest -= length / parts
            if self.rest > 1e-12 * length:
                self.checkpoint.save(partial(content, self, i))

    def _account(self) -> None:
        """Add what the stepper's truncations and local solves have erred since the last time, relative to the norm."""
        now = np.array([self.stepper.truncation, self.stepper.residual])
        self.lost = self.lost + (now - self.counted) / self.norm
        self.counted = now

    def _compare(self, h: float) -> tuple[float, Any]:
        """Difference of a step of length h and two halves of it, and the state after those; the state is kept.

        For any order from 1 on the halves' error is at most the difference and the step's at most twice that.
        """
        stepper = self.stepper
        saved = stepper.snapshot()
        stepper.advance(h)
        whole = stepper.train()
        stepper.restore(saved)
        stepper.advance(0.5 * h)
        stepper.advance(0.5 * h)
        difference = (whole - stepper.train()).norm()
        halves = stepper.snapshot()
        stepper.restore(saved)
        return difference, halves

    def _adapted(self, h: float, missed: float) -> bool:
        """A step in two halves where its error is small enough; the next step's length in any case.

        Below ``missed``, a share of what the ranks leave out of the step, a shorter step would help little.
        """
        allowed = max(max(SHARES["steps"] * self.accuracy * h / self.span, ROUNDING) * self.norm, missed)
        error, halves = self._compare(h)
        if not np.isfinite(error):
            error = np.inf
        ratio = allowed / max(error, 1e-300)
        wanted = h * min(max(SAFETY * ratio ** (1.0 / self.stepper.order), SLOWEST), FASTEST)
        accepted = error <= allowed
        if accepted:
            self.stepper.restore(halves)
            self.splitting += error / self.norm
        else:
            self.rejected += 1
            self.stuck = wanted < SMALLEST_STEP * self.span
        self.h = max(wanted, SMALLEST_STEP * self.span)
        return accepted

    def _grow(self) -> None:
        """Larger ranks where those of now miss more than they may."""
        stepper = self.stepper
        if not stepper.grows:
            return
        if self.idle and self.waited < self.idle:
            self.waited += 1
            return
        allowed = SHARES["ranks"] * self.accuracy / self.span
        if self.age and self.defect <= allowed * self.norm:
            return  # at the start it may vanish for a moment: what one mode alone does is in every tangent space
        self.waited = 0
        if stepper.grow(0.1 * allowed):
            self.idle, self.defect = 0, stepper.defect()
            self.grown |= self.age == 0.0
        else:
            self.idle = min(2 * self.idle + 1, 16)

    def _measure(self) -> None:
        """The defect now; its integral by the trapezoidal rule since the last time."""
        if not self.pending:
            return
        now = self.stepper.defect()
        self.projection += 0.5 * self.pending * (self.defect + now) / self.norm
        self.slope = (now - self.defect) / self.pending
        self.defect, self.pending, self.since = now, 0.0, 0

    @property
    def norm(self) -> float:
        """Of the present state."""
        return self.stepper.train().norm()

    def _record(self, i: int) -> None:
        """Everything known at output time i."""
        x = self.stepper.train()
        norm = x.norm()
        if not np.isfinite(norm):
            raise ValueError(f"the state is not finite at t = {self.times[i]:g}: shorten the time step")
        ahead = self.defect + max(self.slope * self.pending, 0.0)  # since the last measurement, until the next
        row: dict[str, Any] = {
            "norms": norm,
            "energies": energy(self.operator, x),
            "ranks": np.array(x.ranks),
            "projection_errors": self.projection + self.pending * ahead / norm,
            "truncation_errors": self.lost[0],
            "step_errors": self.splitting,
            "krylov_errors": self.lost[1],
        }
        for name, value in (self.observe(float(self.times[i]), x) if self.observe else {}).items():
            row[f"observed_{name}"] = np.asarray(value)
        for name, value in row.items():
            self.rows.setdefault(name, []).append(value)

    def _report(self) -> None:
        """Tell of the last record."""
        if self.callback is None:
            return
        row = {name: values[-1] for name, values in self.rows.items()}
        i = len(self.rows["norms"]) - 1
        self.callback(IterationState(
            len(self.steps), "step", int(row["ranks"].max()), time.perf_counter() - self.begin,
            fraction=float(self.times[i] - self.times[0]) / self.span,
            extra={"time": float(self.times[i]), "error": float(sum(row[f"{kind}_errors"] for kind in KINDS))},
        ))  # fmt: skip

    def _solution(self) -> Solution:
        columns = {name: np.array(values) for name, values in self.rows.items()}
        columns["projection_errors"] = np.maximum.accumulate(columns["projection_errors"])
        observed = {name[9:]: columns.pop(name) for name in list(columns) if name.startswith("observed_")}
        times = self.times[: len(columns["norms"])]
        value = Evolution(
            times=times, state=self.stepper.train(), observed=observed, step_sizes=np.array(self.steps), **columns
        )
        bound = float(value.errors[-1])
        status = Status.CONVERGED
        if bound > self.accuracy or self.stuck:
            ranks = value.projection_errors[-1] + value.truncation_errors[-1]
            steps = value.step_errors[-1] + value.krylov_errors[-1]
            status = Status.RANK_LIMIT if ranks > steps and not self.stuck else Status.STEP_LIMIT
        counts = {"rejected": self.rejected, **self.stepper.work, "steps": len(self.steps)}
        timing = {"compile_s": self.compile_s, "solve_s": time.perf_counter() - self.begin}
        return Solution(
            value, status, int(status is Status.CONVERGED), np.array([bound]), (), counts, timing,
            {"max_rank": int(value.ranks.max())},
        )  # fmt: skip


def energy(operator: TTOperator, x: TensorTrain) -> float:
    """Real part of <x|A|x> / <x|x>."""
    environment = np.ones((1, 1, 1), dtype=np.result_type(operator.dtype, x.dtype))
    for a, core in zip(operator.cores, x.cores):
        t = np.tensordot(environment, core, axes=(2, 0))  # x' alpha j b
        t = np.tensordot(t, a, axes=([1, 2], [0, 2]))  # x' b i beta
        environment = np.tensordot(core.conj(), t, axes=([0, 1], [0, 2])).transpose(0, 2, 1)
    return float((environment[0, 0, 0] / x.norm() ** 2).real)
