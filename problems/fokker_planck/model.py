"""The YAML keys of kind ``fokker_planck``: the density of a diffusing particle in a linear drift.

    dp/dt = div(A x p) + diffusion Laplace p,     dx = -A x dt + sqrt(2 diffusion) dW,     p(0) a product of Gaussians

The fields below are the keys; their descriptions are what ``ttsuite describe fokker_planck`` prints. The exact moments
(gaussian, numpy alone) tell before any numerics whether the density fits the box and the grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic.config import JsonDict

from problems.contract import Family
from problems.errors import ProblemError
from problems.fokker_planck.gaussian import Gaussian, exact
from problems.keys import (
    AUTOMATIC,
    WORKERS,
    AutomaticCount,
    Keys,
    ProblemKeys,
    SolverKeys,
    WorkerCount,
    is_number,
    shown,
)
from solvers.measured import numeral

AUTOMATIC_RANK = 200
LOOKS = 129  # times at which the exact moments are compared with box and grid
FEWEST_SIGMAS = 4.0  # of the density within the box: fewer are refused
COARSEST = 2.0  # pi sigma / h: less is refused, the grid does not show the density

Numbers = float | tuple[float, ...]
_NUMBERS: JsonDict = {"values": "a number, or a list of numbers, one an axis"}


def _numbers(value: object, what: str = "a number or a list of numbers") -> Numbers:
    """A finite number as a float, a list of such as a tuple."""
    if is_number(value):
        return float(value)
    if isinstance(value, (list, tuple)):
        return _tuple(value, what)
    raise ValueError(f"must be {what}, found {shown(value)}")


def _tuple(value: list[object] | tuple[object, ...], what: str) -> tuple[float, ...]:
    """A list of finite numbers, at least one, as a tuple."""
    numbers = tuple(float(entry) for entry in value if is_number(entry))
    if not value or len(numbers) < len(value):
        raise ValueError(f"must be {what}, found {shown(value)}")
    return numbers


def _positive(value: Numbers) -> Numbers:
    if min(value if isinstance(value, tuple) else (value,)) <= 0.0:
        raise ValueError(f"must be positive, found {shown(value)}")
    return value


class Diagonals(Keys):
    """A tridiagonal drift matrix with constant diagonals, or one number an entry."""

    diagonal: Numbers = Field(description="Diagonal of A: positive pulls to the origin.", json_schema_extra=_NUMBERS)
    superdiagonal: Numbers = Field(default=0.0, description="Entries A[i, i+1].", json_schema_extra=_NUMBERS)
    subdiagonal: Numbers = Field(default=0.0, description="Entries A[i+1, i].", json_schema_extra=_NUMBERS)

    @field_validator("diagonal", "superdiagonal", "subdiagonal", mode="plain")
    @classmethod
    def _given(cls, value: object) -> Numbers:
        return _numbers(value)


class Matrix(Keys):
    """A drift matrix entry by entry."""

    matrix: tuple[tuple[float, ...], ...] = Field(
        description="The matrix A, a list of rows.", json_schema_extra={"values": "a list of rows of numbers"}
    )

    @field_validator("matrix", mode="plain")
    @classmethod
    def _rows(cls, value: object) -> tuple[tuple[float, ...], ...]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(row, (list, tuple)) for row in value):
            raise ValueError(f"must be a list of rows of numbers, found {shown(value)}")
        return tuple(_tuple(row, "a list of rows of numbers") for row in value)


def _which_drift(value: object) -> str:
    """Tag of the union below; tags are in parentheses, so that error paths can drop them."""
    given = "matrix" in value if isinstance(value, dict) else isinstance(value, Matrix)
    return "(matrix)" if given else "(diagonals)"


DriftKey = Annotated[
    Annotated[Diagonals, Tag("(diagonals)")] | Annotated[Matrix, Tag("(matrix)")], Discriminator(_which_drift)
]


class Initial(Keys):
    """The density at t = 0: a product of Gaussians."""

    mean: Numbers = Field(default=0.0, description="Mean of each coordinate.", json_schema_extra=_NUMBERS)
    variance: Numbers = Field(description="Variance of each coordinate.", json_schema_extra=_NUMBERS)

    @field_validator("mean", "variance", mode="plain")
    @classmethod
    def _given(cls, value: object) -> Numbers:
        return _numbers(value)

    @field_validator("variance")
    @classmethod
    def _spread(cls, value: Numbers) -> Numbers:
        return _positive(value)


class Grid(Keys):
    """A uniform periodic grid on [-half_width, half_width) in every coordinate."""

    points: int | tuple[int, ...] = Field(
        description="Points an axis; an even number has the origin among them.",
        json_schema_extra={"values": "a number, or a list of numbers, one an axis"},
    )
    half_width: Numbers = Field(description="Half the width of the box.", json_schema_extra=_NUMBERS)

    @field_validator("points", mode="plain")
    @classmethod
    def _counts(cls, value: object) -> int | tuple[int, ...]:
        entries = value if isinstance(value, (list, tuple)) else [value]
        counts = tuple(entry for entry in entries if type(entry) is int and 4 <= entry <= 1024)
        if not entries or len(counts) < len(entries):
            raise ValueError(f"must be a number or a list of numbers, each from 4 to 1024, found {shown(value)}")
        return counts if isinstance(value, (list, tuple)) else counts[0]

    @field_validator("half_width", mode="plain")
    @classmethod
    def _wide(cls, value: object) -> Numbers:
        return _positive(_numbers(value))


Listed = TypeVar("Listed", Initial, Grid)


class FokkerPlanckProblem(ProblemKeys):
    """A Fokker-Planck equation with linear drift and constant diffusion."""

    kind: Literal["fokker_planck"] = Field(description="The kind of problem.")
    dimension: int = Field(ge=1, le=100, description="Number of coordinates d.")
    drift: DriftKey = Field(
        description="The matrix A of the drift -A x.",
        json_schema_extra={"values": "{diagonal: ..., superdiagonal: ..., subdiagonal: ...} or {matrix: [[...]]}"},
    )
    diffusion: float = Field(gt=0, description="Diffusion constant, the factor of the Laplacian.")
    initial: Initial = Field(description="The density at t = 0.")
    grid: Grid = Field(description="The grid.")

    @field_validator("drift")
    @classmethod
    def _shape(cls, value: DriftKey, info: ValidationInfo) -> DriftKey:
        d = info.data.get("dimension")
        if d is None:
            return value
        if isinstance(value, Matrix):
            if len(value.matrix) != d or any(len(row) != d for row in value.matrix):
                sizes = sorted({len(row) for row in value.matrix})
                message = f"must have {d} rows of {d} numbers, found {len(value.matrix)} rows of {sizes}"
                raise ProblemError(message, "problem.drift.matrix")
            return value
        for name, count in (("diagonal", d), ("superdiagonal", d - 1), ("subdiagonal", d - 1)):
            _one_each(getattr(value, name), count, f"problem.drift.{name}")
        return value

    @field_validator("initial", "grid")
    @classmethod
    def _lists(cls, value: Listed, info: ValidationInfo) -> Listed:
        if "dimension" in info.data:
            for name in type(value).model_fields:
                _one_each(getattr(value, name), info.data["dimension"], f"problem.{info.field_name}.{name}")
        return value

    @cached_property
    def matrix(self) -> np.ndarray:
        """A (d, d)."""
        d, drift = self.dimension, self.drift
        if isinstance(drift, Matrix):
            return np.array(drift.matrix, dtype=float)
        matrix = np.diag(np.broadcast_to(drift.diagonal, d).astype(float))
        if d > 1:
            matrix += np.diag(np.broadcast_to(drift.superdiagonal, d - 1), 1)
            matrix += np.diag(np.broadcast_to(drift.subdiagonal, d - 1), -1)
        return matrix

    @property
    def mean(self) -> np.ndarray:
        """Initial means (d,)."""
        return np.broadcast_to(self.initial.mean, self.dimension).astype(float)

    @property
    def variance(self) -> np.ndarray:
        """Initial variances (d,)."""
        return np.broadcast_to(self.initial.variance, self.dimension).astype(float)

    @property
    def points(self) -> list[int]:
        """Grid points of each axis."""
        return [int(n) for n in np.broadcast_to(self.grid.points, self.dimension)]

    @property
    def half_widths(self) -> np.ndarray:
        """Half widths of the box (d,)."""
        return np.broadcast_to(self.grid.half_width, self.dimension).astype(float)

    @property
    def stable(self) -> bool:
        """Whether all eigenvalues of A have a positive real part, so that the density settles."""
        return bool(np.linalg.eigvals(self.matrix).real.min() > 0.0)

    def exact(self, times: Sequence[float] | np.ndarray) -> Gaussian:
        """The exact solution at ``times``."""
        return exact(self.matrix, self.diffusion, self.mean, self.variance, np.asarray(times, dtype=float))


def _one_each(value: object, count: int, key: str) -> None:
    if isinstance(value, tuple) and len(value) != count:
        raise ProblemError(f"needs {count} numbers, found {len(value)}", key)


class FokkerPlanckSolver(SolverKeys):
    """How the density is computed."""

    method: Literal["implicit", "bug", "tdvp", "tdvp2"] = Field(
        default="implicit",
        description="implicit: blocks of time by AMEn, keeps the mass; bug, tdvp, tdvp2: explicit, for a small box.",
    )
    t_final: float = Field(gt=0, description="Final time.")
    output_times: tuple[float, ...] | Literal["automatic"] = Field(
        default=AUTOMATIC,
        description="Times of the output, ascending; automatic: four, up to the final time.",
        json_schema_extra={"values": "automatic, or a list of numbers"},
    )
    accuracy: float = Field(
        default=1e-4,
        gt=0,
        lt=1,
        description="Error asked of every mean and covariance, relative to the largest standard deviation of its "
        "coordinate (of both).",
    )
    max_rank: AutomaticCount = Field(
        default=AUTOMATIC,
        description=f"Largest TT-rank of the density; automatic: as the accuracy needs, up to {AUTOMATIC_RANK}.",
        json_schema_extra={"values": "automatic or a number"},
    )
    time_step: float | Literal["automatic"] = Field(
        default=AUTOMATIC,
        description="Length of a step; automatic: adapted to the accuracy.",
        json_schema_extra={"values": "automatic or a number"},
    )
    workers: WorkerCount = WORKERS

    @field_validator("time_step", mode="plain")
    @classmethod
    def _automatic_or_positive(cls, value: object) -> float | Literal["automatic"]:
        if value == AUTOMATIC and isinstance(value, str):
            return AUTOMATIC
        if is_number(value) and value > 0:
            return float(value)
        raise ValueError(f"must be automatic or a positive number, found {shown(value)}")

    @field_validator("output_times", mode="plain")
    @classmethod
    def _ascending(cls, value: object, info: ValidationInfo) -> tuple[float, ...] | Literal["automatic"]:
        if value == AUTOMATIC and isinstance(value, str):
            return AUTOMATIC
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"must be automatic or a list of numbers, found {shown(value)}")
        times = _tuple(value, "a list of numbers")
        if times[0] < 0.0 or any(b <= a for a, b in pairwise(times)):
            raise ValueError(f"must be non-negative and ascend, found {shown(times)}")
        if "t_final" in info.data and times[-1] > info.data["t_final"]:
            raise ValueError(f"{times[-1]:g} is beyond t_final = {info.data['t_final']:g}")
        return times

    @property
    def times(self) -> np.ndarray:
        """Times of the report: those asked for, and the final one."""
        if self.output_times == AUTOMATIC:
            return self.t_final * np.array([0.25, 0.5, 0.75, 1.0])
        times = [t for t in self.output_times if t < self.t_final * (1.0 - 1e-12)]
        return np.array([*times, self.t_final])


def complete(problem: FokkerPlanckProblem, solver: FokkerPlanckSolver) -> FokkerPlanckSolver:
    """The solver settings; ProblemError where box or grid cannot hold the density at some time."""
    known = problem.exact(np.linspace(0.0, solver.t_final, LOOKS))
    if not np.isfinite(known.covariances).all():
        raise ProblemError("the drift is unstable: the density grows beyond all bounds", "problem.drift")
    reach = np.abs(known.means) + FEWEST_SIGMAS * known.widths()
    outside = reach > problem.half_widths * (1.0 + 1e-9)
    if outside.any():
        i, axis = np.unravel_index(int(np.argmax(reach / problem.half_widths)), reach.shape)
        reason = "" if problem.stable else "; the drift is unstable, so it grows with time: shorten t_final, or"
        raise ProblemError(
            f"the box is too small: at t = {numeral(known.times[i])} coordinate {axis + 1} has mean "
            f"{numeral(known.means[i, axis])} and deviation {numeral(known.widths()[i, axis])}{reason}"
            f"{'' if reason else ';'} give at least {numeral(needed_half_width(known, int(axis)))}",
            "problem.grid.half_width",
        )
    spacing = 2.0 * problem.half_widths / problem.points
    resolved = np.pi * known.conditional_widths() / spacing
    if resolved.min() < COARSEST:
        i, axis = np.unravel_index(int(np.argmin(resolved)), resolved.shape)
        wanted = math.ceil(problem.points[axis] * 5.0 / resolved[i, axis])
        raise ProblemError(
            f"the grid is too coarse: its spacing {numeral(spacing[axis])} in coordinate {axis + 1} does not resolve a "
            f"width of {numeral(known.conditional_widths()[i, axis])} at t = {numeral(known.times[i])}; give about "
            f"{wanted} points",
            "problem.grid.points",
        )
    return solver


def needed_half_width(known: Gaussian, axis: int) -> float:
    """Six deviations of a coordinate at all times."""
    return float((np.abs(known.means) + 6.0 * known.widths())[:, axis].max())


FAMILY = Family(
    kind="fokker_planck",
    summary="Fokker-Planck equation with linear drift",
    formula="∂p/∂t = ∇·(A x p) + D Δp;  the process dx = −A x dt + √(2D) dW, D the diffusion",
    references=(
        "Dolgov, Comput. Methods Appl. Math. 19, 23 (2019), doi:10.1515/cmam-2018-0023: blocks of time (implicit)",
        "Van Loan, IEEE Trans. Autom. Control 23, 395 (1978), doi:10.1109/TAC.1978.1101743: the exact moments",
    ),
    typical="64 points an axis, accuracy 1e-4, to t = 5: 4 s in 2 dimensions, 40 s in 6",
    problem=FokkerPlanckProblem,
    solver=FokkerPlanckSolver,
    complete=complete,
    package="problems.fokker_planck",
)
