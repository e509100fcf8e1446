"""Figures of states, or of motion, as the result is."""

from __future__ import annotations

from problems.quantum.kinds.sum_of_products import SumOfProductsProblem
from problems.quantum.tasks.either.presentation import Result, Solver, of_motion, of_states
from problems.quantum.tasks.evolution import figures as evolution
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.spectrum import figures as spectrum
from problems.report_parts import Picture


def figures(problem: SumOfProductsProblem, solver: Solver, result: Result) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    if isinstance(solver, WavePacketSolver):
        return evolution.figures(problem, solver, of_motion(result))
    return spectrum.figures(problem, solver, of_states(result))
