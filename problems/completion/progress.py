"""What is said of a completion on its way."""

from __future__ import annotations

from problems.keys import Keys
from problems.progress import Told, counted, rank, residual
from solvers.solution import IterationState


def told(problem: Keys, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """The error at the samples kept back, the rank, and how often all samples were looked at."""
    return [*residual(state, "validation error"), *rank(state), *counted(state, "evaluations")]
