"""Block DMRG of every symmetry sector, and the search for missing states around it.

Errors by the Kato-Temple bound r^2 / (E_outside - E): the residual is orthogonal to all states of the sector, so the
gap reaches to the first state outside (T. Kato, J. Phys. Soc. Jpn. 4, 334 (1949)). It is a bound as far as no state is
missing below E_outside, which is what the search is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.block_dmrg import BlockDMRGResult
from solvers.eigen.errors import NARROWEST_GAP, true_residuals
from solvers.eigen.many_states import ManyStates, Outcome, Sector, State
from solvers.eigen.probe import MOST_ROUNDS, Search, searched
from solvers.eigen.stored import Stage, save
from solvers.methods import BlockDMRG
from solvers.solution import Status
from solvers.trains.sectors import SectorTrain

SHARE = 0.3  # of the residual asked for, where the rounding of single states is expected to land
FINEST_TRUNCATION = 1e-15  # no sweep cuts finer


def shared_basis(many: ManyStates, search: Search, method: BlockDMRG, gap: float | None, seed: int) -> Outcome:
    """The states of all sectors; rounds of sweeps and searches until none is missing.

    ``gap``: from the last state of the start to the next one, if known. Raises ValueError where ``method.max_rank``
    cannot carry the states of the start.
    """
    outside = float(max(sector.energies[-1] for sector in many.sectors)) + (gap or 0.0)
    starts = [sector.trains for sector in many.sectors]
    truncation, probe, results = many.truncation, dict[str, Any](), list[BlockDMRGResult]()
    for number in range(MOST_ROUNDS):
        goal = float(np.sqrt(many.goal * max(outside - many.threshold(), NARROWEST_GAP * many.scale)))
        options = replace(method, tol=goal if method.tol is None else method.tol)
        jobs: list[tuple[Any, ...]] = []
        for sector, trains in zip(many.sectors, starts):
            part = many.part(f"{number}-{sector.charge}")
            jobs.append((many.operator, sector.charge, len(trains), options, trains, seed, part, truncation))
        try:
            results = tasks.run_tasks(many.executor, tasks.shared_basis, jobs)
        except ValueError:
            if number == 0:
                raise
            status = Status.RANK_LIMIT  # ranks this low cannot carry what was found besides
            break
        outside = _take(many, results, outside)
        status = next((r.status for r in results if r.status is not Status.CONVERGED), Status.CONVERGED)
        many.report("block DMRG", 0.9)
        probe, found = searched(many, search, number)
        if not found:
            finer = None
            if method.tol is not None and status in (Status.CONVERGED, Status.STAGNATED):
                finer = _finer(many, method.tol, min(r.history[-1].extra["truncation"] for r in results))
            if finer is None:
                break
            starts, truncation = [sector.trains for sector in many.sectors], finer
            continue
        status = Status.ITERATION_LIMIT  # unless the next round finds nothing
        starts = [_with(many, sector, new) for sector, new in zip(many.sectors, found)]
        truncation = None
    true_residuals(many)  # those of the trains returned, which are rounded
    many.truncation = min(r.history[-1].extra["truncation"] for r in results)
    save(many, Stage([], verdict=status), last=True)
    return Outcome(status, probe, 1.0)


def _take(many: ManyStates, results: Sequence[BlockDMRGResult], outside: float) -> float:
    """The states of the sectors as the sweeps left them, with their errors; the level of the first state outside."""
    lowest = min(float(r.energies[0]) for r in results)
    moved = lowest - min(sector.states[0].energy for sector in many.sectors)  # the start's common error
    outside = max(outside + moved, *(float(r.energies[-1]) for r in results))
    for sector, result in zip(many.sectors, results):
        gaps = np.maximum(outside - result.energies, NARROWEST_GAP * many.scale)
        errors = result.residuals**2 / np.maximum(gaps, np.maximum(result.residuals, 1e-300))
        found = zip(result.states, result.energies, errors, result.residuals)
        sector.states = [
            State(x, float(e), max(result.ranks), error=float(error), residual=float(r), quotient=float(e))
            for x, e, error, r in found
        ]
        for name, value in result.counts.items():
            many.counts[name] = many.counts.get(name, 0) + value
    return outside


def _with(many: ManyStates, sector: Sector, new: Sequence[SectorTrain]) -> list[SectorTrain]:
    """The trains of a sector and those found besides, as many as its space has room for."""
    return [*sector.trains, *new[: many.space_of(sector) - len(sector.states)]]


def _finer(many: ManyStates, tol: float, truncation: float) -> float | None:
    """The truncation at which the states, trains of their own, should meet ``tol``; None where they do, or none would.

    The shared basis met it at ``truncation``; then each state was rounded by itself.
    """
    true_residuals(many)
    worst = float(many.numbers("residual").max())
    finer = max(SHARE * tol / max(worst, 1e-300) * truncation, FINEST_TRUNCATION)
    return finer if worst > tol and finer < truncation else None
