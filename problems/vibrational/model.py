"""The YAML keys of kind ``vibrational``: the lowest states of a polynomial force field.

    H = sum_i (w_i / 2) (p_i^2 + q_i^2) + V(q)      (no rotation, no Coriolis or Watson term)

The fields below are the keys; their descriptions are what ``ttsuite describe vibrational`` prints.
"""

from __future__ import annotations

import difflib
import math
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, AutomaticCount, Keys, WorkerCount, located, shown
from problems.levels import Reference
from problems.vibrational import force_field as fields
from problems.vibrational.references import references_of

CSV_ACCURACY = 0.01
MODEL_ACCURACY = 1e-6
SHARE_OF_QUANTUM = 1e-3  # of the smallest frequency: no default accuracy is larger


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


MODELS: dict[str, type[CoupledOscillators] | type[HenonHeiles]] = {
    "coupled_oscillators": CoupledOscillators,
    "henon_heiles": HenonHeiles,
}


def _which_field(value: Any) -> str:
    """Tag of the union below; tags are in parentheses, so that error paths can drop them."""
    if isinstance(value, (CoupledOscillators, HenonHeiles)):
        return f"({value.model})"
    if isinstance(value, dict):
        return f"({value.get('model')})" if value.get("model") in list(MODELS) else "(model)"
    return "(name)"


class AnyModel(Keys):
    """Only reached by a mapping whose ``model`` is missing or unknown, to say so."""

    model: Literal["coupled_oscillators", "henon_heiles"]
    dimension: Any = None
    coupling: Any = None


ForceFieldKey = Annotated[
    Annotated[str, Tag("(name)")]
    | Annotated[CoupledOscillators, Tag("(coupled_oscillators)")]
    | Annotated[HenonHeiles, Tag("(henon_heiles)")]
    | Annotated[AnyModel, Tag("(model)")],
    Discriminator(_which_field),
]


def _integers(value: Any, least: int, what: str) -> int | tuple[int, ...] | Literal["automatic"]:
    """``automatic``, an integer of at least ``least``, or a list of such."""
    if isinstance(value, str) and value == AUTOMATIC:
        return AUTOMATIC
    entries = value if isinstance(value, (list, tuple)) else [value]
    if not entries or not all(type(entry) is int and entry >= least for entry in entries):
        raise ValueError(f"must be {what}, each at least {least}, found {shown(value)}")
    return tuple(entries) if isinstance(value, (list, tuple)) else value


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
    def _functions(cls, value: Any) -> int | tuple[int, ...] | Literal["automatic"]:
        return _integers(value, 1, "automatic, an integer or a list of integers")


