"""From a Hamiltonian to its lowest states, or to its motion in time; the settings say which."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeAlias

from problems.quantum.tasks.either.keys import EitherProblem, GivenSpectrum
from problems.quantum.tasks.evolution import solve as evolution
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.quantum.tasks.spectrum import solve as spectrum
from problems.quantum.tasks.spectrum.result import SpectrumResult
from solvers.solution import IterationState

Given: TypeAlias = GivenSpectrum | WavePacketSolver
Prepared: TypeAlias = spectrum.Prepared | evolution.Prepared


def prepare(problem: EitherProblem, solver: Given) -> Prepared:
    """The problem ready for its task; raises ProblemError for what cannot be computed."""
    if isinstance(solver, WavePacketSolver):
        return evolution.prepare(problem, solver)
    return spectrum.prepare(problem, solver.asked)


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> SpectrumResult | EvolutionResult:
    """What the task asks for, with its errors and all that the report shows. Deterministic in ``seed``.

    ``checkpoint``: the folder it is continued from; ``earlier``: that of a run whose states a spectrum starts from.
    """
    if isinstance(prepared, spectrum.Prepared):
        return spectrum.solve(
            prepared, executor=executor, seed=seed, callback=callback, checkpoint=checkpoint, earlier=earlier
        )
    return evolution.solve(
        prepared, executor=executor, seed=seed, callback=callback, checkpoint=checkpoint, earlier=earlier
    )
