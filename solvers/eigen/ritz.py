"""Rayleigh-Ritz in the span of many trains, block by block, and one train for each Ritz vector.

Matrix elements are kept while their trains do not change. A Ritz vector that is mostly one train is represented by it;
a mixture becomes the rounded sum of its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from solvers.eigen import tasks
from solvers.eigen.blocks import Block, stable_eigh

if TYPE_CHECKING:
    from solvers.eigen.inverse_iteration import Passes

TILE = 6
MIXING = 5e-4  # Ritz coefficients below this are left out of right-hand sides
MIXED = 0.1  # a state with a second coefficient above this is a mixture of trains
OVERLAP = 3e-3  # of two trains in the list: more is put right
ROUNDING = 1e-5  # of the sums that put it right, at most
FEW = 20  # trains of a block, all pairs of which are looked at
DEGENERATE, MIXED_DEGENERATE = 1e-5, 3e-5  # energies this close (of the scale) mix freely: a smaller coefficient counts


def rayleigh_ritz(passes: Passes) -> None:
    """Diagonalise H in the span of each block's trains; pairs farther apart than the window count as uncoupled."""
    jobs, where, wanted = [], [], []
    for b, block in enumerate(passes.blocks):
        block.basis = list(block.trains)
        n, e, names = len(block.basis), block.energies, block.names
        pairs = [(i, j) for i in range(n) for j in range(i + 1) if abs(e[i] - e[j]) < passes.window]
        wanted.append(pairs)
        missing = [(i, j) for i, j in pairs if (names[i], names[j]) not in block.elements]
        tiles: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for i, j in missing:  # tiles of pairs need few trains each
            tiles.setdefault((i // TILE, j // TILE), []).append((i, j))
        for chunk in tiles.values():
            needed = sorted({k for pair in chunk for k in pair})
            jobs.append((passes.operator, {k: block.basis[k] for k in needed}, chunk))
            where.append(b)
    for b, found in zip(where, tasks.run_tasks(passes.executor, tasks.pair_elements, jobs)):
        names = passes.blocks[b].names
        for i, j, hij, sij in found:
            passes.blocks[b].elements[names[i], names[j]] = (hij, sij)
            passes.counts["pair_elements"] += 1
    matrices = []
    for block, pairs in zip(passes.blocks, wanted):
        n, names = len(block.basis), block.names
        h, s = np.zeros((n, n)), np.eye(n)
        for i, j in pairs:
            h[i, j], s[i, j] = h[j, i], s[j, i] = block.elements[names[i], names[j]]
        matrices.append((h, s))
        block.elements = {k: block.elements[k] for k in ((names[i], names[j]) for i, j in pairs)}
    for block, (h, s) in zip(passes.blocks, matrices):
        energies, vectors = stable_eigh(h, s)
        n = len(energies)
        block.energies = energies
        block.sources, block.weights = [], []
        for i in range(n):
            v = vectors[:, i] * np.sign(vectors[np.argmax(np.abs(vectors[:, i])), i])
            used = [int(j) for j in np.argsort(-np.abs(v)) if abs(v[j]) > MIXING]
            block.sources.append(used)
            block.weights.append([float(v[j]) for j in used])
    _represent(passes)


def _represent(passes: Passes) -> None:
    """One train a state: the basis train it mostly is, or the rounded sum of the few that make it up."""
    jobs, where = [], []
    for b, block in enumerate(passes.blocks):
        mixed = [i for i in range(len(block.weights)) if len(parts(passes, block, i)) > 1]
        for chunk in tasks.chunks(mixed, tasks.CHUNK):
            listed = []
            for i in chunk:
                made_of = parts(passes, block, i)
                most = min(round(1.5 * max(block.basis[j].max_rank for j, _ in made_of)) + 1, passes.method.max_rank)
                listed.append((i, [j for j, _ in made_of], [w for _, w in made_of], most))
            needed = sorted({j for _, sources, *_ in listed for j in sources})
            jobs.append(({j: block.basis[j] for j in needed}, listed, 1e-5))
            where.append(b)
    results = tasks.run_tasks(passes.executor, tasks.recombine, jobs)
    for b, block in enumerate(passes.blocks):
        found = {i: x for w, r in zip(where, results) if w == b for i, x in r}
        lead = [sources[0] for sources in block.sources]
        block.trains = [found.get(i, block.basis[j]) for i, j in enumerate(lead)]
        block.names = [next(passes.names) if i in found else block.names[j] for i, j in enumerate(lead)]
        block.errors = np.array([np.inf if i in found else block.errors[j] for i, j in enumerate(lead)])
        block.residuals = block.residuals[lead]
        block.next_ranks = block.next_ranks[lead]
        block.quotients, block.before = block.quotients[lead], block.before[lead]
        block.mixed = np.array([i in found for i in range(len(lead))])
        block.ranks = np.array([x.max_rank for x in block.trains])


def parts(passes: Passes, block: Block, i: int) -> list[tuple[int, float]]:
    """The trains, with coefficients, that Ritz state ``i`` is made of; a single one where it is no mixture."""
    listed = list(zip(block.sources[i], block.weights[i]))
    lead, most = listed[0][0], abs(listed[1][1]) if len(listed) > 1 else 0.0
    close = np.abs(block.quotients - block.quotients[lead]) <= DEGENERATE * passes.scale
    kept = [
        (j, w)
        for j, w in listed[1:]
        if (most > MIXED and abs(w) > 0.3 * MIXED) or (close[j] and abs(w) > MIXED_DEGENERATE)
    ]
    return [listed[0], *kept]


def finish(passes: Passes) -> None:
    """Orthonormal trains that carry the energies returned, and errors that know of both.

    1. Trains that overlap are put together anew: Rayleigh-Ritz among all that hang together, each sum rounded.
    2. The energy of a state is the Rayleigh quotient of its train. What the Ritz value has beyond that, by couplings
       the train does not hold or by pairs that were taken for uncoupled, is part of the error.
    """
    ritz = [np.array(block.energies) for block in passes.blocks]
    for _ in range(2):
        changed = False
        for block in passes.blocks:
            overlaps = _overlaps(passes, block)
            for group in connected(np.abs(overlaps) > OVERLAP):
                if len(group) > 1:
                    _orthogonalise(passes, block, group)
                    changed = True
        if not changed:
            break
        passes.estimate("error estimates", 0.9, 0.9)
    for block, values in zip(passes.blocks, ritz):
        order = np.argsort(block.quotients, kind="stable")
        for name in ("errors", "residuals", "ranks", "next_ranks", "mixed", "quotients", "before"):
            setattr(block, name, getattr(block, name)[order])
        block.trains, block.names = [block.trains[i] for i in order], [block.names[i] for i in order]
        block.energies = block.quotients.copy()
        block.errors = block.errors + np.abs(block.quotients - np.sort(values)[: len(order)]) / passes.safety


def _overlaps(passes: Passes, block: Block) -> np.ndarray:
    """<x_i|x_j> of the trains of a block, the diagonal set to zero: those of Rayleigh-Ritz where they are known, others
    computed for trains that are close in energy, or all where they are few."""
    n, e = len(block.trains), block.energies
    found = np.zeros((n, n))
    pairs = []
    for i in range(n):
        for j in range(i):
            known = block.elements.get((block.names[i], block.names[j])) or block.elements.get(
                (block.names[j], block.names[i])
            )
            if known is not None:
                found[i, j] = found[j, i] = known[1]
            elif n <= FEW or abs(e[i] - e[j]) < passes.window:
                pairs.append((i, j))
    jobs = []
    for chunk in tasks.chunks(pairs, 60):
        needed = sorted({k for pair in chunk for k in pair})
        jobs.append(({k: block.trains[k] for k in needed}, chunk))
    for part in tasks.run_tasks(passes.executor, tasks.pair_overlaps, jobs):
        for i, j, value in part:
            found[i, j] = found[j, i] = value
    return found


def connected(related: np.ndarray) -> list[list[int]]:
    """The groups of indices that a symmetric relation joins."""
    count, label = connected_components(csr_matrix(related), directed=False)
    return [[int(i) for i in np.flatnonzero(label == g)] for g in range(count)]


def _orthogonalise(passes: Passes, block: Block, group: list[int]) -> None:
    """The trains of a group replaced by the rounded Ritz vectors of their span; as many as it has dimensions."""
    trains = {i: block.trains[i] for i in group}
    pairs = [(i, j) for i in group for j in group if j <= i]
    at = {k: number for number, k in enumerate(group)}
    h, s = np.zeros((len(group), len(group))), np.zeros((len(group), len(group)))
    for i, j, hij, sij in tasks.pair_elements(passes.operator, trains, pairs):
        h[at[i], at[j]] = h[at[j], at[i]] = hij
        s[at[i], at[j]] = s[at[j], at[i]] = sij
    passes.counts["pair_elements"] += len(pairs)
    _, vectors = stable_eigh(h, s)
    jobs = [(group[c], group, [float(w) for w in v], passes.method.max_rank) for c, v in enumerate(vectors.T)]
    spread = passes.scale + float(np.ptp(block.energies))
    tol = float(np.clip(0.03 * np.sqrt(passes.goal / spread), 1e-10, ROUNDING))
    for i, x in tasks.recombine(trains, jobs, tol):
        block.trains[i], block.names[i] = x, next(passes.names)
        block.ranks[i], block.errors[i], block.mixed[i] = x.max_rank, np.inf, True
    lost = group[vectors.shape[1] :]
    if lost:  # of the same states: their place is for what a search may find
        keep = [i for i in range(len(block.trains)) if i not in lost]
        block.trains, block.names = [block.trains[i] for i in keep], [block.names[i] for i in keep]
        for name in ("energies", "errors", "residuals", "ranks", "next_ranks", "mixed", "quotients", "before"):
            setattr(block, name, getattr(block, name)[keep])
