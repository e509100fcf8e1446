"""Anharmonic fields in formatted checkpoint files of Gaussian 09 and 16 (``.fchk`` of ``freq=anharm``).

The file holds the Cartesian Hessian and dipole derivatives at equilibrium and what Gaussian found of them by
displacements along the modes: ``Cartesian 3rd/4th derivatives`` are dH/dQ_k of all modes, then d^2H/dQ_k^2, in
hartree, bohr and amu^1/2; the ``num derivs`` of dipole and polarisability are laid out in the same way. Gaussian 16
displaces along ``Anharmonic displacements``, which may differ from ``Vib-Modes`` in signs and, in degenerate pairs, by
a turn; Gaussian 09 along ``Vib-Modes``.

Modes are counted by falling frequency, signs are those of the displacements: so is the field that the output of the
same run prints where the molecule has no symmetry. As there, constants below ``PRINTED`` are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.field import of_derivatives
from problems.quantum.hamiltonians.force_field.geometry import (
    ANGSTROM,
    ELECTRONS,
    HARTREE,
    Geometry,
    rotation_of,
)
from problems.quantum.hamiltonians.force_field.molecule import DEBYE, Molecule, Surface
from problems.quantum.readers import displaced
from problems.quantum.readers.checkpoint_file import CheckpointFile, is_checkpoint, symmetric
from problems.quantum.readers.elements import symbol
from problems.quantum.readers.quality import contradictions, imaginary, notes_on
from problems.tables import FileFaults

PRINTED = 3.71e-5  # hartree amu^(-n/2) bohr^-n: below it Gaussian drops a constant, and so is the noise of its steps
SAME = 0.01  # cm-1: frequencies of the Hessian and those listed agree to the digits of both
ASYMMETRY = 0.1  # of the largest cubic constant: modes that were displaced and modes listed are not the same
FORCE = 1.0  # cm-1: derivatives of the energy above it say that the geometry is no minimum
_DERIVATIVES = "Cartesian 3rd/4th derivatives"
_MOVED = "Anharmonic displacements"  # by Gaussian 16
_RAMAN = ("Polarizability", "Polarizability num derivs")
RECORDS = (  # that are needed, in the order of the file
    "Number of atoms",
    "Atomic numbers",
    "Current cartesian coordinates",
    "Cartesian Gradient",
    "Cartesian Force Constants",
    _DERIVATIVES,
    "Dipole Moment",
    "Dipole Derivatives",
    "Dipole Moment num derivs",
    "Dipole Derivatives num derivs",
    "Number of Normal Modes",
    "Vib-AtMass",
    "Vib-E2",
    "Vib-Modes",
)
_POLARISABILITY = [0, 1, 3, 2, 4, 5]  # xx xy xz yy yz zz of Gaussian's xx xy yy xz yz zz


def reads(path: Path) -> bool:
    """Whether a file has the records of a formatted checkpoint file."""
    return is_checkpoint(path)


@dataclass(frozen=True, eq=False)
class _Arrays:
    """What the records hold: d modes, n atoms; derivatives along the displacements first once, then twice."""

    geometry: Geometry
    gradient: np.ndarray
    hessian: np.ndarray
    vectors: np.ndarray  # (d, n, 3), mass-weighted, those that were displaced
    frequencies: np.ndarray  # (d,), as listed
    hessians: np.ndarray  # (2, d, 3 n, 3 n)
    dipole: np.ndarray  # (3,)
    dipole_slopes: np.ndarray  # (3 n, 3)
    dipoles: np.ndarray  # (2, d, 3)
    dipole_hessians: np.ndarray  # (2, d, 3 n, 3)
    polarisability: np.ndarray | None  # (6,)
    polarisabilities: np.ndarray | None  # (2, d, 6)


def read(path: Path) -> Molecule:
    """The molecule in a file: field, rotation, dipole to third order and polarisability to second.

    Cost O(d^2 atoms^2). Raises ProblemError with every fault, each ``file:line:column: ...``: a file that is cut short
    or of a harmonic run, imaginary frequencies, and parts that are not of one molecule.
    """
    file = CheckpointFile(path)
    faults = file.faults
    arrays = _arrays(file)
    faults.raise_any()
    assert arrays is not None
    order = np.argsort(-arrays.frequencies, kind="stable")
    masses, w = arrays.geometry.masses, arrays.frequencies
    line = file.records[_DERIVATIVES].line
    if text := imaginary(w):
        faults.add(text, file.records["Vib-E2"].line)
        faults.raise_any()
    _one_molecule(arrays, line, faults)
    rows = (arrays.vectors / np.sqrt(masses)[None, :, None]).reshape(len(w), -1)
    slopes = displaced.projected(arrays.hessians[0], arrays.vectors, masses)
    turned = displaced.signs(slopes, arrays.dipoles[0], rows @ arrays.dipole_slopes)
    slopes = (turned[:, None, None] * slopes)[np.ix_(order, order, order)]
    curvatures = displaced.projected(arrays.hessians[1], arrays.vectors, masses)[np.ix_(order, order, order)]
    cubic, quartic = displaced.cubic_routes(slopes), displaced.quartic_routes(curvatures)
    apart = max(max(values) - min(values) for values in cubic.values())
    if apart > ASYMMETRY * np.abs(slopes).max():
        faults.add(
            "cubic constants of different displacements do not agree: the modes of this file are not those that were"
            " displaced (formchk of a newer Gaussian 16 adds the Anharmonic displacements)",
            line,
        )
        faults.raise_any()
    scale = displaced.reduction(w[order])
    factor = {modes: HARTREE * math.prod(scale[k] for k in modes) for modes in (*cubic, *quartic)}
    kept = displaced.means({**cubic, **quartic}, PRINTED)
    phi = {tuple(k + 1 for k in modes): value * factor[modes] for modes, value in kept.items()}
    field = of_derivatives(path.stem, list(w[order]), phi, path)
    reduced = [
        {modes: [value * factor[modes] for value in values] for modes, values in routes.items()}
        for routes in (cubic, quartic)
    ]
    notes = [*notes_on(field), *contradictions(reduced[0], "cubic"), *contradictions(reduced[1], "quartic")]
    vectors = arrays.vectors[order]
    return Molecule(
        field,
        rotation=rotation_of(arrays.geometry, vectors),
        dipole=_dipole(arrays, turned, order, scale),
        polarisability=_polarisability(arrays, turned, order, scale),
        geometry=arrays.geometry,
        vectors=vectors,
        notes=(*notes, *_forces(arrays, order, scale)),
    )


def _arrays(file: CheckpointFile) -> _Arrays | None:
    """All records that are needed; None, with the faults in the file, where they are not there."""
    faults = file.faults
    if missing := [name for name in RECORDS if name not in file]:
        harmonic = missing[0] == _DERIVATIVES and "Vib-Modes" in file
        why = "of a harmonic run, freq=anharm is needed" if harmonic else "cut short, or not of a freq=anharm run"
        faults.add(f"no record {missing[0]!r}: {why}", len(file.lines))
        return None
    n, d = file.integer("Number of atoms"), file.integer("Number of Normal Modes")
    m = 3 * n
    if not faults.found and not m - 6 <= d <= m - 5:
        faults.add(f"{d} modes of {n} atoms: 3 n - 6, or 3 n - 5 of a linear molecule, are expected", len(file.lines))
    if faults.found:
        return None
    numbers = file.numbers("Atomic numbers", (n,))
    masses = file.numbers("Vib-AtMass", (n,))
    positions = ANGSTROM * file.numbers("Current cartesian coordinates", (n, 3))
    hessian = symmetric(file.numbers("Cartesian Force Constants", (m * (m + 1) // 2,)))
    hessians = symmetric(file.numbers(_DERIVATIVES, (2, d, m * (m + 1) // 2)))
    moved = file.numbers("Vib-Modes", (d, n, 3))
    if _MOVED in file:
        moved = file.numbers(_MOVED, (d, n, 3))
    frequencies = file.numbers("Vib-E2", (file.records["Vib-E2"].count or 0,))[:d]
    gradient = file.numbers("Cartesian Gradient", (m,))
    dipoles = (
        file.numbers("Dipole Moment", (3,)),
        file.numbers("Dipole Derivatives", (m, 3)),
        file.numbers("Dipole Moment num derivs", (2, d, 3)),
        file.numbers("Dipole Derivatives num derivs", (2, d, m, 3)),
    )
    alpha: tuple[np.ndarray, np.ndarray] | tuple[None, None] = (None, None)
    if all(name in file for name in _RAMAN):
        alpha = file.numbers(_RAMAN[0], (6,)), file.numbers(_RAMAN[1], (2, d, 6))
        alpha = alpha if alpha[1].any() else (None, None)
    if not faults.found and (np.any(masses <= 0.0) or not moved.any(axis=(1, 2)).all()):
        faults.add("masses must be positive, and modes must move atoms", file.records["Vib-AtMass"].line)
    if not faults.found and len(frequencies) != d:
        faults.add(f"Vib-E2 must begin with {d} frequencies", file.records["Vib-E2"].line)
    if faults.found:
        return None
    geometry = Geometry(tuple(symbol(int(z)) for z in numbers), masses, positions)
    vectors = moved * np.sqrt(masses)[None, :, None]
    vectors = vectors / np.sqrt(np.einsum("kac,kac->k", vectors, vectors))[:, None, None]
    return _Arrays(geometry, gradient, hessian, vectors, frequencies, hessians, *dipoles, *alpha)


def _frequencies(hessian: np.ndarray, vectors: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Frequencies along vectors in cm-1, negative if imaginary."""
    squares = np.diagonal(displaced.projected(hessian, vectors, masses)) / ELECTRONS
    return np.sign(squares) * np.sqrt(np.abs(squares)) * HARTREE


