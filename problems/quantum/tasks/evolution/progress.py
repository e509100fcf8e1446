"""What is said of a motion on its way."""

from __future__ import annotations

from problems.keys import Keys
from problems.progress import Told, motion, rank
from problems.progress import told as told_of_all
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import UNITS_OF_TIME
from solvers.solution import IterationState


def told(problem: Keys, solver: WavePacketSolver, state: IterationState, before: IterationState | None) -> list[Told]:
    """How far the autocorrelation is, the norm, the error; of the eigenvalues beneath it, what is said of states."""
    unit = str(getattr(problem, "time_unit", "natural"))
    moving = motion(state, solver.t_final, "" if unit == "natural" else UNITS_OF_TIME.get(unit, unit))
    return [*moving, *rank(state)] if moving else told_of_all(problem, solver, state, before)
