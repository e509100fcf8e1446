"""The solver keys of an evolution: how a state is propagated, and how its spectrum is made.

This module imports neither scipy nor numba: a configuration is checked before any numerics are loaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import Field, field_validator

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, SolverKeys, WorkerCount, shown
from problems.quantum.keys import NONE, numbers
from solvers.measured import numeral

if TYPE_CHECKING:
    from problems.quantum.hamiltonians.system import System

DEFAULT_ACCURACY = 1e-3
DEFAULT_OUTPUTS = 200
MOST_OUTPUTS = 100_000
MOST_STEPS = 2_000_000


class WavePacketSolver(SolverKeys):
    """How the wave packet is propagated, and how its spectrum is made."""

    method: Literal["tdvp", "tdvp2", "bug", "implicit"] = Field(
        default="tdvp",
        description="tdvp: one site at a time; tdvp2: two; bug: basis update and Galerkin; implicit: stiff systems.",
    )
    order: Literal[1, 2, 4] = Field(default=2, description="Order of the steps of tdvp and tdvp2.")
    time_step: float | None = Field(
        default=None,
        gt=0,
        description="Longest time step; without it the steps follow the accuracy.",
        json_schema_extra={"values": "a number", "unit": "unit of time"},
    )
    t_final: float = Field(
        gt=0, description="Autocorrelation and observables from 0 to here.", json_schema_extra={"unit": "unit of time"}
    )
    output_step: float | None = Field(
        default=None,
        gt=0,
        description="Distance of two times in the results; by default two time steps, or a 200th of t_final.",
        json_schema_extra={"values": "a number", "unit": "unit of time"},
    )
    max_rank: int = Field(default=60, ge=1, le=5000, description="Largest TT-rank of the state.")
    accuracy: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Error asked of the autocorrelation at every time; 0.001 where only a time step is given.",
        json_schema_extra={"values": "a number"},
    )
    check_rank: int | Literal["automatic", "none"] = Field(
        default=AUTOMATIC,
        description="Rank of a second run that shows what max_rank costs; automatic: 0.7 max_rank, where it binds.",
        json_schema_extra={"values": "automatic, none, or a number below max_rank"},
    )
    eigenstates: int = Field(
        default=0, ge=0, le=400, description="Lowest eigenvalues to compute and show beneath the spectrum."
    )
    window: Literal["none", "hann", "gaussian", "cos2"] = Field(
        default="hann",
        description="Window of the Fourier transform; hann and cos2 are the same, gaussian falls to 0.002 at t_final.",
    )
    broadening: float | None = Field(
        default=None,
        gt=0,
        description="Full width at half maximum of a Gaussian every line is broadened with, beyond the window.",
        json_schema_extra={"values": "a number", "unit": "unit of energy"},
    )
    energy_range: tuple[float, float] | None = Field(
        default=None,
        description="Range of the spectrum; by default where the start has energy.",
        json_schema_extra={"values": "a list of two numbers", "unit": "unit of energy"},
    )
    workers: WorkerCount = WORKERS

    @field_validator("check_rank", mode="plain")
    @classmethod
    def _rank(cls, value: object) -> object:
        if value in (AUTOMATIC, NONE) or (type(value) is int and value >= 1):
            return value
        raise ValueError(f"must be automatic, none or an integer of at least 1, found {shown(value)}")

    @field_validator("energy_range", mode="before")
    @classmethod
    def _ascending(cls, value: object) -> tuple[float, float] | None:
        if value is None:
            return None
        pair = numbers(value)
        if not isinstance(pair, tuple) or len(pair) != 2 or not pair[0] < pair[1]:
            raise ValueError(f"must be a list of two ascending numbers, found {shown(value)}")
        return pair

    @property
    def outputs(self) -> int:
        """Number of output steps; the settings are complete."""
        assert self.output_step is not None
        return round(self.t_final / self.output_step)


def complete_solver(solver: WavePacketSolver, *, dissipative: bool) -> WavePacketSolver:
    """The settings with accuracy and output step filled in.

    Raises ProblemError for settings that contradict each other, and for more outputs or steps than a run can hold.
    """
    if solver.time_step is None and solver.accuracy is None:
        raise ProblemError("give time_step or accuracy or both", "solver.accuracy")
    if solver.order != 2 and solver.method not in ("tdvp", "tdvp2"):
        raise ProblemError(f"belongs to tdvp and tdvp2; {solver.method} has an order of its own", "solver.order")
    if solver.order == 4 and dissipative:
        message = "order 4 steps back in time, where an absorber grows without bound: use 1 or 2"
        raise ProblemError(message, "solver.order")
    if isinstance(solver.check_rank, int) and solver.check_rank >= solver.max_rank:
        message = f"must be below max_rank ({solver.max_rank}), found {solver.check_rank}"
        raise ProblemError(message, "solver.check_rank")
    step, t_final, output = solver.time_step, solver.t_final, solver.output_step
    if output is None:
        # a doubled autocorrelation needs the state at half its times: two steps an output cost no extra step
        output = t_final / (DEFAULT_OUTPUTS if step is None else max(1, math.ceil(t_final / (2.0 * step) - 1e-9)))
    count = round(t_final / output)
    if count > MOST_OUTPUTS:
        message = f"{count} outputs are more than a run can hold ({MOST_OUTPUTS}): choose a longer output_step"
        raise ProblemError(message, "solver.output_step")
    if count < 1 or abs(count * output - t_final) > 1e-9 * t_final:
        near = t_final / max(1, round(t_final / output))
        message = f"t_final ({t_final:g}) must be a multiple of output_step, found {output:g} "
        message += f"(near: {numeral(near, digits=10)})"
        raise ProblemError(message, "solver.output_step")
    if step is not None and step > output * (1.0 + 1e-9):
        raise ProblemError(f"must not exceed output_step ({output:g}), found {step:g}", "solver.time_step")
    if step is not None and t_final / step > MOST_STEPS:
        raise ProblemError(f"{numeral(t_final / step)} steps are more than {MOST_STEPS}", "solver.time_step")
    return solver.model_copy(
        update={"output_step": output, "accuracy": DEFAULT_ACCURACY if solver.accuracy is None else solver.accuracy}
    )


class InTime(Protocol):
    """A problem that moves: what a source of Hamiltonians gives to this task."""

    @property
    def measured(self) -> tuple[str, ...]:
        """The observables to record."""

    @property
    def shape(self) -> Sequence[int]:
        """Functions of each mode, in any order."""

    @property
    def left_out(self) -> list[str]:
        """What a user is told of observables that there are none of."""

    def system(self) -> System:
        """Operator, start and observables. Raises ProblemError for what cannot be computed."""
