"""Figures of a user's Hamiltonian: those of kind vibrational for states, of kind wave_packet for motion."""

from __future__ import annotations

from problems.quantum.kinds.sum_of_products import SumOfProductsProblem
from problems.quantum.tasks.either.keys import SpectrumSolver
from problems.quantum.tasks.either.presentation import Result, Solver
from problems.quantum.tasks.evolution.figures import figures_of_motion
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.quantum.tasks.spectrum.figures import figures_of_states
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Picture


def figures(problem: SumOfProductsProblem, solver: Solver, result: Result) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    if isinstance(solver, WavePacketSolver) and isinstance(result, EvolutionResult):
        return figures_of_motion([], solver, result)
    assert isinstance(solver, SpectrumSolver) and isinstance(result, SpectrumResult)
    return figures_of_states([], solver.accuracy, result)
