"""What the records of a formatted checkpoint file of Gaussian hold, and whether they are of one molecule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.quantum.hamiltonians.force_field.elements import symbol
from problems.quantum.hamiltonians.force_field.geometry import ANGSTROM, ELECTRONS, HARTREE, Geometry
from problems.quantum.readers import displaced
from problems.quantum.readers.checkpoint_file import CheckpointFile, symmetric

DERIVATIVES = "Cartesian 3rd/4th derivatives"
MOVED = "Anharmonic displacements"  # by Gaussian 16
RAMAN = ("Polarizability", "Polarizability num derivs")
RECORDS = (  # that are needed, in the order of the file
    "Number of atoms",
    "Atomic numbers",
    "Current cartesian coordinates",
    "Cartesian Gradient",
    "Cartesian Force Constants",
    DERIVATIVES,
    "Dipole Moment",
    "Dipole Derivatives",
    "Dipole Moment num derivs",
    "Dipole Derivatives num derivs",
    "Number of Normal Modes",
    "Vib-AtMass",
    "Vib-E2",
    "Vib-Modes",
)
# of the largest: what parts of one file agree to. Of 36 files they do to 1e-8 (modes, first derivatives of the dipole),
# 2e-3 (second derivatives of the dipole by two routes) and 3e-4 (cubic constants)
SAME_MODES = 1e-3
SAME_DIPOLE = 0.05
SAME_CUBIC = 0.01
FAINT = 1e-4  # atomic units: of smaller quantities nothing is asked
SAME = 0.01  # cm-1: frequencies of the Hessian and those listed


@dataclass(frozen=True, eq=False)
class Arrays:
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


def arrays_of(file: CheckpointFile) -> Arrays | None:
    """All records that are needed; None, with the faults in the file, where they are not there."""
    faults = file.faults
    if missing := [name for name in RECORDS if name not in file]:
        harmonic = missing[0] == DERIVATIVES and "Vib-Modes" in file
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
    hessians = symmetric(file.numbers(DERIVATIVES, (2, d, m * (m + 1) // 2)))
    moved = file.numbers("Vib-Modes", (d, n, 3))
    if MOVED in file:
        moved = file.numbers(MOVED, (d, n, 3))
    frequencies = file.numbers("Vib-E2", (file.records["Vib-E2"].count or 0,))[:d]
    gradient = file.numbers("Cartesian Gradient", (m,))
    dipoles = (
        file.numbers("Dipole Moment", (3,)),
        file.numbers("Dipole Derivatives", (m, 3)),
        file.numbers("Dipole Moment num derivs", (2, d, 3)),
        file.numbers("Dipole Derivatives num derivs", (2, d, m, 3)),
    )
    alpha: tuple[np.ndarray, np.ndarray] | tuple[None, None] = (None, None)
    if all(name in file for name in RAMAN):
        alpha = file.numbers(RAMAN[0], (6,)), file.numbers(RAMAN[1], (2, d, 6))
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
    return Arrays(geometry, gradient, hessian, vectors, frequencies, hessians, *dipoles, *alpha)


def along(arrays: Arrays) -> np.ndarray:
    """Cartesian displacements dx/dQ (d, 3 n) of the modes, amu^-1/2."""
    return (arrays.vectors / np.sqrt(arrays.geometry.masses)[None, :, None]).reshape(len(arrays.vectors), -1)


def look_at_modes(arrays: Arrays, file: CheckpointFile) -> None:
    """A fault where the modes are not those of Hessian, masses and geometry."""
    line, faults = file.records["Vib-Modes"].line, file.faults
    inner = displaced.projected(arrays.hessian, arrays.vectors, arrays.geometry.masses) / ELECTRONS
    squares = np.diagonal(inner)
    found = np.sign(squares) * np.sqrt(np.abs(squares)) * HARTREE
    worst = int(np.argmax(np.abs(found - arrays.frequencies)))
    if abs(found[worst] - arrays.frequencies[worst]) > SAME:
        faults.add(
            f"parts of different molecules or isotopes: the Hessian gives {found[worst]:.2f} cm-1 along mode"
            f" {worst + 1}, the list of modes {arrays.frequencies[worst]:.2f}",
            line,
        )
    elif np.abs(inner - np.diag(squares)).max(initial=0.0) > SAME_MODES**2 * np.abs(squares).max():
        faults.add("parts of different molecules or isotopes: the modes are not those of the Hessian", line)
    elif np.abs(arrays.geometry.still() @ arrays.vectors.reshape(len(squares), -1).T).max() > SAME_MODES:
        faults.add("parts of different molecules or orientations: the modes move or turn the molecule as a whole", line)


def look_at_displacements(arrays: Arrays, turned: np.ndarray, slopes: np.ndarray, file: CheckpointFile) -> None:
    """A fault where derivatives along the displacements contradict each other, or those at equilibrium.

    ``turned``: signs (d,) of the displacements; ``slopes`` (d, d, d): cubic constants by the mode that was displaced.
    """
    faults = file.faults
    expected = along(arrays) @ arrays.dipole_slopes
    measured = turned[:, None] * arrays.dipoles[0]
    second = np.einsum("la,kax->klx", along(arrays), turned[:, None, None] * arrays.dipole_hessians[0])
    diagonal = np.einsum("kkx->kx", second)
    if not _agree(measured, expected, SAME_MODES):
        line = file.records["Dipole Moment num derivs"].line
        faults.add(f"the dipole at the displacements does not agree with the Dipole Derivatives: {_OTHERS}", line)
    elif not _agree(slopes, slopes.transpose(1, 0, 2), SAME_CUBIC):
        line = file.records[DERIVATIVES].line
        faults.add(f"cubic constants of different displacements do not agree: {_OTHERS}", line)
    elif not all(
        _agree(*both, SAME_DIPOLE) for both in ((second, second.transpose(1, 0, 2)), (diagonal, arrays.dipoles[1]))
    ):
        line = file.records["Dipole Derivatives num derivs"].line
        faults.add("second derivatives of the dipole do not agree with each other: parts of two files?", line)


_OTHERS = (
    "parts of two files, or other modes than those of this file were displaced (formchk of a newer Gaussian 16 adds the"
    " Anharmonic displacements)"
)


def _agree(one: np.ndarray, other: np.ndarray, within: float) -> bool:
    return bool(np.abs(one - other).max(initial=0.0) <= within * max(np.abs(one).max(initial=0.0), FAINT))
