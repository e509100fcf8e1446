"""What is said of a decomposition on its way."""

from __future__ import annotations

from problems.keys import Keys
from problems.progress import Told, counted, rank, residual
from solvers.solution import IterationState


def told(problem: Keys, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """The error of what was made, its largest rank or number of terms, and the steps of a sum of terms."""
    return [*residual(state, "error"), *rank(state), *counted(state, "steps")]
