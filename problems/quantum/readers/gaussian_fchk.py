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
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.field import of_derivatives
from problems.quantum.hamiltonians.force_field.geometry import ANGSTROM, HARTREE, rotation_of
from problems.quantum.hamiltonians.force_field.molecule import DEBYE, Molecule, Surface
from problems.quantum.hamiltonians.force_field.rotation import Rotation
from problems.quantum.readers import displaced
from problems.quantum.readers.checkpoint_file import CheckpointFile, is_checkpoint
from problems.quantum.readers.gaussian_arrays import Arrays, along, arrays_of, look_at_displacements, look_at_modes
from problems.quantum.readers.quality import contradictions, imaginary, notes_on

PRINTED = 3.71e-5  # hartree amu^(-n/2) bohr^-n: below it Gaussian drops a constant, and so is the noise of its steps
NOISE = 1e-5  # of zeta, and of the largest inertia and derivative of it: in 36 files noise is below, all else above
FORCE = 1.0  # cm-1: derivatives of the energy above it say that the geometry is no minimum
_POLARISABILITY = [0, 1, 3, 2, 4, 5]  # xx xy xz yy yz zz of Gaussian's xx xy yy xz yz zz


def reads(path: Path) -> bool:
    """Whether a file has the records of a formatted checkpoint file."""
    return is_checkpoint(path)


def read(path: Path) -> Molecule:
    """The molecule in a file: field, rotation, dipole to third order and polarisability to second.

    Cost O(d^2 atoms^2). Raises ProblemError with every fault, each ``file:line:column: ...``: a file that is cut short
    or of a harmonic run, imaginary frequencies, and parts that are not of one molecule.
    """
    file = CheckpointFile(path)
    arrays = arrays_of(file)
    file.faults.raise_any()
    assert arrays is not None
    if text := imaginary(arrays.frequencies):
        file.faults.add(text, file.records["Vib-E2"].line)
        file.faults.raise_any()
    look_at_modes(arrays, file)
    file.faults.raise_any()
    masses, w = arrays.geometry.masses, arrays.frequencies
    slopes = displaced.projected(arrays.hessians[0], arrays.vectors, masses)
    turned = displaced.signs(slopes, arrays.dipoles[0], along(arrays) @ arrays.dipole_slopes)
    slopes = turned[:, None, None] * slopes
    look_at_displacements(arrays, turned, slopes, file)
    file.faults.raise_any()
    order = np.argsort(-w, kind="stable")
    curvatures = displaced.projected(arrays.hessians[1], arrays.vectors, masses)
    cubic = displaced.cubic_routes(slopes[np.ix_(order, order, order)])
    quartic = displaced.quartic_routes(curvatures[np.ix_(order, order, order)])
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
        rotation=_without_noise(rotation_of(arrays.geometry, vectors)),
        dipole=_dipole(arrays, turned, order, scale),
        polarisability=_polarisability(arrays, turned, order, scale),
        geometry=arrays.geometry,
        vectors=vectors,
        notes=(*notes, *_forces(arrays, order, scale)),
    )


def _without_noise(rotation: Rotation) -> Rotation:
    """The same without what symmetry forbids and the digits of the file leave: products with it would be thousands."""
    assert rotation.derivatives is not None
    inertia, zeta, slopes = rotation.inertia, rotation.zeta, rotation.derivatives

    def clear(values: np.ndarray) -> np.ndarray:
        return np.where(np.abs(values) > NOISE * max(1.0, float(np.abs(values).max(initial=0.0))), values, 0.0)

    return Rotation(clear(inertia), clear(zeta), clear(slopes))


def _forces(arrays: Arrays, order: np.ndarray, scale: np.ndarray) -> tuple[str, ...]:
    """A sentence where the geometry is no minimum, else nothing."""
    forces = (along(arrays) @ arrays.gradient)[order] * scale * HARTREE
    worst = int(np.argmax(np.abs(forces)))
    if abs(forces[worst]) <= FORCE:
        return ()
    return (
        f"the geometry is not quite a minimum: a force of {abs(forces[worst]):.1f} cm-1 along mode {worst + 1} is left"
        " out, as Gaussian does",
    )


def _dipole(arrays: Arrays, turned: np.ndarray, order: np.ndarray, scale: np.ndarray) -> Surface:
    """The dipole to third order, mu_ijk of at most two different modes, in Debye."""
    rows = along(arrays)[order]
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


def _polarisability(arrays: Arrays, turned: np.ndarray, order: np.ndarray, scale: np.ndarray) -> Surface | None:
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
