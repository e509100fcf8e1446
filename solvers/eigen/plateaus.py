"""Levels that stand still while the space grows: those of a well beside a hole, found in products of few quanta.

Where a polynomial potential falls to minus infinity behind a barrier, H has no lowest level, but in the oscillator
products of at most Q quanta (solvers.eigen.pruned) the levels of the well settle as Q grows, long before products
reach the hole; beyond, they begin to drift, and levels of the hole run down between them. So

1. all levels of a first, small Q, by dense diagonalisation,
2. Q + 2 again and again: the states nearest to those before (solvers.eigen.homing), each with the change of its level,
3. a level is taken where it changed least, with an error from its changes (solvers.eigen.chains).
4. Where all products of Q + 2 quanta are too many, those that matter go into the space and the rest is added to second
   order (solvers.eigen.shells); a share of it is in the error.

Cost: the rows of the largest matrix, one for each product asked in 4, and some ten products of it with the states for
every Q.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from solvers.eigen.chains import Chain
from solvers.eigen.few_quanta import STEP, Sector, affordable, choose, sectors_of, whole_quanta
from solvers.eigen.homing import nearest_eigenvectors
from solvers.eigen.pruned import Terms, products_of, shifts_of

DENSE = 1000  # products of one symmetry, solved by dense diagonalisation
LEFT = 0.05  # of the accuracy: what is left to second order where there is room
BUFFER = (4, 3)  # states along, beyond those asked: at least, and one of so many
CUTOFF = 1e-5  # of the accuracy: elements left out; with rotation terms half of them cancel to less
SAME = 0.25  # squared overlap of a state with itself in the smaller space, at least
DONE = 0.5  # of the accuracy: errors that end the growth
ON_PLATEAU = 0.02  # of the smallest quantum: an error below it
RESIDUAL = 1e-3  # of the accuracy: what an energy may lack by its residual


@dataclass(frozen=True)
class Plateaus:
    """States of a well: ``energies`` (n,) ascending, ``errors`` (n,), ``changes`` (n,) at the best ``quanta`` (n,),
    ``residuals`` (n,): norms, ``rests`` (n,): what is in the energies to second order, ``charges`` (n,), and
    ``vectors``: of each over the first of its ``products``[charge].

    ``above``: levels past the last one asked for; ``below``: states left out, whose level lies under the bottom;
    ``largest``: quanta of the largest space, of ``functions`` products; ``work``: products with a vector.
    """

    energies: np.ndarray
    errors: np.ndarray
    changes: np.ndarray
    quanta: np.ndarray
    residuals: np.ndarray
    rests: np.ndarray
    charges: np.ndarray
    vectors: list[np.ndarray]
    products: dict[int, np.ndarray]
    above: np.ndarray
    below: int
    largest: int
    functions: int
    work: int


def plateau_levels(
    matrices: Sequence[np.ndarray],
    terms: Terms,
    charges: Sequence[int],
    frequencies: np.ndarray,
    n_states: int,
    *,
    accuracy: float,
    bottom: float = -np.inf,
    most: int,
    told: Callable[[int, np.ndarray, np.ndarray], None] | None = None,
) -> Plateaus:
    """The ``n_states`` lowest states that stand still.

    ``matrices[k]`` (P, n, n): of mode k in functions in order of quanta; terms (c, {k: p}); ``charges[k]``: of an odd
    function of mode k (XOR group); ``frequencies`` (d,) of the oscillators; ``bottom``: of the well; ``most``: quanta
    at most; ``told``: called with quanta, levels and errors after every space.
    """
    sizes = [len(m[0]) for m in matrices]
    shifts = shifts_of(matrices, terms)
    scale = float(frequencies.min())
    along = n_states + max(BUFFER[0], n_states // BUFFER[1])
    whole = min(most, whole_quanta(sizes))
    sectors = sectors_of(shifts, products_of(whole, sizes), charges, frequencies, along, CUTOFF * accuracy)
    tol = float(np.sqrt(RESIDUAL * accuracy * scale))
    quanta, work = _first(sectors, n_states, along, whole, most % STEP), 0
    _begin(sectors, quanta, along)
    chosen = False  # whether products have been left out
    while quanta + STEP <= most and not _settled(sectors, n_states, accuracy, bottom):
        chosen = chosen or quanta + STEP > whole or not affordable(sectors, quanta + STEP)
        if chosen and not choose(sectors, quanta, sizes, charges, frequencies, LEFT * accuracy):
            break
        quanta += STEP
        for sector in sectors:
            work += _grown(sector, quanta, tol, scale)
        if told is not None:
            kept = _lowest(sectors, n_states, bottom)[0]
            told(quanta, np.array([c.level for c in kept]), np.array([c.error for c in kept]))
    kept, above, below = _lowest(sectors, n_states, bottom)
    return Plateaus(
        np.array([c.level for c in kept]),
        np.array([min(c.error, c.level - kept[0].level + scale) for c in kept]),
        np.array([abs(c.changes[c.best - 1]) if c.best else np.inf for c in kept]),
        np.array([c.quanta[c.best] for c in kept]),
        np.sqrt(scale * np.array([c.residuals[c.best] for c in kept])),
        np.array([c.rests[c.best] for c in kept]),
        np.array([c.charge for c in kept]),
        [c.vector for c in kept if c.vector is not None],
        {sector.charge: sector.matrix.products for sector in sectors},
        np.array([c.level for c in above]),
        below,
        quanta,
        sum(len(sector.matrix) for sector in sectors),
        work,
    )


def _first(sectors: Sequence[Sector], n_states: int, along: int, most: int, quanta: int) -> int:
    """Quanta of the first space, so small that no hole is in it: it holds the lowest products, and more than states."""
    sums = np.concatenate([s.sums for s in sectors])
    limit = np.sort(sums)[min(n_states, len(sums)) - 1] * (1.0 + 1e-12)
    highest = max(int(s.totals[s.sums <= limit].max(initial=0)) for s in sectors)
    while quanta + 2 * STEP <= most:
        enough = sum(s.size(quanta) for s in sectors) >= along
        if enough and (quanta >= highest or max(s.size(quanta + STEP) for s in sectors) > DENSE):
            break
        quanta += STEP
    return quanta


def _begin(sectors: Sequence[Sector], quanta: int, along: int) -> None:
    """All levels of the first space, of which the lowest ``along`` begin chains."""
    solved = []
    for sector in sectors:
        sector.matrix.grow(sector.size(quanta))
        solved.append(np.linalg.eigh(sector.matrix.dense()))
    levels = np.sort(np.concatenate([energies for energies, _ in solved]))
    top = levels[min(along, len(levels)) - 1]
    for sector, (energies, vectors) in zip(sectors, solved):
        count = int(np.sum(energies <= top))
        sector.vectors, sector.energies = vectors[:, :count], energies[:count]
        for i in range(count):
            sector.chains.append(Chain(sector.charge))
            sector.chains[-1].add(quanta, float(energies[i]), 0.0, vectors[:, i])


def _grown(sector: Sector, quanta: int, tol: float, scale: float) -> int:
    """The states of a sector in the next space, and those that begin there; the work it took."""
    before, size = len(sector.matrix), sector.size(quanta)
    sector.matrix.grow(size)
    late = 0.0 if sector.shell is None else float("nan")
    new = before + np.flatnonzero(sector.sums[before:size] <= sector.limit)
    sector.chains += [Chain(sector.charge, late) for _ in new]
    count = len(sector.chains)
    if not count:
        return 0
    given = np.zeros((size, count))
    given[:before, : count - len(new)] = sector.vectors
    given[new, np.arange(count - len(new), count)] = 1.0
    h = sector.matrix
    if size <= DENSE:
        energies, vectors = np.linalg.eigh(h.dense())
        residuals, work = np.zeros(len(energies)), 0
    else:
        found = nearest_eigenvectors(h.__matmul__, h.diagonal, given, tol=tol, scale=scale)
        energies, vectors, work = found.levels, found.vectors, found.products
        residuals = found.residuals**2 / scale
    shared = (given.T @ vectors) ** 2
    rows, columns = linear_sum_assignment(-shared)
    place = columns[np.argsort(rows)]
    for i, j in enumerate(place):
        chain = sector.chains[i]
        group = np.abs(energies - energies[j]) <= 1e-6 * scale  # of one level, any mixture is a state
        if chain.levels and shared[i, group].sum() < SAME:
            if chain.error <= ON_PLATEAU * scale:
                continue  # it stood still before
            chain = sector.chains[i] = Chain(sector.charge, late)
        if chain.quanta and sector.shell is not None and i < len(sector.shell.rest):
            done = float(energies[j] - sector.energies[i])
            chain.leave_out(float(sector.shell.rest[i]), float(sector.shell.expected[i]), done)
        if not chain.quanta or chain.quanta[-1] == quanta - STEP:
            chain.add(quanta, float(energies[j]), float(residuals[j]), vectors[:, j])
    sector.vectors, sector.energies = vectors[:, place], energies[place]
    return work


def _lowest(sectors: Sequence[Sector], count: int, bottom: float) -> tuple[list[Chain], list[Chain], int]:
    """The ``count`` lowest chains above the bottom, those above them, and how many lie below it."""
    chains = sorted((c for s in sectors for c in s.chains), key=lambda c: c.level)
    inside = [c for c in chains if c.level > bottom]
    return inside[:count], inside[count:], len(chains) - len(inside)


def _settled(sectors: Sequence[Sector], count: int, accuracy: float, bottom: float) -> bool:
    """Whether every state has the accuracy, or has passed its plateau."""
    return all(c.error <= DONE * accuracy or c.drifts() for c in _lowest(sectors, count, bottom)[0])
