"""Atoms, axes and what the archive of an output of Gaussian holds: geometry, modes and dipole in the axes of zeta.

An output shows the molecule in several orientations; the derivatives of the inertia belong to one of them, and say
which. With U_ab = sum_i m_i r_ia r_ib about the centre of mass and its derivatives along all vibrations Q_k,

    sum_k dU_ab/dQ_k d(tr U)/dQ_k = 4 U_ab                                              (in the axes of dU)

since the vibrations, the translations and the rotations, which do not change tr U, are a complete set (Meal and Polo,
J. Chem. Phys. 24, 1119 (1956)). dU = 1/2 tr(dI) - dI.

The archive at the end of an output has the Hessian and the dipole derivatives to 8 and 7 decimals. Its orientation is
that in which the Hessian gives the printed frequencies; signs and turns of the modes are those of dI/dQ_k and zeta.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.quantum.hamiltonians.force_field.elements import symbol
from problems.quantum.hamiltonians.force_field.geometry import Geometry, normal_modes, rotation_of
from problems.quantum.hamiltonians.force_field.rotation import Rotation
from problems.quantum.readers.checkpoint_file import symmetric
from problems.quantum.readers.gaussian_output import FORTRAN, Output
from problems.tables import number_of

ORIENTATIONS = ("Input orientation", "Standard orientation", "Z-Matrix orientation")
SAME_AXES = 1e-3  # of the largest moment: five digits of dI/dQ leave 1e-5
SAME_MODES = 0.5  # cm-1: eight decimals of a Hessian leave 0.01, and 0.1 of modes below 100
APART = 2.0  # cm-1: modes closer than that may be turned into each other
FITS = 0.02  # of dI/dQ and zeta: modes of the archive are those of the output


def frames(output: Output) -> list[Geometry]:
    """The last of each orientation, the one with most digits first; with the masses of the last list of them."""
    masses = _masses(output)
    found = [_reference_system(output, masses)]
    found += [_oriented(output, name, masses) for name in ORIENTATIONS]
    return [one for one in found if one is not None]


def _masses(output: Output) -> list[tuple[int, float]]:
    """Atomic numbers and masses, in amu, of the last list."""
    row = re.compile(r"\s*Atom +(\d+) has atomic number +(\d+) and mass +(\S+)\s*$")
    end = output.last(row, output.start)
    found: list[tuple[int, float]] = []
    while end is not None and end >= 0 and (cells := row.match(output.lines[end])):
        found.append((int(cells[2]), output.number(cells[3], "mass", end, 9)))
        end -= 1
    return found[::-1]


def _oriented(output: Output, name: str, masses: Sequence[tuple[int, float]]) -> Geometry | None:
    begin = output.last(re.compile(rf"\s*{name}:"), output.start)
    if begin is None:
        return None
    row = re.compile(r"\s*\d+ +(-?\d+) +-?\d+ +(\S+) +(\S+) +(\S+)\s*$")
    atoms = []
    for k in range(begin + 1, len(output.lines)):
        line = output.lines[k]
        if cells := row.match(line):
            if int(cells[1]) > 0:  # no dummy atom
                atoms.append((int(cells[1]), [number_of(cell) for cell in cells.groups()[1:]]))
        elif atoms:
            break
    return _geometry(atoms, masses)


def _reference_system(output: Output, masses: Sequence[tuple[int, float]]) -> Geometry | None:
    begin = output.last(re.compile(r"\s*Reference System\s*$"), output.start)
    if begin is None:
        return None
    row = re.compile(r"\s*[A-Z][a-z]? +(-?\d+\.\d+) +(-?\d+\.\d+) +(-?\d+\.\d+)\s*$")
    atoms = []
    for k in range(begin + 1, len(output.lines)):
        if cells := row.match(output.lines[k]):
            atoms.append((None, [number_of(cell) for cell in cells.groups()]))
        elif atoms:
            break
    return _geometry(atoms, masses)


def _geometry(
    atoms: Sequence[tuple[int | None, Sequence[float | None]]], masses: Sequence[tuple[int, float]]
) -> Geometry | None:
    """Atoms with the masses of the list; None where the two are not of one molecule."""
    if len(atoms) != len(masses) or not atoms:
        return None
    if any(z is not None and z != number for (z, _), (number, _) in zip(atoms, masses, strict=True)):
        return None
    positions = np.array([place for _, place in atoms], dtype=float)
    weights = np.array([mass for _, mass in masses])
    if not (np.isfinite(positions).all() and np.all(weights > 0.0)):
        return None
    return Geometry(tuple(symbol(number) for number, _ in masses), weights, positions)


def inertia_of_slopes(slopes: np.ndarray) -> np.ndarray:
    """The inertia (3, 3) at equilibrium of its derivatives along all vibrations, by the sum rule of the module."""
    of_u = 0.5 * np.trace(slopes, axis1=1, axis2=2)[:, None, None] * np.eye(3) - slopes
    u = 0.25 * np.einsum("kab,k->ab", of_u, np.trace(of_u, axis1=1, axis2=2))
    return np.trace(u) * np.eye(3) - u


def in_axes_of(slopes: np.ndarray, geometries: Sequence[Geometry]) -> Geometry | None:
    """The geometry to whose orientation the derivatives of the inertia belong; None where it is none of them."""
    inertia = inertia_of_slopes(slopes)
    within = SAME_AXES * np.abs(inertia).max()
    return next((one for one in geometries if np.abs(one.inertia - inertia).max() < within), None)


@dataclass(frozen=True, eq=False)
class Archived:
    """Of the archive: Hessian (3 n, 3 n), dipole (3,) and its derivatives (3 n, 3), atomic units."""

    hessian: np.ndarray
    dipole: np.ndarray
    slopes: np.ndarray


def archived(output: Output, atoms: int) -> Archived | None:
    """What the last archive of an output holds; None where there is none, or none of this many atoms."""
    begin = output.last(re.compile(r" 1[\\|]1[\\|]"))
    if begin is None or output.start is None or begin < output.start:
        return None
    text = ""
    for line in output.lines[begin:]:
        if not line.strip():
            break
        text += line[1:]
    mark = text[1]
    sections = text.split(2 * mark)
    place = next((k for k, section in enumerate(sections) if f"{mark}NImag=" in section), None)
    if place is None or place + 1 >= len(sections):
        return None
    named = dict(part.split("=", 1) for part in sections[place].split(mark) if "=" in part)
    m = 3 * atoms
    hessian = _numbers(sections[place + 1], m * (m + 1) // 2)
    dipole, slopes = _numbers(named.get("Dipole", ""), 3), _numbers(named.get("DipoleDeriv", ""), 3 * m)
    if hessian is None or dipole is None or slopes is None:
        return None
    return Archived(symmetric(hessian), dipole, slopes.reshape(m, 3))


def _numbers(text: str, count: int) -> np.ndarray | None:
    values = [number_of(cell.translate(FORTRAN)) for cell in text.split(",")]
    if len(values) != count or any(value is None for value in values):
        return None
    return np.array(values, dtype=float)


@dataclass(frozen=True, eq=False)
class Modes:
    """Modes in the axes of a geometry: vectors (d, atoms, 3), dipole (3,) and its slopes d mu/dQ_k (d, 3), a.u.."""

    vectors: np.ndarray
    dipole: np.ndarray
    slopes: np.ndarray


def modes_of(
    archive: Archived, geometries: Sequence[Geometry], target: Geometry, frequencies: np.ndarray, printed: Rotation
) -> Modes | None:
    """The modes of an archive, ordered and signed as the printed ones, in the axes of ``target``; else None.

    1. The orientation of the archive is that in which its Hessian has the frequencies of the output.
    2. Both orientations show one molecule: a rotation takes one to the other (Kabsch, Acta Cryst. A 32, 922 (1976)).
    3. Signs, and turns of degenerate modes, are those of dI/dQ_k; where that vanishes, zeta ties modes to the others.
    """
    descending = np.argsort(-frequencies, kind="stable")
    groups = np.split(descending, np.flatnonzero(-np.diff(frequencies[descending]) > APART) + 1)
    for geometry in geometries:
        found = normal_modes(geometry, archive.hessian)
        if found.frequencies.size != frequencies.size:
            continue
        if np.abs(found.frequencies[::-1] - frequencies[descending]).max() > SAME_MODES:
            continue
        vectors = np.empty_like(found.vectors)
        vectors[descending] = found.vectors[::-1]
        turn = _turn(geometry, target)
        vectors = vectors @ turn.T
        mixing = _mixing(rotation_of(target, vectors), printed, groups)
        if mixing is None:
            continue
        slopes = archive.slopes.reshape(-1, 3, 3) @ turn.T  # atom, direction, component
        slopes = np.einsum("bc,icx->ibx", turn, slopes)
        vectors = np.einsum("kl,lib->kib", mixing, vectors)
        along = np.einsum("kib,ibx->kx", vectors / np.sqrt(target.masses)[None, :, None], slopes)
        return Modes(vectors, turn @ archive.dipole, along)
    return None


def _turn(start: Geometry, end: Geometry) -> np.ndarray:
    """The proper rotation (3, 3) that takes one orientation of a molecule to another."""
    left, _, right = np.linalg.svd(start.centred.T @ (start.masses[:, None] * end.centred))
    sign = np.sign(np.linalg.det(right.T @ left.T))
    return right.T @ np.diag([1.0, 1.0, sign]) @ left.T


def _mixing(found: Rotation, printed: Rotation, groups: Sequence[np.ndarray]) -> np.ndarray | None:
    """The orthogonal matrix (d, d), a block a group, that makes the modes of ``found`` those of ``printed``, else None.

    Block by block, the one with most evidence first, it is the orthogonal factor of the overlap of dI/dQ_k, and of zeta
    with the modes that are known by then; Gaussian's zeta are, as a whole, of the other sign than ``rotation_of``'s.
    """
    assert found.derivatives is not None and printed.derivatives is not None
    d = len(found.derivatives)
    largest = np.abs(printed.derivatives).max(initial=1.0)
    overlap = np.einsum("kab,lab->kl", printed.derivatives, found.derivatives) / largest**2
    mixing, rest = np.zeros((d, d)), list(groups)
    while rest:
        evidence = overlap - np.einsum("akm,mn,aln->kl", printed.zeta, mixing, found.zeta)
        factors = [np.linalg.svd(evidence[np.ix_(group, group)]) for group in rest]
        clearest = int(np.argmax([sizes[-1] for _, sizes, _ in factors]))
        group = rest.pop(clearest)
        left, _, right = factors[clearest]
        mixing[np.ix_(group, group)] = left @ right
    of_zeta = np.einsum("kl,alm,nm->akn", mixing, found.zeta, mixing) + printed.zeta
    of_slopes = np.einsum("kl,lab->kab", mixing, found.derivatives) - printed.derivatives
    if np.abs(of_zeta).max(initial=0.0) > FITS or np.abs(of_slopes).max() > FITS * largest:
        return None
    return mixing
