"""Rayleigh-Ritz in the span of many trains, sector by sector, and one train for each Ritz vector.

Matrix elements are kept while their trains do not change. A Ritz vector that is mostly one train is represented by it;
a mixture becomes the rounded sum of its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from solvers.eigen import tasks
from solvers.eigen.errors import estimate
from solvers.eigen.many_states import ManyStates, Sector, State
from solvers.sectors.train import SectorTrain

TILE = 6
PAIRS = 60  # overlaps a task
MIXING = 5e-4  # Ritz coefficients below this are left out of right-hand sides
MIXED = 0.1  # a state with a second coefficient above this is a mixture of trains
PART = 0.3  # of that a coefficient must exceed to be part of the mixture
OVERLAP = 3e-3  # of two trains in the list: more is put right
PULL = 0.03  # of the goal: what overlap^2 may move an energy by, whatever lies between the two states
ROUNDING = 1e-5  # of the sums that put it right, at most, and of mixtures
FEW = 100  # trains of a sector, all pairs of which are looked at: of 42 of rank 100 no more than 3 per cent of a run
DEGENERATE, MIXED_DEGENERATE = 1e-5, 3e-5  # energies this close (of the scale) mix freely: a smaller coefficient counts
SINGULAR = 1e-9  # eigenvalue of the scaled overlap matrix below which a direction is none


def stable_eigh(h: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Generalised eigenpairs of h v = e s v, ascending; directions in which ``s`` is singular are left out.

    Values (k,) and vectors (n, k), v^T s v = 1.
    """
    scale = 1.0 / np.sqrt(np.diag(s))
    values, vectors = eigh(s * np.outer(scale, scale))
    keep = values > SINGULAR
    basis = scale[:, None] * vectors[:, keep] / np.sqrt(values[keep])
    energies, coefficients = eigh(basis.T @ h @ basis)
    return energies, basis @ coefficients


def rayleigh_ritz(many: ManyStates) -> None:
    """Diagonalise H in the span of each sector's trains; pairs farther apart than the window count as uncoupled.

    1. Elements that are not known from before.
    2. The small generalised eigenproblem of each sector.
    3. One train for each of its eigenvectors.
    """
    pairs = [_coupled(many, sector) for sector in many.sectors]
    _complete_elements(many, pairs)
    energies = [_diagonalise(sector, own) for sector, own in zip(many.sectors, pairs)]
    _represent(many, energies)


def _coupled(many: ManyStates, sector: Sector) -> list[tuple[int, int]]:
    """The pairs (i, j), j <= i, of a sector's trains that are close enough in energy."""
    e = sector.energies
    return [(i, j) for i in range(len(e)) for j in range(i + 1) if abs(e[i] - e[j]) < many.window]


