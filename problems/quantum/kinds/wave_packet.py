"""The YAML keys of kind ``wave_packet``: a state in time, i d psi/dt = H psi (hbar = 1).

    henon_heiles   H = sum_k (p_k^2 + q_k^2)/2 + coupling sum_k (q_k^2 q_{k+1} - q_{k+1}^3/3)
    ising          H = -J sum_k Z_k Z_{k+1} - h sum_k X_k
    xxz            H = sum_k Jxy (Sx_k Sx_{k+1} + Sy_k Sy_{k+1}) + Jz Sz_k Sz_{k+1},  S = sigma/2
    force_field    H = sum_i (w_i/2)(p_i^2 + q_i^2) + V(q), any field of kind vibrational

Chains have open ends. The fields below are the keys; ``ttsuite describe wave_packet`` prints their descriptions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_serializer, model_validator

from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import AUTOMATIC, ProblemKeys
from problems.quantum.hamiltonians.force_field.keys import Basis, ForceFieldGiven, ForceFieldKey, HenonHeiles
from problems.quantum.keys import NONE, Absorber, AbsorberKey, GaussianInitial, InitialKey, ProductInitial
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.tasks.evolution.keys import WavePacketSolver, complete_solver

if TYPE_CHECKING:
    import numpy as np

    from problems.quantum.hamiltonians.known_motion import Series
    from problems.quantum.hamiltonians.system import System

SPEED_OF_LIGHT = 2.99792458e10  # cm/s, exact
FEMTOSECONDS = 1e15 / (2.0 * math.pi * SPEED_OF_LIGHT)  # in 1/(2 pi c cm^-1), the time that belongs to cm-1
_SPINS = ("ising", "xxz")
# the keys that only some models have
_OWN = {
    "henon_heiles": ("dimension", "coupling", "basis", "absorber"),
    "ising": ("dimension", "J", "h"),
    "xxz": ("dimension", "Jxy", "Jz"),
    "force_field": ("force_field", "mode_order", "basis", "absorber", "time_unit"),
}
_ALWAYS = ("kind", "model", "initial", "observables")
_OBSERVABLES = {"spins": ("energy", "norm", "z", "szsz", "entropy"), "modes": ("energy", "norm", "q", "q2", "entropy")}
LARGEST_SPACE_MODES = 1000

Observable = Literal["energy", "norm", "z", "szsz", "q", "q2", "entropy"]


class WavePacketProblem(ProblemKeys):
    """A wave packet of oscillators, a spin chain or a molecule."""

    kind: Literal["wave_packet"] = Field(description="The kind of problem.")
    model: Literal["henon_heiles", "ising", "xxz", "force_field"] = Field(
        description="The Hamiltonian; each of the keys below says which models have it, where not all do."
    )
    dimension: int = Field(
        default=0,
        ge=2,
        le=LARGEST_SPACE_MODES,
        description="Number of modes or sites; needed by every model but force_field.",
        json_schema_extra={"values": "an integer", "default": "needed, except with force_field"},
    )
    coupling: float = Field(default=0.111803, description="Cubic coupling (henon_heiles).")
    J: float = Field(default=1.0, description="Coupling of neighbouring Z (ising).")
    h: float = Field(default=1.0, description="Transverse field (ising).")
    Jxy: float = Field(default=1.0, description="Coupling in the plane (xxz).")
    Jz: float = Field(default=1.0, description="Coupling along z (xxz).")
    force_field: ForceFieldKey = Field(
        default="none",  # not validated: the key is asked for where the model needs it
        description="A shipped force field, a file (path relative to the YAML file), or a model (force_field).",
        json_schema_extra={
            "values": "acetonitrile, a path, {file: ..., format: ...}, or {model: ..., dimension: ...}",
            "default": "needed with force_field",
        },
    )
    mode_order: Literal["automatic", "frequency"] | tuple[int, ...] = Field(
        default=AUTOMATIC,
        description="Order of the modes along the train, as in kind vibrational (force_field).",
        json_schema_extra={"values": "automatic, frequency, or a list of modes"},
    )
    basis: Basis = Field(
        default=Basis(),
        validate_default=True,
        description="One-mode bases; type: harmonic by default for henon_heiles (henon_heiles, force_field).",
    )
    initial: InitialKey = Field(
        description="The start: gaussian for oscillators and molecules, product for spins.",
    )
    absorber: AbsorberKey = Field(
        default=NONE, description="none, or an absorbing potential in every mode (henon_heiles, force_field)."
    )
    observables: tuple[Observable, ...] = Field(
        default=("energy", "norm"),
        description="Recorded in time: energy, norm, entropy; z and szsz of spins; q and q2 of modes.",
        json_schema_extra={"values": "a list"},
    )
    time_unit: Literal["natural", "fs"] = Field(
        default="natural", description="natural: 1/(2 pi c cm-1), 5308.84 fs; all times of the solver (force_field)."
    )

    @field_validator("force_field")
    @classmethod
    def _readable(cls, value: ForceFieldGiven, info: ValidationInfo) -> ForceFieldGiven:
        return _vibrational({"force_field": value}, info.context).force_field

    @field_validator("mode_order", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("basis", mode="before")
    @classmethod
    def _harmonic(cls, value: object, info: ValidationInfo) -> object:
        given = value.model_dump(exclude_unset=True) if isinstance(value, Basis) else value
        if info.data.get("model") == "henon_heiles" and isinstance(given, dict) and "type" not in given:
            return {"type": "harmonic", **given}
        return value

    @field_validator("observables", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _belong_together(self, info: ValidationInfo) -> WavePacketProblem:
        own = _OWN[self.model]
        for name in sorted(self.model_fields_set):
            if name not in own and name not in _ALWAYS and getattr(self, name) not in (NONE, "natural"):
                owners = " and ".join(model for model, keys in _OWN.items() if name in keys)
                raise ProblemError(f"is a key of {owners}, not of {self.model}", f"problem.{name}")
        needed = "force_field" if self.model == "force_field" else "dimension"
        if needed not in self.model_fields_set:
            raise ProblemError(f"missing: {self.model} needs it", f"problem.{needed}")
        if self.is_spin != isinstance(self.initial, ProductInitial):
            wanted = "a product state" if self.is_spin else "a gaussian"
            raise ProblemError(f"{self.model} starts from {wanted}", "problem.initial.type")
        if not self.is_spin:
            self.__dict__["vibrational"] = _vibrational(self._field_keys(), info.context)
        if self.time_unit == "fs" and self.vibrational.vibrations.unit != "cm-1":
            raise ProblemError("fs needs a force field in cm-1", "problem.time_unit")
        if isinstance(self.initial, ProductInitial):
            self.initial.indices(self.d)
        elif isinstance(self.initial, GaussianInitial):
            self.initial.lists(self.d)
        return self

    @model_serializer(mode="plain")
    def _keys_of_the_model(self) -> dict[str, object]:
        """The keys this model has, so that a stored configuration can be read again."""
        kept = [name for name in type(self).model_fields if name in _ALWAYS or name in _OWN[self.model]]
        return {name: getattr(self, name) for name in kept}

    def _field_keys(self) -> dict[str, object]:
        if self.model == "henon_heiles":
            field = HenonHeiles(model="henon_heiles", dimension=self.dimension, coupling=self.coupling)
            # the chain's own order
            return {"force_field": field, "mode_order": list(range(1, self.dimension + 1)), "basis": self.basis}
        return {"force_field": self.force_field, "mode_order": self.mode_order, "basis": self.basis}

    @cached_property
    def vibrational(self) -> VibrationalProblem:
        """The field, mode order and basis as the vibrational problem has them; not for spins."""
        return _vibrational(self._field_keys(), None)

    @property
    def is_spin(self) -> bool:
        return self.model in _SPINS

    @property
    def d(self) -> int:
        """Number of modes or sites."""
        return self.vibrational.vibrations.d if self.model == "force_field" else self.dimension

    @property
    def measured(self) -> tuple[str, ...]:
        """The observables this model has among those asked for."""
        known = _OBSERVABLES["spins" if self.is_spin else "modes"]
        return tuple(name for name in dict.fromkeys(self.observables) if name in known)

    @property
    def left_out(self) -> list[str]:
        """What is said of the observables asked for that this model does not have."""
        unknown = [name for name in dict.fromkeys(self.observables) if name not in self.measured]
        return [f"{name} is no observable of {self.model}: left out" for name in unknown]

    @property
    def shape(self) -> Sequence[int]:
        """Functions of each mode, in the order of the train."""
        return self.system().start.shape

    def system(self) -> System:
        """Operator, start and observables; numerics are loaded here."""
        from problems.quantum.hamiltonians.force_field.motion import Motion, system_of
        from problems.quantum.hamiltonians.spin_chain import ising, xxz

        if isinstance(self.initial, ProductInitial):
            state = self.initial.indices(self.d)
            return ising(self.J, self.h, state) if self.model == "ising" else xxz(self.Jxy, self.Jz, state)
        assert isinstance(self.initial, GaussianInitial)
        return system_of(
            Motion(
                field=self.vibrational.vibrations,
                mode_order=self.vibrational.mode_order,
                basis=self.basis,
                initial=self.initial,
                absorber=self.absorber if isinstance(self.absorber, Absorber) else None,
                time_unit=self.time_unit,
                time_scale=self.time_scale,
                order_told=self.model == "force_field",
            )
        )

    def known_motion(self, t: np.ndarray, times: np.ndarray) -> list[Series]:
        """Independent values of a(t), at ``t`` or times of their own, and of observables; empty where none are."""
        from problems.quantum.hamiltonians.known_motion import of_chain, of_free_fermions, of_henon_heiles

        if isinstance(self.initial, ProductInitial):
            state = self.initial.indices(self.d)
            if self.model == "ising":
                return of_chain(self.model, (self.J, self.h), state)
            free = of_free_fermions(self.Jxy, state, t, times) if self.Jz == 0.0 else []
            return [*of_chain(self.model, (self.Jxy, self.Jz), state), *free]
        assert isinstance(self.initial, GaussianInitial)
        field, functions = self.vibrational.force_field, self.basis.functions
        if not isinstance(field, HenonHeiles) or self.absorber != NONE or self.time_unit != "natural":
            return []
        if self.basis.type != "harmonic" or isinstance(functions, str):
            return []
        sizes = (functions,) * self.d if isinstance(functions, int) else functions
        return of_henon_heiles(field.coupling, sizes, *self.initial.lists(self.d))

    @property
    def time_scale(self) -> float:
        """Units of time of the configuration in one natural unit."""
        return FEMTOSECONDS if self.time_unit == "fs" else 1.0

    @property
    def description(self) -> list[tuple[str, str]]:
        """The problem in words, as (what, value)."""
        names = {
            "henon_heiles": f"Henon-Heiles, {self.dimension} modes, coupling {self.coupling:g}",
            "ising": f"transverse-field Ising chain, {self.dimension} sites, J = {self.J:g}, h = {self.h:g}",
            "xxz": f"XXZ chain, {self.dimension} sites, Jxy = {self.Jxy:g}, Jz = {self.Jz:g}",
        }
        facts = [("model", names.get(self.model) or f"{self.vibrational.vibrations.name}, {self.d} modes")]
        if isinstance(self.initial, ProductInitial):
            state = self.initial.state
            words = {"up": "all up", "neel": "Neel state", "domain_wall": "domain wall, the first half up"}
            facts.append(("start", words[state] if isinstance(state, str) else "".join(map(str, state))))
        elif isinstance(self.initial, GaussianInitial):
            moved = f", momentum {_short(self.initial.momentum)}" if self.initial.momentum != 0.0 else ""
            facts.append(("start", f"Gaussian at q = {_short(self.initial.centre)}{moved}"))
        if isinstance(self.absorber, Absorber) and not self.is_spin:
            a = self.absorber
            facts.append(("absorber", f"-i {a.strength:g} sum (|q| - {a.start:g})^{a.order} beyond |q| = {a.start:g}"))
        return facts

    @property
    def files(self) -> dict[str, Path]:
        """Key -> file a run must keep beside its configuration so that it can be repeated."""
        return self.vibrational.files if self.model == "force_field" else {}

    @property
    def companions(self) -> list[Path]:
        """Files that are read with those of ``files``."""
        return self.vibrational.companions if self.model == "force_field" else []


def _short(value: float | tuple[float, ...]) -> str:
    if not isinstance(value, tuple):
        return f"{value:g}"
    return f"({', '.join(f'{entry:g}' for entry in value[:6])}{', ...' if len(value) > 6 else ''})"


def _vibrational(keys: dict[str, object], context: object) -> VibrationalProblem:
    """The vibrational problem of these keys; what is wrong with them as a ProblemError."""
    basis = keys.get("basis")
    if isinstance(basis, Basis):
        keys = keys | {"basis": basis.model_dump()}
    try:
        return VibrationalProblem.model_validate({"kind": "vibrational", **keys}, context=context)
    except ValidationError as error:
        item = error.errors()[0]
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, ProblemError):
            raise cause from None
        place = ".".join(str(part) for part in item["loc"] if not str(part).startswith("("))
        raise ProblemError(str(cause or item["msg"]), f"problem.{place}") from None


def complete(problem: WavePacketProblem, solver: WavePacketSolver) -> WavePacketSolver:
    """The solver settings with their defaults filled in; ProblemError where they contradict each other."""
    return complete_solver(solver, dissipative=isinstance(problem.absorber, Absorber))


FAMILY = Family(
    kind="wave_packet",
    summary="a wave packet in time",
    formula="i ∂ψ/∂t = H ψ (ħ = 1); a(t) = ⟨ψ(0)|ψ(t)⟩, its spectrum, observables in time",
    references=(
        "Lubich, Oseledets, Vandereycken, SIAM J. Numer. Anal. 53, 917 (2015), "
        "doi:10.1137/140976546: projector splitting (tdvp)",
        "Haegeman, Lubich, Oseledets, Vandereycken, Verstraete, Phys. Rev. B 94, 165116 (2016), "
        "doi:10.1103/PhysRevB.94.165116: one and two sites",
        "Ceruti, Kusch, Lubich, BIT 62, 1149 (2022), doi:10.1007/s10543-021-00907-7: basis update and Galerkin (bug)",
        "Dolgov, Comput. Methods Appl. Math. 19, 23 (2019), doi:10.1515/cmam-2018-0023: blocks of time (implicit)",
        "Manthe, Meyer, Cederbaum, J. Chem. Phys. 97, 9062 (1992), doi:10.1063/1.463332: a(2t) from psi(t)",
    ),
    typical="Henon-Heiles in 4 dimensions at rank 60 to t = 60: 75 s, 0.6 GB; 40 spins at rank 40 to t = 16: 5 minutes",
    problem=WavePacketProblem,
    solver=WavePacketSolver,
    complete=complete,
    package="problems.quantum.tasks.evolution",
)
