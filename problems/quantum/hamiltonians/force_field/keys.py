"""YAML keys of a force field: shipped, in a file, or a model; and of its one-mode bases.

No numerics are imported here: a configuration is checked before any are loaded.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, Keys, located, shown
from problems.quantum.hamiltonians.force_field import field as fields
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers.cartesian_table import reads as is_cartesian
from problems.quantum.readers.formats import beside, file_of, read
from problems.quantum.readers.reader import KEY, is_file, is_folder
from problems.quantum.readers.shipped import load_force_field, shipped


class CoupledOscillators(Keys):
    """H = sum_j (w_j/2)(p_j^2 + q_j^2) + coupling sum_{i<j} q_i q_j, w_j = sqrt(j/2); exactly solvable."""

    model: Literal["coupled_oscillators"] = Field(description="The name of the model.")
    dimension: int = Field(ge=1, le=1000, description="Number of modes d.")
    coupling: float = Field(default=0.1, description="Bilinear coupling constant (model units).")


class HenonHeiles(Keys):
    """H = sum_k (p_k^2 + q_k^2)/2 + coupling sum_k (q_k^2 q_{k+1} - q_{k+1}^3/3); unbounded below far out."""

    model: Literal["henon_heiles"] = Field(description="The name of the model.")
    dimension: int = Field(ge=1, le=1000, description="Number of modes d.")
    coupling: float = Field(default=0.111803, description="Cubic coupling constant (model units).")


_OF_A_FILE = {"file", "format", "masses"}
MODELS: dict[str, type[CoupledOscillators] | type[HenonHeiles]] = {
    "coupled_oscillators": CoupledOscillators,
    "henon_heiles": HenonHeiles,
}


def _which_field(value: object) -> str:
    """Tag of the union below; tags are in parentheses, so that error paths can drop them."""
    if isinstance(value, (CoupledOscillators, HenonHeiles)):
        return f"({value.model})"
    if isinstance(value, FieldFile) or (isinstance(value, dict) and "model" not in value and value.keys() & _OF_A_FILE):
        return "(file)"
    if isinstance(value, dict):
        return f"({value.get('model')})" if value.get("model") in list(MODELS) else "(model)"
    return "(name)"


class FieldFile(Keys):
    """A force field in a file of any format that a reader is known for."""

    file: str = Field(description="The file, or the folder of a run; its path is relative to the YAML file.")
    format: str = Field(
        default=AUTOMATIC,
        description="automatic: the one whose reader takes the file for its own; csv: a table of force constants; "
        "cartesian: a table of Cartesian derivatives; spectro: fort.15, fort.30 and fort.40 of INTDER and SPECTRO; "
        "mop, hs: of SINDO and MidasCpp; gaussian_log, gaussian_fchk: output and formatted checkpoint file of "
        "Gaussian; cfour: cubic, quartic and what lies beside them; orca: .vpt2; pyvpt2: its JSON; vhci, qcmaquis, "
        "mctdh (.op), qumvia (.qqv): inputs of these programs.",
        json_schema_extra={
            "values": "automatic, csv, cartesian, spectro, mop, gaussian_log, gaussian_fchk, hs, cfour, orca, pyvpt2, "
            "vhci, qcmaquis, mctdh, qumvia, or a format that an installed package reads"
        },
    )
    masses: dict[int, Annotated[float, Field(gt=0.0)]] = Field(
        default_factory=dict,
        description="Masses in u by the number of the atom, from 1: an isotopologue; needs Cartesian derivatives.",
        json_schema_extra={"values": "as in {3: 2.0141}"},
    )

    @field_validator("masses", mode="before")
    @classmethod
    def _of_atoms(cls, value: object) -> object:
        """Numbers of atoms as the mappings of a run folder have them: texts."""
        if not isinstance(value, dict):
            return value
        wrong = [key for key in value if not str(key).isdecimal() or isinstance(key, bool)]
        if wrong:
            raise ValueError(f"the number of an atom must be an integer of at least 1, found {shown(wrong[0])}")
        return {int(key): mass for key, mass in value.items()}


REFUSE, WARN = "refuse", "warn"


class Bounded(Keys):
    """The potential in coordinates tanh(g q)/g, with the same derivatives to fourth order, bounded from below."""

    tanh: float = Field(
        gt=0,
        le=1,
        description="g: 0.1 to 0.25 are usual; what the levels move by as g does is in their errors.",
    )


HolesKey = Annotated[
    Annotated[Literal["refuse", "warn"], Tag("(word)")] | Annotated[Bounded, Tag("(bounded)")],
    Discriminator(lambda value: "(word)" if isinstance(value, str) else "(bounded)"),
]


class AnyModel(Keys):
    """Only reached by a mapping whose ``model`` is missing or unknown, to say so."""

    model: Literal["coupled_oscillators", "henon_heiles"]
    dimension: object = None
    coupling: object = None


ForceFieldKey = Annotated[
    Annotated[str, Tag("(name)")]
    | Annotated[FieldFile, Tag("(file)")]
    | Annotated[CoupledOscillators, Tag("(coupled_oscillators)")]
    | Annotated[HenonHeiles, Tag("(henon_heiles)")]
    | Annotated[AnyModel, Tag("(model)")],
    Discriminator(_which_field),
]


def _integers(value: object, least: int, what: str) -> int | tuple[int, ...] | Literal["automatic"]:
    """``automatic``, an integer of at least ``least``, or a list of such."""
    if isinstance(value, str) and value == AUTOMATIC:
        return AUTOMATIC
    entries: Sequence[object] = value if isinstance(value, (list, tuple)) else [value]
    found = tuple(entry for entry in entries if type(entry) is int and entry >= least)
    if not entries or len(found) < len(entries):
        raise ValueError(f"must be {what}, each at least {least}, found {shown(value)}")
    return found if isinstance(value, (list, tuple)) else found[0]


class Basis(Keys):
    """One-mode bases of the modes."""

    type: Literal["contracted", "harmonic"] = Field(
        default="contracted",
        description="contracted: mean-field functions made from many harmonic ones; harmonic: the latter.",
    )
    functions: int | tuple[int, ...] | Literal["automatic"] = Field(
        default=AUTOMATIC,
        description="Functions a mode, or a list for modes 1 to d; automatic: from the accuracy.",
        json_schema_extra={"values": "automatic, a number, or a list of numbers"},
    )

    @field_validator("functions", mode="plain")
    @classmethod
    def _functions(cls, value: object) -> int | tuple[int, ...] | Literal["automatic"]:
        return _integers(value, 1, "automatic, an integer or a list of integers")


def directory(info: ValidationInfo) -> Path:
    """From where the paths of a configuration lead."""
    return Path((info.context or {}).get("directory", "."))


def _beside(path: Path) -> list[str]:
    """Names of what lies in the folder of a path."""
    try:
        return [file.name for file in path.parent.iterdir()]
    except (OSError, ValueError):
        return []


def locate(text: str, directory: Path) -> str:
    """A shipped name as it is, the path of a file made absolute; ProblemError for anything else."""
    if text in shipped():
        return text
    path = located(text, directory, KEY)
    if is_file(path) or is_folder(path):
        return str(path)
    if path.suffix or len(Path(text).parts) > 1:
        guess = difflib.get_close_matches(path.name, _beside(path), n=1)
        raise ProblemError(f"no such file: {path}{f', did you mean {guess[0]}?' if guess else ''}", KEY)
    guess = difflib.get_close_matches(text, shipped(), n=1)
    hint = f", did you mean {guess[0]}?" if guess else f" (shipped: {', '.join(shipped())})"
    raise ProblemError(f"no shipped force field is called {shown(text)}{hint}; nor is there a file of that name", KEY)


ForceFieldGiven = str | FieldFile | CoupledOscillators | HenonHeiles | AnyModel


def molecule_of(value: ForceFieldGiven) -> Molecule:
    """The field that a configuration names, with what its file says beyond it."""
    if isinstance(value, FieldFile):
        found = read(Path(value.file), value.format, masses=value.masses)
        _closed(found.field, f"{KEY}.file")
        return found
    if isinstance(value, str) and value not in shipped():
        path = Path(value)
        table = path.suffix.lower() == ".csv" and not is_cartesian(path)
        found = read(path, "csv" if table else AUTOMATIC, KEY)
        _closed(found.field, KEY)
        return found
    return Molecule(load(value))


def companions_of(value: ForceFieldGiven) -> list[Path]:
    """The files that are read with the one that a configuration names."""
    if isinstance(value, FieldFile):
        return beside(file_of(Path(value.file)), value.format)
    if isinstance(value, str) and value not in shipped() and not value.lower().endswith(".csv"):
        return beside(file_of(Path(value)))
    return []


def load(value: ForceFieldGiven) -> fields.ForceField:
    """The field that a configuration names."""
    if isinstance(value, FieldFile) or (isinstance(value, str) and value not in shipped()):
        return molecule_of(value).field
    if isinstance(value, CoupledOscillators):
        field = fields.coupled_oscillators(value.dimension, value.coupling)
        if not _bounded(value.dimension, value.coupling):
            message = f"{value.coupling:g} makes the potential unbounded below"
            raise ProblemError(message, "problem.force_field.coupling")
        return field
    if isinstance(value, HenonHeiles):
        return fields.henon_heiles(value.dimension, value.coupling)
    assert not isinstance(value, AnyModel)
    return _closed(load_force_field(value), KEY)


def _closed(field: fields.ForceField, key: str) -> fields.ForceField:
    """The field, unless it is a quadratic form that falls to minus infinity: higher terms are looked at in a run."""
    if field.terms and field.order == 2:
        hessian = np.diag(field.frequencies)
        for modes, c in field.terms.items():
            if len(modes) == 2:
                hessian[modes] += c
                hessian[modes[::-1]] += c
        if np.linalg.eigvalsh(hessian)[0] <= 0.0:
            raise ProblemError("the potential is unbounded below: its quadratic form has a direction that falls", key)
    return field


def _bounded(d: int, coupling: float) -> bool:
    """Whether the Hessian of the coupled oscillators, diag(w - coupling) + coupling 1 1^T, is positive definite.

    A term of rank one lifts at most one negative eigenvalue; the determinant, prod D (1 + coupling sum 1/D), tells.
    """
    diagonal = np.sqrt(np.arange(1, d + 1) / 2.0) - coupling
    negative = int(np.sum(diagonal < 0.0))
    if negative > 1 or (negative and not diagonal.all()):
        return False
    if not diagonal.all():  # one is zero: the determinant is coupling times the product of the others
        return True
    sign = 1.0 + coupling * float(np.sum(1.0 / diagonal))
    return sign < 0.0 if negative else sign > 0.0
