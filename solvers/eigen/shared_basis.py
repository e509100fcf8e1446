"""Block DMRG of every symmetry sector, and the search for missing states around it.

Errors by the Kato-Temple bound r^2 / (E_outside - E): the residual is orthogonal to all states of the sector, so the
gap reaches to the first state outside (T. Kato, J. Phys. Soc. Jpn. 4, 334 (1949)). It is a bound as far as no state is
missing below E_outside, which is what the search is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from solvers.checkpoint import CheckpointError, Content
from solvers.eigen import tasks
from solvers.eigen.block_dmrg import BlockDMRGResult, Wanted
from solvers.eigen.errors import NARROWEST_GAP, true_residuals
from solvers.eigen.many_states import ManyStates, Outcome, Sector, State
from solvers.eigen.probe import MOST_ROUNDS, Search, searched
from solvers.eigen.stored import Stage, content, restored
from solvers.methods import BlockDMRG
from solvers.sectors.train import SectorTrain
from solvers.solution import IterationState, Status

SHARE = 0.3  # of the residual asked for, where the rounding of single states is expected to land
FINEST_TRUNCATION = 1e-15  # no sweep cuts finer


class SharedBasis:
    """The states of all sectors; rounds of sweeps and searches until none is missing.

    An Iteration of solvers.iteration, but for its solution: a state a round, whose sweeps have checkpoints of their
    own. ``gap``: from the last state of the start to the next one, if known. ``outcome``: how it ended.
    """

    def __init__(self, many: ManyStates, search: Search, method: BlockDMRG, gap: float | None, seed: int) -> None:
        self.many, self.search, self.method, self.seed = many, search, method, seed
        self.at = _Round(float(max(sector.energies[-1] for sector in many.sectors)) + (gap or 0.0), many.truncation)
        self.outcome: Outcome | None = None

    def steps(self) -> Iterator[IterationState]:
        """The rounds. Raises ValueError where ``max_rank`` cannot carry the states of the start."""
        many, method, at = self.many, self.method, self.at
        starts = [sector.trains for sector in many.sectors]
        probe = dict[str, Any]()
        while not at.over and at.number < MOST_ROUNDS:
            if at.verdict is None:  # of the sweeps of this round
                try:
                    self._sweep(starts)
                except CheckpointError:
                    raise
                except ValueError:
                    if at.number == 0:
                        raise
                    at.status = Status.RANK_LIMIT  # ranks this low cannot carry what was found besides
                    break
                yield many.seen("block DMRG", 0.9)
            assert at.verdict is not None
            at.status = at.verdict
            probe, found = searched(many, self.search, at.number)
            finer = None
            if not found and method.tol is not None and at.status in (Status.CONVERGED, Status.STAGNATED):
                finer = _finer(many, method.tol, at.reached)
            if not found and finer is None:
                break
            starts, at.truncation = [sector.trains for sector in many.sectors], finer
            if found:
                at.status = Status.ITERATION_LIMIT  # unless the next round finds nothing
                starts = [_with(many, sector, new) for sector, new in zip(many.sectors, found)]
            at.number, at.verdict = at.number + 1, None
        if not at.over:
            true_residuals(many)  # those of the trains returned, which are rounded
            many.truncation, at.probe, at.over = at.reached, probe, True
        self.outcome = Outcome(at.status, at.probe, 1.0)

    def _sweep(self, starts: Sequence[Sequence[SectorTrain]]) -> None:
        """The sweeps of one round, sector by sector."""
        many, method, at = self.many, self.method, self.at
        narrowest = NARROWEST_GAP * many.scale
        goal = float(np.sqrt(many.goal * max(at.outside - many.threshold(), narrowest)))
        options, wanted = replace(method, tol=goal if method.tol is None else method.tol), None
        if len(many.sectors) == 1 and many.wanted < len(starts[0]):  # else no sector knows how many of its are wanted
            options, wanted = method, Wanted(many.wanted, many.goal, narrowest)
        jobs: list[tuple[Any, ...]] = []
        for sector, trains in zip(many.sectors, starts):
            part, count = many.part(f"{at.number}-{sector.charge}"), len(trains)
            jobs.append((many.operator, sector.charge, count, options, trains, self.seed, part, at.truncation, wanted))
        results: list[BlockDMRGResult] = tasks.run_tasks(many.executor, tasks.shared_basis, jobs)
        at.outside = _take(many, results, at.outside)
        at.verdict = next((r.status for r in results if r.status is not Status.CONVERGED), Status.CONVERGED)
        at.reached = min(r.history[-1].extra["truncation"] for r in results)

    def content(self) -> Content:
        """The states, and where the rounds are."""
        at = self.at
        arrays, data = content(self.many, Stage([], verdict=at.status))
        names = {name: None if (s := getattr(at, name)) is None else s.name for name in ("status", "verdict")}
        return arrays, data | {"at": {**vars(at), **names}, "search": self.search.memory()}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there: after the sweeps of a round, or at the end."""
        restored(self.many, arrays, data)
        self.search.remember(data["search"])
        names = {name: None if (s := data["at"][name]) is None else Status[s] for name in ("status", "verdict")}
        self.at = _Round(**{**data["at"], **names})


@dataclass
class _Round:
    """Where the rounds are.

    ``outside``: level of the first state outside; ``truncation``: of the first sweep, None for the usual one;
    ``verdict``: of the sweeps of this round, None before; ``reached``: the truncation they ended at; ``status``: of all
    until now; ``probe``: what the last search saw; ``over``: whether nothing is left to do.
    """

    outside: float
    truncation: float | None
    number: int = 0
    verdict: Status | None = None
    reached: float = 0.0
    status: Status = Status.ITERATION_LIMIT
    probe: dict[str, Any] = field(default_factory=dict)
    over: bool = False


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
