"""The one shape of a result: Solution, its Status, its history, and the state an iteration reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from solvers.cards import Card, Fact, ends, number, size


class Status(Enum):
    """Why a method stopped; the value is the message, with what to try."""

    CONVERGED = "converged to the accuracy asked for"
    RANK_LIMIT = "the rank limit stopped it before the accuracy was reached: raise max_rank or relax accuracy"
    BASIS_LIMIT = "the basis is too small for the accuracy asked for: allow a larger one"
    ITERATION_LIMIT = "the iteration limit stopped it before the accuracy was reached: allow more passes or sweeps"
    FIELD_LIMIT = (
        "a hole of the field leaves levels less certain than asked for: correct or bound it, or relax accuracy"
    )
    STAGNATED = "no further progress before the accuracy was reached: raise max_rank; a bad scaling, or singular?"
    FLOOR = (
        "the error hardly falls while the rank grows (noise, a jump, a kink, a large exact rank): "
        "ask for no less than was reached"
    )
    PRECISION = "rounding errors alone exceed the accuracy asked for: relax accuracy; the system is ill-conditioned"
    SINGULAR = "the operator is singular and the right-hand side not in its range: only a least-squares solution exists"
    STEP_LIMIT = "the time steps are too long for the accuracy asked for: give a shorter time_step, or none (adaptive)"
    DEGENERATE = "no best approximation of this rank exists, its terms grow and cancel (border rank): raise the rank"
    FEW_SPLITS = "the scores scatter more over the splits than the accuracy asked for: more splits or rows, or relax it"
    OUT_OF_RANGE = "the norm is beyond the range of double precision: see its logarithm, or subtract the mean energy"
    CONTRADICTED = "a check made apart from the method contradicts the result: see what was checked"
    NO_EVIDENCE = "one value alone was seen, of a function not seen whole: give points where it differs"
    BEST_SEEN = "the best of all that was looked at, not proven to be the best: see its bounds, or allow more"
    INTERRUPTED = "interrupted by the user; what was reached so far is kept"


@dataclass(frozen=True)
class Checked:
    """A second look at a result by a route that does not share the first one's faults.

    ``what`` was looked at, ``how``, and with what ``result``: texts of a few words, the result with its numbers.
    ``passed`` is False where the second look contradicts the first: nothing is then CONVERGED.
    """

    what: str
    how: str
    result: str
    passed: bool


@dataclass(frozen=True)
class IterationState(Card):
    """What a method reports after each step of whatever it iterates (a pass over states, a sweep).

    ``energies`` and ``residuals`` have one entry a state (energies in the operator's unit);
    ``fraction`` is the share of the planned work done, in [0, 1], or None where it cannot be known. ``finished`` is
    False for a report from within a step.
    """

    step: int
    label: str
    max_rank: int
    seconds: float
    energies: np.ndarray | None = None
    residuals: np.ndarray | None = None
    fraction: float | None = None
    finished: bool = True
    extra: dict[str, Any] = field(default_factory=dict)

    def worded(self) -> list[Fact]:
        """Its numbers, the longest lists as their ends."""
        told: list[Fact] = [("step", f"{self.step} {self.label}"), ("rank", str(self.max_rank))]
        if self.energies is not None:
            told.append(("energies", ends([number(value) for value in self.energies])))
        if self.residuals is not None and np.size(self.residuals):
            told.append(("largest residual", size(np.max(self.residuals))))
        if self.fraction is not None:
            told.append(("done", f"{self.fraction:.0%}"))
        return [*told, ("seconds", f"{self.seconds:.1f}")]


Callback = Callable[[IterationState], None]


@dataclass(frozen=True)
class Solution(Card):
    """What every solver returns.

    ``value``: the answer; ``residual``: the true one, computed again at the end; ``n_converged``: how
    many of the asked items converged; ``history``: one IterationState an iteration; ``counts``:
    machine-independent work (sweeps, matvecs, local_solves); ``timing``: seconds, ``compile_s`` and ``solve_s``;
    ``checked``: the second looks taken at it; ``asked``: the accuracy, in the unit of what the method bounds.
    """

    value: Any
    status: Status
    n_converged: int
    residual: np.ndarray
    history: tuple[IterationState, ...]
    counts: dict[str, int]
    timing: dict[str, float]
    extra: dict[str, Any] = field(default_factory=dict)
    checked: tuple[Checked, ...] = ()
    asked: float | None = None

    def worded(self) -> list[Fact]:
        """How it ended, what was asked and reached, and what the value says of itself."""
        seconds = ", ".join(f"{name[:-2]} {value:.1f} s" for name, value in self.timing.items() if name.endswith("_s"))
        failed = [look.what for look in self.checked if not look.passed]
        told: list[Fact] = [("status", self.status.value)]
        told += [("asked", f"{self.asked:g}")] if self.asked is not None else []
        told += [("residual", f"{size(np.max(self.residual))}")] if np.size(self.residual) else []
        if "condition" in self.extra and "forward_error" in self.extra:
            seen = f"{size(self.extra['condition'])}, with the residual an error of {size(self.extra['forward_error'])}"
            told.append(("condition seen", seen))
        told += self.value.worded() if isinstance(self.value, Card) else [("value", repr(self.value))]
        if self.checked:
            told.append(
                ("checked", f"contradicted: {', '.join(failed)}" if failed else f"{len(self.checked)} looks agree")
            )
        work = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in self.counts.items())
        return [*told, ("seconds", seconds), ("work", work)]

    @property
    def converged(self) -> bool:
        return self.status is Status.CONVERGED


class NotConverged(RuntimeError):
    """Raised by a solver called with ``throw=True``; carries the solution reached so far."""

    def __init__(self, solution: Solution) -> None:
        super().__init__(solution.status.value)
        self.solution = solution
