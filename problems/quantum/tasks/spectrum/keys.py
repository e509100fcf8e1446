"""The solver keys of a spectrum: how the lowest states are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field, PlainValidator, SerializerFunctionWrapHandler, model_serializer, model_validator

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, AutomaticCount, Keys, SolverKeys, WorkerCount, is_number, shown
from problems.levels import Reference

if TYPE_CHECKING:
    from problems.quantum.hamiltonians.force_field.property_keys import Observed
    from problems.quantum.hamiltonians.space import Space
    from problems.quantum.tasks.spectrum.labels import Labels
    from problems.result import Results
    from problems.route import Route
    from solvers.eigen.states import EigenStates

CSV_ACCURACY = 0.01
ZERO_POINT = "zero-point energy"  # what the lowest level of vibrations is called
MOST_SHARED = 400  # states on one shared basis


class HasLevels(Protocol):
    """A problem with a spectrum: what its report says of it."""

    @property
    def description(self) -> list[tuple[str, str]]:
        """The problem in words, as (what, value)."""

    @property
    def note(self) -> str:
        """How to read the names of its states; empty where they need no words."""

    @property
    def letter(self) -> str:
        """What a quantum of a mode is called in the names of states."""

    @property
    def lowest(self) -> str:
        """What the lowest level is called."""

    @property
    def references(self) -> Sequence[Reference]:
        """Levels known from elsewhere."""


class Asked(Protocol):
    """The settings of a spectrum, whatever else they hold."""

    @property
    def accuracy(self) -> float:
        """Error asked of every level."""


WHICH = ("n_states", "up_to", "window")  # the keys that say which states, of which a run has one
ABOVE = "above the ground state, in the unit of the energies"


def _window(value: object) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(map(is_number, value)):
        raise ValueError(f"must be a list of two energies {ABOVE}, found {shown(value)}")
    lower, upper = map(float, value)
    if not 0.0 <= lower < upper:
        raise ValueError(f"must be two ascending energies {ABOVE}, none below zero, found {shown(value)}")
    return lower, upper


Window = Annotated[tuple[float, float], PlainValidator(_window)]
N_STATES: Any = Field(
    default=None,
    ge=1,
    description="Number of lowest states to compute. Give this, up_to or window, one of them.",
    json_schema_extra={"values": "an integer"},
)
UP_TO: Any = Field(
    default=None,
    gt=0,
    description="In place of n_states: all states up to this energy above the ground state.",
    json_schema_extra={"values": "a number", "unit": "that of the energies"},
)
WINDOW: Any = Field(
    default=None,
    description="In place of n_states: [a, b], the states between these energies above the ground state; those below"
    " are not computed where trains are needed for them.",
    json_schema_extra={
        "unit": "that of the energies",
        "values": "a list of 2 numbers",
        "schema": {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 2, "maxItems": 2},
    },
)


def check_which(given: Sequence[str]) -> None:
    """Raise ProblemError where more than one of the keys of ``WHICH`` is ``given``."""
    if len(given) > 1:
        raise ProblemError(f"{' and '.join(given)} exclude each other: give one of them", f"solver.{given[-1]}")


def nothing_asked(solver: Keys) -> ProblemError:
    """What is said where none of them is given."""
    if "n_states" in solver.model_fields_set:
        return ProblemError("must be an integer, found nothing", "solver.n_states")
    return ProblemError("missing (or up_to, or window: which states)", "solver.n_states")


def without_the_others(keys: dict[str, object]) -> dict[str, object]:
    """The keys as a file has them, where one of ``WHICH`` stands."""
    return {key: value for key, value in keys.items() if key not in WHICH or value is not None}


class SpectrumSolver(SolverKeys):
    """How the states are computed."""

    n_states: int | None = N_STATES
    up_to: float | None = UP_TO
    window: Window | None = WINDOW
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

    @model_validator(mode="after")
    def _one_question(self) -> SpectrumSolver:
        given = [name for name in WHICH if getattr(self, name) is not None]
        check_which(given)
        if not given:
            raise nothing_asked(self)
        return self

    @model_serializer(mode="wrap")
    def _only_what_is_asked(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Without the keys of ``WHICH`` that were not given."""
        return without_the_others(handler(self))


class WithLevels(HasLevels, Protocol):
    """A problem with a spectrum: what a source of Hamiltonians gives to this task."""

    def space(self, n_states: int, accuracy: float) -> Space:
        """The Hamiltonian in a basis. Raises ProblemError for what cannot be computed."""

    def labelled(self, space: Space, states: EigenStates) -> Labels | None:
        """Names, symmetries and simpler treatments of the states; None where the source knows none."""

    @property
    def grows(self) -> bool:
        """Whether its basis holds as many states as are asked for."""

    def few(self, n_states: int) -> bool:
        """Whether so many states are best found on one shared basis, where no method is asked for."""

    @property
    def observed(self) -> Observed | None:
        """What is asked of the states beyond their levels; None for a source without properties."""

    def level_routes(self, solver: SpectrumSolver, results: Results) -> list[Route]:
        """Routes of its own to the levels of a run; ``solver`` has a number of states."""
