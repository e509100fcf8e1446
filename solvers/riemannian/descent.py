"""Preconditioned nonlinear conjugate gradients on a Riemannian manifold, any manifold and any objective.

At a point x with gradient g and preconditioned gradient p = B g the direction is

    d = -p + beta T d_before,     beta = max(0, <g, p> - <T g_before, p>) / <g_before, p_before>

(Polak and Ribiere, never negative; T carries a tangent vector to the new point), or -p where that d does not descend.
The step t along the retraction R(x, t d) is found by secants of the slope: one evaluation at R(x, t d) gives value and
gradient, hence the slope there, and is that of the next point when accepted. The next first trial is the minimiser the
last secant predicted, or what the objective proposes. Absil, Mahony and Sepulchre, Optimization Algorithms on Matrix
Manifolds (2008), chapters 4 and 8; Steinlechner, SIAM J. Sci. Comput. 38, S461 (2016), algorithm 1.

Points and tangent vectors are opaque: nothing here knows of trains. Cost a step: one evaluation where the secant is
right, one preconditioned gradient, one retraction, two transports, five inner products.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from solvers.methods import ConjugateGradients
from solvers.solution import Callback, IterationState, NotConverged, Solution, Status

Point = Any
Tangent = Any

SHORTEST, LONGEST = 0.1, 4.0  # of a step, for one correction
GROWTH = 2.0  # of a step where the slope does not rise
ATTEMPTS = 14  # ever shorter steps before a direction is given up
PATIENCE = 10  # steps that lower neither the value nor the decrease expected, before it gives up


class Manifold(Protocol):
    """A Riemannian manifold; points and tangent vectors are the manifold's own."""

    def inner(self, x: Point, u: Tangent, v: Tangent) -> float:
        """The metric at ``x``."""

    def combine(self, x: Point, terms: Sequence[tuple[float, Tangent]]) -> Tangent:
        """The sum of factor times tangent vector, all at ``x``."""

    def retract(self, x: Point, u: Tangent, step: float) -> Point:
        """A point R(x, step u) that agrees with x + step u to first order."""

    def transport(self, x: Point, y: Point, u: Tangent) -> Tangent:
        """``u`` at ``x`` carried to ``y``, by projection."""


@dataclass(frozen=True)
class Evaluation:
    """An objective at a point: its value, its Riemannian gradient, and what the objective wants to keep."""

    value: float
    gradient: Tangent
    extra: Any = None


class Objective(Protocol):
    """What is minimised."""

    def evaluate(self, x: Point) -> Evaluation:
        """Value and gradient at ``x``."""

    def precondition(self, x: Point, evaluation: Evaluation) -> Tangent:
        """B g with B symmetric positive definite, close to the inverse Hessian; identity: ``evaluation.gradient``."""


@runtime_checkable
class ProposesStep(Protocol):
    """An objective that knows a good first trial step, such as the minimiser of its linearisation."""

    def first_step(self, x: Point, evaluation: Evaluation, direction: Tangent) -> float:
        """The step, positive, in units of ``direction``."""


def minimise(
    objective: Objective,
    manifold: Manifold,
    start: Point,
    *,
    method: ConjugateGradients | None = None,
    accuracy: float = 1e-8,
    callback: Callback | None = None,
    throw: bool = True,
) -> Solution:
    """A local minimiser of ``objective`` on ``manifold``, from ``start``.

    ``accuracy``: the decrease of the value still expected, <g, B g> / 2, at which it stops: absolute, in the unit of
    the value (for B the inverse Hessian that is the error of the value).

    ``value``: the point; ``residual``: (1,) <g, B g> / 2 there; ``history``: a row a step, energies the value,
    residuals the expected decrease, extra the step length and the evaluations so far; ``counts``: steps, evaluations,
    restarts (with -p instead of a direction that did not help); ``extra``: ``value`` and the last ``evaluation``.
    Status CONVERGED, ITERATION_LIMIT, or STAGNATED where no step lowers the value beyond rounding errors, or <g, B g>
    turns negative.

    Raises ValueError for an accuracy that is not positive, a start whose value is not finite, and a preconditioner
    that is not positive there; NotConverged, with the solution so far, when ``throw``.
    """
    if not (math.isfinite(accuracy) and accuracy > 0.0):
        raise ValueError(f"accuracy must be positive, in units of the value, not {accuracy!r}")
    begin = time.perf_counter()
    run = _Descent(objective, manifold, start, method or ConjugateGradients(), accuracy)
    history: list[IterationState] = []
    for state in run.iterate(begin):
        history.append(state)
        if callback is not None:
            callback(state)
    converged = run.status is Status.CONVERGED
    solution = Solution(
        run.x,
        run.status,
        int(converged),
        np.array([run.expected]),
        tuple(history),
        dict(run.counts),
        {"solve_s": time.perf_counter() - begin},
        {"value": run.now.value, "evaluation": run.now},
    )
    if throw and not converged:
        raise NotConverged(solution)
    return solution


@dataclass(frozen=True)
class _Trial:
    """The end of a trial step: the direction carried there, the slope along it and the minimiser the secant gives."""

    step: float
    point: Point
    evaluation: Evaluation
    carried: Tangent
    slope: float
    minimiser: float


