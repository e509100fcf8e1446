"""A search for missing states: random starts in the orthogonal complement of those found.

The start is made orthogonal to the known states of its block and driven down by inverse iteration with a shift just
above the last wanted level; Rayleigh-Ritz with the known states follows each step. A state that had been missed
would be amplified more than anything above it and come out as a new Ritz vector below the shift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.blocks import Block, stable_eigh, step_options
from solvers.eigen.shifted_solve import ShiftedSolve
from solvers.environments import sandwich
from solvers.methods import InverseIteration
from solvers.trains.sectors import SectorTrain, inner, random_train

if TYPE_CHECKING:
    from solvers.eigen.inverse_iteration import Passes

PROBE_STEPS = 4


def probe_block(
    operator, charge: int, known, shift: float, weights, method: InverseIteration, scale: float, seed: int
) -> tuple[float, float, SectorTrain]:
    """One random start in the complement of the known states of a block.

    Returns the energy of the one Ritz vector that is new, the largest drop it causes in a known energy, and its train.
    """
    operator = tasks.known(operator)
    trains, known_energies = known
    rng = np.random.default_rng(seed)
    z = random_train(operator.modes, charge, 6, weights, rng)
    n, rank = len(trains), min(method.first_rank, method.max_rank)
    options = step_options(method, rank, scale)
    energy, drop = np.inf, 0.0
    for _ in range(PROBE_STEPS):
        overlaps = np.array([inner(x, z) for x in trains])
        used = [j for j in range(n) if abs(overlaps[j]) > 1e-6]
        sources = [z, *(trains[j] for j in used)]
        step = ShiftedSolve(operator, z, sources, [1.0, *(-overlaps[used])], shift, options, rng)
        z = step.solve()[0]
        if inner(z, z) == 0.0:
            return np.inf, 0.0, z  # no complement is left
        z = tasks.normalised(z)
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


def search(passes: Passes) -> tuple[dict[str, Any], list[list[SectorTrain]]]:
    """Look for missing states in the orthogonal complement of each block, from random starts."""
    limit = passes.threshold()
    top = float(passes.all_of("energies").max())
    shift = 0.5 * (limit + top) if top > limit else limit + passes.delta
    jobs, where = [], []
    for b, block in enumerate(passes.blocks):
        for _ in range(passes.method.probes):
            seed = int(passes.rng.integers(2**31))
            known = (block.trains, block.energies)
            weights, method = passes.probe_weights, passes.method
            jobs.append((passes.operator, block.charge, known, shift, weights, method, passes.scale, seed))
            where.append(b)
    results = tasks.run_tasks(passes.executor, probe_block, jobs, passes.progress("probe of the complement", 0.9, 1.0))
    found: list[list[SectorTrain]] = [[] for _ in passes.blocks]
    for b, (energy, _, z) in zip(where, results):
        if energy < limit + passes.goal and not found[b]:
            found[b].append(z)
    summary = {
        "starts": len(jobs),
        "lowest_energy_outside": min((r[0] for r in results), default=None),
        "largest_drop": max((r[1] for r in results), default=0.0),
        "missing_states": sum(len(f) for f in found),
    }
    return summary, found if any(found) else []


def take_in(passes: Passes, block: Block, new: list[SectorTrain]) -> list[int]:
    """Add trains found by the probe; the states to improve are these and their neighbours in energy."""
    for z in new:
        block.trains.append(z)
        block.names.append(next(passes.names))
        block.energies = np.append(block.energies, sandwich(passes.operator, z, z))
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
