"""What is said of an embedding on its way."""

from __future__ import annotations

from problems.keys import Keys
from problems.progress import Told, number, rank, residual
from solvers.solution import IterationState


def told(problem: Keys, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """The objective a pair, what is still expected, and the rank."""
    value = [] if state.energies is None else [Told("objective a pair", number(-abs(float(state.energies[0]))))]
    return [*value, *residual(state, "still expected"), *rank(state)]
