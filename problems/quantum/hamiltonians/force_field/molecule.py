"""What a file says of a molecule: its force field and, where the file has them, the data beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.geometry import Geometry
from problems.quantum.hamiltonians.force_field.rotation import Rotation

DEBYE = 2.541746473  # of an atomic unit of the dipole, CODATA 2018


@dataclass(frozen=True, eq=False)
class Surface:
    """A property as a polynomial of the dimensionless coordinates.

    Attributes
    ----------
    components : one polynomial a component: sorted 0-based modes with repetition -> coefficient of their product,
        () for the value at equilibrium; no factorials, as in ``ForceField.terms``. A dipole has x, y, z; a
        polarisability xx, xy, xz, yy, yz, zz.
    unit : of all coefficients: ``D`` for a dipole, ``A3`` for a polarisability.
    """

    components: tuple[Mapping[tuple[int, ...], float], ...]
    unit: str

    @property
    def order(self) -> int:
        """Highest power."""
        return max((len(modes) for component in self.components for modes in component), default=0)

    def truncated(self, order: int) -> Surface:
        """Without the powers above ``order``."""
        kept = tuple({p: c for p, c in component.items() if len(p) <= order} for component in self.components)
        return Surface(kept, self.unit)

    def slopes(self, d: int) -> np.ndarray:
        """First derivatives of ``d`` modes at equilibrium, (d, components)."""
        return np.array([[component.get((k,), 0.0) for component in self.components] for k in range(d)])


@dataclass(frozen=True)
class Printed:
    """A transition as the program that wrote the file prints it.

    Attributes
    ----------
    quanta : of every mode in the upper state; the lower one is the ground state.
    harmonic, anharmonic : in cm-1; None where it is not printed.
    intensities : harmonic and anharmonic, km/mol; None where it is not printed.
    """

    quanta: tuple[int, ...]
    harmonic: float | None = None
    anharmonic: float | None = None
    intensities: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, eq=False)
class Molecule:
    """A molecule as a reader finds it in a file.

    Attributes
    ----------
    field : the force field.
    rotation : inertia, zeta and derivatives of the inertia, or None where the file does not hold them.
    dipole, polarisability : of the same modes, or None.
    irreps : irreducible representation of every mode as the file names it (``a1``, ``B2``, ``SGU`` ...), or empty.
    point_group : as the file names it, or empty.
    geometry, vectors : atoms at equilibrium, and mass-weighted normal modes (d, atoms, 3) in the same axes, or None.
    printed : transitions as the program itself found them.
    notes : what is missing, inconsistent or weak in the file, a sentence each, for the report.
    """

    field: ForceField
    rotation: Rotation | None = None
    dipole: Surface | None = None
    polarisability: Surface | None = None
    irreps: tuple[str, ...] = ()
    point_group: str = ""
    geometry: Geometry | None = None
    vectors: np.ndarray | None = None
    printed: tuple[Printed, ...] = ()
    notes: tuple[str, ...] = ()
