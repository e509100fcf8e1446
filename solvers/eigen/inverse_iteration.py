"""Many low states, each a train of its own: passes of inexact inverse iteration and Rayleigh-Ritz in their span.

A pass

1. solves (H - E_i + delta) y_i = x_i for every state still to be improved (solvers.eigen.shifted_solve), at a rank that
   grows from pass to pass. Each right-hand side is a Ritz vector (a sum over trains), never rounded;
2. diagonalises H in the span of all trains of a sector, pairs closer than ``window`` (solvers.eigen.ritz);
3. estimates the errors of the states that changed (solvers.eigen.errors); those below the goal are left alone from now
   on, though they stay in the span.

At the end mixed states are rounded to one train each, random probes of the orthogonal complement look for a missing
state, and one found is taken in and refined.

Rakhuba and Oseledets, J. Chem. Phys. 145, 124101 (2016); Larsson, arXiv:2504.05382 (2025) (the states as a basis).
Cost a pass O(N d R r^3 n) for N states plus the pairs; independent states go to the executor.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.eigen import tasks
from solvers.eigen.errors import estimate, true_residuals
from solvers.eigen.many_states import ManyStates, Outcome, Sector
from solvers.eigen.probe import MOST_ROUNDS, Search, searched, take_in
from solvers.eigen.ritz import finish, rayleigh_ritz
from solvers.eigen.shifted_solve import ShiftedSolve, StepOptions, step_options
from solvers.eigen.stored import Stage, content, restored
from solvers.sectors.environments import sandwich
from solvers.sectors.train import SectorTrain
from solvers.solution import IterationState, Status

COUNTS = ("passes", "local_products", "state_solves", "pair_elements")
ALIGNING_STEPS = 2  # of inverse iteration for the lowest state, which shift the energies of the start
BUFFER_GOAL = 10.0  # times the goal is enough for states that are not wanted and only help
QUIET = 0.02  # of the goal: a pass that moves no energy by more has changed nothing
STALLED = 3  # such passes in a row: give up
SHARPER = 0.1  # times the tolerance of local solves after a quiet pass, down to
SHARPEST = 1e-10
LARGEST_SHARE = 0.85  # of the work: the passes, each of which takes half of what is left of it
GROWTH, SLOWEST, OF_MIXED = 1.15, 1.1, 1.15  # safety of a rank's growth; its least factor; its largest where mixed


Look = Callable[[ManyStates, Search, int], tuple[dict[str, Any], list[list[SectorTrain]]]]


class InverseIterations:
    """Passes until every estimate meets its goal and a search finds nothing missing, or until nothing helps.

    An Iteration of solvers.iteration, but for its solution: a state a pass. ``look``: the search, after each round of
    passes; ``outcome``: how it ended.
    """

    def __init__(self, many: ManyStates, search: Search, look: Look = searched) -> None:
        self.many, self.search, self.look = many, search, look
        many.counts = dict.fromkeys(COUNTS, 0)
        self.at: Stage | None = None
        self.passed: Content | None = None  # where the passes ended, so that the search alone is done again
        self.outcome: Outcome | None = None

    def steps(self) -> Iterator[IterationState]:
        """The passes, each round of them followed by a search for missing states."""
        many = self.many
        self.at = at = self.at or _first(many)
        status, probe = Status.ITERATION_LIMIT, dict[str, Any]()
        for number in range(at.round, MOST_ROUNDS):
            status = yield from _passes(many, at)
            if many.checkpoint.path is not None:
                self.passed = deepcopy(self.content())
            probe, found = self.look(many, self.search, number)
            if not found:
                break
            status = Status.ITERATION_LIMIT  # unless the passes that follow say better
            if number + 1 == MOST_ROUNDS:
                break
            self.at = at = Stage([take_in(many, sector, new) for sector, new in zip(many.sectors, found)], number + 1)
            self.passed = None
        finish(many)
        true_residuals(many)
        many.report("finished", 1.0)
        self.outcome = Outcome(status, probe, many.safety)

    def content(self) -> Content:
        """Where the passes are; after them, where they ended."""
        assert self.at is not None
        if self.passed is not None:
            return self.passed
        arrays, data = content(self.many, self.at)
        return arrays, data | {"search": self.search.memory()}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.at = restored(self.many, arrays, data)
        self.search.remember(data["search"])


def _first(many: ManyStates) -> Stage:
    """Before the first pass, over all states or, of an earlier calculation, those not good enough."""
    if not many.warm:
        if many.interval is None:
            _align(many)
        return Stage([list(range(len(sector.states))) for sector in many.sectors])
    rayleigh_ritz(many)
    estimate(many, "error estimates", 0.05, 0.05)
    return Stage(_short(many, False))


def _align(many: ManyStates) -> None:
    """Shift the energies of the start, whose error is nearly the same for all states, by that of the lowest one."""
    lowest = min(many.sectors, key=lambda sector: sector.states[0].energy).states[0]
    x, energy = lowest.train, lowest.energy
    options = _options(many, min(many.method.first_rank, many.method.max_rank))
    for _ in range(ALIGNING_STEPS):
        step = ShiftedSolve(many.operator, x, [x], [1.0], energy - many.delta, options, many.rng)
        x = tasks.normalised(step.solve()[0])
        energy = sandwich(many.operator, x, x)
    offset = energy - lowest.energy
    for sector in many.sectors:
        for state in sector.states:
            state.energy += offset


def _options(many: ManyStates, rank: int) -> StepOptions:
    return step_options(many.method, rank, many.scale)


def _passes(many: ManyStates, at: Stage) -> Generator[IterationState, None, Status]:
    """Passes at growing ranks until every state's estimate meets its goal; the verdict on them."""
    while at.verdict is None:
        m, wanted = many.method, at.wanted
        if not any(wanted):  # of an earlier calculation, which was good enough
            at.verdict = Status.CONVERGED
            break
        if many.counts["passes"] >= m.max_passes * (at.round + 1):  # what a search found needs passes of its own
            at.verdict = Status.RANK_LIMIT if at.least >= m.max_rank else Status.ITERATION_LIMIT
            break
        first = many.counts["passes"] == 0 and m.max_passes > 1 and not many.warm
        ranks = [sector.states[i].next_rank for sector, w in zip(many.sectors, wanted) for i in w]
        label = f"pass {many.counts['passes'] + 1}: {len(ranks)} states, ranks {min(ranks)} to {max(ranks)}"
        share = 0.5 * (LARGEST_SHARE - at.done)
        _solve(many, wanted, label, at.done, at.done + share)
        rayleigh_ritz(many)
        at.done += share
        estimate(many, "error estimates", at.done, at.done)
        at.wanted, at.least = _short(many, first), min(ranks)
        quiet = _judge(many, at, first)
        if quiet and at.verdict is not Status.CONVERGED and m.local_tolerance is not None:
            many.method = replace(m, local_tolerance=max(SHARPER * m.local_tolerance, SHARPEST))
        yield many.seen(label, at.done)
    return at.verdict


