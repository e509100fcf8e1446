"""What is said of a density on its way to the ground state."""

from __future__ import annotations

from problems.keys import Keys
from problems.progress import Told, change, number, rank, residual
from solvers.solution import IterationState

UNIT = "hartree"


def told(problem: Keys, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """The energy, what the last step changed, what descent still expects, and the rank of the orbital."""
    if state.energies is None:
        return rank(state)
    energy = Told("energy", number(state.energies[0]), UNIT)
    return [energy, *change(state, before, UNIT), *residual(state, "expected decrease"), *rank(state)]
