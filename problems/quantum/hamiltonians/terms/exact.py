"""Levels of a Hamiltonian given term by term from its whole matrix, or Lanczos on full vectors, without trains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from problems.exact_levels import DENSE, LARGEST, lowest_levels
from problems.quantum.hamiltonians.terms.matrices import matrix
from problems.quantum.hamiltonians.terms.modes import Mode
from problems.quantum.hamiltonians.terms.terms import Key
from problems.report_parts import Effort
from problems.result import Results
from problems.route import Route


def routes(products: Mapping[Key, complex], bases: Sequence[Mode], n_states: int) -> list[Route]:
    """The whole matrix, where the space is small enough for it."""
    size = math.prod(mode.size for mode in bases)
    if size > LARGEST:
        return []
    how = "the whole matrix, from the terms themselves" if size <= DENSE else "Lanczos on full vectors, from the terms"

    def direct(problem: object, solver: object) -> Results:
        energies, errors = lowest_levels([mode.size for mode in bases], factors_of(products, bases), n_states)
        return {"energies": energies, "error_estimates": errors, "unit": "model units"}

    effort = Effort(1.0 + 1e-7 * size * len(products) * 3.0, 200.0 + 3e-3 * size)
    return [Route("exact", f"{how}, without tensor trains", direct=direct, effort=effort)]


def factors_of(products: Mapping[Key, complex], bases: Sequence[Mode]) -> list[tuple[complex, dict[int, np.ndarray]]]:
    """Every distinct product as its coefficient and the matrices of its modes."""
    found = []
    for key, c in products.items():
        phase, factors = 0, {}
        for k, one in key:
            power, factors[k] = matrix(bases[k], one)
            phase += power
        found.append((complex(c) * 1j**phase, factors))
    return found
