"""What is said of states, or of a motion, on their way."""

from __future__ import annotations

from problems.keys import Keys
from problems.progress import Told
from problems.progress import told as told_of_all
from problems.quantum.tasks.evolution import progress as evolution
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from solvers.solution import IterationState


def told(problem: Keys, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """As the task asked for says it."""
    if isinstance(solver, WavePacketSolver):
        return evolution.told(problem, solver, state, before)
    return told_of_all(problem, solver, state, before)
