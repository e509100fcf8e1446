"""A search for missing states: random starts in the orthogonal complement of those found, or a small space's levels.

A start is made orthogonal to the known states of its sector and driven down by inverse iteration at one of up to four
shifts: just above the last wanted level, in the middle of the list, and at two distances below it, as a shift amplifies
what lies next to it and not a state missed far below. Rayleigh-Ritz with the known states follows; a missed state comes
out as a new Ritz vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.full_vectors import Reference, dense_vector, state_train
from solvers.eigen.low_products import low_products
from solvers.eigen.many_states import ManyStates, Sector, State
from solvers.eigen.ritz import stable_eigh
from solvers.eigen.shifted_solve import ShiftedSolve, step_options
from solvers.methods import InverseIteration
from solvers.sectors.environments import sandwich
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import SectorTrain, inner, product_state, random_train

PROBE_STEPS = 4
START_RANK = 6  # of a random start
SEEN = 1e-6  # overlap with a known state that is taken out of a start
CHEAP, MOST_STARTS = 2_000_000, 2  # numbers in a sector's trains up to which starts are repeated, and how often
CONTRAST = 6.0
PROBE_RANK = 12  # of starts that look for what lies well below the top of the list
SHARES = (0.5, 0.05)  # of the list's width, from the ground level down to the shifts below it
MOST_ROUNDS = 8  # of searches and what follows from them
LOW_PRODUCTS = 20  # beside twice the states known
OUTSIDE = 0.3  # of a state's weight, outside those known: it is missing


@dataclass
class Search:
    """What a calculation looks for missing states with, and what came of it until now.

    ``weights``: of the functions of every mode, in random starts. ``reference``: the levels of a small space, and the
    operator. ``cold``: whether no table of products gave the start. ``starts``: random starts until now; ``listed``:
    the levels at the search before.
    """

    weights: list[np.ndarray]
    reference: Reference | None = None
    cold: bool = False
    starts: int = 0
    listed: np.ndarray | None = None

    def memory(self) -> dict[str, Any]:
        """What came of it until now, for a checkpoint."""
        return {"starts": self.starts, "listed": self.listed}

    def remember(self, data: Mapping[str, Any]) -> None:
        """Take it from there."""
        self.starts, self.listed = data["starts"], data["listed"]


@dataclass(frozen=True)
class Probe:
    """One start in the complement of the known states of a sector.

    ``weights``: of the functions of every mode in a random start, None for one near a random corner; ``start``: a train
    to begin from instead. ``rank``: of the solves.
    """

    charge: int
    trains: list[SectorTrain]
    energies: np.ndarray
    shift: float
    rank: int
    weights: list[np.ndarray] | None
    seed: int
    start: SectorTrain | None = None


@dataclass(frozen=True)
class Seen:
    """What a probe saw: ``energy`` of the one Ritz vector that is new (infinite where there is none), the largest
    ``drop`` it causes in a known energy, and its ``train``."""

    energy: float
    drop: float
    train: SectorTrain


def probe(operator: SectorOperator, task: Probe, method: InverseIteration, scale: float) -> Seen:
    """Look at the complement of the known states of a sector once; ``scale``: the lowest excitation energy."""
    operator = tasks.known(operator)
    trains = task.trains
    rng = np.random.default_rng(task.seed)
    weights = task.weights
    if weights is None:  # a corner: few functions of every mode, one here, another there
        weights = [np.exp(-CONTRAST * rng.random(sum(n for _, n in mode))) for mode in operator.modes]
    z = task.start or random_train(operator.modes, task.charge, START_RANK, weights, rng)
    n, options = len(trains), step_options(method, min(task.rank, method.max_rank), scale)
    for _ in range(PROBE_STEPS):
        overlaps = np.array([inner(x, z) for x in trains])
        used = [j for j in range(n) if abs(overlaps[j]) > SEEN]
        sources = [z, *(trains[j] for j in used)]
        step = ShiftedSolve(operator, z, sources, [1.0, *(-overlaps[used])], task.shift, options, rng)
        z = step.solve()[0]
        if inner(z, z) == 0.0:
            return Seen(np.inf, 0.0, z)  # no complement is left
        z = tasks.normalised(z)
    h, s = np.diag([*task.energies, sandwich(operator, z, z)]), np.eye(n + 1)
    for j, x in enumerate(trains):
        h[n, j] = h[j, n] = sandwich(operator, x, z)
        s[n, j] = s[j, n] = inner(x, z)
    energies, vectors = stable_eigh(h, s)
    if len(energies) <= n:
        return Seen(np.inf, 0.0, z)  # the start collapsed into the known states: nothing outside them
    new = int(np.argmax(np.abs(vectors[n])))
    drop = float(np.max(task.energies - np.delete(energies, new), initial=0.0))
    return Seen(float(energies[new]), drop, z)


def searched(many: ManyStates, search: Search, number: int) -> tuple[dict[str, Any], list[list[SectorTrain]]]:
    """``look`` after round ``number``; twice in a row before a list that lacked states, without a table of products
    to begin from, counts as complete."""
    summary, found = look(many, search)
    if search.cold and number and summary["completeness"].startswith("searched"):
        summary, found = look(many, search)
    return summary, found


def look(many: ManyStates, search: Search) -> tuple[dict[str, Any], list[list[SectorTrain]]]:
    """Look for missing states in the complement of those known, sector by sector: what was seen, and trains to take in.

    In a small space by its full vectors; else from random starts at up to four shifts, of which the one near the top of
    the list has the rank of a first pass and the others, which look for what lies well below, a lower one.
    """
    if search.reference is not None and search.reference.spectrum is not None:
        return held_against(many, search.reference)
    limit = many.threshold()
    low = [outside_known(many, search, sector, limit) if search.cold else Low([], []) for sector in many.sectors]
    jobs, where = [], []
    for b, sector in enumerate(many.sectors):
        for task in _probes(many, search, sector, limit, low[b].starts):
            jobs.append((many.operator, task, many.method, many.scale))
            where.append(b)
    results: list[Seen] = tasks.run_tasks(
        many.executor, probe, jobs, many.progress("probe of the complement", 0.9, 1.0)
    )
    found: list[list[SectorTrain]] = [list(part.missing) for part in low]
    for b, seen in zip(where, results):
        sector = many.sectors[b]
        if seen.energy < limit + many.goal and len(sector.states) + len(found[b]) < many.space_of(sector):
            found[b].append(seen.train)
    search.starts += len(jobs)
    summary: dict[str, Any] = {
        "starts": len(jobs),
        "lowest_energy_outside": min((seen.energy for seen in results), default=None),
        "largest_drop": max((seen.drop for seen in results), default=0.0),
        "missing_states": sum(seen.energy < limit - 0.5 * many.goal for seen in results)
        + sum(len(part.missing) for part in low),
    }
    if not any(found) or _stands(many, search, summary):
        found = []
    summary["completeness"] = f"searched {search.starts} times" if jobs and not any(found) else "unknown"
    return summary, found if any(found) else []


def _probes(many: ManyStates, search: Search, sector: Sector, limit: float, products: list[SectorTrain]) -> list[Probe]:
    """The probes of one sector: every other one from a corner, or from one of the ``products`` while there are any."""
    listed = []
    for shift, rank in _shifts(many, limit):
        for number in range(_starts(many.method.probes, sector)):
            corner = number % 2 == 1
            seed = int(many.rng.integers(2**31))
            start = products.pop(0) if corner and products else None
            weights = None if corner else search.weights
            rank = min(rank, many.method.first_rank)
            listed.append(Probe(sector.charge, sector.trains, sector.energies, shift, rank, weights, seed, start))
    return listed


@dataclass(frozen=True)
class Low:
    """Products of low diagonal that the known states do not contain: those that show a state ``missing``, and others to
    ``start`` a search from."""

    missing: list[SectorTrain]
    starts: list[SectorTrain]


def outside_known(many: ManyStates, search: Search, sector: Sector, limit: float) -> Low:
    """Products of low diagonal against the known states.

    Where the part of a product outside the known states has a mean energy below the last wanted level, a state is
    missing (by the variational principle, as far as those states are exact).
    """
    assert search.reference is not None
    modes, n = many.operator.modes, len(sector.states)
    found = Low([], [])
    for product, diagonal in zip(*low_products(search.reference.operator, 2 * n + LOW_PRODUCTS, many.rng)):
        p = product_state(modes, [int(i) for i in product])
        if p.charge != sector.charge:
            continue
        overlaps = np.array([inner(x, p) for x in sector.trains])
        outside = 1.0 - float(overlaps @ overlaps)
        if outside <= OUTSIDE:
            continue
        mean = (float(diagonal) - float(overlaps**2 @ sector.energies)) / outside
        if mean < limit - many.goal and n + len(found.missing) < min(2 * n, many.space_of(sector)):
            found.missing.append(p)
        else:
            found.starts.append(p)
    return found


def _stands(many: ManyStates, search: Search, summary: dict[str, Any]) -> bool:
    """Whether what was found only repeats the last level: nothing lower, and the round before it changed nothing."""
    now = many.lowest()
    before, search.listed = search.listed, now
    unchanged = before is not None and len(before) == len(now) and np.max(np.abs(now - before)) <= many.goal
    return unchanged and not summary["missing_states"]


def _starts(probes: int, sector: Sector) -> int:
    """Starts at each shift: more than asked for where the trains are small and a start costs next to nothing."""
    numbers = sum(core.size for x in sector.trains for core in x.cores)
    return min(probes * int(np.clip(CHEAP / max(numbers, 1), 1, MOST_STARTS)), MOST_STARTS) if probes else 0


def _shifts(many: ManyStates, limit: float) -> list[tuple[float, int]]:
    """Where a search looks, with its rank: above the last wanted level, in the list's middle, below it."""
    energies = many.numbers("energy")
    ground, top = float(energies.min()), float(energies.max())
    width = max(limit - ground, many.scale)
    above = 0.5 * (limit + top) if top > limit else limit + many.delta
    below = [ground - share * width for share in SHARES]
    if limit - ground > SHARES[1] * width:  # a list of one level, or of nearly one, has no middle
        below.append(0.5 * (ground + limit))
    return [(above, many.method.first_rank), *((shift, PROBE_RANK) for shift in below)]


