"""From a Hamiltonian and a start to the motion: the system is built by ``prepare``, propagated by ``solve``."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from problems.errors import ProblemError
from problems.quantum.hamiltonians.system import System
from problems.quantum.tasks.evolution.keys import InTime, WavePacketSolver
from problems.quantum.tasks.evolution.levels import energy_moments
from problems.quantum.tasks.evolution.propagate import SAFE_BAND, propagate
from problems.quantum.tasks.evolution.result import EvolutionResult
from solvers.measured import amount, numeral
from solvers.solution import IterationState

LEAST_NORM = 0.5  # of a start in its basis: with less, the start is not what was asked for
STARTS_AGAIN = "nothing of the run before could be used: steps and ranks of an evolution are those of its own accuracy"
LOST = 0.1  # of the accuracy: more of the start's squared norm outside the basis is worth a warning


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be propagated."""

    problem: InTime
    solver: WavePacketSolver
    system: System
    warnings: tuple[str, ...]
    setup_s: float


def prepare(problem: InTime, solver: WavePacketSolver) -> Prepared:
    """Operator and start; raises ProblemError for what cannot be computed. Takes well under a second."""
    begin = time.perf_counter()
    system = problem.system()
    square = float(system.start.norm()) ** 2
    if square < LEAST_NORM:
        what, key = system.lost
        raise ProblemError(f"{what} only {amount(square)} of the start: allow more functions", key)
    warnings = list(system.warnings)
    if abs(1.0 - square) > LOST * float(solver.accuracy or 0.0):
        warnings.append(f"the basis holds the start but for {amount(1.0 - square)} of its squared norm")
    warnings += hole_warnings(system)
    return Prepared(problem, solver, system, (*warnings, *problem.left_out), time.perf_counter() - begin)


def hole_warnings(system: System) -> list[str]:
    """What a user is told of a barrier that the packet has the energy to pass, where nothing absorbs it behind."""
    if system.barrier is None or system.dissipative:
        return []
    mean, deviation = energy_moments(system)
    top = mean + SAFE_BAND * deviation
    if system.barrier.height > top:
        return []
    modes = ", ".join(map(str, system.barrier.modes))
    return [
        f"the potential is unbounded below: a barrier of {numeral(system.barrier.height)} {system.unit} (modes {modes} "
        f"at |q| = {system.barrier.distance:.1f}) lies within the range of the basis, and the energies of the start "
        f"reach {numeral(top)}: what passes it is shaped by the basis; correct the field, or add an absorber"
    ]


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> EvolutionResult:
    """Propagation and everything made of it. Deterministic in ``seed``, whatever the number of workers.

    ``checkpoint``: the folder it is continued from. Nothing of an ``earlier`` run can be used: all of a(t) depends on
    the accuracy.
    """
    result = propagate(
        prepared.system,
        prepared.solver,
        prepared.problem.measured,
        executor=executor,
        seed=seed,
        callback=callback,
        checkpoint=checkpoint,
    )
    timing = result.timing | {"setup_s": prepared.setup_s + result.timing.get("setup_s", 0.0)}
    again = [] if earlier is None else [STARTS_AGAIN]
    return replace(
        result,
        warnings=[*again, *prepared.warnings, *result.warnings],
        timing=timing,
        checked=(*prepared.system.looks, *result.checked),
    )
