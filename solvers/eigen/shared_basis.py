"""Block DMRG of every symmetry block, and the search for missing states around it.

Errors by the Kato-Temple bound r^2 / (E_outside - E): the residual is orthogonal to all states of the block, so the gap
reaches to the first state outside (T. Kato, J. Phys. Soc. Jpn. 4, 334 (1949)). It is a bound as far as no state is
missing below E_outside, which is what the search is for.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.block_dmrg import FIRST_TRUNCATION
from solvers.eigen.blocks import Outcome
from solvers.eigen.inverse_iteration import NARROWEST_GAP, Passes
from solvers.eigen.probe import MOST_ROUNDS, searched
from solvers.eigen.stored import Stage
from solvers.methods import BlockDMRG
from solvers.sector_operator import SectorOperator
from solvers.solution import Status

SHARE = 0.3  # of the residual asked for, where the rounding of single states is expected to land
FINEST_TRUNCATION = 1e-15  # no sweep cuts finer


def shared_basis(
    sector: SectorOperator, passes: Passes, method: BlockDMRG, gap: float | None, executor: Executor | None, seed: int
) -> Outcome:
    """The states of all blocks; rounds of sweeps and searches until none is missing."""
    top = float(max(b.energies[-1] for b in passes.blocks))
    outside = top + (gap or 0.0)
    narrowest = NARROWEST_GAP * passes.scale
    status, kept = Status.CONVERGED, [block.trains for block in passes.blocks]
    counts: dict[str, int] = {}
    for number in range(MOST_ROUNDS):
        goal = float(np.sqrt(passes.goal * max(outside - passes.threshold(), narrowest)))
        options = replace(method, tol=goal if method.tol is None else method.tol)
        jobs = []
        for b in passes.blocks:
            part = passes.part(f"{number}-{b.charge}")
            jobs.append((sector, b.charge, len(b.trains), options, b.trains, seed, part, passes.truncation))
        try:
            results = tasks.run_tasks(executor, tasks.shared_basis, jobs)
        except ValueError:
            if number == 0:
                raise
            status = Status.RANK_LIMIT  # ranks this low cannot carry what was found besides
            for block, trains in zip(passes.blocks, kept):
                block.trains = trains
            break
        lowest = min(float(r.energies[0]) for r in results)
        moved = lowest - min(float(b.energies[0]) for b in passes.blocks)  # the start's common error
        outside = max(outside + moved, *(float(r.energies[-1]) for r in results))
        for block, result in zip(passes.blocks, results):
            block.trains, block.energies = list(result.states), result.energies.copy()
            block.residuals = result.residuals
            gaps = np.maximum(outside - result.energies, narrowest)
            block.errors = result.residuals**2 / np.maximum(gaps, np.maximum(result.residuals, 1e-300))
            block.ranks = np.array([max(result.ranks)] * len(result.states))
            for name, value in result.counts.items():
                counts[name] = counts.get(name, 0) + value
        status = next((r.status for r in results if r.status is not Status.CONVERGED), Status.CONVERGED)
        passes.report("block DMRG", 0.9)
        probe, found = searched(passes, number)
        if not found:
            finer = None
            if method.tol is not None and status in (Status.CONVERGED, Status.STAGNATED):
                finer = _finer(passes, method.tol, min(r.history[-1].extra["truncation"] for r in results))
            if finer is None:
                break
            passes.truncation = finer
            continue
        status = Status.ITERATION_LIMIT  # unless the next round finds nothing
        kept = [block.trains for block in passes.blocks]
        for block, new in zip(passes.blocks, found):
            room = passes.space_of(block) - len(block.trains)
            block.trains = [*block.trains, *new[:room]]
        passes.truncation = FIRST_TRUNCATION
    for block in passes.blocks:
        block.quotients = block.energies
    passes.true_residuals()  # those of the trains returned, which are rounded
    passes.truncation = min(r.history[-1].extra["truncation"] for r in results)
    passes.save(Stage([], verdict=status), last=True)
    return Outcome(passes.blocks, status, passes.history, counts, probe, 1.0)


def _finer(passes: Passes, tol: float, truncation: float) -> float | None:
    """The truncation at which the states, trains of their own, should meet ``tol``; None where they do, or none would.

    The shared basis met it at ``truncation``; then each state was rounded by itself.
    """
    for block in passes.blocks:
        block.quotients = block.energies
    passes.true_residuals()
    worst = float(passes.all_of("residuals").max())
    finer = max(SHARE * tol / max(worst, 1e-300) * truncation, FINEST_TRUNCATION)
    return finer if worst > tol and finer < truncation else None