def held_against(many: ManyStates, reference: Reference) -> tuple[dict[str, Any], list[list[SectorTrain]]]:
    """The list held against the levels of a small space: the states that the known ones do not contain."""
    exact, n = reference.spectrum, many.wanted
    assert exact is not None
    energies = many.lowest()
    count = min(n, len(energies))
    off = np.full(n, np.inf)
    off[:count] = np.abs(energies[:count] - exact.energies[:count])
    found: list[list[SectorTrain]] = [[] for _ in many.sectors]
    if off.max() > max(many.goal, exact.floor):
        for b, sector in enumerate(many.sectors):
            known = np.array([dense_vector(x) for x in sector.trains]).T
            basis, _ = np.linalg.qr(known)
            for i in np.flatnonzero(exact.charges[:n] == sector.charge):
                v = exact.vector(int(i))
                outside = v - basis @ (basis.T @ v)
                if outside @ outside > OUTSIDE:
                    x = state_train(exact, int(i), reference.operator, many.operator.modes, many.method.max_rank)
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


def take_in(many: ManyStates, sector: Sector, new: list[SectorTrain]) -> list[int]:
    """Add trains found by the search; the states to improve are these and their neighbours in energy."""
    if not new:
        return []
    for z in new:
        next_rank = int(np.median(sector.numbers("next_rank")))
        energy = sandwich(many.operator, z, z)
        sector.states.append(State(z, energy, z.max_rank, next_rank, name=next(many.names)))
    sector.states.sort(key=lambda state: state.energy)
    sector.ritz.reset(sector.trains)
    return [i for i, state in enumerate(sector.states) if not np.isfinite(state.error)]
