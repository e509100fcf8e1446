"""Many low states, each a train of its own: passes of inexact inverse iteration and Rayleigh-Ritz in their span.

A pass solves (H - E_i + delta) y_i = x_i for every state still to be improved (solvers.eigen.shifted_solve), at a rank that
grows from pass to pass; Rayleigh-Ritz over the pairs closer than ``window`` follows, within each symmetry block. Each
right-hand side is a Ritz vector (a sum over trains), never rounded. States whose estimated error is below the goal are
left alone; they stay in the span. At the end mixed states are rounded to one train each, random probes of
the orthogonal complement look for a missing state, and one found is taken in and refined.

Rakhuba and Oseledets, J. Chem. Phys. 145, 124101 (2016); Larsson, arXiv:2504.05382 (2025) (Rayleigh-Ritz on the states).
Cost a pass O(N d R r^3 n) for N states plus the pairs; independent states go to the executor.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import eigh

from solvers.eigen import tasks
from solvers.eigen.shifted_solve import ShiftedSolve, StepOptions
from solvers.environments import SectorOperator, sandwich
from solvers.methods import InverseIteration
from solvers.solution import IterationState, Status
from solvers.trains.sectors import SectorTrain, inner, random_train

CHUNK = 4
SAFETY = 1.5  # on the second-order estimates, which see two neighbouring cores at a time
PROBE_STEPS = 4
MIXING = 1e-4  # Ritz coefficients below this are left out of right-hand sides and final sums


@dataclass
class Block:
    """The states of one symmetry block, ascending in energy."""

    charge: int
    trains: list[SectorTrain]
    energies: np.ndarray
    sources: list[list[int]] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)
    errors: np.ndarray = field(default_factory=lambda: np.zeros(0))
    residuals: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ranks: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    names: list[int] = field(default_factory=list)  # a train keeps its number while it does not change
    elements: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)


@dataclass
class Outcome:
    """What the passes reached; ``blocks`` hold wanted and buffer states."""

    blocks: list[Block]
    status: Status
    history: list[IterationState]
    counts: dict[str, int]
    probe: dict[str, Any]


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
        for block in blocks:
            n = len(block.trains)
            block.names = [next(self._names) for _ in range(n)]
            block.errors, block.residuals = np.full(n, np.inf), np.full(n, np.nan)
            block.ranks = np.array([x.max_rank for x in block.trains])
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
            extra={"error_estimates": SAFETY * self._all("errors")[order]},
        )
        if keep:
            self.history.append(state)
        if self.callback:
            self.callback(state)

    def _progress(self, label: str, low: float, high: float) -> Callable[[int, int], None]:
        return lambda done, total: self.report(label, low + (high - low) * done / total, keep=False)

    # -- one pass -----------------------------------------------------------------------------------------------

    def solve(self, wanted: list[list[int]], rank: int, label: str, low: float, high: float) -> None:
        """Inverse iteration for the ``wanted`` states of each block at ``rank``."""
        m, jobs, where = self.method, [], []
        expansion = max(2, round(m.expansion * rank))
        options = StepOptions(
            max(rank - expansion, 1), expansion, m.local_steps, m.local_tolerance, m.local_block, 0.003 * self.scale
        )
        for b, block in enumerate(self.blocks):
            for chunk in tasks.chunks(wanted[b], CHUNK):
                needed = sorted({j for i in chunk for j in block.sources[i]})
                listed = []
                for i in chunk:
                    seed = int(self.rng.integers(2**31))
                    shift = float(block.energies[i]) - self.delta
                    listed.append((i, block.sources[i], block.weights[i], shift, options, seed))
                jobs.append((self.operator, {j: block.trains[j] for j in needed}, listed))
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
            block.errors[wanted[b]] = np.inf
        self.counts["passes"] += 1

    def rayleigh_ritz(self) -> None:
        """Diagonalise H in the span of each block's trains; pairs farther apart than the window count as uncoupled."""
        jobs, where, wanted = [], [], []
        for b, block in enumerate(self.blocks):
            n, e, names = len(block.trains), block.energies, block.names
            pairs = [(i, j) for i in range(n) for j in range(i + 1) if abs(e[i] - e[j]) < self.window]
            wanted.append(pairs)
            missing = [(i, j) for i, j in pairs if (names[i], names[j]) not in block.elements]
            for chunk in tasks.chunks(missing, 32):
                needed = sorted({k for pair in chunk for k in pair})
                jobs.append((self.operator, {k: block.trains[k] for k in needed}, chunk))
                where.append(b)
        for b, found in zip(where, tasks.run_tasks(self.executor, tasks.pair_elements, jobs)):
            names = self.blocks[b].names
            for i, j, hij, sij in found:
                self.blocks[b].elements[names[i], names[j]] = (hij, sij)
                self.counts["pair_elements"] += 1
        matrices = []
        for block, pairs in zip(self.blocks, wanted):
            n, names = len(block.trains), block.names
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
            lead = np.array([used[0] for used in block.sources])
            block.errors, block.residuals = block.errors[lead], block.residuals[lead]
            block.ranks = block.ranks[lead]

    def recombine(self, cap: int) -> None:
        """Make every Ritz vector one train; a mixture is rounded, a train that stands alone stays as it is."""
        jobs, where = [], []
        for b, block in enumerate(self.blocks):
            mixed = [i for i, sources in enumerate(block.sources) if len(sources) > 1]
            for chunk in tasks.chunks(mixed, 2 * CHUNK):
                needed = sorted({j for i in chunk for j in block.sources[i]})
                listed = []
                for i in chunk:
                    most = max(block.trains[j].max_rank for j in block.sources[i])
                    listed.append((i, block.sources[i], block.weights[i], min(cap, round(1.15 * most) + 1)))
                jobs.append(({j: block.trains[j] for j in needed}, listed, 1e-7))
                where.append(b)
        results = tasks.run_tasks(self.executor, tasks.recombine, jobs)
        for b, block in enumerate(self.blocks):
            found = {i: x for w, r in zip(where, results) if w == b for i, x in r}
            lead = [sources[0] for sources in block.sources]
            block.trains = [found.get(i, block.trains[lead[i]]) for i in range(len(lead))]
            block.names = [next(self._names) if i in found else block.names[lead[i]] for i in range(len(lead))]
            block.sources = [[i] for i in range(len(block.trains))]
            block.weights = [[1.0] for _ in block.trains]
            block.ranks = np.array([x.max_rank for x in block.trains])

    def estimate(self, label: str, low: float, high: float) -> None:
        """Rank errors and residual norms of the states whose train changed."""
        jobs, where = [], []
        for b, block in enumerate(self.blocks):
            changed = [i for i in range(len(block.trains)) if not np.isfinite(block.errors[i])]
            for chunk in tasks.chunks(changed, CHUNK):
                jobs.append((self.operator, None, {i: block.trains[i] for i in chunk}, self.scale))
                where.append(b)
        results = tasks.run_tasks(self.executor, tasks.state_errors, jobs, self._progress(label, low, high))
        for b, found in zip(where, results):
            for i, rank_part, residual, _ in found:
                self.blocks[b].errors[i], self.blocks[b].residuals[i] = rank_part, residual

    # -- the whole calculation ------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        self.rayleigh_ritz()
        wanted = [list(range(len(b.trains))) for b in self.blocks]
        rank = min(self.method.first_rank, self.method.max_rank)
        status, probe = Status.ITERATION_LIMIT, {}
        for _ in range(3):
            status, rank = self._passes(wanted, rank)
            probe, found = self.probe()
            if not found:
                break
            wanted = [self._take_in(b, new) for b, new in zip(self.blocks, found)]
        self.report("finished", 1.0, keep=False)
        return Outcome(self.blocks, status, self.history, self.counts, probe)

    def _passes(self, wanted: list[list[int]], rank: int) -> tuple[Status, int]:
        """Passes at growing rank until every state's estimate meets its goal."""
        m, done = self.method, 0.05
        previous: np.ndarray | None = None
        while self.counts["passes"] < m.max_passes:
            first = self.counts["passes"] == 0 and m.max_passes > 1
            share = 0.5 * (0.85 - done)
            self.solve(wanted, rank, f"pass {self.counts['passes'] + 1}, rank {rank}", done, done + share)
            self.rayleigh_ritz()
            done += share
            if not first:
                self.recombine(max(m.max_rank, rank))
                self.estimate("error estimates", done, done)
            self.report(f"pass {self.counts['passes']}, rank {rank}", done)
            limit = self.threshold() + 1e-9 * self.scale
            wanted = [
                [i for i, e in enumerate(b.errors) if not SAFETY * e <= self._goal_of(b.energies[i], limit)]
                for b in self.blocks
            ]
            if not first and not any(wanted):
                return Status.CONVERGED, rank
            now = np.sort(self._all("energies"))[: self.n_states]
            if rank >= m.max_rank and previous is not None and np.max(np.abs(now - previous)) < 0.02 * self.goal:
                return Status.RANK_LIMIT, rank
            previous = now
            rank = min(m.max_rank, max(rank + 2, round(m.growth * rank)))
        return (Status.RANK_LIMIT if rank >= m.max_rank else Status.ITERATION_LIMIT), rank

    def _take_in(self, block: Block, new: list[SectorTrain]) -> list[int]:
        """Add trains found by the probe; the states to improve are these and their neighbours in energy."""
        for z in new:
            block.trains.append(z)
            block.names.append(next(self._names))
            block.energies = np.append(block.energies, sandwich(self.operator, z, z))
            block.errors, block.residuals = np.append(block.errors, np.inf), np.append(block.residuals, np.nan)
            block.ranks = np.append(block.ranks, z.max_rank)
        if not new:
            return []
        order = np.argsort(block.energies, kind="stable")
        for name in ("energies", "errors", "residuals", "ranks"):
            setattr(block, name, getattr(block, name)[order])
        block.trains, block.names = [block.trains[i] for i in order], [block.names[i] for i in order]
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
                jobs.append((self.operator, block.charge, known, shift, self.probe_weights, self.method, self.scale, seed))
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


