"""A search for missing states: random starts in the orthogonal complement of those found, or a small space's levels.

A start is made orthogonal to the known states of its block and driven down by inverse iteration at one of four shifts:
just above the last wanted level, in the middle of the list, and at two distances below it, as a shift amplifies what
lies next to it and not a state missed far below. Rayleigh-Ritz with the known states follows; a missed state comes out
as a new Ritz vector.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.blocks import Block, stable_eigh, step_options
from solvers.eigen.full_vectors import Reference, dense_vector, state_train
from solvers.eigen.low_products import low_products
from solvers.eigen.shifted_solve import ShiftedSolve
from solvers.environments import sandwich
from solvers.methods import InverseIteration
from solvers.trains.sectors import SectorTrain, inner, product_state, random_train

if TYPE_CHECKING:
    from solvers.eigen.inverse_iteration import Passes

PROBE_STEPS = 4
CHEAP, MOST_STARTS = 2_000_000, 2  # numbers in a block's trains up to which starts are repeated, and how often
CONTRAST = 6.0
PROBE_RANK = 12  # of starts that look for what lies well below the top of the list
SHARES = (0.5, 0.05)  # of the list's width, from the ground level down to the shifts below it
MOST_ROUNDS = 8  # of searches and what follows from them
LOW_PRODUCTS = 20  # beside twice the states known
OUTSIDE = 0.3  # of a state's weight, outside those known: it is missing


def probe_block(
    operator,
    charge: int,
    known,
    shift: float,
    weights,
    method: InverseIteration,
    scale: float,
    seed: int,
    start: SectorTrain | None = None,
) -> tuple[float, float, SectorTrain]:
    """One start in the complement of the known states of a block: ``start``, or a random one, near a random corner
    without ``weights``.

    Returns the energy of the one Ritz vector that is new, the largest drop it causes in a known energy, and its train.
    """
    operator = tasks.known(operator)
    trains, known_energies = known
    rng = np.random.default_rng(seed)
    if weights is None:  # a corner: few functions of every mode, one here, another there
        weights = [np.exp(-CONTRAST * rng.random(sum(n for _, n in mode))) for mode in operator.modes]
    z = start or random_train(operator.modes, charge, 6, weights, rng)
    n, rank = len(trains), min(method.first_rank, method.max_rank)
    options = step_options(method, rank, scale)
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


def searched(passes: Passes, number: int) -> tuple[dict[str, Any], list[list[SectorTrain]]]:
    """``search`` after round ``number``; twice in a row before a list that lacked states, without a table of products
    to begin from, counts as complete."""
    probe, found = search(passes)
    if passes.cold and number and probe["completeness"].startswith("searched"):
        probe, found = search(passes)
    return probe, found


def search(passes: Passes) -> tuple[dict[str, Any], list[list[SectorTrain]]]:
    """Look for missing states in the complement of those known, block by block: what was seen, and trains to take in.

    In a small space by its full vectors; else from random starts at four shifts, of which the one near the top of the
    list has the rank of a first pass and the others, which look for what lies well below, a lower one.
    """
    if passes.reference is not None and passes.reference.spectrum is not None:
        return held_against(passes, passes.reference)
    limit = passes.threshold()
    method = passes.method
    low = [outside_known(passes, block, limit) if passes.cold else Low([], []) for block in passes.blocks]
    jobs, where = [], []
    for b, block in enumerate(passes.blocks):
        for shift, rank in _shifts(passes, limit):
            for number in range(_starts(method.probes, block)):
                corner = number % 2 == 1
                seed = int(passes.rng.integers(2**31))
                known = (block.trains, block.energies)
                weights = None if corner else passes.probe_weights
                own = replace(method, first_rank=min(rank, method.first_rank))
                start = low[b].starts.pop(0) if corner and low[b].starts else None
                jobs.append((passes.operator, block.charge, known, shift, weights, own, passes.scale, seed, start))
                where.append(b)
    results = tasks.run_tasks(passes.executor, probe_block, jobs, passes.progress("probe of the complement", 0.9, 1.0))
    found: list[list[SectorTrain]] = [list(part.missing) for part in low]
    for b, (energy, _, z) in zip(where, results):
        block = passes.blocks[b]
        if energy < limit + passes.goal and len(block.trains) + len(found[b]) < passes.space_of(block):
            found[b].append(z)
    passes.searches += len(jobs)
    summary = {
        "starts": len(jobs),
        "lowest_energy_outside": min((r[0] for r in results), default=None),
        "largest_drop": max((r[1] for r in results), default=0.0),
        "missing_states": sum(energy < limit - 0.5 * passes.goal for energy, *_ in results)
        + sum(len(part.missing) for part in low),
    }
    if not any(found) or _stands(passes, summary):
        found = []
    summary["completeness"] = f"searched {passes.searches} times" if jobs and not any(found) else "unknown"
    return summary, found if any(found) else []


@dataclass(frozen=True)
class Low:
    """Products of low diagonal that the known states do not contain: those that show a state ``missing``, and others to
    ``start`` a search from."""

    missing: list[SectorTrain]
    starts: list[SectorTrain]


def outside_known(passes: Passes, block: Block, limit: float) -> Low:
    """Products of low diagonal against the known states.

    Where the part of a product outside the known states has a mean energy below the last wanted level, a state is
    missing (by the variational principle, as far as those states are exact).
    """
    assert passes.reference is not None
    modes, n = passes.operator.modes, len(block.trains)
    found = Low([], [])
    for product, diagonal in zip(*low_products(passes.reference.operator, 2 * n + LOW_PRODUCTS, passes.rng)):
        p = product_state(modes, [int(i) for i in product])
        if p.charge != block.charge:
            continue
        overlaps = np.array([inner(x, p) for x in block.trains])
        outside = 1.0 - float(overlaps @ overlaps)
        if outside <= OUTSIDE:
            continue
        mean = (float(diagonal) - float(overlaps**2 @ block.energies)) / outside
        if mean < limit - passes.goal and n + len(found.missing) < min(2 * n, passes.space_of(block)):
            found.missing.append(p)
        else:
            found.starts.append(p)
    return found


def _stands(passes: Passes, summary: dict[str, Any]) -> bool:
    """Whether what was found only repeats the last level: nothing lower, and the round before it changed nothing."""
    now = np.sort(passes.all_of("energies"))[: passes.n_states]
    before, passes.listed = passes.listed, now
    unchanged = before is not None and len(before) == len(now) and np.max(np.abs(now - before)) <= passes.goal
    return unchanged and not summary["missing_states"]


def _starts(probes: int, block: Block) -> int:
    """Starts at each shift: more than asked for where the trains are small and a start costs next to nothing."""
    numbers = sum(core.size for x in block.trains for core in x.cores)
    return min(probes * int(np.clip(CHEAP / max(numbers, 1), 1, MOST_STARTS)), MOST_STARTS) if probes else 0


def _shifts(passes: Passes, limit: float) -> list[tuple[float, int]]:
    """Where a search looks, with its rank: above the last wanted level, in the list's middle, below it."""
    energies = passes.all_of("energies")
    ground, top = float(energies.min()), float(energies.max())
    width = max(limit - ground, passes.scale)
    above = 0.5 * (limit + top) if top > limit else limit + passes.delta
    below = [ground - share * width for share in SHARES]
    if limit - ground > SHARES[1] * width:  # a list of one level, or of nearly one, has no middle
        below.append(0.5 * (ground + limit))
    return [(above, passes.method.first_rank), *((shift, PROBE_RANK) for shift in below)]


