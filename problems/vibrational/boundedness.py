"""Where a polynomial force field falls off a cliff: barriers along one- and two-mode cuts.

A quartic force field is an expansion; far out it may go to minus infinity. Along a line q = rho u the potential is a
polynomial in rho; if its leading term is negative there is a barrier, behind which no bound state exists. Whether that
matters depends on the range of the basis, here sqrt(2 <q^2>) of the highest function of each mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from problems.vibrational.basis import MAX_POWER, ModeBasis
from problems.vibrational.force_field import ForceField

ANGLES = 24


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
    ranges = [basis_range(b) for b in bases]
    groups: dict[tuple[int, ...], list[tuple[list[int], float]]] = {}
    for modes, c in field.terms.items():
        subset = tuple(sorted(set(modes)))
        groups.setdefault(subset, []).append(([modes.count(k) for k in subset], c))
    if all(len(modes) <= 2 for modes in field.terms):
        return None, None  # a quadratic form: its sign is checked where it is read
    angles = 2 * np.pi * (np.arange(ANGLES) + 0.5) / ANGLES
    lines: list[tuple[tuple[int, ...], np.ndarray]] = []
    lines += [((k,), np.array([s])) for k in range(field.d) for s in (1.0, -1.0)]
    pairs = sorted({pair for subset in groups for pair in combinations(subset, 2)})
    lines += [(pair, np.array([np.cos(a), np.sin(a)])) for pair in pairs for a in angles]
    best: dict[bool, Barrier] = {}
    for modes, direction in lines:
        found = _barrier(_along(field, groups, modes, direction))
        if found is None:
            continue
        limit = 1.0 / np.sqrt(sum((u / ranges[k]) ** 2 for k, u in zip(modes, direction)))
        inside = bool(found[1] <= limit)
        if inside not in best or found[0] < best[inside].height:
            best[inside] = Barrier(found[0], found[1], tuple(k + 1 for k in modes), inside)
    return best.get(True), best.get(False)


def _along(field: ForceField, groups, modes: tuple[int, ...], direction: np.ndarray) -> np.ndarray:
    """Coefficients (power 0 .. MAX_POWER) of the potential along q = rho direction in the modes given."""
    polynomial = np.zeros(MAX_POWER + 1)
    polynomial[2] = 0.5 * float(np.sum(field.frequencies[list(modes)] * direction**2))
    subsets = [(k,) for k in modes] + ([modes] if len(modes) == 2 else [])
    at = dict(zip(modes, direction))
    for subset in subsets:
        u = np.array([at[k] for k in subset])
        for powers, c in groups.get(subset, ()):
            polynomial[sum(powers)] += c * float(np.prod(u**powers))
    return polynomial


def _barrier(polynomial: np.ndarray) -> tuple[float, float] | None:
    """Height and place of the last maximum on rho > 0 of a polynomial that ends at minus infinity."""
    size = np.max(np.abs(polynomial))
    nonzero = np.flatnonzero(np.abs(polynomial) > 1e-12 * size)
    if polynomial[nonzero[-1]] > 0:
        return None
    roots = np.polynomial.polynomial.polyroots(np.polynomial.polynomial.polyder(polynomial[: nonzero[-1] + 1]))
    real = roots[(np.abs(roots.imag) < 1e-9 * (1 + np.abs(roots))) & (roots.real > 1e-9)].real
    if not len(real):
        return 0.0, 0.0
    place = float(real.max())
    return float(np.polynomial.polynomial.polyval(place, polynomial)), place
