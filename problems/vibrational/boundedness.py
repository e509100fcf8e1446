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


def lowest_barrier(field: ForceField, bases: Sequence[ModeBasis], inside: bool) -> Barrier | None:
    """The lowest barrier to minus infinity inside (or outside) the range of the basis; None if there is none."""
    d = len(field.frequencies)
    ranges = [basis_range(b) for b in bases]
    lines: list[tuple[tuple[int, ...], np.ndarray]] = []
    for k in range(d):
        lines += [((k,), np.array([s])) for s in (1.0, -1.0)]
    coupled = {pair for modes in field.terms for pair in combinations(sorted(set(modes)), 2)}
    angles = 2 * np.pi * (np.arange(ANGLES) + 0.5) / ANGLES
    lines += [(pair, np.array([np.cos(a), np.sin(a)])) for pair in sorted(coupled) for a in angles]
    best: Barrier | None = None
    for modes, direction in lines:
        polynomial = _along(field, modes, direction)
        limit = 1.0 / np.sqrt(sum((u / ranges[k]) ** 2 for k, u in zip(modes, direction)))
        found = _barrier(polynomial)
        if found is None or (found[1] <= limit) != inside:
            continue
        if best is None or found[0] < best.height:
            best = Barrier(found[0], found[1], tuple(k + 1 for k in modes), inside)
    return best


def _along(field: ForceField, modes: tuple[int, ...], direction: np.ndarray) -> np.ndarray:
    """Coefficients (power 0 .. MAX_POWER) of the potential along q = rho direction in the modes given."""
    u = dict(zip(modes, direction))
    polynomial = np.zeros(MAX_POWER + 1)
    polynomial[2] = sum(0.5 * field.frequencies[k] * u[k] ** 2 for k in modes)
    for term, c in field.terms.items():
        if all(k in u for k in term):
            polynomial[len(term)] += c * np.prod([u[k] for k in term])
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