def held_against(passes: Passes, reference: Reference) -> tuple[dict[str, Any], list[list[SectorTrain]]]:
    """The list held against the levels of a small space: the states that the known ones do not contain."""
    exact, n = reference.spectrum, passes.n_states
    assert exact is not None
    energies = np.sort(passes.all_of("energies"))[:n]
    count = min(n, len(energies))
    off = np.full(n, np.inf)
    off[:count] = np.abs(energies[:count] - exact.energies[:count])
    found: list[list[SectorTrain]] = [[] for _ in passes.blocks]
    if off.max() > max(passes.goal, exact.floor):
        for b, block in enumerate(passes.blocks):
            known = np.array([dense_vector(x) for x in block.trains]).T
            basis, _ = np.linalg.qr(known)
            for i in np.flatnonzero(exact.charges[:n] == block.charge):
                v = exact.vector(int(i))
                outside = v - basis @ (basis.T @ v)
                if outside @ outside > OUTSIDE:
                    x = state_train(exact, int(i), reference.operator, passes.operator.modes, passes.method.max_rank)
                    assert isinstance(x, SectorTrain)
                    found[b].append(x)
                    basis = np.column_stack([basis, outside / np.linalg.norm(outside)])
    outside_energy = float(exact.energies[n]) if len(exact.energies) > n else None
    summary = {
        "method": "held against vectors over the whole space",
        "completeness": exact.completeness,
        "starts": exact.starts,
        "lowest_energy_outside": outside_energy,
        "largest_drop": float(np.max(energies[:count] - exact.energies[:count], initial=0.0)),
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