def _one_molecule(arrays: _Arrays, line: int, faults: FileFaults) -> None:
    """The modes are those of the Hessian and of the masses."""
    found = _frequencies(arrays.hessian, arrays.vectors, arrays.geometry.masses)
    inner = displaced.projected(arrays.hessian, arrays.vectors, arrays.geometry.masses) / ELECTRONS * HARTREE**2
    mixed = np.abs(inner - np.diag(np.diagonal(inner))).max(initial=0.0) / np.abs(np.diagonal(inner)).max()
    worst = int(np.argmax(np.abs(found - arrays.frequencies)))
    if abs(found[worst] - arrays.frequencies[worst]) > SAME:
        faults.add(
            f"parts of different molecules or isotopes: the Hessian gives {found[worst]:.2f} cm-1 along mode"
            f" {worst + 1}, the list of modes {arrays.frequencies[worst]:.2f}",
            line,
        )
    elif mixed > SAME**2:
        faults.add("the modes are not those of the Hessian: parts of different molecules or isotopes", line)
    faults.raise_any()


def _forces(arrays: _Arrays, order: np.ndarray, scale: np.ndarray) -> tuple[str, ...]:
    """A sentence where the geometry is no minimum, else nothing."""
    roots = np.sqrt(arrays.geometry.masses)[None, :, None]
    along = np.einsum("kac,ac->k", arrays.vectors[order] / roots, arrays.gradient.reshape(-1, 3)) * scale * HARTREE
    worst = int(np.argmax(np.abs(along)))
    if abs(along[worst]) <= FORCE:
        return ()
    return (
        f"the geometry is not quite a minimum: a force of {abs(along[worst]):.1f} cm-1 along mode {worst + 1} is left"
        " out, as Gaussian does",
    )


