"""Levels that stand still while the space grows: those of a well beside a hole, found in products of few quanta.

Where a polynomial potential falls to minus infinity behind a barrier, H has no lowest level, but in the oscillator
products of at most Q quanta (solvers.eigen.pruned) the levels of the well settle as Q grows, long before products
reach the hole; beyond, they begin to drift, and levels of the hole run down between them. So

1. all levels of a first, small Q, by dense diagonalisation,
2. Q + 2 again and again: the states nearest to those before (solvers.eigen.homing), each with the change of its level,
3. a level is taken where it changed least. What it would still change by is the sum of a geometric series of its last
   changes, or the change after the least, where the drift has begun; that, with a safety, is its error.

Cost: the rows of the largest matrix, and some ten products of it with the states for every Q.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from solvers.eigen.homing import nearest_eigenvectors
from solvers.eigen.pruned import PrunedMatrix, Shifts, Terms, count_products, products_of, shifts_of

DENSE = 1000  # products of one symmetry, solved by dense diagonalisation
STEP = 2  # quanta
MOST_PRODUCTS = 100_000
MOST_ELEMENTS = 6e7  # of all matrices: 0.7 GB
MOST_NUMBERS = 4e7  # in the vectors of all states
MOST_QUANTA = 40
BUFFER = (4, 3)  # states along, beyond those asked: at least, and one of so many
SAFETY = 1.5  # on the changes to come
# of a change to the one before: they alternate, as even and odd quanta do, by up to three (formaldehyde, water)
UNKNOWN_RATIO, SMALLEST_RATIO, LARGEST_RATIO = 0.5, 0.3, 0.9
SAME = 0.25  # squared overlap of a state with itself in the smaller space, at least
DONE = 0.5  # of the accuracy: errors that end the growth
DRIFTING = 2  # steps in a row in which a level that is past its plateau moves more
ON_PLATEAU = 0.02  # of the smallest quantum: an error below it
RESIDUAL = 1e-3  # of the accuracy: what an energy may lack by its residual


@dataclass
class Chain:
    """One state through the spaces: ``quanta`` and ``levels`` of each, ``residuals``: what these may lack, and the
    ``vector`` of the best so far."""

    charge: int
    quanta: list[int] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    residuals: list[float] = field(default_factory=list)
    vector: np.ndarray | None = None

    @property
    def changes(self) -> np.ndarray:
        """Of the level, from space to space."""
        return np.diff(self.levels)

    @property
    def best(self) -> int:
        """The place in ``levels`` of the one that moved least."""
        return 1 + int(np.argmin(np.abs(self.changes))) if len(self.levels) > 1 else 0

    @property
    def level(self) -> float:
        """The level where it moved least."""
        return self.levels[self.best]

    @property
    def error(self) -> float:
        """What it would still move by, see the module; infinite for a state seen once."""
        moved, at = np.abs(self.changes), self.best - 1
        if at < 0:
            return float("inf")
        if at + 1 < len(moved):  # the drift after the plateau
            return SAFETY * float(max(moved[at], moved[at + 1]))
        ratios = [moved[i] / moved[i - 1] for i in range(max(1, at - 1), at + 1) if moved[i - 1] > 0.0]
        ratio = float(ratios[-1]) if ratios else UNKNOWN_RATIO
        if len(ratios) > 1:
            ratio += max(0.0, float(ratios[-1] - ratios[-2]))  # ratios rise towards the drift
        ratio = min(max(ratio, SMALLEST_RATIO), LARGEST_RATIO)
        return SAFETY * float(moved[at]) * ratio / (1.0 - ratio) + self.residuals[self.best]

    def drifts(self) -> bool:
        """Whether the level has passed its plateau for good."""
        return len(self.changes) - self.best >= DRIFTING

    def add(self, quanta: int, level: float, residual: float, vector: np.ndarray) -> None:
        """The state in the next space."""
        self.quanta.append(quanta)
        self.levels.append(level)
        self.residuals.append(residual)
        if self.best == len(self.levels) - 1:
            self.vector = vector


@dataclass(frozen=True)
class Plateaus:
    """States of a well: ``energies`` (n,) ascending, ``errors`` (n,), ``changes`` (n,) at the best ``quanta`` (n,),
    ``residuals`` (n,): norms, ``charges`` (n,), and ``vectors``: of each over the first of its ``products``[charge].

    ``above``: levels past the last one asked for; ``below``: states left out, whose level lies under the bottom;
    ``largest``: quanta of the largest space, of ``functions`` products; ``work``: products with a vector.
    """

    energies: np.ndarray
    errors: np.ndarray
    changes: np.ndarray
    quanta: np.ndarray
    residuals: np.ndarray
    charges: np.ndarray
    vectors: list[np.ndarray]
    products: dict[int, np.ndarray]
    above: np.ndarray
    below: int
    largest: int
    functions: int
    work: int


@dataclass
class _Sector:
    """The products and the matrix of one charge, and the chains in it; ``sums``: harmonic energies of the products,
    ``low``: those among the lowest of all."""

    charge: int
    products: np.ndarray
    totals: np.ndarray
    sums: np.ndarray
    low: np.ndarray
    matrix: PrunedMatrix
    chains: list[Chain] = field(default_factory=list)
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def size(self, quanta: int) -> int:
        return int(np.searchsorted(self.totals, quanta, side="right"))


def most_quanta(sizes: Sequence[int]) -> int:
    """The quanta of the largest space that is affordable."""
    d, quanta = len(sizes), STEP
    most = min(MOST_QUANTA, sum(size - 1 for size in sizes))
    while quanta < most and count_products(d, quanta + 1) <= MOST_PRODUCTS:
        quanta += 1
    return quanta


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
    sectors = _sectors(shifts, products_of(most, sizes), charges, frequencies, along)
    tol = float(np.sqrt(RESIDUAL * accuracy * scale))
    quanta, work = _first(sectors, n_states, along, most), 0
    _begin(sectors, quanta, along)
    reached = quanta
    while quanta + STEP <= most and not _settled(sectors, n_states, accuracy, bottom):
        if not _affordable(sectors, quanta + STEP):
            break
        quanta += STEP
        for sector in sectors:
            work += _grown(sector, quanta, tol, scale)
        reached = quanta
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
        np.array([c.charge for c in kept]),
        [c.vector for c in kept if c.vector is not None],
        {sector.charge: sector.products for sector in sectors},
        np.array([c.level for c in above]),
        below,
        reached,
        sum(sector.size(reached) for sector in sectors),
        work,
    )


def _sectors(
    shifts: Shifts, products: np.ndarray, charges: Sequence[int], frequencies: np.ndarray, along: int
) -> list[_Sector]:
    total = np.zeros(len(products), dtype=np.int64)
    for k, charge in enumerate(charges):
        total ^= np.where(products[:, k] % 2 == 1, int(charge), 0)
    sums = products @ frequencies
    low = sums <= np.sort(sums)[min(along, len(sums)) - 1] * (1.0 + 1e-12)
    found = []
    for charge in np.unique(total):
        here = total == charge
        own = products[here]
        found.append(_Sector(int(charge), own, own.sum(axis=1), sums[here], low[here], PrunedMatrix(shifts, own)))
    return found


def _first(sectors: Sequence[_Sector], n_states: int, along: int, most: int) -> int:
    """Quanta of the first space, so small that no hole is in it: it holds the lowest products, and more than states."""
    quanta = most - STEP * (most // STEP)
    sums = np.concatenate([s.sums for s in sectors])
    limit = np.sort(sums)[min(n_states, len(sums)) - 1] * (1.0 + 1e-12)
    highest = max(int(s.totals[s.sums <= limit].max(initial=0)) for s in sectors)
    while quanta + 2 * STEP <= most:
        enough = sum(s.size(quanta) for s in sectors) >= along
        if enough and (quanta >= highest or max(s.size(quanta + STEP) for s in sectors) > DENSE):
            break
        quanta += STEP
    return quanta


def _begin(sectors: Sequence[_Sector], quanta: int, along: int) -> None:
    """All levels of the first space, of which the lowest ``along`` begin chains."""
    solved = []
    for sector in sectors:
        sector.matrix.grow(sector.size(quanta))
        solved.append(np.linalg.eigh(sector.matrix.dense()))
    levels = np.sort(np.concatenate([energies for energies, _ in solved]))
    top = levels[min(along, len(levels)) - 1]
    for sector, (energies, vectors) in zip(sectors, solved):
        count = int(np.sum(energies <= top))
        sector.vectors = vectors[:, :count]
        for i in range(count):
            sector.chains.append(Chain(sector.charge))
            sector.chains[-1].add(quanta, float(energies[i]), 0.0, vectors[:, i])


def _grown(sector: _Sector, quanta: int, tol: float, scale: float) -> int:
    """The states of a sector in the next space, and those that begin there; the work it took."""
    before, size = len(sector.matrix), sector.size(quanta)
    sector.matrix.grow(size)
    new = before + np.flatnonzero(sector.low[before:size])
    sector.chains += [Chain(sector.charge) for _ in new]
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
            chain = sector.chains[i] = Chain(sector.charge)
        if not chain.quanta or chain.quanta[-1] == quanta - STEP:
            chain.add(quanta, float(energies[j]), float(residuals[j]), vectors[:, j])
    sector.vectors = vectors[:, place]
    return work


def _lowest(sectors: Sequence[_Sector], count: int, bottom: float) -> tuple[list[Chain], list[Chain], int]:
    """The ``count`` lowest chains above the bottom, those above them, and how many lie below it."""
    chains = sorted((c for s in sectors for c in s.chains), key=lambda c: c.level)
    inside = [c for c in chains if c.level > bottom]
    return inside[:count], inside[count:], len(chains) - len(inside)


def _settled(sectors: Sequence[_Sector], count: int, accuracy: float, bottom: float) -> bool:
    """Whether every state has the accuracy, or has passed its plateau."""
    return all(c.error <= DONE * accuracy or c.drifts() for c in _lowest(sectors, count, bottom)[0])


def _affordable(sectors: Sequence[_Sector], quanta: int) -> bool:
    """Whether the next space fits into memory; elements grow somewhat faster than products."""
    elements = sum(len(s.matrix.value) / max(len(s.matrix), 1) * 1.5 * s.size(quanta) for s in sectors)
    numbers = sum(s.size(quanta) * max(len(s.chains), 1) for s in sectors)
    return elements <= MOST_ELEMENTS and 6 * numbers <= MOST_NUMBERS * 4