class VibrationalProblem(Keys):
    """The lowest vibrational states of a polynomial force field."""

    kind: Literal["vibrational"] = Field(description="The kind of problem.")
    force_field: ForceFieldKey = Field(
        description="A shipped force field by name, a CSV file (path relative to the YAML file), or a model.",
        json_schema_extra={"values": "acetonitrile, a path ending in .csv, or {model: ..., dimension: ...}"},
    )
    mode_order: Literal["automatic", "frequency"] | tuple[int, ...] = Field(
        default=AUTOMATIC,
        description="Order along the train; frequency: ascending; a list names each of modes 1 to d once.",
        json_schema_extra={"values": "automatic, frequency, or a list of modes"},
    )
    basis: Basis = Field(default=Basis(), description="One-mode bases.")

    @field_validator("force_field")
    @classmethod
    def _readable(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            value = _locate(value, Path((info.context or {}).get("directory", ".")))
        _load(value)
        return value

    @field_validator("mode_order", mode="plain")
    @classmethod
    def _permutation(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str) and value in (AUTOMATIC, "frequency"):
            return value
        if not isinstance(value, (list, tuple)) or not all(type(mode) is int for mode in value):
            raise ValueError(f"must be automatic, frequency or a list of modes, found {shown(value)}")
        if "force_field" in info.data:
            d = _load(info.data["force_field"]).d
            if sorted(value) != list(range(1, d + 1)):
                raise ValueError(f"must name each of the modes 1 to {d} once, found {shown(value)}")
        return tuple(value)

    @field_validator("basis")
    @classmethod
    def _one_size_a_mode(cls, value: Basis, info: ValidationInfo) -> Basis:
        if isinstance(value.functions, tuple) and "force_field" in info.data:
            d = _load(info.data["force_field"]).d
            if len(value.functions) != d:
                message = f"needs {d} numbers, one a mode, found {len(value.functions)}"
                raise ProblemError(message, "problem.basis.functions")
        return value

    @cached_property
    def field(self) -> fields.ForceField:
        """The force field; read once."""
        return _load(self.force_field)

    @property
    def references(self) -> list[Reference]:
        """Published or exact energies to compare with; empty where there are none."""
        return references_of(self.field, self.force_field if isinstance(self.force_field, str) else None)

    @property
    def files(self) -> dict[str, Path]:
        """Key -> file a run must keep beside its configuration so that it can be repeated."""
        source = self.field.source
        return {} if source is None or self.force_field in fields.shipped() else {"force_field": source}


class VibrationalSolver(Keys):
    """How the states are computed."""

    n_states: int = Field(ge=1, description="Number of lowest states to compute.")
    accuracy: float = Field(
        default=CSV_ACCURACY,
        gt=0,
        description="Error asked of every reported energy; the default for a model is 1e-6 model units, and never more"
        " than 1e-3 of the smallest frequency.",
        json_schema_extra={"unit": "cm-1, or model units for a model"},
    )
    method: Literal["automatic", "block_dmrg", "inverse_iteration"] = Field(
        default=AUTOMATIC,
        description="block_dmrg: one shared basis, for few states; inverse_iteration: a train a state.",
    )
    max_rank: AutomaticCount = Field(
        default=AUTOMATIC,
        description="Largest TT-rank of a state; automatic: as the accuracy needs.",
        json_schema_extra={"values": "automatic or a number"},
    )
    workers: WorkerCount = WORKERS


def _locate(text: str, directory: Path) -> str:
    """A shipped name as it is, a CSV path made absolute; ProblemError for anything else."""
    if text in fields.shipped():
        return text
    if text.lower().endswith(".csv"):
        return str(located(text, directory, "problem.force_field"))
    guess = difflib.get_close_matches(text, fields.shipped(), n=1)
    hint = f", did you mean {guess[0]}?" if guess else f" (shipped: {', '.join(fields.shipped())})"
    raise ProblemError(f"no shipped force field is called {shown(text)}{hint}; a file's name ends in .csv", fields.KEY)


def _load(value: Any) -> fields.ForceField:
    if isinstance(value, CoupledOscillators):
        field = fields.coupled_oscillators(value.dimension, value.coupling)
        if not _bounded(value.dimension, value.coupling):
            message = f"{value.coupling:g} makes the potential unbounded below"
            raise ProblemError(message, "problem.force_field.coupling")
        return field
    if isinstance(value, HenonHeiles):
        return fields.henon_heiles(value.dimension, value.coupling)
    return fields.load_force_field(value)


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


def complete(problem: VibrationalProblem, solver: VibrationalSolver) -> VibrationalSolver:
    """Solver settings with the accuracy that is the default for ``problem`` filled in.

    Raises ProblemError where an explicit basis is too small for the number of states.
    """
    functions = problem.basis.functions
    if functions != AUTOMATIC:
        sizes = [functions] * problem.field.d if isinstance(functions, int) else list(functions)
        if math.prod(sizes) < solver.n_states:
            raise ProblemError(
                f"{solver.n_states} states asked, but the basis has only {math.prod(sizes)} functions",
                "solver.n_states",
            )
    if "accuracy" not in solver.model_fields_set:
        usual = MODEL_ACCURACY if problem.field.source is None else CSV_ACCURACY
        # of a field in other units than its file is meant to have, or of very soft modes, not the size of the answer
        softest = float(problem.field.frequencies.min())
        return solver.model_copy(update={"accuracy": min(usual, SHARE_OF_QUANTUM * softest)})
    return solver


FAMILY = Family(
    kind="vibrational",
    summary="vibrational states of a polynomial force field",
    formula="H = sum_i (w_i/2)(p_i^2 + q_i^2) + V(q), V a polynomial; the lowest eigenvalues and states",
    references=(
        "Rakhuba, Oseledets, J. Chem. Phys. 145, 124101 (2016): vibrational states by inverse iteration on trains",
        "Larsson, arXiv:2504.05382 (2025): the states as a basis",
        "Dolgov, Khoromskij, Oseledets, Savostyanov, Comput. Phys. Commun. 185, 1207 (2014): block DMRG",
    ),
    typical="84 states of 12 modes to 0.01 cm-1: 2 minutes on 2 cores, 1.2 GB; 30 states of 64 modes: 80 s, 1.1 GB",
    problem=VibrationalProblem,
    solver=VibrationalSolver,
    complete=complete,
    package="problems.vibrational",
)