class _Descent:
    """What one call knows while it runs."""

    def __init__(self, objective: Objective, manifold: Manifold, x: Point, method: ConjugateGradients, accuracy: float):
        self.objective, self.manifold, self.method, self.accuracy = objective, manifold, method, accuracy
        self.counts = {"steps": 0, "evaluations": 0, "restarts": 0}
        self.status = Status.ITERATION_LIMIT
        self.x, self.now = x, self.evaluate(x)
        if not math.isfinite(self.now.value):
            raise ValueError(f"the value at the start is {self.now.value}: start elsewhere")
        self.next_step = method.first_step
        self.expected = np.inf

    def evaluate(self, x: Point) -> Evaluation:
        self.counts["evaluations"] += 1
        return self.objective.evaluate(x)

    def preconditioned(self) -> tuple[Tangent, float]:
        """p = B g at the present point, and <g, p>."""
        p = self.objective.precondition(self.x, self.now)
        size = float(self.manifold.inner(self.x, self.now.gradient, p))
        if not math.isfinite(size) or (size < 0.0 and not self.counts["steps"]):
            raise ValueError(f"the preconditioner is not positive: <g, B g> = {size:.3g}")
        self.expected = 0.5 * abs(size)
        return p, size

    def iterate(self, begin: float) -> Generator[IterationState, None, None]:
        """A state a step, until the status is known."""
        manifold = self.manifold
        p, size = self.preconditioned()
        direction, slope, steepest = manifold.combine(self.x, [(-1.0, p)]), -size, True
        least, idle = self.expected, 0
        while True:
            if self.expected <= self.accuracy:
                self.status = Status.CONVERGED
                return
            if idle >= PATIENCE:
                self.status = Status.STAGNATED
                return
            if self.counts["steps"] >= self.method.steps:
                return
            trial = self.search(direction, slope)
            if trial is None:
                if steepest:
                    self.status = Status.STAGNATED
                    return
                self.counts["restarts"] += 1
                direction, slope, steepest = manifold.combine(self.x, [(-1.0, p)]), -size, True
                continue
            before, gradient, value, size_before = self.x, self.now.gradient, self.now.value, size
            self.x, self.now, self.next_step = trial.point, trial.evaluation, trial.minimiser
            self.counts["steps"] += 1
            fallen = value - self.now.value > self.method.noise * abs(value)
            p, size = self.preconditioned()
            # a negative <g, B g> after a positive one: B, often applied to a tolerance, is at the end of its accuracy
            idle = PATIENCE if size < 0.0 else 0 if fallen or self.expected < least else idle + 1
            least = min(least, self.expected)
            yield IterationState(
                self.counts["steps"],
                "step",
                int(getattr(self.x, "max_rank", 1)),
                time.perf_counter() - begin,
                energies=np.array([self.now.value]),
                residuals=np.array([self.expected]),
                extra={"step": trial.step, "evaluations": self.counts["evaluations"]},
            )
            beta = 0.0
            if self.method.conjugate:
                old = float(manifold.inner(self.x, manifold.transport(before, self.x, gradient), p))
                beta = max(0.0, (size - old) / size_before)
            steepest = beta == 0.0
            terms = [(-1.0, p)] if steepest else [(-1.0, p), (beta, trial.carried)]
            direction = manifold.combine(self.x, terms)
            slope = float(manifold.inner(self.x, self.now.gradient, direction))
            if not slope < 0.0 and not steepest:
                self.counts["restarts"] += 1
                direction, slope, steepest = manifold.combine(self.x, [(-1.0, p)]), -size, True

    def search(self, direction: Tangent, slope: float) -> _Trial | None:
        """A step that lowers the value and flattens the slope, or the best after a few corrections; None: no descent.

        ``low`` and ``high`` bracket the minimiser as soon as a step went too far.
        """
        method, value = self.method, self.now.value
        step = self.next_step
        if isinstance(self.objective, ProposesStep):
            step = self.objective.first_step(self.x, self.now, direction)
        low, high, best = 0.0, np.inf, None
        for attempt in range(ATTEMPTS):
            trial = self.trial(direction, slope, step)
            # not above rounding errors: close to the minimum the slope still tells where it is
            lower = trial is not None and trial.evaluation.value <= value + method.noise * abs(value)
            if trial is not None and lower:
                if abs(trial.slope) <= method.slope * abs(slope):
                    return trial
                if trial.evaluation.value < (value if best is None else best.evaluation.value):
                    best = trial
            if attempt >= method.corrections and best is not None:
                return best
            if trial is not None and lower:
                wanted = trial.minimiser
                low, high = (max(low, step), high) if trial.slope < 0.0 else (low, min(high, step))
            else:
                # too far for the slopes to say where the minimum is: of the parabola through both values, if finite
                rise = np.inf if trial is None else trial.evaluation.value - value
                wanted = max(SHORTEST * step, -0.5 * slope * step**2 / (rise - slope * step))
                high = min(high, step)
            step = wanted if low < wanted < high else 0.5 * (low + high)
        return best

    def trial(self, direction: Tangent, slope: float, step: float) -> _Trial | None:
        """Evaluate at the end of a step; None where the value is not finite."""
        y = self.manifold.retract(self.x, direction, step)
        evaluation = self.evaluate(y)
        if not math.isfinite(evaluation.value):
            return None
        carried = self.manifold.transport(self.x, y, direction)
        there = float(self.manifold.inner(y, evaluation.gradient, carried))
        curved = there > slope
        minimiser = step * slope / (slope - there) if curved else GROWTH * step
        return _Trial(step, y, evaluation, carried, there, min(max(minimiser, SHORTEST * step), LONGEST * step))
