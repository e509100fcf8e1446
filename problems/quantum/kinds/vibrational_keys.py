"""The YAML keys of kind ``vibrational``, each read on its own; what they are together is checked by the kind."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, ProblemKeys, located, shown
from problems.quantum.hamiltonians.force_field.keys import (
    Basis,
    FieldFile,
    ForceFieldGiven,
    ForceFieldKey,
    HolesKey,
    directory,
    load,
    locate,
    molecule_of,
)
from problems.quantum.hamiltonians.force_field.property_keys import PropertyKey, Spectrum
from problems.quantum.kinds.assignment_keys import Compare, NamesKey, checked_names, lines_of, names_of
from problems.quantum.readers.property_table import DIPOLE, POLARISABILITY, read_property
from problems.quantum.readers.rotation_table import check_rotation, read_rotation

ROTATION = "problem.rotation"
MANY_MODES = 9999  # where it is not known how many there are


class VibrationalKeys(ProblemKeys):
    """The lowest vibrational states of a polynomial force field."""

    kind: Literal["vibrational"] = Field(description="The kind of problem.")
    force_field: ForceFieldKey = Field(
        description="A shipped force field by name, a file (path relative to the YAML file), or a model.",
        json_schema_extra={"values": "acetonitrile, a path, {file: ..., format: ...}, or {model: ..., dimension: ...}"},
    )
    mode_order: Literal["automatic", "frequency"] | tuple[int, ...] = Field(
        default=AUTOMATIC,
        description="Order along the train; frequency: ascending; a list names each of modes 1 to d once.",
        json_schema_extra={"values": "automatic, frequency, or a list of modes"},
    )
    basis: Basis = Field(default=Basis(), description="One-mode bases.")
    rotation: str | None = Field(
        default=None,
        description="CSV file of inertia (or rotational constants), Coriolis zeta and derivatives of the inertia.",
        json_schema_extra={"values": "a path relative to the YAML file"},
    )
    kinetic: Literal["none", "watson", "watson1", "watson2"] = Field(
        default="none",
        description="Rotation terms of J = 0: none; watson: inverse inertia at equilibrium; watson1, watson2: to first "
        "and second order in q.",
    )
    holes: HolesKey = Field(
        default="warn",
        description="Where the potential falls without end, and the basis or the states reach there; warn: levels that"
        " stand still beside the hole; refuse: none; {tanh: g}: the potential in coordinates that end.",
    )
    dipole: PropertyKey | None = Field(
        default=None,
        description="Dipole for infrared intensities; where it is left out, the one in the file of the force field.",
    )
    polarisability: PropertyKey | None = Field(
        default=None,
        description="Polarisability for Raman activities; where it is left out, that in the file of the force field.",
    )
    spectrum: Spectrum | None = Field(
        default=None, description="How the infrared spectrum is drawn, where there is a dipole."
    )
    names: NamesKey | None = Field(
        default=None,
        description="Names of the modes with, in parentheses, their irreducible representations, as nu5(b2): a list, "
        "or a mapping from the number of a mode. Without it Herzberg's numbers, where the file has representations or "
        "the field is that of a symmetric top.",
        json_schema_extra={
            "values": "a list of names, or a mapping such as {1: nu5(b2)}",
            "schema": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object"}, {"type": "null"}]},
        },
    )
    compare: Compare | None = Field(default=None, description="What the levels are compared with.")

    @field_validator("force_field")
    @classmethod
    def _readable(cls, value: ForceFieldGiven, info: ValidationInfo) -> ForceFieldGiven:
        if isinstance(value, str):
            value = locate(value, directory(info))
        elif isinstance(value, FieldFile):
            path = located(value.file, directory(info), "problem.force_field.file")
            value = value.model_copy(update={"file": str(path)})
        load(value)
        return value

    @field_validator("mode_order", mode="plain")
    @classmethod
    def _permutation(cls, value: object, info: ValidationInfo) -> str | tuple[int, ...]:
        if isinstance(value, str) and value in (AUTOMATIC, "frequency"):
            return value
        if not isinstance(value, (list, tuple)) or not all(type(mode) is int for mode in value):
            raise ValueError(f"must be automatic, frequency or a list of modes, found {shown(value)}")
        if "force_field" in info.data:
            d = load(info.data["force_field"]).d
            if sorted(value) != list(range(1, d + 1)):
                raise ValueError(f"must name each of the modes 1 to {d} once, found {shown(value)}")
        return tuple(value)

    @field_validator("basis")
    @classmethod
    def _one_size_a_mode(cls, value: Basis, info: ValidationInfo) -> Basis:
        if isinstance(value.functions, tuple) and "force_field" in info.data:
            d = load(info.data["force_field"]).d
            if len(value.functions) != d:
                message = f"needs {d} numbers, one a mode, found {len(value.functions)}"
                raise ProblemError(message, "problem.basis.functions")
        return value

    @field_validator("rotation")
    @classmethod
    def _readable_rotation(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        path = located(value, directory(info), ROTATION)
        if "force_field" in info.data:
            read_rotation(path, load(info.data["force_field"]).d, ROTATION)
        else:
            check_rotation(path, ROTATION)
        return str(path)

    @field_validator("dipole", "polarisability")
    @classmethod
    def _located(cls, value: PropertyKey | None, info: ValidationInfo) -> PropertyKey | None:
        if value is None or value.file is None:
            return value
        key = f"problem.{info.field_name}.file"
        path = located(value.file, directory(info), key)
        known = "force_field" in info.data  # the faults of this file are told beside those of a field that has some too
        d = load(info.data["force_field"]).d if known else MANY_MODES
        read_property(path, d, DIPOLE if info.field_name == "dipole" else POLARISABILITY, key)
        return value.model_copy(update={"file": str(path)})

    @field_validator("names")
    @classmethod
    def _one_name_a_mode(cls, value: NamesKey | None, info: ValidationInfo) -> NamesKey | None:
        if "force_field" in info.data:
            checked_names(value, load(info.data["force_field"]).d)
        return value

    @field_validator("compare")
    @classmethod
    def _readable_lines(cls, value: Compare | None, info: ValidationInfo) -> Compare | None:
        if value is None:
            return None
        path = located(value.measured, directory(info), "problem.compare.measured")
        found = value.model_copy(update={"measured": str(path)})
        if "force_field" in info.data:
            molecule = molecule_of(info.data["force_field"])
            names = names_of(info.data.get("names"), molecule.irreps, molecule.field.frequencies.tolist())
            lines_of(found, molecule.field, names, molecule.irreps, Path())
        return found