def _dipole(arrays: _Arrays, turned: np.ndarray, order: np.ndarray, scale: np.ndarray) -> Surface:
    """The dipole to third order, mu_ijk of at most two different modes, in Debye."""
    rows = (arrays.vectors[order] / np.sqrt(arrays.geometry.masses)[None, :, None]).reshape(len(order), -1)
    first = rows @ arrays.dipole_slopes
    second = np.einsum("la,kax->klx", rows, (turned[:, None, None] * arrays.dipole_hessians[0])[order])
    third = np.einsum("la,kax->klx", rows, arrays.dipole_hessians[1][order])
    routes: dict[tuple[int, ...], list[np.ndarray]] = {(): [arrays.dipole]}
    for k in range(len(order)):
        routes[k,] = [first[k]]
        for j in range(len(order)):
            routes.setdefault(tuple(sorted((k, j))), []).append(second[k, j])
            routes.setdefault(tuple(sorted((k, k, j))), []).append(third[k, j])
    return displaced.surface_of(
        {modes: np.mean(values, axis=0) for modes, values in routes.items()}, scale, 3, DEBYE, "D"
    )


def _polarisability(arrays: _Arrays, turned: np.ndarray, order: np.ndarray, scale: np.ndarray) -> Surface | None:
    """The polarisability to second order, alpha_kk of one mode only, in cubic Angstrom; None where it is not there."""
    if arrays.polarisability is None or arrays.polarisabilities is None:
        return None
    once = (turned[:, None] * arrays.polarisabilities[0])[order]
    twice = arrays.polarisabilities[1][order]
    values: dict[tuple[int, ...], np.ndarray] = {(): arrays.polarisability}
    for k in range(len(order)):
        values[k,], values[k, k] = once[k], twice[k]
    values = {modes: value[_POLARISABILITY] for modes, value in values.items()}
    return displaced.surface_of(values, scale, 6, ANGSTROM**3, "A3")
