"""The YAML keys of kind ``sum_of_products``: a Hamiltonian spelled out term by term.

    H = sum_t c_t prod_k O_{t,k}        O: named operators of one mode (problems.quantum.hamiltonians.terms.modes)

The fields below are the keys; their descriptions are what ``ttsuite describe sum_of_products`` prints. ``solver`` takes
the keys of kind vibrational for the task spectrum, those of kind wave_packet for the task evolution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.config import JsonDict

from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import AUTOMATIC, ProblemKeys, shown
from problems.levels import Reference
from problems.quantum.hamiltonians.terms.modes import Mode, ModeKey, Spin
from problems.quantum.hamiltonians.terms.terms import Key, Term, checked, collect
from problems.quantum.keys import NONE, Absorber, AbsorberKey, GaussianInitial, InitialKey, ProductInitial
from problems.quantum.tasks.either.keys import EVOLUTION_ONLY, GivenSpectrum, SumOfProductsSolver
from problems.quantum.tasks.evolution.keys import WavePacketSolver, complete_solver
from problems.quantum.tasks.spectrum.keys import MOST_SHARED, WHICH, nothing_asked

if TYPE_CHECKING:
    import numpy as np

    from problems.quantum.hamiltonians.known_motion import Series
    from problems.quantum.hamiltonians.space import Space
    from problems.quantum.hamiltonians.system import System
    from problems.quantum.hamiltonians.terms.space import TermsSpace
    from problems.quantum.tasks.spectrum.keys import SpectrumSolver
    from problems.result import Results
    from problems.route import Route
    from solvers.eigen.states import EigenStates

MOST_MODES = 1000
FEW_STATES = 30  # for which one shared basis is quicker than a train a state
SMALL_MODES = 4  # mean size: chains of spins and the like, whose states are far from products
_EVOLUTION = ("initial", "absorber", "observables")
Observable = Literal["energy", "norm", "z", "szsz", "q", "q2", "n", "entropy"]
# the terms as JSON has them: the numbers of the modes are texts, and the operator 1 may be written as a number
_COMPLEX: JsonDict = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_NAMES: JsonDict = {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"const": 1}]}}
_TERM: JsonDict = {"type": "array", "minItems": 2, "maxItems": 2}
_TERMS: JsonDict = {
    "type": "array",
    "items": _TERM | {"items": [{"anyOf": [{"type": "number"}, _COMPLEX]}, _NAMES]},
}
_NOTE = (
    "Modes are numbered from 0: 2v₃ is function 2 (from 0, by energy) of mode 3, gs all modes in function 0. The"
    " functions of a mode are those of its mean field; the stored states are in the functions of the file."
)


class SumOfProductsProblem(ProblemKeys):
    """The lowest states, or the motion in time, of a Hamiltonian given term by term."""

    kind: Literal["sum_of_products"] = Field(description="The kind of problem.")
    modes: tuple[ModeKey, ...] = Field(description="One entry a degree of freedom, numbered from 0: its basis.")
    terms: tuple[Term, ...] = Field(
        description="Coefficient times a product of named one-mode operators; {} is the unit operator, [re, im] a"
        " complex coefficient, 'b bdag' a product on one mode, q^2 a power.",
        json_schema_extra={"values": "a list of entries such as [0.11, {0: q^2, 1: q}]", "schema": _TERMS},
    )
    task: Literal["spectrum", "evolution"] = Field(
        description="spectrum: the lowest states; evolution: i d psi/dt = H psi from a start."
    )
    mode_order: Literal["automatic", "given"] | tuple[int, ...] = Field(
        default=AUTOMATIC,
        description="Order along the train; automatic: as given unless coupled modes come closer in another one.",
        json_schema_extra={"values": "automatic, given, or a list of modes"},
    )

    initial: InitialKey | None = Field(
        default_factory=lambda: None,
        description="The start of an evolution; gaussian: exp(-m w (q-centre)^2/2 + i momentum q) in every mode with q"
        " (w = 1 for sinc), spins up; product: function v of each mode, as a list, or a pattern.",
    )
    absorber: AbsorberKey = Field(
        default=NONE, description="none, or an absorbing potential in every mode that has q (evolution)."
    )
    observables: tuple[Observable, ...] = Field(
        default=("energy", "norm"),
        description="Recorded in time (evolution): energy, norm, entropy; z = Sz/s, szsz of spins; q, q2; n quanta; "
        "absent for modes without it.",
        json_schema_extra={"values": "a list of energy | norm | z | szsz | q | q2 | n | entropy"},
    )

    @field_validator("modes", mode="before")
    @classmethod
    def _some_modes(cls, value: object) -> object:
        if isinstance(value, (list, tuple)) and not 1 <= len(value) <= MOST_MODES:
            raise ValueError(f"must hold from 1 to {MOST_MODES} modes, found {len(value)}")
        return tuple(value) if isinstance(value, list) else value

    @field_validator("terms", mode="plain")
    @classmethod
    def _terms(cls, value: object, info: ValidationInfo) -> tuple[Term, ...]:
        return checked(value, info.data.get("modes"))

    @field_validator("mode_order", mode="plain")
    @classmethod
    def _permutation(cls, value: object, info: ValidationInfo) -> str | tuple[int, ...]:
        if isinstance(value, str) and value in (AUTOMATIC, "given"):
            return value
        if not isinstance(value, (list, tuple)) or not all(type(mode) is int for mode in value):
            raise ValueError(f"must be automatic, given or a list of modes, found {shown(value)}")
        d = len(info.data.get("modes", value))
        if sorted(value) != list(range(d)):
            raise ValueError(f"must name each of the modes 0 to {d - 1} once, found {shown(value)}")
        return tuple(value)

    @field_validator("observables", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _belong_together(self) -> SumOfProductsProblem:
        if self.task == "spectrum":
            for name in _EVOLUTION:
                if name in self.model_fields_set:
                    raise ProblemError("belongs to task: evolution", f"problem.{name}")
        elif self.initial is None:
            raise ProblemError(
                "missing (task: evolution needs a start, as in {type: gaussian, centre: 1.0})", "problem.initial"
            )
        elif isinstance(self.initial, ProductInitial):
            indices = self.initial.indices(len(self.modes), tuple(self.sizes))
            for k, (index, size) in enumerate(zip(indices, self.sizes)):
                if index >= size:
                    raise ProblemError(f"mode {k} has only {size} functions", "problem.initial.state")
        elif isinstance(self.initial, GaussianInitial):
            self.initial.lists(len(self.modes))
            if all(isinstance(mode, Spin) for mode in self.bases):
                raise ProblemError("spins start from a product state", "problem.initial.type")
        return self

    @model_serializer(mode="wrap")
    def _keys_of_the_task(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Without the keys of the other task, so that a stored configuration can be read again."""
        left_out = _EVOLUTION if self.task == "spectrum" else ()
        return {key: value for key, value in handler(self).items() if key not in left_out}

    @property
    def bases(self) -> tuple[Mode, ...]:
        """The modes, whose keys have been checked."""
        return cast("tuple[Mode, ...]", self.modes)

    @property
    def sizes(self) -> list[int]:
        """Functions of each mode."""
        return [mode.size for mode in self.bases]

    @cached_property
    def products(self) -> dict[Key, complex]:
        """The distinct products and their coefficients."""
        return collect(self.terms, self.bases)

    @property
    def description(self) -> list[tuple[str, str]]:
        """Facts for a report."""
        count = {name: sum(mode.basis == name for mode in self.bases) for name in ("harmonic", "sinc", "spin", "boson")}
        kinds = ", ".join(f"{n} {name}" for name, n in count.items() if n)
        most = max((len(key) for key in self.products), default=0)
        terms = f"{len(self.products)}, of up to {most} mode{'s' if most != 1 else ''}"
        facts = [("modes", f"{len(self.modes)} ({kinds})"), ("distinct products", terms)]
        if isinstance(self.initial, ProductInitial):
            state = self.initial.state
            facts.append(("start", state.replace("_", " ") if isinstance(state, str) else ", ".join(map(str, state))))
        elif self.initial is not None:
            facts.append(("start", "Gaussian"))
        if isinstance(self.absorber, Absorber):
            a = self.absorber
            facts.append(("absorber", f"-i {a.strength:g} sum (|q| - {a.start:g})^{a.order} beyond |q| = {a.start:g}"))
        return facts

    @property
    def shape(self) -> Sequence[int]:
        """Functions of each mode."""
        return self.sizes

    @property
    def note(self) -> str:
        """How to read the names of states."""
        return _NOTE

    @property
    def letter(self) -> str:
        """What function n of a mode is called in the names of states: nv."""
        return "v"

    @property
    def lowest(self) -> str:
        """What the lowest level is called: not every Hamiltonian vibrates."""
        return "lowest energy"

    def labelled(self, space: Space, states: EigenStates) -> None:
        """What is known of the states beyond their products: nothing."""
        return None

    @property
    def measured(self) -> tuple[str, ...]:
        """The observables asked for."""
        return self.observables

    @property
    def left_out(self) -> list[str]:
        """What is said of the observables asked for that no mode has."""
        from problems.quantum.hamiltonians.terms.motion import SITE, has

        absent = [name for name in self.observables if name in SITE and not any(has(m, name) for m in self.bases)]
        return [f"no mode has {name}: left out" for name in absent]

    @property
    def grows(self) -> bool:
        """Whether its basis holds as many states as are asked for: it is the user's."""
        return False

    def few(self, n_states: int) -> bool:
        """Whether so many states are best found on one shared basis: few, and those of chains of spins and the like."""
        small = sum(self.sizes) <= SMALL_MODES * len(self.sizes) and n_states <= MOST_SHARED
        return small or n_states <= FEW_STATES

    def space(self, n_states: int, accuracy: float) -> TermsSpace:
        """The terms in mean-field functions; numerics are loaded here."""
        from problems.quantum.hamiltonians.terms.space import space_of

        return space_of(self.products, self.bases, self.mode_order, accuracy)

    @property
    def observed(self) -> None:
        """Nothing: terms say nothing of a dipole."""
        return None

    def level_routes(self, solver: SpectrumSolver, results: Results) -> list[Route]:
        """The whole matrix, where it is small enough."""
        from problems.quantum.hamiltonians.terms.exact import routes

        assert solver.n_states is not None
        return routes(self.products, self.bases, solver.n_states)

    def system(self) -> System:
        """Operator, start and observables of an evolution; numerics are loaded here."""
        from problems.quantum.hamiltonians.terms.motion import system_of

        assert isinstance(self.initial, GaussianInitial | ProductInitial)
        absorber = self.absorber if isinstance(self.absorber, Absorber) else None
        return system_of(self.products, self.bases, self.mode_order, self.initial, absorber)

    def known_motion(self, t: np.ndarray, times: np.ndarray) -> list[Series]:
        """Independent values: none, the problem is the user's own."""
        return []

    @property
    def references(self) -> list[Reference]:
        """Values to compare with: none, the problem is the user's own."""
        return []


