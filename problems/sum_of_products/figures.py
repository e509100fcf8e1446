"""Figures of a user's Hamiltonian: those of kind vibrational for states, of kind wave_packet for motion."""

from __future__ import annotations

from problems.report_parts import Picture
from problems.sum_of_products.keys import SpectrumSolver
from problems.sum_of_products.model import SumOfProductsProblem
from problems.sum_of_products.presentation import Result, Solver
from problems.vibrational.figures import figures_of_states
from problems.vibrational.result import VibrationalResult
from problems.wave_packet.figures import figures_of_motion
from problems.wave_packet.keys import WavePacketSolver
from problems.wave_packet.result import WavePacketResult


def figures(problem: SumOfProductsProblem, solver: Solver, result: Result) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    if isinstance(solver, WavePacketSolver) and isinstance(result, WavePacketResult):
        return figures_of_motion([], solver, result)
    assert isinstance(solver, SpectrumSolver) and isinstance(result, VibrationalResult)
    return figures_of_states([], solver.accuracy, result)
