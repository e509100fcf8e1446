"""What is said of a parametric solution on its way."""

from __future__ import annotations

from problems.keys import Keys
from problems.progress import Told, counted, rank, residual
from solvers.solution import IterationState


def told(problem: Keys, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """The relative residual at points not seen before, the deterministic solves so far, and the rank."""
    return [*residual(state, "relative residual"), *counted(state, "solves"), *rank(state)]
