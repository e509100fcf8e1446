"""What a file says of a molecule: its force field and, where the file has them, the data beyond it."""

from __future__ import annotations

from dataclasses import dataclass

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.rotation import Rotation


@dataclass(frozen=True, eq=False)
class Molecule:
    """A molecule as a reader finds it in a file.

    Attributes
    ----------
    field : the force field.
    rotation : inertia, zeta and derivatives of the inertia, or None where the file does not hold them.
    notes : what is missing, inconsistent or weak in the file, a sentence each, for the report.
    """

    field: ForceField
    rotation: Rotation | None = None
    notes: tuple[str, ...] = ()
