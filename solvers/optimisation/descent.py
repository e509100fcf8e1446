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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question
from solvers.fit_methods import ConjugateGradients
from solvers.iteration import drive
from solvers.measured import numeral
from solvers.optimisation.points import packed, unpacked
from solvers.solution import Callback, IterationState, Solution, Status
from solvers.threads import one_blas_thread

Point = Any
Tangent = Any

SHORTEST, LONGEST = 0.1, 4.0  # of a step, for one correction
GROWTH = 2.0  # of a step where the slope does not rise
ATTEMPTS = 14  # ever shorter steps before a direction is given up
PATIENCE = 10  # steps that lower neither the value nor the decrease expected, before it gives up
_PLACE = (
    "counts",
    "next_step",
    "size",
    "slope",
    "steepest",
    "expected",
    "least",
    "idle",
    "stuck",
)  # plain data of a step


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


@one_blas_thread
def minimise(
    objective: Objective,
    manifold: Manifold,
    start: Point,
    *,
    method: ConjugateGradients | None = None,
    accuracy: float = 1e-8,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """A local minimiser of ``objective`` on ``manifold``, from ``start``. Nothing in it is random.

    ``accuracy``: the decrease of the value still expected, <g, B g> / 2, at which it stops: absolute, in the unit of
    the value (for B the inverse Hessian that is the error of the value). ``checkpoint``: a file with the point and the
    direction, written after steps; where it exists the same call goes on from it, with an evaluation at each of start
    and point that are not counted again. Points and tangent vectors must then be arrays or tuples of them, points of
    a manifold that StoresPoints anything. Another start, method or accuracy is told apart, and an objective of another
    value or gradient norm at the start.

    ``value``: the point; ``residual``: (1,) <g, B g> / 2 there; ``history``: a row a step, energies the value,
    residuals the expected decrease, extra the step length and the evaluations so far; ``counts``: steps, evaluations,
    restarts (with -p instead of a direction that did not help); ``extra``: ``value`` and the last ``evaluation``.
    Status CONVERGED, ITERATION_LIMIT, or STAGNATED where no step lowers the value beyond rounding errors, or <g, B g>
    turns negative.

    Raises ValueError for an accuracy that is not positive, a start whose value is not finite, and a preconditioner
    that is not positive there, and for a ``checkpoint`` of points that cannot be written; NotConverged, with the
    solution so far, when ``throw``; CheckpointError, a ValueError, for a file that is damaged or of another descent.
    """
    if not (math.isfinite(accuracy) and accuracy > 0.0):
        raise ValueError(f"accuracy must be positive, in units of the value, not {accuracy!r}")
    descent = _Descent(objective, manifold, start, method or ConjugateGradients(), accuracy)
    asked = None if checkpoint is None else descent.question()
    return drive(descent, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


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
    """A point on its way down, and the direction it goes on in."""

    def __init__(
        self, objective: Objective, manifold: Manifold, start: Point, method: ConjugateGradients, accuracy: float
    ) -> None:
        self.objective, self.manifold, self.method, self.accuracy = objective, manifold, method, accuracy
        self.counts = {"steps": 0, "evaluations": 0, "restarts": 0}
        self.x, self.now = start, self.evaluate(start)
        if not math.isfinite(self.now.value):
            raise ValueError(f"the value at the start is {self.now.value}: start elsewhere")
        self.status = Status.ITERATION_LIMIT
        self.next_step = method.first_step
        self.p: Tangent = None  # B g here
        self.size = 0.0  # <g, B g>
        self.direction: Tangent = None
        self.slope = 0.0  # of the value along the direction
        self.steepest = True  # whether the direction is -p
        self.expected = self.least = np.inf  # decreases expected here, and the least of all
        self.idle = 0  # steps that lowered neither the value nor that
        self.stuck = False  # whether not even -p leads down

    def question(self) -> Question:
        """The start, what is asked for, and of the objective its value and the size of its gradient there."""
        numbers = self.now.value, self.manifold.inner(self.x, self.now.gradient, self.now.gradient)
        arrays = [*packed("start", self.x, self.manifold)[0].values(), *(np.array([number]) for number in numbers)]
        return Question(arrays, [repr(self.method), repr(self.accuracy)])

    def steps(self) -> Iterator[IterationState]:
        """A state a step, until the status is known."""
        if self.direction is None:
            self.precondition()
            self.least = self.expected
            self.restart()
        while not self.over():
            # 1 along the direction to where the value is lower and its slope flatter
            trial = self.search(self.direction, self.slope)
            if trial is None:
                self.stuck = self.steepest
                if not self.stuck:
                    self.counts["restarts"] += 1
                    self.restart()
                continue
            # 2 there, with the decrease that is still expected
            before, last, size_before = self.x, self.now, self.size
            self.x, self.now, self.next_step = trial.point, trial.evaluation, trial.minimiser
            self.counts["steps"] += 1
            fallen = last.value - self.now.value > self.method.noise * abs(last.value)
            self.precondition()
            # a negative <g, B g> after a positive one: B, often applied to a tolerance, is at the end of its accuracy
            self.idle = PATIENCE if self.size < 0.0 else 0 if fallen or self.expected < self.least else self.idle + 1
            self.least = min(self.least, self.expected)
            # 3 the next direction
            if not self.over():
                self.turn(before, last, size_before, trial)
            yield IterationState(
                0,
                "step",
                int(getattr(self.x, "max_rank", 1)),
                0.0,
                energies=np.array([self.now.value]),
                residuals=np.array([self.expected]),
                extra={"step": trial.step, "evaluations": self.counts["evaluations"]},
            )

    def evaluate(self, x: Point) -> Evaluation:
        self.counts["evaluations"] += 1
        return self.objective.evaluate(x)

    def precondition(self) -> None:
        """p = B g at the present point, <g, p>, and the decrease that says is left."""
        self.p = self.objective.precondition(self.x, self.now)
        self.size = float(self.manifold.inner(self.x, self.now.gradient, self.p))
        if not math.isfinite(self.size) or (self.size < 0.0 and not self.counts["steps"]):
            raise ValueError(f"the preconditioner is not positive: <g, B g> = {numeral(self.size)}")
        self.expected = 0.5 * abs(self.size)

    def over(self) -> bool:
        """Whether nothing is left to do, or to be hoped for; the status then says which."""
        if self.expected <= self.accuracy:
            self.status = Status.CONVERGED
        elif self.stuck or self.idle >= PATIENCE:
            self.status = Status.STAGNATED
        else:
            return self.counts["steps"] >= self.method.steps
        return True

    def restart(self) -> None:
        """The direction -p."""
        self.direction, self.slope, self.steepest = self.manifold.combine(self.x, [(-1.0, self.p)]), -self.size, True

    def turn(self, before: Point, last: Evaluation, size_before: float, trial: _Trial) -> None:
        """The direction of the module's formula, or -p where that does not descend."""
        manifold, beta = self.manifold, 0.0
        if self.method.conjugate:
            carried = manifold.transport(before, self.x, last.gradient)
            beta = max(0.0, (self.size - float(manifold.inner(self.x, carried, self.p))) / size_before)
        self.steepest = beta == 0.0
        terms = [(-1.0, self.p)] if self.steepest else [(-1.0, self.p), (beta, trial.carried)]
        self.direction = manifold.combine(self.x, terms)
        self.slope = float(manifold.inner(self.x, self.now.gradient, self.direction))
        if not self.slope < 0.0 and not self.steepest:
            self.counts["restarts"] += 1
            self.restart()

    def content(self) -> Content:
        """The point and the direction; value and gradients are found again there."""
        arrays, data = packed("x", self.x, self.manifold)
        along, kind = packed("direction", self.direction)
        plain = {name: getattr(self, name) for name in _PLACE}
        return {**arrays, **along}, {"x": data, "direction": kind, **plain}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there; the evaluation there is not counted once more."""
        self.x = unpacked(arrays, "x", data["x"], self.manifold)
        self.direction = unpacked(arrays, "direction", data["direction"])
        self.now = self.objective.evaluate(self.x)
        self.p = self.objective.precondition(self.x, self.now)
        for name in _PLACE:
            setattr(self, name, data[name])

    def solution(self) -> Solution:
        return Solution(
            self.x,
            self.status,
            int(self.status is Status.CONVERGED),
            np.array([self.expected]),
            (),
            dict(self.counts),
            {},
            {"value": self.now.value, "evaluation": self.now},
        )

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
