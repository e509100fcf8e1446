"""The solver keys of a spectrum: how the lowest states are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import Field

from problems.keys import AUTOMATIC, WORKERS, AutomaticCount, SolverKeys, WorkerCount
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


class SpectrumSolver(SolverKeys):
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
        """Routes of its own to the levels of a run."""
