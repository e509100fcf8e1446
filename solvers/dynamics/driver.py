"""What drives a stepper from one output time to the next: steps, ranks, errors, records.

Steps are fixed, or adapted: a step is compared with two halves of it, which are kept, and the next one follows the
error per unit of time, e h^-1 ~ h^p for order p. With fixed steps the same comparison is made at a few probes on the
way, so that their error is known too. BUG and the implicit method estimate the error of a step themselves. A start
whose ranks were enlarged begins with short steps, a share of the time gone by: its new directions fill like powers of
the time, which a splitting resolves only step by step. What the ranks leave out is bounded by the integral of the
defect ||(1 - P) A x|| (solvers.dynamics.defect): for a Hermitian A in real time the error of the state obeys
d||e||/dt <= defect. How the state is held and errors are carried on: solvers.dynamics.evolving.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.dynamics import stored
from solvers.dynamics.enlarge import energy
from solvers.dynamics.evolving import SHARES, Evolving
from solvers.dynamics.outcome import outcome, record
from solvers.solution import IterationState, Solution

PROBES = 12  # comparisons of a fixed step with two halves of it, evenly spaced, and
PROBE_AGAIN = 1.4  # times the age at the last one: an entangling state soon has other errors
SAFETY, SLOWEST, FASTEST = 0.85, 0.25, 2.0  # of the step-size control
GRADING, FINEST = 0.15, 1 / 64  # steps grow with the time since a start whose ranks were enlarged, from this share on
ROUNDING = 1e-13  # of the norm: errors of a step below are not those of its length
SMALLEST_STEP = 1e-9  # of the whole time
BESIDE = 0.3  # of what the ranks leave out, a step may err where that is more than its share
DEFECT_EVERY = 4  # steps, once the ranks are at their cap
KINDS = ("projection", "truncation", "step", "krylov")
UNEVEN = 1.0  # logarithm of the norm of x at which x is scaled to one again


class Driver(Evolving):
    """The control of one evolution: an Iteration of solvers.iteration, a state an output time."""

    def steps(self) -> Iterator[IterationState | None]:
        """The start and every output time, as far as a step can be made; None after the steps between."""
        if not self.rows:
            self._level()
            self._grow()
            self.defect = self.stepper.defect()
            record(self)
            yield self._latest()
        last = len(self.times) - 2
        probes = {round(i) for i in np.linspace(0, max(last, 0), PROBES)}
        for i in range(self.reached, last + 1):
            length = float(self.times[i + 1] - self.times[i])
            probe = i in probes and not self.rest
            self.rest = self.rest or length
            yield from self._interval(length, probe)
            if self.stuck:
                return
            if i == last:
                self._measure()
            self.rest, self.reached = 0.0, i + 1
            record(self)
            yield self._latest()

    def content(self) -> Content:
        return stored.content(self)

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        stored.restore(self, arrays, data)

    def solution(self) -> Solution:
        return outcome(self)

    def _interval(self, length: float, probe: bool) -> Iterator[None]:
        """What is left of the ``length`` of time up to the next output, as far as a step can be made."""
        if self.stepper.divides:
            yield from self._blocks(length)
            return
        fixed, estimated = self.method.time_step is not None, self.stepper.estimates_steps
        while self.rest > 1e-12 * length and not self.stuck:
            longest = min(self.h, max(GRADING * self.age, FINEST * self.first)) if self.grown else self.h
            parts = max(1, int(np.ceil(self.rest / longest - 1e-9)))
            h = self.rest / parts
            self._grow()
            if fixed:
                if not estimated and (probe or h > 1.5 * self.probed or self.age > PROBE_AGAIN * self.probed_at):
                    self.rate, self.probed, self.probed_at = 2.0 * self._compare(h)[0] / h, h, self.age
                    probe = False
                self._fixed(h)
            elif not self._adapted(h, BESIDE * self.defect * h):
                continue
            self.lengths.append(h)
            self.age += h
            self.since += 1
            self.pending += h
            if self.stepper.grows or self.since >= DEFECT_EVERY:
                self._measure()
            self._account(h)
            self.rest -= h
            if self.rest > 1e-12 * length:
                yield None

    def _blocks(self, length: float) -> Iterator[None]:
        """The same for a stepper that divides what it is asked for by itself."""
        stepper = self.stepper
        parts = max(1, int(np.ceil(length / (self.method.time_step or length) - 1e-9)))
        for _ in range(round(parts * self.rest / length)):
            before = stepper.step_error
            stepper.advance(length / parts)
            self.lengths.append(length / parts)
            self.age += length / parts
            self.errors[2] += (stepper.step_error - before) / self.norm
            self._account(length / parts)
            self.rest -= length / parts
            if self.rest > 1e-12 * length:
                yield None

    def _fixed(self, h: float) -> None:
        """A step of the length given, and its error: the stepper's own estimate, or from the last probe."""
        before = self.stepper.step_error
        self.stepper.advance(h)
        if self.stepper.estimates_steps:
            self.errors[2] += (self.stepper.step_error - before) / self.norm
        else:
            self.errors[2] += self.rate * (h / self.probed) ** self.stepper.order * h / self.norm

    def _account(self, h: float) -> None:
        """What the step of length h erred by, into the ledger; the state near norm one, the shift its energy."""
        now = np.array([self.stepper.truncation, self.stepper.residual])
        self.errors[[1, 3]] += (now - self.counted) / self.norm
        self.counted = now
        self.log += self.factor * self.stepper.shift * h
        if not self.unitary:
            self.ledger.append(np.array([self.age, self.log_norm, *self.errors]))
            self.errors = np.zeros(4)
            self._level()

    def _level(self) -> None:
        """Scale the stepper's state where its norm is far from one, and shift the operator by the mean energy."""
        norm = self.norm
        if not 0.0 < norm < np.inf:
            raise ValueError(
                f"the state is not finite at t = {self.times[0] + self.age:g}: give a shorter time_step, or none"
            )
        if abs(np.log(norm)) > UNEVEN and not self.unitary:
            self.stepper.rescale(1.0 / norm)
            self.log += np.log(norm)
            self.defect, self.slope = self.defect / norm, self.slope / norm
        if self.shifts or self.hermitian:
            mean = energy(self.operator, self.stepper.train())
            self.stepper.shift = mean if self.shifts else 0.0
            if self.hermitian:
                self.extreme = max(self.extreme, self.factor.real * mean)

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
        """A step (two halves of it, where only that tells its error) if its error is small enough; the next length.

        Below ``missed``, a share of what the ranks leave out of the step, a shorter step would help little.
        """
        stepper, before = self.stepper, self.norm
        saved, cut = stepper.snapshot(), stepper.truncation
        try:
            if self.stepper.estimates_steps:
                made = stepper.step_error
                stepper.advance(h)
                error, after = stepper.step_error - made, stepper.snapshot()
                missed = max(missed, BESIDE * (stepper.truncation - cut))
            else:
                error, after = self._compare(h)
                stepper.restore(after)
            norm = min(before, self.norm)
        except np.linalg.LinAlgError:  # an overflow on the way
            error, norm = np.inf, before
        allowed = max(max(SHARES["steps"] * self.accuracy * h / self.span, ROUNDING) * norm, missed)
        if not (np.isfinite(error) and norm > 0.0):
            error = np.inf
        ratio = allowed / max(error, 1e-300)
        wanted = h * min(max(SAFETY * ratio ** (1.0 / stepper.order), SLOWEST), FASTEST)
        accepted = bool(error <= allowed)
        if accepted:
            self.errors[2] += error / self.norm
        else:
            stepper.restore(saved)
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
        self.errors[0] += 0.5 * self.pending * (self.defect + now) / self.norm
        self.slope = (now - self.defect) / self.pending
        self.defect, self.pending, self.since = now, 0.0, 0

    def _latest(self) -> IterationState:
        """What the last record says."""
        row = {name: values[-1] for name, values in self.rows.items()}
        now = float(self.times[self.reached])
        error = float(sum(row[f"{kind}_errors"] for kind in KINDS))
        return IterationState(
            0,
            "step",
            int(row["ranks"].max()),
            0.0,
            fraction=(now - float(self.times[0])) / self.span,
            extra={
                "time": now,
                "end": float(self.times[-1]),
                "norm": float(row["norms"]),
                "error": error,
                "steps": len(self.lengths),
            },
        )
