"""Other routes to levels, or to motion, as the settings say."""

from __future__ import annotations

import numpy as np

from problems.quantum.tasks.either.keys import EitherProblem, GivenSpectrum
from problems.quantum.tasks.evolution import certify as evolution
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.spectrum import certify as spectrum
from problems.report_parts import Quantity
from problems.result import Results
from problems.route import Route


def allowed(solver: GivenSpectrum | WavePacketSolver, quantity: Quantity, results: Results) -> float | np.ndarray:
    """What the accuracy asked for allows in each value."""
    if isinstance(solver, WavePacketSolver):
        return evolution.allowed(solver, quantity, results)
    return spectrum.allowed(solver, quantity, results)


def routes(problem: EitherProblem, solver: GivenSpectrum | WavePacketSolver, results: Results) -> list[Route]:
    """The routes to what a run with these keys computed."""
    if isinstance(solver, WavePacketSolver):
        return evolution.routes(problem, solver, results)
    return spectrum.routes(problem, solver.asked, results)
