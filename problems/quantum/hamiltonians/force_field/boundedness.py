"""Where a polynomial force field falls off a cliff: barriers along cuts of a few modes, and the saddle of them all.

A quartic force field is an expansion; far out it may go to minus infinity. Along a line q = rho u the potential is a
polynomial in rho; if its leading term is negative there is a barrier, behind which no bound state exists. Whether that
matters depends on the range of the basis, here sqrt(2 <q^2>) of the highest function of each mode.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, product

import numpy as np

from problems.quantum.hamiltonians.force_field.basis import ModeBasis
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.saddles import lowest_saddle

ANGLES = 24
MOST_MODES = 6  # of a term whose diagonals are looked at
TRACE = 1e-4  # component of a direction below which a mode has no part in it
NAMED = 0.05  # of the largest squared component: modes that are told
Groups = dict[tuple[int, ...], list[tuple[list[int], float]]]  # modes -> (power of each, coefficient) of their terms


@dataclass(frozen=True)
class Barrier:
    """The lowest barrier of one kind: its height, the distance and the modes (1-based) of the cut."""

    height: float
    distance: float
    modes: tuple[int, ...]
    inside: bool


def basis_range(basis: ModeBasis) -> float:
    """How far out the functions of a mode reach, in dimensionless q."""
    return float(np.sqrt(2.0 * np.max(np.diag(basis.powers[2]))))


def lowest_barriers(field: ForceField, bases: Sequence[ModeBasis]) -> tuple[Barrier | None, Barrier | None]:
    """The lowest barrier to minus infinity inside the range of the basis, and the lowest outside it (or None)."""
    return nearest([basis_range(b) for b in bases], barriers(field))


def nearest(ranges: Sequence[float], found: Sequence[Fall]) -> tuple[Barrier | None, Barrier | None]:
    """Of the barriers ``found``, the lowest inside ``ranges`` of the modes, and the lowest outside."""
    best: dict[bool, Barrier] = {}
    for fall in found:
        limit = 1.0 / np.sqrt(sum((u / ranges[k]) ** 2 for k, u in zip(fall.modes, fall.direction)))
        inside = bool(fall.distance <= limit)
        if inside not in best or fall.height < best[inside].height:
            named = [k + 1 for k, u in zip(fall.modes, fall.direction) if u * u >= NAMED * max(fall.direction**2)]
            best[inside] = Barrier(fall.height, fall.distance, tuple(named), inside)
    return best.get(True), best.get(False)


def reached(ranges: Sequence[float], found: Sequence[Fall]) -> Barrier | None:
    """The lowest barrier of ``found`` that products with these ``ranges`` of their modes reach: a box, which along its
    diagonals reaches further than its sides."""
    inside = [
        fall for fall in found if all(abs(u) * fall.distance <= ranges[k] for k, u in zip(fall.modes, fall.direction))
    ]
    within, outside = nearest(ranges, inside)
    best = min((one for one in (within, outside) if one is not None), key=lambda one: one.height, default=None)
    return None if best is None else replace(best, inside=True)


@dataclass(frozen=True)
class Fall:
    """A line q = rho direction (in ``modes``, from 0) along which the potential falls without end behind a barrier."""

    modes: tuple[int, ...]
    direction: np.ndarray
    height: float
    distance: float


@lru_cache(8)
def barriers(field: ForceField) -> tuple[Fall, ...]:
    """All barriers of a force field along the lines looked at."""
    if all(len(modes) <= 2 for modes in field.terms):
        return ()  # a quadratic form: its sign is checked where it is read
    polynomial = [({k: 2}, 0.5 * w) for k, w in enumerate(field.frequencies.tolist())]
    polynomial += [(dict(Counter(modes)), c) for modes, c in field.terms.items()]
    return tuple(falls(field.d, polynomial))


def falls(d: int, polynomial: Sequence[tuple[Mapping[int, int], float]]) -> list[Fall]:
    """Lines along which sum_t c_t prod_k q_k^p falls to minus infinity; terms as ({mode: power}, c).

    Looked at: every mode, ANGLES directions in the plane of every coupled pair, the diagonals of all modes of a term
    with more; and the whole of it by the descent of ``saddles``, where that finds a lower barrier.
    """
    groups: Groups = {}
    for powers, c in polynomial:
        subset = tuple(sorted(powers))
        groups.setdefault(subset, []).append(([powers[k] for k in subset], c))
    angles = 2 * np.pi * (np.arange(ANGLES) + 0.5) / ANGLES
    lines: list[tuple[tuple[int, ...], np.ndarray]] = []
    lines += [((k,), np.array([s])) for k in range(d) for s in (1.0, -1.0)]
    pairs = sorted({pair for subset in groups for pair in combinations(subset, 2)})
    lines += [(pair, np.array([np.cos(a), np.sin(a)])) for pair in pairs for a in angles]
    for subset in groups:
        if 3 <= len(subset) <= MOST_MODES:
            diagonals = np.array(list(product((1.0, -1.0), repeat=len(subset)))) / np.sqrt(len(subset))
            lines += [(subset, u) for u in diagonals]
    found = []
    for modes, direction in lines:
        barrier = _barrier(_along(groups, modes, direction))
        if barrier is not None:
            found.append(Fall(modes, direction, *barrier))
    saddle = lowest_saddle(d, polynomial)
    if saddle is not None and saddle.height < min((fall.height for fall in found), default=np.inf):
        leading = tuple(int(k) for k in np.flatnonzero(np.abs(saddle.direction) > TRACE))
        found.append(Fall(leading, saddle.direction[list(leading)], saddle.height, saddle.distance))
    return found


def _along(groups: Groups, modes: tuple[int, ...], direction: np.ndarray) -> np.ndarray:
    """Coefficients (ascending) of the potential along q = rho direction in the modes given."""
    at = dict(zip(modes, direction.tolist()))
    found: dict[int, float] = {}
    for count in range(1, len(modes) + 1):
        for subset in combinations(modes, count):
            u = [at[k] for k in subset]
            for powers, c in groups.get(subset, ()):  # floats: arrays of two or three numbers take ten times as long
                degree = sum(powers)
                found[degree] = found.get(degree, 0.0) + c * math.prod(map(pow, u, powers))
    polynomial = np.zeros(max(found, default=0) + 1)
    polynomial[list(found)] = list(found.values())
    return polynomial


def _barrier(polynomial: np.ndarray) -> tuple[float, float] | None:
    """Height and place of the last maximum on rho > 0 of a polynomial that ends at minus infinity."""
    size = np.max(np.abs(polynomial))
    nonzero = np.flatnonzero(np.abs(polynomial) > 1e-12 * size)
    if not len(nonzero) or nonzero[-1] == 0 or polynomial[nonzero[-1]] > 0:
        return None
    roots = np.polynomial.polynomial.polyroots(np.polynomial.polynomial.polyder(polynomial[: nonzero[-1] + 1]))
    real = roots[(np.abs(roots.imag) < 1e-9 * (1 + np.abs(roots))) & (roots.real > 1e-9)].real
    if not len(real):
        return 0.0, 0.0
    place = float(real.max())
    return float(np.polynomial.polynomial.polyval(place, polynomial)), place
