"""Polynomial force fields in dimensionless normal coordinates.

    H = sum_i (w_i / 2) (p_i^2 + q_i^2) + sum_t c_t prod_{i in t} q_i ,

where t runs over unique multisets of modes, plus products with momenta where rotation terms are asked for (module
rotation). Files mostly list full derivatives phi, each multiset once;
the Taylor expansion with unrestricted sums (1/n!) sum phi_{i1..in} q_i1 ... q_in collects every
permutation of a multiset, hence c = phi / prod_i m_i! with m_i the multiplicity of mode i in it.

Files count modes from 1, this module's arrays and terms from 0. They are read in problems.quantum.readers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from problems.quantum.hamiltonians.force_field.rotation import Factors, Rotation, of_powers, watson_terms

PRODUCTS = 100_000  # of coordinates held at once: below a megabyte


@dataclass(frozen=True, eq=False)
class ForceField:
    """A polynomial force field.

    Attributes
    ----------
    name : shown in reports.
    unit : of all energies, ``cm-1`` or ``model units``.
    frequencies : (d,) harmonic frequencies w, read-only, positive.
    terms : sorted 0-based modes with repetition -> coefficient c of their product (see the module's formula);
        without the harmonic w_i q_i^2 / 2.
    source : the file it came from, or None.
    rotation : products with momenta -> coefficient, see ``rotation.watson_terms``; empty without rotation terms.
    bend : g of the coordinates y = tanh(g q) / g in which the potential, its harmonic part included, is a polynomial;
        0: in q itself. Products of ``rotation`` are in q.

    Raises ValueError for NaN, infinity, frequencies that are not positive, or modes out of range.
    """

    name: str
    unit: str
    frequencies: np.ndarray
    terms: Mapping[tuple[int, ...], float]
    source: Path | None = None
    rotation: Mapping[Factors, float] = field(default_factory=dict)
    bend: float = 0.0

    def __post_init__(self) -> None:
        frequencies = np.array(self.frequencies, dtype=float)
        if frequencies.ndim != 1 or not frequencies.size:
            raise ValueError("frequencies must be a vector with at least one entry")
        if not np.all(np.isfinite(frequencies)) or np.any(frequencies <= 0):
            raise ValueError("frequencies must be positive and finite")
        for modes, coefficient in self.terms.items():
            if list(modes) != sorted(modes) or not modes or modes[0] < 0 or modes[-1] >= frequencies.size:
                raise ValueError(f"term {modes} must be sorted modes from 0 to {frequencies.size - 1}")
            if not math.isfinite(coefficient):
                raise ValueError(f"the coefficient of term {modes} is not finite")
        frequencies.flags.writeable = False
        object.__setattr__(self, "frequencies", frequencies)
        object.__setattr__(self, "terms", MappingProxyType(dict(self.terms)))
        object.__setattr__(self, "rotation", MappingProxyType(dict(self.rotation)))

    def __reduce__(self) -> tuple:
        # a read-only mapping does not travel to worker processes as it is
        terms, rotation = dict(self.terms), dict(self.rotation)
        return ForceField, (self.name, self.unit, np.array(self.frequencies), terms, self.source, rotation, self.bend)

    @property
    def d(self) -> int:
        """Number of modes."""
        return self.frequencies.size

    @property
    def order(self) -> int:
        """Highest power in the potential, at least 2."""
        return max((len(modes) for modes in self.terms), default=2)

    def potential(self, q: np.ndarray) -> np.ndarray:
        """Potential energy at points ``q`` (..., d), in ``unit``; cost O(terms * points)."""
        q = bent(np.asarray(q, dtype=float), self.bend)
        points = q.reshape(-1, self.d)
        value = 0.5 * (points**2 @ self.frequencies)
        for modes, coefficients in self._by_degree:
            step = max(1, PRODUCTS // len(modes))
            for first in range(0, len(points), step):
                some = slice(first, first + step)
                value[some] += products_of(points[some], modes) @ coefficients
        return value.reshape(q.shape[:-1])[()]

    @cached_property
    def _by_degree(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The terms of each degree: their modes (t, degree) and coefficients (t,)."""
        found: dict[int, list[tuple[int, ...]]] = {}
        for modes in self.terms:
            found.setdefault(len(modes), []).append(modes)
        return [(np.array(some), np.array([self.terms[modes] for modes in some])) for some in found.values()]


def products_of(q: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """Products (m, t) of coordinates ``q`` (m, d): in column t of the modes in row t of ``modes`` (t, degree)."""
    if not modes.shape[1]:
        return np.ones((len(q), len(modes)))
    found = q[:, modes[:, 0]]
    for factor in modes.T[1:]:
        found *= q[:, factor]
    return found


def bent(q: np.ndarray, bend: float) -> np.ndarray:
    """The coordinates tanh(g q) / g; q itself for g = 0."""
    return np.tanh(bend * q) / bend if bend else q


def bounded(field: ForceField, g: float) -> ForceField:
    """The field in y, with the fourth order that y lacks; ValueError where it is in such coordinates already."""
    if field.bend:
        raise ValueError("the field is in bounded coordinates already")
    terms = dict(field.terms)
    for k, w in enumerate(field.frequencies.tolist()):
        terms[(k,) * 4] = terms.get((k,) * 4, 0.0) + g * g * w / 3.0
    return ForceField(field.name, field.unit, field.frequencies, terms, field.source, field.rotation, g)


def of_derivatives(
    name: str, frequencies: Sequence[float], derivatives: Mapping[tuple[int, ...], float], source: Path | None = None
) -> ForceField:
    """The force field in cm-1 with these full derivatives phi of order 3 and up: sorted 1-based modes -> phi."""
    terms: dict[tuple[int, ...], float] = {}
    for modes, phi in derivatives.items():
        multiplicity = math.prod(math.factorial(m) for m in Counter(modes).values())
        terms[tuple(mode - 1 for mode in modes)] = phi / multiplicity
    return ForceField(name, "cm-1", np.array(frequencies, dtype=float), terms, source)


@lru_cache(4)
def coupled_oscillators(dimension: int, coupling: float) -> ForceField:
    """Bilinearly coupled oscillators: w_j = sqrt(j/2), j = 1..d, and coupling * sum_{i<j} q_i q_j.

    Leclerc and Carrington, J. Chem. Phys. 140, 174111 (2014); Thomas and Carrington, J. Phys. Chem. A 119,
    13074 (2015). Exactly solvable: see ``references.normal_mode_levels``.
    """
    frequencies = np.sqrt(np.arange(1, dimension + 1) / 2.0)
    terms: dict[tuple[int, ...], float] = {}
    for i in range(dimension):
        for j in range(i + 1, dimension):
            terms[i, j] = coupling
    return ForceField(f"coupled oscillators, d = {dimension}", "model units", frequencies, terms)


def henon_heiles(dimension: int, coupling: float) -> ForceField:
    """Henon-Heiles chain: w = 1 and coupling * sum_k (q_k^2 q_{k+1} - q_{k+1}^3 / 3).

    Nest and Meyer, J. Chem. Phys. 117, 10499 (2002). Unbounded below; its low levels are
    long-lived resonances.
    """
    terms: dict[tuple[int, ...], float] = {}
    for k in range(dimension - 1):
        terms[(k, k, k + 1)] = coupling
        terms[(k + 1, k + 1, k + 1)] = -coupling / 3.0
    return ForceField(f"Henon-Heiles, d = {dimension}", "model units", np.ones(dimension), terms)


def with_rotation(field: ForceField, rotation: Rotation, order: int) -> ForceField:
    """The field with the rotation terms of a molecule, mu to ``order`` in q; ValueError as ``watson_terms``."""
    products, potential = watson_terms(rotation, field.frequencies, order)
    terms, momenta = dict(field.terms), dict(field.rotation)
    for factors, c in products.items():
        momenta[factors] = momenta.get(factors, 0.0) + c
    for modes, c in potential.items():
        if modes and field.bend:  # of q, whatever coordinates the potential is in
            momenta[of_powers(modes)] = momenta.get(of_powers(modes), 0.0) + c
        elif modes:
            terms[modes] = terms.get(modes, 0.0) + c
        else:
            momenta[()] = momenta.get((), 0.0) + c
    return ForceField(field.name, field.unit, field.frequencies, terms, field.source, momenta, field.bend)
