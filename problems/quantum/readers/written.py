"""A molecule as the CSV files that readers of this package take: field, rotation, dipole, polarisability, transitions.

A field that has c q_k^2 beside w_k (p_k^2 + q_k^2) / 2 is written in the coordinate q'_k = q_k sqrt(w'_k / w_k) of the
frequency w'_k = sqrt(w_k (w_k + 2 c)): the same Hamiltonian, and rows of order 2 are frequencies alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.molecule import Molecule, Surface
from problems.quantum.hamiltonians.force_field.rotation import Rotation
from problems.quantum.readers.quality import imaginary, written
from problems.quantum.readers.reader import KEY
from problems.quantum.readers.rotation_table import LONG
from problems.quantum.readers.table import HEADER

DIGITS = 12  # significant, of every number
PROPERTY = "order,modes,axis,value_"
DIPOLE = ("x", "y", "z")
POLARISABILITY = ("xx", "xy", "xz", "yy", "yz", "zz")
PRINTED = "transition,harmonic_cm-1,anharmonic_cm-1,intensity_harmonic_km/mol,intensity_anharmonic_km/mol"

Terms = Mapping[tuple[int, ...], float]


def tables_of(molecule: Molecule) -> dict[str, str]:
    """File name -> its text, of all that the molecule has.

    Raises ProblemError for frequencies that are not real, for products with momenta, and for other units than cm-1.
    """
    field = molecule.field
    if field.rotation:
        raise ProblemError("products with momenta cannot be written as a table of constants: run the file itself", KEY)
    if field.unit != "cm-1":
        raise ProblemError(f"tables of constants are in cm-1, the field is in {field.unit}: run the file itself", KEY)
    squares = np.array([2.0 * field.terms.get((k, k), 0.0) for k in range(field.d)])
    true = np.sign(field.frequencies + squares) * np.sqrt(field.frequencies * np.abs(field.frequencies + squares))
    true = np.where(squares == 0.0, field.frequencies, true)
    if text := imaginary(true):
        raise ProblemError(text, KEY)
    scale = np.sqrt(field.frequencies / true)  # q = scale q'
    terms = {modes: c for modes, c in field.terms.items() if len(modes) != 2 or modes[0] != modes[1]}
    found = {"field.csv": _field(true, _scaled(terms, scale))}
    if molecule.rotation is not None:
        found["rotation.csv"] = _rotation(molecule.rotation)
    surfaces = (("dipole", DIPOLE, molecule.dipole), ("polarisability", POLARISABILITY, molecule.polarisability))
    for name, axes, surface in surfaces:
        if surface is not None:
            found[f"{name}.csv"] = _property(surface, axes, scale)
    if molecule.printed:
        found["printed.csv"] = _printed(molecule)
    return found


def _number(value: float) -> str:
    return np.format_float_positional(value, precision=DIGITS, unique=True, fractional=False, trim="-")


def _text(rows: Iterable[Iterable[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)


def _scaled(terms: Terms, scale: np.ndarray) -> dict[tuple[int, ...], float]:
    return {modes: c * math.prod(float(scale[k]) for k in modes) for modes, c in terms.items()}


def _derivatives(terms: Terms) -> list[tuple[tuple[int, ...], float]]:
    """Full derivatives of a polynomial, by order and modes."""
    ordered = sorted(terms.items(), key=lambda term: (len(term[0]), term[0]))
    return [(modes, c * math.prod(math.factorial(m) for m in Counter(modes).values())) for modes, c in ordered]


def _field(frequencies: np.ndarray, terms: Terms) -> str:
    rows = [HEADER]
    rows += [["2", f"{k}-{k}", _number(w)] for k, w in enumerate(frequencies, start=1)]
    rows += [[str(len(modes)), written(modes), _number(phi)] for modes, phi in _derivatives(terms)]
    return _text(rows)


def _rotation(rotation: Rotation) -> str:
    rows = [LONG]
    pairs = [(a, b) for a in range(3) for b in range(a, 3)]
    for a, b in pairs:
        if rotation.inertia[a, b]:
            rows.append(["I0_amu_A2", "xyz"[a], "xyz"[b], "", "", _number(rotation.inertia[a, b])])
    for a, k, j in np.argwhere(rotation.zeta):
        if k < j:
            rows.append(["zeta", "xyz"[a], "", str(k + 1), str(j + 1), _number(rotation.zeta[a, k, j])])
    for k, slopes in enumerate(() if rotation.derivatives is None else rotation.derivatives, start=1):
        for a, b in pairs:
            if slopes[a, b]:
                rows.append(["dI_dQ_amu1/2_A", "xyz"[a], "xyz"[b], str(k), "", _number(slopes[a, b])])
    return _text(rows)


def _property(surface: Surface, axes: Iterable[str], scale: np.ndarray) -> str:
    rows = [[PROPERTY + surface.unit]]
    for axis, component in zip(axes, surface.components, strict=True):
        for modes, value in _derivatives(_scaled(component, scale)):
            if value:
                rows.append([str(len(modes)), written(modes), axis, _number(value)])
    return _text(rows)


def _printed(molecule: Molecule) -> str:
    rows = [[PRINTED]]
    for one in molecule.printed:
        name = "+".join(f"{count}v{k}" for k, count in enumerate(one.quanta, start=1) if count)
        values = (one.harmonic, one.anharmonic, *one.intensities)
        rows.append([name, *("" if value is None else _number(value) for value in values)])
    return _text(rows)
