"""Many low states, each a train of its own: passes of inexact inverse iteration and Rayleigh-Ritz in their span.

A pass solves (H - E_i + delta) y_i = x_i for every state still to be improved (solvers.eigen.shifted_solve), at a rank
that grows from pass to pass; Rayleigh-Ritz over the pairs closer than ``window`` follows, within each block. Each
right-hand side is a Ritz vector (a sum over trains), never rounded. States whose estimated error is below the goal are
left alone; they stay in the span. At the end mixed states are rounded to one train each, random probes of
the orthogonal complement look for a missing state, and one found is taken in and refined.

Rakhuba and Oseledets, J. Chem. Phys. 145, 124101 (2016); Larsson, arXiv:2504.05382 (2025) (the states as a basis).
Cost a pass O(N d R r^3 n) for N states plus the pairs; independent states go to the executor.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, beside
from solvers.eigen import tasks
from solvers.eigen.block_dmrg import FIRST_TRUNCATION
from solvers.eigen.blocks import Block, Outcome, step_options
from solvers.eigen.explicit import space_of
from solvers.eigen.full_vectors import Reference
from solvers.eigen.probe import MOST_ROUNDS, searched, take_in
from solvers.eigen.ritz import finish, rayleigh_ritz
from solvers.eigen.shifted_solve import ShiftedSolve, StepOptions
from solvers.eigen.stored import Stage, continued, passes_content
from solvers.environments import sandwich
from solvers.methods import InverseIteration
from solvers.sector_operator import SectorOperator
from solvers.solution import IterationState, Status

UNSEEN = 0.7  # of the squared residual within single cores: the estimate by rank says little; 0.25 to 0.45 measured
NARROWEST_GAP = 0.02  # of the lowest excitation energy, in error bounds that divide by a gap
SAFETY = (1.5, 1.25)  # factor on the calibrated estimates, and the least factor on the bare ones


class Passes:
    """The state of the whole calculation; ``run`` performs it."""

    def __init__(
        self,
        operator: SectorOperator,
        blocks: list[Block],
        n_states: int,
        scale: float,
        goal: float,
        method: InverseIteration,
        *,
        executor: Executor | None,
        rng: np.random.Generator,
        callback: Callable[[IterationState], None] | None,
        probe_weights: list[np.ndarray],
        reference: Reference | None = None,
    ) -> None:
        self.operator, self.blocks, self.n_states = operator, blocks, n_states
        self.scale, self.goal, self.method = scale, goal, method
        self.executor, self.rng, self.callback = executor, rng, callback
        self.probe_weights, self.reference = probe_weights, reference
        self.delta, self.window = method.shift * scale, method.window * scale
        self.history: list[IterationState] = []
        self.counts = {"passes": 0, "local_products": 0, "state_solves": 0, "pair_elements": 0}
        self.begin = time.perf_counter()
        self.checkpoint = Checkpoint(None)
        self.truncation = FIRST_TRUNCATION  # of a block DMRG's first sweep
        self.warm = False  # whether states of an earlier calculation are among those of the start
        self.cold = False  # whether no table of products gave the start
        self.names = itertools.count()
        self.searches = 0  # random starts that looked for missing states
        self.listed: np.ndarray | None = None  # the levels at the search before
        self.ratios: list[float] = []  # gained energy over fall of the estimate, one a state and pass
        for block in blocks:
            n = len(block.trains)
            block.names = [next(self.names) for _ in range(n)]
            block.basis = list(block.trains)
            block.errors, block.residuals = np.full(n, np.inf), np.full(n, np.nan)
            block.ranks = np.array([x.max_rank for x in block.trains])
            block.next_ranks = np.full(n, min(method.first_rank, method.max_rank))
            block.mixed = np.zeros(n, dtype=bool)
            block.quotients, block.before = np.full(n, np.nan), np.full((n, 2), np.nan)
            block.sources, block.weights = [[i] for i in range(n)], [[1.0] for _ in range(n)]

    # -- reporting ---------------------------------------------------------------------------------------------

    def all_of(self, name: str) -> np.ndarray:
        """The numbers of that name, of all blocks in turn."""
        return np.concatenate([getattr(b, name) for b in self.blocks])

    def space_of(self, block: Block) -> int:
        """Dimension of the space of a block."""
        return space_of(self.operator.modes, block.charge)

    def threshold(self) -> float:
        """Energy of the last wanted state."""
        energies = np.sort(self.all_of("energies"))
        return float(energies[min(self.n_states, len(energies)) - 1])

    def report(
        self, label: str, fraction: float | None, keep: bool = True, before: Callable[[], None] | None = None
    ) -> None:
        """Tell of the states as they are; ``before``: to be done between taking note and telling."""
        order = np.argsort(self.all_of("energies"), kind="stable")[: self.n_states]
        state = IterationState(
            step=self.counts["passes"],
            label=label,
            max_rank=int(self.all_of("ranks").max()),
            seconds=time.perf_counter() - self.begin,
            energies=self.all_of("energies")[order],
            residuals=self.all_of("residuals")[order],
            fraction=fraction,
            finished=keep,
            extra={"error_estimates": self.safety * self.all_of("errors")[order]},
        )
        if keep:
            self.history.append(state)
        if before is not None:
            before()
        if self.callback:
            self.callback(state)

    def progress(self, label: str, low: float, high: float) -> Callable[[int, int], None]:
        """A report for every task that is done."""
        return lambda done, total: self.report(label, low + (high - low) * done / total, keep=False)

    # -- one pass -----------------------------------------------------------------------------------------------

    def solve(self, wanted: list[list[int]], label: str, low: float, high: float) -> None:
        """Inverse iteration for the ``wanted`` states of each block at its next rank."""
        jobs, where = [], []
        for b, block in enumerate(self.blocks):
            for chunk in tasks.chunks(wanted[b], tasks.CHUNK):
                needed = sorted({j for i in chunk for j in block.sources[i]})
                listed = []
                for i in chunk:
                    options = self._options(int(block.next_ranks[i]))
                    seed = int(self.rng.integers(2**31))
                    shift = float(block.energies[i]) - self.delta
                    listed.append((i, block.sources[i], block.weights[i], shift, options, seed))
                starts = {i: block.trains[i] for i in chunk}
                jobs.append((self.operator, {j: block.basis[j] for j in needed}, starts, listed))
                where.append(b)
        results = tasks.run_tasks(self.executor, tasks.solve_states, jobs, self.progress(label, low, high))
        new = [list(block.trains) for block in self.blocks]
        for b, found in zip(where, results):
            for i, train, products in found:
                new[b][i] = train
                self.blocks[b].names[i] = next(self.names)
                self.blocks[b].ranks[i] = train.max_rank
                self.counts["local_products"] += products
                self.counts["state_solves"] += 1
        for b, block in enumerate(self.blocks):
            block.trains = new[b]
            w = wanted[b]
            block.before[w, 0] = np.where(block.mixed[w], np.nan, block.errors[w])
            block.before[w, 1] = block.quotients[w]
            block.errors[w] = np.inf
        self.counts["passes"] += 1

    def estimate(self, label: str, low: float, high: float) -> None:
        """Rank errors and residual norms of the states whose train changed."""
        jobs, where = [], []
        for b, block in enumerate(self.blocks):
            changed = [i for i in range(len(block.trains)) if not np.isfinite(block.errors[i])]
            for chunk in tasks.chunks(changed, tasks.CHUNK):
                jobs.append((self.operator, {i: block.trains[i] for i in chunk}, self.scale))
                where.append(b)
        results = tasks.run_tasks(self.executor, tasks.state_errors, jobs, self.progress(label, low, high))
        for b, found in zip(where, results):
            block = self.blocks[b]
            top = float(np.max(block.energies, initial=-np.inf))
            for i, estimate, residual, quotient, undone in found:
                if undone > UNSEEN * residual**2:
                    # orthogonal to all trains of the block, so that the gap reaches past them (Kato-Temple)
                    estimate += undone / max(top - quotient, NARROWEST_GAP * self.scale, np.sqrt(undone))
                block.errors[i], block.residuals[i], block.quotients[i] = estimate, residual, quotient
                fall, gain = block.before[i, 0] - estimate, block.before[i, 1] - quotient
                if not block.mixed[i] and fall > 0.3 * block.before[i, 0] and block.before[i, 0] > 0.01 * self.goal:
                    self.ratios.append(gain / fall)

    def true_residuals(self) -> None:
        """||H x - E x|| of every state, E the train's own Rayleigh quotient, independent of the passes."""
        jobs, where = [], []
        for b, block in enumerate(self.blocks):
            for chunk in tasks.chunks(range(len(block.trains)), 2 * tasks.CHUNK):
                trains = {i: block.trains[i] for i in chunk}
                energies = {i: float(block.quotients[i]) for i in chunk}
                jobs.append((self.operator, trains, energies, int(self.rng.integers(2**31))))
                where.append(b)
        for b, found in zip(where, tasks.run_tasks(self.executor, tasks.residual_norms, jobs)):
            for i, norm in found:
                self.blocks[b].residuals[i] = norm

    @property
    def safety(self) -> float:
        """Factor on the second-order estimates: they see two neighbouring cores at a time, so they are calibrated.

        Between two passes the energy should fall by as much as the estimate does; the upper quartile of the ratio of
        the two over all states and passes is taken.
        """
        ratio = float(np.quantile(self.ratios, 0.75)) if len(self.ratios) >= 3 else 1.0
        return float(np.clip(SAFETY[0] * ratio, SAFETY[1], 50.0))

    # -- the whole calculation ------------------------------------------------------------------------------------

    def align(self) -> None:
        """Shift the energies of the start, whose error is nearly the same for all states, by that of the lowest one."""
        block = min(self.blocks, key=lambda b: b.energies[0])
        x, energy = block.trains[0], float(block.energies[0])
        options = self._options(min(self.method.first_rank, self.method.max_rank))
        for _ in range(2):
            step = ShiftedSolve(self.operator, x, [x], [1.0], energy - self.delta, options, self.rng)
            x = tasks.normalised(step.solve()[0])
            energy = sandwich(self.operator, x, x)
        offset = energy - float(block.energies[0])
        for b in self.blocks:
            b.energies = b.energies + offset

    def _options(self, rank: int) -> StepOptions:
        return step_options(self.method, rank, self.scale)

    def run(self) -> Outcome:
        at = self._started()
        status = Status.ITERATION_LIMIT
        probe: dict[str, Any] = {}
        for number in range(at.round, MOST_ROUNDS):
            status = self._passes(at)
            probe, found = searched(self, number)
            if not found:
                break
            status = Status.ITERATION_LIMIT  # unless the passes that follow say better
            if number + 1 == MOST_ROUNDS:
                break
            at = Stage([take_in(self, b, new) for b, new in zip(self.blocks, found)], number + 1)
        finish(self)
        self.true_residuals()
        self.report("finished", 1.0, keep=False)
        return Outcome(self.blocks, status, self.history, self.counts, probe, self.safety)

    def _started(self) -> Stage:
        """Where the checkpoint has come to; the first pass over all states, or those not known, where there is none."""
        at = continued(self)
        if at is not None:
            return at
        if not self.warm:
            self.align()
            return Stage([list(range(len(b.trains))) for b in self.blocks])
        rayleigh_ritz(self)
        self.estimate("error estimates", 0.05, 0.05)
        return Stage(self._short(False))

    def _short(self, first: bool) -> list[list[int]]:
        """The states of each block that miss their goals, their next ranks set; all of them after the ``first`` pass.

        Nothing calibrates the estimates before a second pass.
        """
        limit = self.threshold() + 1e-9 * self.scale
        wanted = []
        for b in self.blocks:
            goals = np.array([self._goal_of(e, limit) for e in b.energies])
            ratio = self.safety * b.errors / goals
            wanted.append([i for i, r in enumerate(ratio) if first or not r <= 1.0])
            self._grow(b, ratio, first)
        return wanted

    def _passes(self, at: Stage) -> Status:
        """Passes at growing ranks until every state's estimate meets its goal; a checkpoint after each."""
        while at.verdict is None:
            m, wanted = self.method, at.wanted
            if not any(wanted):  # of an earlier calculation, which was good enough
                at.verdict = Status.CONVERGED
                self.save(at, last=True)
                break
            if self.counts["passes"] >= m.max_passes * (at.round + 1):  # what a search found needs passes of its own
                return Status.RANK_LIMIT if at.least >= m.max_rank else Status.ITERATION_LIMIT
            first = self.counts["passes"] == 0 and m.max_passes > 1
            first = first and not self.warm
            ranks = [int(b.next_ranks[i]) for b, w in zip(self.blocks, wanted) for i in w]
            label = f"pass {self.counts['passes'] + 1}: {len(ranks)} states, ranks {min(ranks)} to {max(ranks)}"
            share = 0.5 * (0.85 - at.done)
            self.solve(wanted, label, at.done, at.done + share)
            rayleigh_ritz(self)
            at.done += share
            self.estimate("error estimates", at.done, at.done)
            at.wanted, at.least = self._short(first), min(ranks)
            now = np.sort(self.all_of("energies"))[: self.n_states]
            quiet = at.previous is not None and np.max(np.abs(now - at.previous)) < 0.02 * self.goal
            at.stalled, at.previous = at.stalled + 1 if quiet else 0, now
            if not first and not any(at.wanted):
                at.verdict = Status.CONVERGED
            elif at.stalled and min(ranks) >= m.max_rank:
                at.verdict = Status.RANK_LIMIT
            elif at.stalled >= 3:
                at.verdict = Status.STAGNATED
            if quiet and at.verdict is not Status.CONVERGED and m.local_tolerance is not None:
                self.method = replace(m, local_tolerance=max(0.1 * m.local_tolerance, 1e-10))
            last = at.verdict is not None
            self.report(label, at.done, before=partial(self.save, at, last))
        return at.verdict

    def part(self, name: str) -> Checkpoint:
        """The checkpoint of a part of the calculation."""
        own = self.checkpoint
        return Checkpoint(beside(own.path, name), own.question)

    def save(self, at: Stage, last: bool) -> None:
        """Write the checkpoint."""
        self.checkpoint.save(lambda: passes_content(self, at), last=last)

    def _grow(self, block: Block, ratio: np.ndarray, first: bool) -> None:
        """The next rank of each state: the error falls with about the fourth power of the rank; a state that was mixed
        with others in the last Rayleigh-Ritz needs another solve more than a higher rank."""
        m = self.method
        for i, r in enumerate(ratio):
            if r <= 1.0 and not first:
                continue
            factor = np.clip(1.15 * r**0.25, 1.1, m.growth) if np.isfinite(r) and not first else m.growth
            if block.mixed[i] and np.isfinite(r):
                factor = min(factor, 1.15)
            block.next_ranks[i] = min(m.max_rank, max(block.next_ranks[i] + 2, round(factor * block.next_ranks[i])))

    def _goal_of(self, energy: float, limit: float) -> float:
        """Wanted states must reach the goal; buffer states only help, and ten times the goal is enough for that."""
        return self.goal if energy <= limit else 10.0 * self.goal
