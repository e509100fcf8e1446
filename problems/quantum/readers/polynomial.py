"""What readers of polynomials share: modes in a line, and coordinates of any scale made dimensionless.

A Hamiltonian sum_k t_k p_k^2 / 2 + sum c x^... of coordinates x_k = s_k q_k becomes one of dimensionless q_k with

    w_k = sqrt(2 t_k |c_kk|),  s_k = sqrt(t_k / w_k):  t_k p_k^2 / 2 = w_k p_q^2 / 2,  c_kk x_k^2 = +- w_k q_k^2 / 2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.tables import FileFaults

MAX_ORDER = 6
PRINTED = 1e-10  # relative: what c_kk differs by from w_k / 2 in a file that prints many digits of both
FORTRAN = str.maketrans("dD", "ee")
Terms = dict[tuple[int, ...], float]


def number(cell: str, name: str, line: int, column: int, faults: FileFaults) -> float | None:
    """A finite number, Fortran's D exponents among them; None, and a fault, for anything else."""
    return faults.number(cell.translate(FORTRAN), name, line, column)


def modes_of(
    cells: Sequence[str], first: int, d: int, line: int, column: int, faults: FileFaults
) -> tuple[int, ...] | None:
    """Sorted 0-based modes of cells that count them from ``first``; None, and a fault, for any other."""
    found = []
    for place, cell in enumerate(cells, start=column):
        if not cell.isdecimal() or not first <= int(cell) < first + d:
            faults.add(f"a mode must be one of {first} to {first + d - 1}, found {cell!r}", line, place)
            return None
        found.append(int(cell) - first)
    return tuple(sorted(found))


def count(cell: str, name: str, line: int, column: int, faults: FileFaults, most: int = 10_000) -> int | None:
    """A whole number of at least 1; None, and a fault, for anything else."""
    if cell.isdecimal() and 1 <= int(cell) <= most:
        return int(cell)
    faults.add(f"{name} must be a whole number of at least 1, found {cell!r}", line, column)
    return None


def dimensionless(
    name: str, kinetic: Sequence[float], polynomial: Mapping[tuple[int, ...], float], unit: float, path: Path
) -> ForceField:
    """The field of sum t_k p_k^2 / 2 and a polynomial of x (sorted 0-based modes -> coefficient of their product).

    ``unit``: of energy, in cm-1. Every ``kinetic`` must be positive and every c_kk other than zero.
    """
    d = len(kinetic)
    t = np.array(kinetic, dtype=float)
    squares = np.array([polynomial[k, k] for k in range(d)])
    w = np.sqrt(2.0 * t * np.abs(squares))
    scale = np.sqrt(t / w)
    terms: Terms = defaultdict(float)
    for modes, c in polynomial.items():
        terms[modes] += c * float(np.prod(scale[list(modes)])) * unit
    return beyond_harmonic(name, w * unit, terms, path)


def beyond_harmonic(
    name: str, frequencies: np.ndarray, terms: Mapping[tuple[int, ...], float], path: Path
) -> ForceField:
    """The field whose polynomial of dimensionless coordinates, w_k q_k^2 / 2 within it, is given in cm-1."""
    left = {modes: c for modes, c in terms.items() if c and modes}
    for k, w in enumerate(frequencies):
        rest = left.pop((k, k), 0.0) - 0.5 * w
        if abs(rest) > PRINTED * w:
            left[k, k] = rest
    return ForceField(name, "cm-1", np.asarray(frequencies), left, path)
