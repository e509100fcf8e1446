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
from typing import Any

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.blocks import Block, Outcome, stable_eigh, step_options
from solvers.eigen.probe import probe_block
from solvers.eigen.shifted_solve import ShiftedSolve, StepOptions
from solvers.environments import SectorOperator, sandwich
from solvers.methods import InverseIteration
from solvers.solution import IterationState, Status
from solvers.trains.sectors import SectorTrain

SAFETY = (1.5, 1.25)  # factor on the calibrated estimates, and the least factor on the bare ones
TILE = 6
MIXING = 5e-4  # Ritz coefficients below this are left out of right-hand sides
MIXED = 0.1  # a state with a second coefficient above this is a mixture of trains


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
    ) -> None:
        self.operator, self.blocks, self.n_states = operator, blocks, n_states
        self.scale, self.goal, self.method = scale, goal, method
        self.executor, self.rng, self.callback = executor, rng, callback
        self.probe_weights = probe_weights
        self.delta, self.window = method.shift * scale, method.window * scale
        self.history: list[IterationState] = []
        self.counts = {"passes": 0, "local_products": 0, "state_solves": 0, "pair_elements": 0}
        self.begin = time.perf_counter()
        self._names = itertools.count()
        self.ratios: list[float] = []  # gained energy over fall of the estimate, one a state and pass
        for block in blocks:
            n = len(block.trains)
            block.names = [next(self._names) for _ in range(n)]
            block.basis = list(block.trains)
            block.errors, block.residuals = np.full(n, np.inf), np.full(n, np.nan)
            block.ranks = np.array([x.max_rank for x in block.trains])
            block.next_ranks = np.full(n, min(method.first_rank, method.max_rank))
            block.mixed = np.zeros(n, dtype=bool)
            block.quotients, block.before = np.full(n, np.nan), np.full((n, 2), np.nan)
            block.sources, block.weights = [[i] for i in range(n)], [[1.0] for _ in range(n)]

    # -- reporting ---------------------------------------------------------------------------------------------

    def _all(self, name: str) -> np.ndarray:
        return np.concatenate([getattr(b, name) for b in self.blocks])

    def threshold(self) -> float:
        """Energy of the last wanted state."""
        return float(np.sort(self._all("energies"))[self.n_states - 1])

    def report(self, label: str, fraction: float | None, keep: bool = True) -> None:
        order = np.argsort(self._all("energies"), kind="stable")[: self.n_states]
        state = IterationState(
            step=self.counts["passes"],
            label=label,
            max_rank=int(self._all("ranks").max()),
            seconds=time.perf_counter() - self.begin,
            energies=self._all("energies")[order],
            residuals=self._all("residuals")[order],
            fraction=fraction,
            finished=keep,
            extra={"error_estimates": self.safety * self._all("errors")[order]},
        )
        if keep:
            self.history.append(state)
        if self.callback:
            self.callback(state)

    def _progress(self, label: str, low: float, high: float) -> Callable[[int, int], None]:
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
        results = tasks.run_tasks(self.executor, tasks.solve_states, jobs, self._progress(label, low, high))
        new = [list(block.trains) for block in self.blocks]
        for b, found in zip(where, results):
            for i, train, products in found:
                new[b][i] = train
                self.blocks[b].names[i] = next(self._names)
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

    def rayleigh_ritz(self) -> None:
        """Diagonalise H in the span of each block's trains; pairs farther apart than the window count as uncoupled."""
        jobs, where, wanted = [], [], []
        for b, block in enumerate(self.blocks):
            block.basis = list(block.trains)
            n, e, names = len(block.basis), block.energies, block.names
            pairs = [(i, j) for i in range(n) for j in range(i + 1) if abs(e[i] - e[j]) < self.window]
            wanted.append(pairs)
            missing = [(i, j) for i, j in pairs if (names[i], names[j]) not in block.elements]
            tiles: dict[tuple[int, int], list[tuple[int, int]]] = {}
            for i, j in missing:  # tiles of pairs need few trains each
                tiles.setdefault((i // TILE, j // TILE), []).append((i, j))
            for chunk in tiles.values():
                needed = sorted({k for pair in chunk for k in pair})
                jobs.append((self.operator, {k: block.basis[k] for k in needed}, chunk))
                where.append(b)
        for b, found in zip(where, tasks.run_tasks(self.executor, tasks.pair_elements, jobs)):
            names = self.blocks[b].names
            for i, j, hij, sij in found:
                self.blocks[b].elements[names[i], names[j]] = (hij, sij)
                self.counts["pair_elements"] += 1
        matrices = []
        for block, pairs in zip(self.blocks, wanted):
            n, names = len(block.basis), block.names
            h, s = np.zeros((n, n)), np.eye(n)
            for i, j in pairs:
                h[i, j], s[i, j] = h[j, i], s[j, i] = block.elements[names[i], names[j]]
            matrices.append((h, s))
            block.elements = {k: block.elements[k] for k in ((names[i], names[j]) for i, j in pairs)}
        for block, (h, s) in zip(self.blocks, matrices):
            energies, vectors = stable_eigh(h, s)
            n = len(energies)
            block.energies = energies
            block.sources, block.weights = [], []
            for i in range(n):
                v = vectors[:, i] * np.sign(vectors[np.argmax(np.abs(vectors[:, i])), i])
                used = [int(j) for j in np.argsort(-np.abs(v)) if abs(v[j]) > MIXING]
                block.sources.append(used)
                block.weights.append([float(v[j]) for j in used])
        self._represent()

    def _represent(self) -> None:
        """One train a state: the basis train it mostly is, or the rounded sum of the few that make it up."""
        jobs, where = [], []
        for b, block in enumerate(self.blocks):
            mixed = [i for i, w in enumerate(block.weights) if len(w) > 1 and abs(w[1]) > MIXED]
            for chunk in tasks.chunks(mixed, tasks.CHUNK):
                listed = []
                for i in chunk:
                    parts = [(j, w) for j, w in zip(block.sources[i], block.weights[i]) if abs(w) > 0.3 * MIXED]
                    most = max(block.basis[j].max_rank for j, _ in parts)
                    listed.append((i, [j for j, _ in parts], [w for _, w in parts], round(1.5 * most) + 1))
                needed = sorted({j for _, sources, *_ in listed for j in sources})
                jobs.append(({j: block.basis[j] for j in needed}, listed, 1e-5))
                where.append(b)
        results = tasks.run_tasks(self.executor, tasks.recombine, jobs)
        for b, block in enumerate(self.blocks):
            found = {i: x for w, r in zip(where, results) if w == b for i, x in r}
            lead = [sources[0] for sources in block.sources]
            block.trains = [found.get(i, block.basis[j]) for i, j in enumerate(lead)]
            block.names = [next(self._names) if i in found else block.names[j] for i, j in enumerate(lead)]
            block.errors = np.array([np.inf if i in found else block.errors[j] for i, j in enumerate(lead)])
            block.residuals = block.residuals[lead]
            block.next_ranks = block.next_ranks[lead]
            block.quotients, block.before = block.quotients[lead], block.before[lead]
            block.mixed = np.array([i in found for i in range(len(lead))])
            block.ranks = np.array([x.max_rank for x in block.trains])

    def estimate(self, label: str, low: float, high: float) -> None:
        """Rank errors and residual norms of the states whose train changed."""
        jobs, where = [], []
        for b, block in enumerate(self.blocks):
            changed = [i for i in range(len(block.trains)) if not np.isfinite(block.errors[i])]
            for chunk in tasks.chunks(changed, tasks.CHUNK):
                jobs.append((self.operator, {i: block.trains[i] for i in chunk}, self.scale))
                where.append(b)
        results = tasks.run_tasks(self.executor, tasks.state_errors, jobs, self._progress(label, low, high))
        for b, found in zip(where, results):
            block = self.blocks[b]
            for i, estimate, residual, quotient in found:
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
        self.align()
        wanted = [list(range(len(b.trains))) for b in self.blocks]
        status = Status.ITERATION_LIMIT
        probe: dict[str, Any] = {}
        for _ in range(3):
            status = self._passes(wanted)
            probe, found = self.probe()
            if not found:
                break
            wanted = [self._take_in(b, new) for b, new in zip(self.blocks, found)]
        self.true_residuals()
        self.report("finished", 1.0, keep=False)
        return Outcome(self.blocks, status, self.history, self.counts, probe, self.safety)

    def _passes(self, wanted: list[list[int]]) -> Status:
        """Passes at growing ranks until every state's estimate meets its goal."""
        m, done = self.method, 0.05
        stalled = 0
        previous: np.ndarray | None = None
        while self.counts["passes"] < m.max_passes:
            first = self.counts["passes"] == 0 and m.max_passes > 1
            ranks = [int(b.next_ranks[i]) for b, w in zip(self.blocks, wanted) for i in w]
            label = f"pass {self.counts['passes'] + 1}: {len(ranks)} states, ranks {min(ranks)} to {max(ranks)}"
            share = 0.5 * (0.85 - done)
            self.solve(wanted, label, done, done + share)
            self.rayleigh_ritz()
            done += share
            self.estimate("error estimates", done, done)
            self.report(label, done)
            limit = self.threshold() + 1e-9 * self.scale
            wanted = []
            for b in self.blocks:
                goals = np.array([self._goal_of(e, limit) for e in b.energies])
                ratio = self.safety * b.errors / goals
                # a second pass over all states: nothing calibrates the estimates before it
                wanted.append([i for i, r in enumerate(ratio) if first or not r <= 1.0])
                self._grow(b, ratio, first)
            if not first and not any(wanted):
                return Status.CONVERGED
            now = np.sort(self._all("energies"))[: self.n_states]
            quiet = previous is not None and np.max(np.abs(now - previous)) < 0.02 * self.goal
            stalled = stalled + 1 if quiet else 0
            if quiet and m.local_tolerance is not None:
                self.method = m = replace(m, local_tolerance=max(0.1 * m.local_tolerance, 1e-10))
            previous = now
            if stalled and min(ranks) >= m.max_rank:
                return Status.RANK_LIMIT
            if stalled >= 3:
                return Status.STAGNATED
        return Status.RANK_LIMIT if min(ranks) >= m.max_rank else Status.ITERATION_LIMIT

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

    def _take_in(self, block: Block, new: list[SectorTrain]) -> list[int]:
        """Add trains found by the probe; the states to improve are these and their neighbours in energy."""
        for z in new:
            block.trains.append(z)
            block.names.append(next(self._names))
            block.energies = np.append(block.energies, sandwich(self.operator, z, z))
            block.errors, block.residuals = np.append(block.errors, np.inf), np.append(block.residuals, np.nan)
            block.ranks = np.append(block.ranks, z.max_rank)
            block.next_ranks = np.append(block.next_ranks, int(np.median(block.next_ranks)))
            block.mixed, block.quotients = np.append(block.mixed, False), np.append(block.quotients, np.nan)
            block.before = np.vstack([block.before, [[np.nan, np.nan]]])
        if not new:
            return []
        order = np.argsort(block.energies, kind="stable")
        for name in ("energies", "errors", "residuals", "ranks", "next_ranks", "mixed", "quotients", "before"):
            setattr(block, name, getattr(block, name)[order])
        block.trains, block.names = [block.trains[i] for i in order], [block.names[i] for i in order]
        block.basis = list(block.trains)
        block.sources, block.weights = [[i] for i in range(len(order))], [[1.0] for _ in order]
        return [i for i, e in enumerate(block.errors) if not np.isfinite(e)]

    def _goal_of(self, energy: float, limit: float) -> float:
        """Wanted states must reach the goal; buffer states only help, and ten times the goal is enough for that."""
        return self.goal if energy <= limit else 10.0 * self.goal

    def probe(self) -> tuple[dict[str, Any], list[list[SectorTrain]]]:
        """Look for missing states in the orthogonal complement of each block, from random starts."""
        limit = self.threshold()
        top = float(self._all("energies").max())
        shift = 0.5 * (limit + top) if top > limit else limit + self.delta
        jobs, where = [], []
        for b, block in enumerate(self.blocks):
            for _ in range(self.method.probes):
                seed = int(self.rng.integers(2**31))
                known = (block.trains, block.energies)
                weights, method = self.probe_weights, self.method
                jobs.append((self.operator, block.charge, known, shift, weights, method, self.scale, seed))
                where.append(b)
        results = tasks.run_tasks(self.executor, probe_block, jobs, self._progress("probe of the complement", 0.9, 1.0))
        found: list[list[SectorTrain]] = [[] for _ in self.blocks]
        for b, (energy, _, z) in zip(where, results):
            if energy < limit + self.goal and not found[b]:
                found[b].append(z)
        summary = {
            "starts": len(jobs),
            "lowest_energy_outside": min((r[0] for r in results), default=None),
            "largest_drop": max((r[1] for r in results), default=0.0),
            "missing_states": sum(len(f) for f in found),
        }
        return summary, found if any(found) else []