def complete(
    problem: SumOfProductsProblem, solver: GivenSpectrum | WavePacketSolver
) -> GivenSpectrum | WavePacketSolver:
    """The solver settings with the defaults of the task; ProblemError where they cannot work for ``problem``."""
    if not any(key for key in problem.products):
        raise ProblemError("all terms are constants, or cancel: there is nothing to solve", "problem.terms")
    if problem.task == "evolution":
        if not isinstance(solver, WavePacketSolver):
            key = next((name for name in WHICH if getattr(solver, name) is not None), "t_final")
            message = "missing (task: evolution needs it)" if key == "t_final" else "belongs to task: spectrum"
            raise ProblemError(message, f"solver.{key}")
        return complete_solver(solver, dissipative=isinstance(problem.absorber, Absorber))
    if isinstance(solver, WavePacketSolver):
        key = next(name for name in EVOLUTION_ONLY if name in solver.model_fields_set)
        raise ProblemError("belongs to task: evolution; task: spectrum needs n_states", f"solver.{key}")
    if all(getattr(solver, name) is None for name in WHICH):
        raise nothing_asked(solver)
    size = math.prod(problem.sizes)
    if solver.n_states is not None and solver.n_states > size:
        message = f"{solver.n_states} states asked, but the basis has only {size} functions"
        raise ProblemError(message, "solver.n_states")
    if solver.method == "block_dmrg" and (solver.n_states or 1) > MOST_SHARED:
        raise ProblemError("block_dmrg shares one basis over all states: use inverse_iteration", "solver.method")
    if "accuracy" not in solver.model_fields_set:  # relative to the terms: an answer of 1e-9 is not asked to 1e-6
        largest = max(map(abs, problem.products.values()))
        return solver.model_copy(update={"accuracy": solver.accuracy * min(1.0, largest)})
    return solver


FAMILY = Family(
    kind="sum_of_products",
    summary="a Hamiltonian of your own, a sum of products",
    formula="H = Σₜ cₜ ∏ₖ Oₜₖ,  O: operators of one mode; H ψ = E ψ, or i ∂ψ/∂t = H ψ",
    references=(
        "Ren, Li, Jiang, Shuai, J. Chem. Phys. 153, 084118 (2020), "
        "doi:10.1063/5.0018149: sums of products as TT operators",
        "Colbert, Miller, J. Chem. Phys. 96, 1982 (1992), doi:10.1063/1.462100: sinc functions",
        "and those of the kinds vibrational (spectrum) and wave_packet (evolution)",
    ),
    typical="20 states of 6 modes to 1e-6: 5 s, 0.25 GB; 6 states of 14 spins: 5 s; a packet in 4 dimensions: 30 s",
    problem=SumOfProductsProblem,
    solver=SumOfProductsSolver,
    complete=complete,
    package="problems.quantum.tasks.either",
)
