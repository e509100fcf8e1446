"""Approximate states in and around a window of energies, by pruned configuration interaction.

1. The sparse matrix of each symmetry sector in the products of lowest energy (solvers.eigen.configuration_interaction),
   as many as the states up to the window's end ask for, and its levels up to there: vectors over products cost little,
   trains are made of those alone that are wanted.
2. Levels are counted from the lowest of them: the ground state errs nearly as much as they do.
3. Beside the window, states of a margin on both sides: the end of each margin lies in the widest gap there is.

How many levels of step 1 lie in the window is a count that owes nothing to trains (``expected``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.eigen.configuration_interaction import (
    ProductTerms,
    TrainBuilder,
    lowest_configurations,
    lowest_vectors,
    matrix,
    products_below,
)
from solvers.eigen.many_states import Sector
from solvers.eigen.start import START_CUTOFF, START_RANK, START_WORK, excitation_scale
from solvers.eigen.tasks import START_ROUNDING, normalised

MARGIN = 0.3  # of the lowest excitation energy: how far the states beside the window reach
NARROWEST = 0.4  # of the margin: where its end may lie
MOST_PRODUCTS = 100_000  # of energy sums up to the window's end
SMALL = 0.2  # weight of a distance against its spread, where two lists are laid beside each other
FEWEST = 4  # states beside those that sums of one-mode energies announce


class TooHigh(ValueError):
    """A window above so many levels that no table of products reaches it."""


@dataclass(frozen=True)
class WindowStart:
    """``sectors`` of approximate states, their energies above the ground state; ``levels``: all those of the
    configuration interaction up to the margin's end, above the lowest (m,), and the ``products`` that it was of;
    ``ground``: the lowest one, with its own energy."""

    sectors: list[Sector]
    levels: np.ndarray
    products: int
    ground: Sector

    def expected(self, lower: float, upper: float, found: np.ndarray, fuzzy: float) -> tuple[int, int]:
        """Fewest and most levels in the window, by levels ``found`` (n,) in and around it, above the ground state.

        ``fuzzy``: how far beyond an end a level may be listed.
        Laid beside each other in order, the two lists tell what all approximations err by; the largest distance from a
        level found to the nearest of them is then what a single one errs by.
        """
        systematic = _distance(self.levels, np.sort(found))
        off = np.abs(self.levels[None, :] - systematic - found[:, None]).min(axis=1)
        error = fuzzy + float(off.max(initial=0.0))
        levels = self.levels - systematic
        inside = (levels >= lower) & (levels <= upper)
        near = (np.abs(levels - lower) <= error) | (np.abs(levels - upper) <= error)
        return int(np.sum(inside & ~near)), int(np.sum(inside | near))


def window_start(terms: ProductTerms, lower: float, upper: float, configurations: int, seed: int) -> WindowStart:
    """States from ``lower`` to ``upper`` above the lowest, and beside; ``configurations``: products, about.

    Raises TooHigh where the products up to the window are more than can be listed.
    """
    scale = excitation_scale(terms)
    margin = MARGIN * scale
    reach = upper + margin
    below = products_below(terms, reach, MOST_PRODUCTS)
    if below is None:
        raise TooHigh(f"more than {MOST_PRODUCTS} products lie below the window")
    affordable = START_WORK // max(len(terms.terms), 1)
    products, charges = lowest_configurations(
        terms, max(min(configurations, affordable, 2000 + 200 * below), 40 * below)
    )
    solved = []
    for charge in np.unique(charges):
        own = products[charges == charge]
        h = matrix(terms, own, START_CUTOFF * scale)
        solved.append((int(charge), own, h, *lowest_vectors(h, 1, seed)))
    lowest = min(range(len(solved)), key=lambda i: float(solved[i][3][0]))
    charge, own, _, energies, vectors = solved[lowest]
    ground, charge_of_ground = float(energies[0]), charge
    train = normalised(TrainBuilder(terms, own, charge).train(vectors[:, 0], START_RANK, START_ROUNDING))
    found = []
    for charge, own, h, energies, vectors in solved:
        count = min(len(own), _likely(terms, own, reach) + FEWEST)
        while True:
            if energies[-1] - ground > reach or len(energies) == len(own):
                break
            energies, vectors = lowest_vectors(h, count, seed)
            count = min(len(own), 2 * count)
        found.append((charge, own, energies - ground, vectors))
    levels = np.sort(np.concatenate([energies for _, _, energies, _ in found]))
    low = _end(levels, lower - margin, lower - NARROWEST * margin)
    high = _end(levels, upper + NARROWEST * margin, upper + margin)
    sectors = []
    for charge, own, energies, vectors in found:
        keep = np.flatnonzero((energies >= low) & (energies <= high))
        if len(keep):
            builder = TrainBuilder(terms, own, charge)
            trains = [normalised(builder.train(vectors[:, i], START_RANK, START_ROUNDING)) for i in keep]
            sectors.append(Sector.of(charge, trains, energies[keep]))
    return WindowStart(sectors, levels[levels <= reach], len(products), Sector.of(charge_of_ground, [train], [ground]))


def _distance(approximate: np.ndarray, found: np.ndarray) -> float:
    """The median of approximation minus level, the ascending lists laid where most differences are alike and small."""
    n = min(len(found), len(approximate))
    best, least = 0.0, np.inf
    for i in range(len(approximate) - n + 1):
        off = approximate[i : i + n] - found[:n]
        middle = float(np.median(off))
        spread = float(np.median(np.abs(off - middle))) + SMALL * abs(middle)
        best, least = (middle, spread) if spread < least else (best, least)
    return best


def _likely(terms: ProductTerms, products: np.ndarray, reach: float) -> int:
    """Products of the list whose energy sums lie up to ``reach`` above the lowest."""
    sums = sum(e[products[:, k]] - e.min() for k, e in enumerate(terms.energies))
    return int(np.sum(np.asarray(sums) <= reach))


def _end(levels: np.ndarray, first: float, last: float) -> float:
    """The middle of the widest gap between levels from ``first`` to ``last``."""
    marks = np.concatenate([[first], levels[(levels > first) & (levels < last)], [last]])
    widest = int(np.argmax(np.diff(marks)))
    return 0.5 * float(marks[widest] + marks[widest + 1])