def probe_block(operator, charge, known, shift, weights, method: InverseIteration, scale, seed):
    """One random start in the complement of the known states of a block.

    Returns the energy of the one Ritz vector that is new, the largest drop it causes in a known energy, and its train.
    """
    operator = tasks.known(operator)
    trains, known_energies = known
    rng = np.random.default_rng(seed)
    z = random_train(operator.modes, charge, 6, weights, rng)
    n, rank = len(trains), min(method.first_rank, method.max_rank)
    options = StepOptions(
        rank, max(2, round(method.expansion * rank)), method.local_steps, method.local_tolerance, method.local_block,
        0.003 * scale,
    )  # fmt: skip
    energy, drop = np.inf, 0.0
    for _ in range(PROBE_STEPS):
        overlaps = np.array([inner(x, z) for x in trains])
        used = [j for j in range(n) if abs(overlaps[j]) > 1e-6]
        step = ShiftedSolve(operator, z, [z, *(trains[j] for j in used)], [1.0, *(-overlaps[used])], shift, options, rng)
        z = tasks.normalised(step.solve()[0])
        h, s = np.diag([*known_energies, sandwich(operator, z, z)]), np.eye(n + 1)
        for j, x in enumerate(trains):
            h[n, j] = h[j, n] = sandwich(operator, x, z)
            s[n, j] = s[j, n] = inner(x, z)
        energies, vectors = stable_eigh(h, s)
        if len(energies) <= n:
            return np.inf, 0.0, z  # the start collapsed into the known states: nothing outside them
        new = int(np.argmax(np.abs(vectors[n])))
        energy = float(energies[new])
        drop = float(np.max(known_energies - np.delete(energies, new), initial=0.0))
    return energy, drop, z


def stable_eigh(h: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Generalised eigenpairs; directions in which the overlap matrix is singular are left out."""
    scale = 1.0 / np.sqrt(np.diag(s))
    values, vectors = eigh(s * np.outer(scale, scale))
    keep = values > 1e-9
    basis = scale[:, None] * vectors[:, keep] / np.sqrt(values[keep])
    energies, coefficients = eigh(basis.T @ h @ basis)
    return energies, basis @ coefficients
