"""From Cartesian derivatives of the energy to a molecule: normal modes, force constants, rotation, for any masses.

With normal modes l_k and frequencies w_k (atomic units), x_i = sum_k l_ik q_k / sqrt(m_i w_k), and

    phi_kl.. = sum_ij.. V_ij.. (dx_i/dq_k) (dx_j/dq_l) ...

(Hoy, Mills and Strey, Mol. Phys. 24, 1265 (1972), for coordinates that are linear in x). The derivatives do not depend
on masses: they serve all isotopologues. Where symmetry says zero, what printed digits leave is left out.

An energy V(x) that neither place nor direction changes has, with G the generator of a translation or rotation,

    D^(n+1)V . G(x) + sum of G on each index of D^nV = 0,

which says how well the derivatives fit the geometry and each other.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, permutations
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.geometry import (
    ANGSTROM,
    ELECTRONS,
    HARTREE,
    Geometry,
    normal_modes,
    rotation_of,
)
from problems.quantum.hamiltonians.force_field.irreps import named
from problems.quantum.hamiltonians.force_field.isotopes import mass_of
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.hamiltonians.force_field.orientation import oriented
from solvers.measured import amount, numeral

NOISE = 1e-6  # cm-1: derivatives printed to ten decimals say no less of a force constant
INVARIANT = 1e-4  # of the largest derivative: what is more hints at another geometry or units
FORBIDDEN = 1.0  # cm-1: a constant that symmetry forbids is left out if smaller
TOLD = 0.01  # cm-1: of such a constant, in the report
MISFIT = 0.02  # of the largest second derivative: the geometry is of another molecule, or in other units
RIGID = 10.0  # cm-1: frequencies of the whole molecule that differences of energies leave


@dataclass(frozen=True, eq=False)
class CartesianField:
    """Derivatives of the energy in Cartesian coordinates at a geometry.

    Attributes
    ----------
    name : shown in reports.
    symbols : of the elements, one an atom; empty where the file does not say.
    masses : (atoms,) in u; NaN where they are not known.
    positions : (atoms, 3) in bohr.
    derivatives : symmetric arrays of order 2 and up, (3 atoms,) * order, in hartree / bohr^order.
    source : the file.
    notes : what a user must know of it.
    """

    name: str
    symbols: tuple[str, ...]
    masses: np.ndarray
    positions: np.ndarray
    derivatives: tuple[np.ndarray, ...]
    source: Path | None = None
    notes: tuple[str, ...] = ()

    def with_masses(self, given: Mapping[int, float], key: str) -> CartesianField:
        """An isotopologue: atoms from 1 -> mass in u. Raises ProblemError for atoms that are not there."""
        masses = self.masses.copy()
        unknown = sorted(atom for atom in given if not 1 <= atom <= len(masses))
        if unknown:
            raise ProblemError(f"no atom {unknown[0]}: the atoms are 1 to {len(masses)}", key)
        for atom, mass in given.items():
            masses[atom - 1] = mass
        told = ", ".join(f"{atom}: {given[atom]:g}" for atom in sorted(given))
        return replace(self, masses=masses, name=f"{self.name}, masses {told} u" if given else self.name)


def symmetric(values: np.ndarray, size: int, order: int) -> np.ndarray:
    """The symmetric array (size,) * order of values listed for i >= j >= ..., the last index fastest."""
    places = np.array([p[::-1] for p in combinations_with_replacement(range(size), order)])
    places = places[np.lexsort(places.T[::-1])]
    found = np.zeros((size,) * order)
    for turn in permutations(range(order)):
        found[tuple(places[:, turn].T)] = values
    return found


def molecule_from(given: CartesianField, key: str) -> Molecule:
    """Normal modes by falling frequency, force constants, rotation and notes on the quality of the derivatives.

    Cost O((3 atoms)^order d). Raises ProblemError where masses are missing and where a frequency is not positive.
    """
    lacking = np.flatnonzero(~np.isfinite(given.masses)) + 1
    if len(lacking):
        atoms = ", ".join(map(str, lacking))
        raise ProblemError(f"the masses of atoms {atoms} are not known: give masses, as in {{1: 15.9949}}", key)
    fits = violations(given)
    if fits[2][1] > MISFIT:
        raise ProblemError(
            f"the second derivatives are not those of this geometry: where the molecule turns they change the energy, "
            f"by {numeral(fits[2][1])} of the largest; another molecule, other axes, or other units",
            key,
        )
    # 1. modes, free of translations and rotations, degenerate ones along the symmetry
    geometry = Geometry(given.symbols, given.masses, given.positions * ANGSTROM)
    modes = normal_modes(geometry, given.derivatives[0])
    w, vectors = modes.frequencies[::-1], modes.vectors[::-1]
    if not len(w) or w[-1] <= 0.0:
        count = int(np.sum(w <= 0.0))
        raise ProblemError(
            f"{count} of {len(w)} frequencies are not positive (the lowest is {w[-1]:.1f} cm-1, below zero where "
            "imaginary): the geometry is no minimum, or the derivatives are of another one",
            key,
        )
    placed = oriented(geometry.masses, geometry.centred, w, vectors, given.derivatives)
    # 2. derivatives in dimensionless coordinates
    weighted = (placed.vectors / np.sqrt(geometry.masses * ELECTRONS)[:, None]).reshape(len(w), -1)
    frequencies = HARTREE * np.sqrt(np.einsum("ki,ij,kj->k", weighted, given.derivatives[0], weighted))
    slopes = weighted / np.sqrt(frequencies / HARTREE)[:, None]
    terms: dict[tuple[int, ...], float] = {}
    forbidden = 0.0
    for tensor in given.derivatives:
        phi = HARTREE * _along(tensor, slopes)
        for index in combinations_with_replacement(range(len(w)), phi.ndim):
            value = float(phi[index])
            if abs(value) <= NOISE or (phi.ndim == 2 and index[0] == index[1]):
                continue
            if _forbidden(placed.characters, index):
                forbidden = max(forbidden, abs(value))
                if abs(value) <= FORBIDDEN:
                    continue
            terms[index] = value / math.prod(math.factorial(m) for m in Counter(index).values())
    # 3. what the derivatives are worth
    notes = [*given.notes, *quality(given, geometry, fits)]
    if forbidden > TOLD:
        kept = f"; those of more than {FORBIDDEN:g} cm-1 are kept" if forbidden > FORBIDDEN else ""
        notes.append(
            "the derivatives are less symmetric than the geometry: force constants that symmetry forbids are left out, "
            f"the largest is {amount(forbidden)} cm-1{kept}"
        )
    field = ForceField(given.name, "cm-1", frequencies, terms, given.source)
    rotation = rotation_of(geometry, placed.vectors)
    group, irreps = named(placed, geometry.masses, geometry.centred, rotation.linear)
    return Molecule(
        field,
        rotation,
        irreps=irreps,
        point_group=group,
        geometry=geometry,
        vectors=placed.vectors,
        notes=tuple(notes),
    )


def _along(tensor: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """A symmetric tensor in the coordinates whose derivatives are ``slopes`` (d, 3 atoms)."""
    for _ in range(tensor.ndim):
        tensor = np.tensordot(tensor, slopes, (0, 1))  # the new index goes last
    return tensor


def _forbidden(characters: np.ndarray, index: Sequence[int]) -> bool:
    """Whether an operation changes the sign of the product of these modes."""
    return bool((np.prod(characters[:, list(index)], axis=1) < 0.0).any())


def quality(given: CartesianField, geometry: Geometry, fits: Mapping[int, tuple[float, float]]) -> list[str]:
    """Sentences on derivatives that move or turn the molecule at a cost; none where they fit the geometry."""
    said = []
    off = {order: max(sizes) for order, sizes in fits.items() if max(sizes) > INVARIANT}
    if off:
        orders = ", ".join(f"{numeral(size)} (order {order})" for order, size in off.items())
        said.append(
            f"the energy changes where the molecule as a whole moves or turns, by {orders} of the largest derivative: "
            "few digits, or a fit that is not the same in all directions"
        )
    roots = np.repeat(np.sqrt(geometry.masses * ELECTRONS), 3)
    still = geometry.still()
    rigid = np.linalg.eigvalsh(still @ (given.derivatives[0] / np.outer(roots, roots)) @ still.T)
    largest = math.sqrt(float(np.abs(rigid).max())) * HARTREE
    if largest > RIGID:
        said.append(f"translations and rotations have frequencies of up to {numeral(largest)} cm-1 in place of zero")
    return said


def violations(given: CartesianField) -> dict[int, tuple[float, float]]:
    """Order of the derivatives -> by how much they change where the molecule moves and where it turns, of the largest.

    The second compares an order with the one below; forces at the geometry are taken as zero.
    """
    atoms = len(given.positions)
    found = {}
    below: np.ndarray | None = None
    for tensor in given.derivatives:
        size = float(np.abs(tensor).max()) or 1.0
        moved = np.abs(tensor.reshape(*tensor.shape[:-1], atoms, 3).sum(axis=-2)).max() / size
        turned = 0.0
        for axis in np.eye(3):
            spin = np.kron(np.eye(atoms), np.cross(np.eye(3), axis))  # x -> axis x x, of all atoms
            change = tensor @ (spin @ given.positions.ravel())
            for place in range(0 if below is None else below.ndim):
                assert below is not None
                change = change + np.moveaxis(np.tensordot(below, spin, (place, 0)), -1, place)
            turned = max(turned, float(np.abs(change).max()) / size)
        found[tensor.ndim] = (float(moved), turned)
        below = tensor
    return found


def masses_of(symbols: Sequence[str]) -> np.ndarray:
    """(atoms,) masses of the most abundant isotopes in u; NaN for what is no element."""
    known = [mass_of(symbol) for symbol in symbols]
    return np.array([math.nan if mass is None else mass for mass in known])