def _complete_elements(many: ManyStates, pairs: Sequence[list[tuple[int, int]]]) -> None:
    """The elements of the pairs, those that are missing computed in tiles, which need few trains each."""
    jobs, where = [], []
    for sector, own in zip(many.sectors, pairs):
        ritz, names = sector.ritz, [state.name for state in sector.states]
        ritz.basis = sector.trains
        tiles: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for i, j in own:
            if (names[i], names[j]) not in ritz.elements:
                tiles.setdefault((i // TILE, j // TILE), []).append((i, j))
        for chunk in tiles.values():
            needed = sorted({k for pair in chunk for k in pair})
            jobs.append((many.operator, {k: ritz.basis[k] for k in needed}, chunk))
            where.append(sector)
    for sector, found in zip(where, tasks.run_tasks(many.executor, tasks.pair_elements, jobs)):
        for i, j, hij, sij in found:
            sector.ritz.elements[sector.states[i].name, sector.states[j].name] = (hij, sij)
            many.counts["pair_elements"] += 1


def _diagonalise(sector: Sector, pairs: list[tuple[int, int]]) -> np.ndarray:
    """The Ritz values of a sector; its ``ritz`` says what they are made of."""
    ritz, names = sector.ritz, [state.name for state in sector.states]
    h, s = np.zeros((len(names), len(names))), np.eye(len(names))
    for i, j in pairs:
        h[i, j], s[i, j] = h[j, i], s[j, i] = ritz.elements[names[i], names[j]]
    ritz.elements = {k: ritz.elements[k] for k in ((names[i], names[j]) for i, j in pairs)}
    energies, vectors = stable_eigh(h, s)
    ritz.sources, ritz.weights = [], []
    for vector in vectors.T:
        v = vector * np.sign(vector[np.argmax(np.abs(vector))])
        used = [int(j) for j in np.argsort(-np.abs(v)) if abs(v[j]) > MIXING]
        ritz.sources.append(used)
        ritz.weights.append([float(v[j]) for j in used])
    return energies


def _represent(many: ManyStates, energies: Sequence[np.ndarray]) -> None:
    """One train a state: the basis train it mostly is, or the rounded sum of the few that make it up."""
    jobs, where = [], []
    for sector, own in zip(many.sectors, energies):
        mixtures = {i: made_of for i in range(len(own)) if len(made_of := parts(many, sector, i)) > 1}
        for chunk in tasks.chunks(mixtures, tasks.CHUNK):
            listed = []
            for i in chunk:
                sources, weights = [j for j, _ in mixtures[i]], [w for _, w in mixtures[i]]
                most = min(round(1.5 * max(sector.ritz.basis[j].max_rank for j in sources)) + 1, many.method.max_rank)
                listed.append(tasks.Sum(i, sources, weights, most))
            needed = sorted({j for each in listed for j in each.sources})
            jobs.append(({j: sector.ritz.basis[j] for j in needed}, listed, ROUNDING))
            where.append(sector)
    results = tasks.run_tasks(many.executor, tasks.recombine, jobs)
    for sector, own in zip(many.sectors, energies):
        sums = {i: x for other, found in zip(where, results) if other is sector for i, x in found}
        states = []
        for i, energy in enumerate(own):
            state = replace(sector.states[sector.ritz.sources[i][0]], energy=float(energy), mixed=i in sums)
            if i in sums:
                state.train, state.name, state.error = sums[i], next(many.names), np.inf
            state.rank = state.train.max_rank
            states.append(state)
        sector.states = states


def parts(many: ManyStates, sector: Sector, i: int) -> list[tuple[int, float]]:
    """The trains, with coefficients, that Ritz state ``i`` is made of; a single one where it is no mixture.

    The sector's states are still those of the trains that were diagonalised in.
    """
    listed = list(zip(sector.ritz.sources[i], sector.ritz.weights[i]))
    lead, most = listed[0][0], abs(listed[1][1]) if len(listed) > 1 else 0.0
    quotients = sector.numbers("quotient")
    close = np.abs(quotients - quotients[lead]) <= DEGENERATE * many.scale
    kept = [
        (j, w)
        for j, w in listed[1:]
        if (most > MIXED and abs(w) > PART * MIXED) or (close[j] and abs(w) > MIXED_DEGENERATE)
    ]
    return [listed[0], *kept]


def finish(many: ManyStates) -> None:
    """Orthonormal trains that carry the energies returned, and errors that know of both.

    1. Trains that overlap are put together anew: Rayleigh-Ritz among all that hang together, each sum rounded. A part c
       of a state farther below, outside the window, pulls an energy down by c^2 times what lies between them.
    2. The energy of a state is the Rayleigh quotient of its train. What the Ritz value has beyond that, by couplings
       the train does not hold, and what it is pulled by, are part of the error.
    """
    ritz_values = [sector.energies for sector in many.sectors]
    seen: dict[tuple[int, int], float] = {}
    for _ in range(2):
        changed = False
        for sector in many.sectors:
            states = list(sector.states)
            overlaps, pulls = _overlaps(many, sector, seen)
            for group in connected((np.abs(overlaps) > OVERLAP) | (np.abs(pulls) > PULL * many.goal)):
                if len(group) > 1:
                    _orthogonalise(many, sector, [states[i] for i in group])
                    changed = True
        if not changed:
            break
        estimate(many, "error estimates", 0.9, 0.9)
    for sector, values in zip(many.sectors, ritz_values):
        sector.states = [sector.states[i] for i in np.argsort(sector.numbers("quotient"), kind="stable")]
        pulled = np.maximum(_overlaps(many, sector, seen)[1], 0.0).sum(axis=1)
        for state, value, pull in zip(sector.states, np.sort(values), pulled):
            state.energy = state.quotient
            state.error += (abs(state.quotient - float(value)) + float(pull)) / many.safety


def _overlaps(many: ManyStates, sector: Sector, seen: dict[tuple[int, int], float]) -> tuple[np.ndarray, np.ndarray]:
    """<x_i|x_j> of the trains of a sector, the diagonal set to zero, and what each pulls the energy of i down by.

    Those of Rayleigh-Ritz where they are known, or ``seen``, which is added to; others computed for trains that are
    close in energy, or all where they are few.
    """
    states, elements = sector.states, sector.ritz.elements
    n = len(states)
    found = np.zeros((n, n))
    pairs = []
    for i in range(n):
        for j in range(i):
            x, y = states[i], states[j]
            known = elements.get((x.name, y.name)) or elements.get((y.name, x.name))
            if known is not None:
                found[i, j] = found[j, i] = known[1]
            elif (x.name, y.name) in seen:
                found[i, j] = found[j, i] = seen[x.name, y.name]
            elif n <= FEW or abs(x.energy - y.energy) < many.window:
                pairs.append((i, j))
    jobs = []
    for chunk in tasks.chunks(pairs, PAIRS):
        needed = sorted({k for pair in chunk for k in pair})
        jobs.append(({k: states[k].train for k in needed}, chunk))
    for part in tasks.run_tasks(many.executor, tasks.pair_overlaps, jobs):
        for i, j, value in part:
            found[i, j] = found[j, i] = value
            seen[states[i].name, states[j].name] = seen[states[j].name, states[i].name] = value
    quotients = sector.numbers("quotient")
    return found, found**2 * (quotients[:, None] - quotients[None, :])


def connected(related: np.ndarray) -> list[list[int]]:
    """The groups of indices that a symmetric relation joins."""
    count, label = connected_components(csr_matrix(related), directed=False)
    return [[int(i) for i in np.flatnonzero(label == g)] for g in range(count)]


def _orthogonalise(many: ManyStates, sector: Sector, group: list[State]) -> None:
    """The trains of a group replaced by the rounded Ritz vectors of their span; as many as it has dimensions."""
    n = len(group)
    trains: dict[int, SectorTrain] = {i: state.train for i, state in enumerate(group)}
    pairs = [(i, j) for i in range(n) for j in range(i + 1)]
    h, s = np.zeros((n, n)), np.zeros((n, n))
    for i, j, hij, sij in tasks.pair_elements(many.operator, trains, pairs):
        h[i, j] = h[j, i] = hij
        s[i, j] = s[j, i] = sij
    many.counts["pair_elements"] += len(pairs)
    _, vectors = stable_eigh(h, s)
    jobs = [tasks.Sum(c, list(range(n)), [float(w) for w in v], many.method.max_rank) for c, v in enumerate(vectors.T)]
    spread = many.scale + float(np.ptp(sector.energies))
    tol = float(np.clip(0.03 * np.sqrt(many.goal / spread), 1e-10, ROUNDING))
    for i, x in tasks.recombine(trains, jobs, tol):
        state = group[i]
        state.train, state.name = x, next(many.names)
        state.rank, state.error, state.mixed = x.max_rank, np.inf, True
    lost = group[vectors.shape[1] :]  # of the same states: their place is for what a search may find
    sector.states = [state for state in sector.states if not any(state is other for other in lost)]
