"""YAML keys that wave packets and a user's own Hamiltonian in time share: start, absorber, and how to propagate.

This module imports neither scipy nor numba: a configuration is checked before any numerics are loaded.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, Keys, WorkerCount, shown

NONE: Literal["none"] = "none"
DEFAULT_ACCURACY = 1e-3
DEFAULT_OUTPUTS = 200
MOST_OUTPUTS = 100_000
MOST_STEPS = 2_000_000


def _numbers(value: Any) -> float | tuple[float, ...]:
    """A finite number, or a list of such as a tuple."""
    entries = value if isinstance(value, (list, tuple)) else [value]
    good = all(type(entry) in (int, float) and math.isfinite(entry) for entry in entries)
    if not entries or not good:
        raise ValueError(f"must be a number or a list of numbers, found {shown(value)}")
    return tuple(float(entry) for entry in entries) if isinstance(value, (list, tuple)) else float(value)


class GaussianInitial(Keys):
    """A coherent state in every mode, exp(-(q-centre)^2/2 + i momentum q), of dimensionless coordinates."""

    type: Literal["gaussian"] = Field(description="The kind of start.")
    centre: float | tuple[float, ...] = Field(
        default=0.0,
        description="Mean of q: a number for all modes, or a list for modes 1 to d.",
        json_schema_extra={"values": "a number, or a list of numbers"},
    )
    momentum: float | tuple[float, ...] = Field(
        default=0.0,
        description="Mean of p: a number for all modes, or a list for modes 1 to d.",
        json_schema_extra={"values": "a number, or a list of numbers"},
    )

    @field_validator("centre", "momentum", mode="plain")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return _numbers(value)

    def lists(self, d: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Centre and momentum of each of ``d`` modes. Raises ProblemError for lists of another length."""
        found = []
        for name, value in (("centre", self.centre), ("momentum", self.momentum)):
            if isinstance(value, tuple) and len(value) != d:
                raise ProblemError(f"needs {d} numbers, one a mode, found {len(value)}", f"problem.initial.{name}")
            found.append(value if isinstance(value, tuple) else (value,) * d)
        return found[0], found[1]


class ProductInitial(Keys):
    """One basis state in every site: up, neel (0101...), domain_wall (the first half up), or a list of them."""

    type: Literal["product"] = Field(description="The kind of start.")
    state: Literal["up", "neel", "domain_wall"] | tuple[int, ...] = Field(
        description="A pattern, or the state of each site: 0 is up, 1 is down.",
        json_schema_extra={"values": "up | neel | domain_wall | a list of 0 (up) and 1"},
    )

    @field_validator("state", mode="plain")
    @classmethod
    def _pattern(cls, value: Any) -> Any:
        if isinstance(value, str) and value in ("up", "neel", "domain_wall"):
            return value
        if not isinstance(value, (list, tuple)) or not all(type(entry) is int and entry >= 0 for entry in value):
            raise ValueError(f"must be up, neel, domain_wall or a list of 0 (up) and 1, found {shown(value)}")
        return tuple(value)

    def indices(self, d: int, levels: int | tuple[int, ...] = 2) -> list[int]:
        """The state of each of ``d`` sites; ProblemError for a list of another length or a state it lacks."""
        key = "problem.initial.state"
        if self.state == "up":
            return [0] * d
        if self.state == "neel":
            return [k % 2 for k in range(d)]
        if self.state == "domain_wall":
            return [0 if k < (d + 1) // 2 else 1 for k in range(d)]
        if len(self.state) != d:
            raise ProblemError(f"needs {d} numbers, one a site, found {len(self.state)}", key)
        sizes = levels if isinstance(levels, tuple) else (levels,) * d
        for k, (entry, size) in enumerate(zip(self.state, sizes)):
            if not (type(entry) is int and entry < size):
                raise ProblemError(f"site {k + 1} has the states 0 to {size - 1}, found {entry}", key)
        return [int(entry) for entry in self.state]


class AnyInitial(Keys):
    """Only reached by a mapping whose ``type`` is missing or unknown, to say so."""

    type: Literal["gaussian", "product"]
    centre: Any = None
    momentum: Any = None
    state: Any = None


def _which_initial(value: Any) -> str:
    """Tag of the union below; tags are in parentheses, so that error paths can drop them."""
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"({kind})" if kind in ("gaussian", "product") else "(type)"


InitialKey = Annotated[
    Annotated[GaussianInitial, Tag("(gaussian)")]
    | Annotated[ProductInitial, Tag("(product)")]
    | Annotated[AnyInitial, Tag("(type)")],
    Discriminator(_which_initial),
]


class Absorber(Keys):
    """A complex absorbing potential, -i strength sum_k (|q_k| - start)_+^order."""

    strength: float = Field(gt=0, description="Strength, in the unit of energy.")
    start: float = Field(gt=0, description="Where it begins in |q| (dimensionless).")
    order: int = Field(default=2, ge=1, le=8, description="Power of the distance beyond the start.")


AbsorberKey = Annotated[
    Annotated[Literal["none"], Tag("(none)")] | Annotated[Absorber, Tag("(absorber)")],
    Discriminator(lambda value: "(none)" if isinstance(value, str) else "(absorber)"),
]


class WavePacketSolver(Keys):
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
    def _rank(cls, value: Any) -> Any:
        if value in (AUTOMATIC, NONE) or (type(value) is int and value >= 1):
            return value
        raise ValueError(f"must be automatic, none or an integer of at least 1, found {shown(value)}")

    @field_validator("energy_range", mode="before")
    @classmethod
    def _ascending(cls, value: Any) -> Any:
        if value is None:
            return None
        pair = _numbers(value)
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
        message = f"t_final ({t_final:g}) must be a multiple of output_step, found {output:g} (near: {near:.10g})"
        raise ProblemError(message, "solver.output_step")
    if step is not None and step > output * (1.0 + 1e-9):
        raise ProblemError(f"must not exceed output_step ({output:g}), found {step:g}", "solver.time_step")
    if step is not None and t_final / step > MOST_STEPS:
        raise ProblemError(f"{t_final / step:.3g} steps are more than {MOST_STEPS}", "solver.time_step")
    return solver.model_copy(
        update={"output_step": output, "accuracy": DEFAULT_ACCURACY if solver.accuracy is None else solver.accuracy}
    )