def _solve(many: ManyStates, wanted: list[list[int]], label: str, low: float, high: float) -> None:
    """Inverse iteration for the ``wanted`` states of each sector at its next rank."""
    jobs, where = [], []
    for sector, own in zip(many.sectors, wanted):
        ritz = sector.ritz
        for chunk in tasks.chunks(own, tasks.CHUNK):
            listed = []
            for i in chunk:
                state = sector.states[i]
                options = _options(many, state.next_rank)
                seed = int(many.rng.integers(2**31))
                shift = many.shift_for(state.energy)
                listed.append(tasks.SolveTask(i, ritz.sources[i], ritz.weights[i], shift, options, seed))
            basis = {j: ritz.basis[j] for j in sorted({j for i in chunk for j in ritz.sources[i]})}
            jobs.append((many.operator, basis, {i: sector.states[i].train for i in chunk}, listed))
            where.append(sector)
    results = tasks.run_tasks(many.executor, tasks.solve_states, jobs, many.progress(label, low, high))
    for sector, found in zip(where, results):
        for solved in found:
            state = sector.states[solved.state]
            state.train, state.name, state.rank = solved.train, next(many.names), solved.train.max_rank
            state.before = (np.nan if state.mixed else state.error, state.quotient)
            state.error = np.inf
            many.counts["local_products"] += solved.products
            many.counts["state_solves"] += 1
    many.counts["passes"] += 1


def _short(many: ManyStates, first: bool) -> list[list[int]]:
    """The states of each sector that miss their goals, their next ranks set; all of them after the ``first`` pass.

    Nothing calibrates the estimates before a second pass. Buffer states only help, with a goal of their own.
    """
    safety = many.safety
    wanted = []
    for sector in many.sectors:
        asked = many.is_wanted(sector.energies, sector.numbers("error"))
        goals = [many.goal if own else BUFFER_GOAL * many.goal for own in asked]
        ratios = [safety * state.error / goal for state, goal in zip(sector.states, goals)]
        wanted.append([i for i, ratio in enumerate(ratios) if first or not ratio <= 1.0])
        _grow(many, sector, ratios, first)
    return wanted


def _grow(many: ManyStates, sector: Sector, ratios: list[float], first: bool) -> None:
    """The next rank of each state: the error falls with about the fourth power of the rank; a state that was mixed
    with others in the last Rayleigh-Ritz needs another solve more than a higher rank."""
    m = many.method
    for state, ratio in zip(sector.states, ratios):
        if ratio <= 1.0 and not first:
            continue
        finite = np.isfinite(ratio)
        factor = float(np.clip(GROWTH * ratio**0.25, SLOWEST, m.growth)) if finite and not first else m.growth
        if state.mixed and finite:
            factor = min(factor, OF_MIXED)
        state.next_rank = min(m.max_rank, max(state.next_rank + 2, round(factor * state.next_rank)))


def _judge(many: ManyStates, at: Stage, first: bool) -> bool:
    """Whether the last pass changed nothing; the verdict on the passes, where there is one."""
    now = many.lowest()
    same = at.previous is not None and len(at.previous) == len(now)
    quiet = same and bool(np.max(np.abs(now - at.previous), initial=0.0) < QUIET * many.goal)
    at.stalled, at.previous = at.stalled + 1 if quiet else 0, now
    if not first and not any(at.wanted):
        at.verdict = Status.CONVERGED
    elif at.stalled and at.least >= many.method.max_rank:
        at.verdict = Status.RANK_LIMIT
    elif at.stalled >= STALLED:
        at.verdict = Status.STAGNATED
    return quiet
