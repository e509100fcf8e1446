"""What is said of states on their way."""

from __future__ import annotations

from typing import Protocol

from problems.keys import Keys
from problems.progress import Told, levels, rank, residual
from solvers.solution import IterationState


class _Field(Protocol):
    @property
    def unit(self) -> str: ...


class HasField(Protocol):
    """A problem whose energies are those of a force field."""

    @property
    def field(self) -> _Field:
        """It names their unit."""


def told(problem: HasField, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """Energies with their errors, what the last pass changed, the largest residual norm, the rank."""
    unit = problem.field.unit
    return [*levels(state, before, unit), *residual(state), *rank(state)]
