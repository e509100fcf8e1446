"""Geometry and normal modes of a molecule, and what follows from them for its rotation.

With mass-weighted normal coordinates Q_k and vectors l_k, the displacement of atom i is sum_k l_ik Q_k / sqrt(m_i), and

    zeta^a_kl = sum_i (l_ik x l_il)_a,
    dI_ab/dQ_k = sum_i sqrt(m_i) (2 delta_ab r_i . l_ik - r_ia l_ikb - r_ib l_ika)

(Meal and Polo, J. Chem. Phys. 24, 1119 (1956), eq. 9; Watson, Mol. Phys. 15, 479 (1968), eq. 32).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.quantum.hamiltonians.force_field.rotation import LINEAR, Rotation

ANGSTROM = 0.529177210903  # of a bohr, CODATA 2018
ELECTRONS = 1822.888486209  # electron masses in an atomic mass unit, CODATA 2018
ROUND_OFF = 1e-12  # of the largest: sums of a few products of doubles
HARTREE = 219474.6313632  # cm-1, CODATA 2018


@dataclass(frozen=True, eq=False)
class Geometry:
    """Atoms at equilibrium.

    Attributes
    ----------
    symbols : of the elements, one an atom.
    masses : (atoms,) in atomic mass units.
    positions : (atoms, 3) in Angstrom.
    """

    symbols: tuple[str, ...]
    masses: np.ndarray
    positions: np.ndarray

    @property
    def centred(self) -> np.ndarray:
        """Positions from the centre of mass, (atoms, 3)."""
        return self.positions - self.masses @ self.positions / self.masses.sum()

    @property
    def inertia(self) -> np.ndarray:
        """Inertia tensor in the axes of the positions, (3, 3), amu Angstrom^2."""
        r = self.centred
        return np.einsum("i,ic,ic->", self.masses, r, r) * np.eye(3) - np.einsum("i,ia,ib->ab", self.masses, r, r)

    def still(self) -> np.ndarray:
        """Orthonormal mass-weighted directions of translation and rotation, (5 or 6, 3 atoms)."""
        roots = np.sqrt(self.masses)
        moves = [np.outer(roots, axis).ravel() for axis in np.eye(3)]
        moves += [(roots[:, None] * np.cross(axis, self.centred)).ravel() for axis in np.eye(3)]
        _, sizes, rows = np.linalg.svd(np.array(moves) / np.sqrt(self.masses.sum()), full_matrices=False)
        return rows[sizes > np.sqrt(LINEAR) * sizes[0]]


@dataclass(frozen=True, eq=False)
class NormalModes:
    """``frequencies`` (d,) in cm-1, ascending, negative if imaginary; ``vectors`` (d, atoms, 3), mass-weighted."""

    frequencies: np.ndarray
    vectors: np.ndarray


def normal_modes(geometry: Geometry, hessian: np.ndarray) -> NormalModes:
    """Normal modes of a Cartesian Hessian (3 atoms, 3 atoms) in hartree/bohr^2, free of translations and rotations.

    Wilson, Decius and Cross, Molecular Vibrations (1955), section 2.2. Cost O(atoms^3).
    """
    roots = np.repeat(np.sqrt(geometry.masses * ELECTRONS), 3)
    still = geometry.still()
    _, _, rows = np.linalg.svd(still)
    rest = rows[len(still) :]  # what neither moves nor turns the molecule
    squares, found = np.linalg.eigh(rest @ (0.5 * (hessian + hessian.T) / np.outer(roots, roots)) @ rest.T)
    frequencies = np.sign(squares) * np.sqrt(np.abs(squares)) * HARTREE
    return NormalModes(frequencies, (found.T @ rest).reshape(len(squares), -1, 3))


def rotation_of(geometry: Geometry, vectors: np.ndarray) -> Rotation:
    """Inertia, Coriolis constants and derivatives of the inertia for mass-weighted modes (d, atoms, 3)."""
    r, roots = geometry.centred, np.sqrt(geometry.masses)
    zeta = np.cross(vectors[:, None], vectors[None, :]).sum(axis=2).transpose(2, 0, 1)
    along = np.einsum("i,ia,kib->kab", roots, r, vectors)
    slopes = 2.0 * np.trace(along, axis1=1, axis2=2)[:, None, None] * np.eye(3) - along - along.transpose(0, 2, 1)
    return Rotation(geometry.inertia, _clean(0.5 * (zeta - zeta.transpose(0, 2, 1))), _clean(slopes))


def _clean(values: np.ndarray) -> np.ndarray:
    """Without what round-off leaves of zeros: each would be a product of the Hamiltonian."""
    return np.where(np.abs(values) > ROUND_OFF * np.abs(values).max(initial=0.0), values, 0.0)
