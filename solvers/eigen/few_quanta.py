"""The products of few quanta of each symmetry, their matrices and the chains of states in them; how they grow.

All products of the next quanta as long as there is memory for them, then those that matter (solvers.eigen.shells), as
long as they can be asked for. Cost of asking: products times changes of the operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from solvers.eigen.chains import Chain
from solvers.eigen.pruned import PrunedMatrix, Shifts, count_products, products_of
from solvers.eigen.shells import Shell, next_shell

STEP = 2  # quanta
MOST_QUANTA = 40
MOST_PRODUCTS = 100_000
MOST_ELEMENTS = 6e7  # of all matrices: 0.7 GB
MOST_NUMBERS = 4e7  # in the vectors of all states
MOST_ASKED = 1_000_000  # products up to the quanta of which those that matter are chosen
MOST_SEARCHES = 3e9  # products asked times changes: about a minute
LEAST_ROOM = 0.15  # of the products at hand: room for more


@dataclass
class Sector:
    """The matrix over the products of one charge, and the chains in it, whose states have these ``vectors`` and
    ``energies`` in the space at hand.

    ``totals``: quanta, ``sums``: harmonic energies of the products, ``limit``: of those that begin a chain; ``shell``:
    the last products chosen, None as long as all are taken.
    """

    charge: int
    totals: np.ndarray
    sums: np.ndarray
    limit: float
    matrix: PrunedMatrix
    chains: list[Chain] = field(default_factory=list)
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    energies: np.ndarray = field(default_factory=lambda: np.zeros(0))
    shell: Shell | None = None

    def size(self, quanta: int) -> int:
        return int(np.searchsorted(self.totals, quanta, side="right"))

    def take(self, products: np.ndarray, frequencies: np.ndarray) -> None:
        """These products after those that have their rows."""
        n = len(self.matrix)
        self.matrix.append(products)
        self.totals = np.concatenate([self.totals[:n], products.sum(axis=1)])
        self.sums = np.concatenate([self.sums[:n], products @ frequencies])


def most_quanta(sizes: Sequence[int]) -> int:
    """The quanta of the largest space whose products can be asked for."""
    return _quanta_of(sizes, MOST_ASKED)


def whole_quanta(sizes: Sequence[int]) -> int:
    """The quanta of the largest space that is affordable as a whole."""
    return _quanta_of(sizes, MOST_PRODUCTS)


def _quanta_of(sizes: Sequence[int], products: int) -> int:
    d, quanta = len(sizes), STEP
    most = min(MOST_QUANTA, sum(size - 1 for size in sizes))
    while quanta < most and count_products(d, quanta + 1) <= products:
        quanta += 1
    return quanta


def sectors_of(
    shifts: Shifts, products: np.ndarray, charges: Sequence[int], frequencies: np.ndarray, along: int, cutoff: float
) -> list[Sector]:
    total = _charges_of(products, charges)
    sums = products @ frequencies
    limit = float(np.sort(sums)[min(along, len(sums)) - 1]) * (1.0 + 1e-12)
    found = []
    for charge in np.unique(total):
        here = total == charge
        own = products[here]
        found.append(Sector(int(charge), own.sum(axis=1), sums[here], limit, PrunedMatrix(shifts, own, cutoff)))
    return found


def _charges_of(products: np.ndarray, charges: Sequence[int]) -> np.ndarray:
    total = np.zeros(len(products), dtype=np.int64)
    for k, charge in enumerate(charges):
        total ^= np.where(products[:, k] % 2 == 1, int(charge), 0)
    return total


def choose(
    sectors: Sequence[Sector],
    quanta: int,
    sizes: Sequence[int],
    charges: Sequence[int],
    frequencies: np.ndarray,
    left: float,
) -> bool:
    """Products of the next quanta that matter, into the sectors; whether there is room for any, and for asking."""
    d, size = len(sizes), sum(len(s.matrix) for s in sectors)
    room = _room(sectors) - size
    asked = count_products(d, quanta + STEP) - count_products(d, quanta)
    searches = float(asked) * max(len(s.matrix.shifts.changes) for s in sectors)
    if room < LEAST_ROOM * size or count_products(d, quanta + STEP) > MOST_ASKED or searches > MOST_SEARCHES:
        return False
    if count_products(d, quanta + 2 * STEP) <= MOST_ASKED and room > 2.5 * LEAST_ROOM * size:
        room //= 2  # for the next quanta
    products = products_of(quanta + STEP, sizes)
    products = products[products.sum(axis=1) > quanta]
    own = _charges_of(products, charges)
    for sector in sectors:
        beyond = products[own == sector.charge]
        shell = next_shell(
            sector.matrix,
            beyond,
            beyond @ frequencies <= sector.limit,
            sector.vectors,
            sector.energies,
            most=int(room * len(beyond) / max(len(products), 1)),
            left=left,
        )
        sector.shell = shell
        sector.take(shell.chosen, frequencies)
    return True


def affordable(sectors: Sequence[Sector], quanta: int) -> bool:
    """Whether the next space fits into memory; elements grow somewhat faster than products."""
    elements = sum(len(s.matrix.value) / max(len(s.matrix), 1) * 1.5 * s.size(quanta) for s in sectors)
    numbers = sum(s.size(quanta) * max(len(s.chains), 1) for s in sectors)
    return elements <= MOST_ELEMENTS and 6 * numbers <= MOST_NUMBERS * 4


def _room(sectors: Sequence[Sector]) -> int:
    """Products for which there is memory, those at hand among them."""
    size = max(sum(len(s.matrix) for s in sectors), 1)
    elements = 1.5 * sum(len(s.matrix.value) for s in sectors) / size
    numbers = sum(len(s.matrix) * max(len(s.chains), 1) for s in sectors) / size
    return int(min(MOST_PRODUCTS, MOST_ELEMENTS / max(elements, 1e-9), MOST_NUMBERS * 4 / (6 * numbers)))
