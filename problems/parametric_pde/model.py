"""The YAML keys of kind ``parametric_pde``: diffusion with a random coefficient.

    -div(a(x, y) grad u) = load on the unit interval or square,   y = (y_1, ..., y_d) independent

The fields below are the keys; their descriptions are what ``ttsuite describe parametric_pde`` prints. No numerics are
imported here: the coefficient is checked on the midpoints of the cells by numpy alone.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal, cast

import numpy as np
from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic.config import JsonDict

from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import AUTOMATIC, WORKERS, Keys, ProblemKeys, SolverKeys, WorkerCount, is_number, shown
from problems.parametric_pde.fields import Affine, AnyField, Coefficient, Discs, Lognormal
from problems.parametric_pde.geometry import midpoints

MOST_NODES = 1_100_000
NEUMANN: Literal["neumann"] = "neumann"
Side = float | Literal["neumann"]
_SIDE: JsonDict = {"values": "a number | neumann"}


class Mesh(Keys):
    """A uniform mesh."""

    cells: int = Field(ge=2, le=4096, description="Cells an axis: P1 on the interval, bilinear on the square.")


class Boundary(Keys):
    """Values of u on the sides, or neumann (no flux); a corner takes the value of left or right."""

    left: Side = Field(default=0.0, description="The side x1 = 0.", json_schema_extra=_SIDE)
    right: Side = Field(default=0.0, description="The side x1 = 1.", json_schema_extra=_SIDE)
    bottom: Side = Field(default=0.0, description="The side x2 = 0.", json_schema_extra=_SIDE)
    top: Side = Field(default=0.0, description="The side x2 = 1.", json_schema_extra=_SIDE)

    @field_validator("left", "right", "bottom", "top", mode="plain")
    @classmethod
    def _number_or_neumann(cls, value: object) -> Side:
        if value == NEUMANN and isinstance(value, str):
            return NEUMANN
        if is_number(value):
            return float(value)
        raise ValueError(f"must be a number or {NEUMANN}, found {shown(value)}")


class Integral(Keys):
    """The integral of u over the domain."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=40, description="Name in the report.")
    type: Literal["integral"] = Field(description="The integral of u over the domain.")


class Point(Keys):
    """The value of u at a point."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=40, description="Name in the report.")
    type: Literal["point"] = Field(description="The value of u at a point, by the finite-element functions.")
    at: float | tuple[float, ...] = Field(
        description="The point, inside the domain.", json_schema_extra={"values": "a number | a list of two"}
    )

    @field_validator("at", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class DiscMean(Keys):
    """The mean of u over a disc."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=40, description="Name in the report.")
    type: Literal["disc_mean"] = Field(description="Mean over the cells of a disc of the mean over their corners.")
    disc: int = Field(ge=0, description="Number of the disc, from 0.")


class Flux(Keys):
    """The flux a u' at an end of the interval."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=40, description="Name in the report.")
    type: Literal["flux"] = Field(description="a u' at an end of the interval, variationally consistent.")
    at: float = Field(description="The end of the interval.", json_schema_extra={"values": "0.0 | 1.0"})


QuantityOfInterest = Integral | Point | DiscMean | Flux


class AnyQuantity(Keys):
    """Only reached by a mapping whose ``type`` is missing or unknown, to say so."""

    name: object = None
    type: Literal["integral", "point", "disc_mean", "flux"]
    at: object = None
    disc: object = None


def _tag(value: object) -> str:
    """Tag of the unions below; tags are in parentheses, so that error paths can drop them."""
    name = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    known = ("integral", "point", "disc_mean", "flux", "discs", "affine", "lognormal")
    return f"({name})" if name in known else "(any)"


QuantityKey = Annotated[
    Annotated[Integral, Tag("(integral)")]
    | Annotated[Point, Tag("(point)")]
    | Annotated[DiscMean, Tag("(disc_mean)")]
    | Annotated[Flux, Tag("(flux)")]
    | Annotated[AnyQuantity, Tag("(any)")],
    Discriminator(_tag),
]
FieldKey = Annotated[
    Annotated[Discs, Tag("(discs)")]
    | Annotated[Affine, Tag("(affine)")]
    | Annotated[Lognormal, Tag("(lognormal)")]
    | Annotated[AnyField, Tag("(any)")],
    Discriminator(_tag),
]


class ParametricProblem(ProblemKeys):
    """Diffusion with a random coefficient on the unit interval or square."""

    kind: Literal["parametric_pde"] = Field(description="The kind of problem.")
    domain: Literal["interval", "square"] = Field(description="The unit interval or the unit square.")
    mesh: Mesh = Field(description="The mesh; the coefficient is constant in a cell, its value at the midpoint.")
    boundary: Boundary = Field(default=Boundary(), description="Boundary conditions; the interval has left and right.")
    load: float = Field(default=1.0, description="The right-hand side, constant.")
    field: FieldKey = Field(description="The coefficient a(x, y) and the distribution of its parameters.")
    points: int | tuple[int, ...] | Literal["automatic"] = Field(
        default=AUTOMATIC,
        description="Gauss points a parameter, or a list of them; automatic: from the accuracy.",
        json_schema_extra={"values": "automatic, a number, or a list of numbers"},
    )
    quantities: tuple[QuantityKey, ...] = Field(
        default=(Integral(name="Q1", type="integral"),), description="What is computed of u."
    )
    exceedance: dict[str, float] = Field(
        default_factory=dict,
        description="Quantity -> threshold whose probability of being exceeded is wanted.",
        json_schema_extra={"values": "a mapping such as {Q1: 0.0372}"},
    )

    @field_validator("mesh")
    @classmethod
    def _fits(cls, value: Mesh, info: ValidationInfo) -> Mesh:
        nodes = (value.cells + 1) ** (2 if info.data.get("domain") == "square" else 1)
        if nodes > MOST_NODES:
            message = f"{nodes} nodes are more than the direct solver holds ({MOST_NODES})"
            raise ProblemError(message, "problem.mesh.cells")
        return value

    @field_validator("boundary")
    @classmethod
    def _solvable(cls, value: Boundary, info: ValidationInfo) -> Boundary:
        interval = info.data.get("domain") == "interval"
        for side in ("bottom", "top"):
            if interval and getattr(value, side) != 0.0:
                raise ProblemError("the interval has only left and right", f"problem.boundary.{side}")
        sides = [value.left, value.right] + ([] if interval else [value.bottom, value.top])
        if all(side == NEUMANN for side in sides):
            message = "with neumann on every side u is only known up to a constant: give one side a number"
            raise ProblemError(message, "problem.boundary")
        return value

    @field_validator("field")
    @classmethod
    def _positive(cls, value: Coefficient, info: ValidationInfo) -> Coefficient:
        if "domain" in info.data and "mesh" in info.data:
            value.check(midpoints(info.data["domain"], info.data["mesh"].cells))
        return value

    @field_validator("points", mode="plain")
    @classmethod
    def _counts(cls, value: object, info: ValidationInfo) -> int | tuple[int, ...] | Literal["automatic"]:
        if value == AUTOMATIC and isinstance(value, str):
            return AUTOMATIC
        entries = value if isinstance(value, (list, tuple)) else [value]
        counts = tuple(entry for entry in entries if type(entry) is int and 1 <= entry <= 64)
        if not entries or len(counts) < len(entries):
            raise ValueError(
                f"must be automatic, a number or a list of numbers, each from 1 to 64, found {shown(value)}"
            )
        if not isinstance(value, (list, tuple)):
            return counts[0]
        if "field" in info.data and len(value) != info.data["field"].d:
            raise ValueError(f"needs {info.data['field'].d} numbers, one a parameter, found {len(value)}")
        return counts

    @field_validator("quantities", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("quantities")
    @classmethod
    def _computable(cls, value: tuple[QuantityOfInterest, ...], info: ValidationInfo) -> tuple[QuantityOfInterest, ...]:
        if not value:
            raise ValueError("must name at least one quantity")
        names = [quantity.name for quantity in value]
        for i, quantity in enumerate(value):
            place = f"problem.quantities.{i}"
            if quantity.name in names[:i]:
                raise ProblemError(f"a quantity is called {quantity.name} already", f"{place}.name")
            if "domain" in info.data and "field" in info.data:
                _check_quantity(quantity, info.data["domain"] == "interval", info.data["field"], place)
        return value

    @field_validator("exceedance")
    @classmethod
    def _known(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        names = [quantity.name for quantity in info.data.get("quantities", ())]
        for name in value:
            if names and name not in names:
                raise ProblemError(
                    f"no quantity is called {name} (there are: {', '.join(names)})", f"problem.exceedance.{name}"
                )
        return value

    @property
    def coefficient(self) -> Coefficient:
        """The field, whose keys have been checked."""
        return cast(Coefficient, self.field)

    @property
    def wanted(self) -> tuple[QuantityOfInterest, ...]:
        """The quantities, whose keys have been checked."""
        return cast(tuple[QuantityOfInterest, ...], self.quantities)

    @cached_property
    def midpoints(self) -> np.ndarray:
        """Midpoints of the cells, (cells, dimensions)."""
        return midpoints(self.domain, self.mesh.cells)


def _check_quantity(quantity: QuantityOfInterest, interval: bool, field: Coefficient, place: str) -> None:
    """ProblemError for a quantity this problem does not have."""
    if isinstance(quantity, Point):
        at = quantity.at if isinstance(quantity.at, tuple) else (quantity.at,)
        if len(at) != (1 if interval else 2) or not all(0.0 <= x <= 1.0 for x in at):
            wanted = "a number in [0, 1]" if interval else "a list of two numbers in [0, 1]"
            raise ProblemError(f"must be {wanted}, found {list(at)}", f"{place}.at")
    if isinstance(quantity, DiscMean):
        count = field.d if isinstance(field, Discs) else 0
        if quantity.disc >= count:
            message = f"there are {count} discs, numbered from 0" if count else "the field has no discs"
            raise ProblemError(message, f"{place}.disc")
    if isinstance(quantity, Flux) and not (interval and quantity.at in (0.0, 1.0)):
        message = "a flux is computed at 0.0 or 1.0 of the interval" + ("" if interval else ", not on the square")
        raise ProblemError(message, f"{place}.at")


class ParametricSolver(SolverKeys):
    """How the solution over all parameters is computed."""

    method: Literal["als_cross", "amen"] = Field(
        default="als_cross",
        description="als_cross: few solves at chosen parameter points; amen: one linear system for all of them.",
    )
    accuracy: float = Field(
        default=1e-6,
        gt=0,
        lt=1,
        description="Relative error asked of every mean; a variance may err ten times more.",
    )
    max_solves: int = Field(default=400, ge=1, description="Most solves of the PDE at distinct parameter points.")
    max_rank: int = Field(default=400, ge=1, description="Largest TT-rank of the solution.")
    workers: WorkerCount = WORKERS


def complete(problem: ParametricProblem, solver: ParametricSolver) -> ParametricSolver:
    """The solver settings, which work for every problem."""
    del problem  # whatever the problem, these settings work
    return solver


FAMILY = Family(
    kind="parametric_pde",
    summary="diffusion with random coefficients",
    formula="−∇·(a(x, y) ∇u) = load,  y = (y₁, …, y_d) independent random parameters",
    references=(
        "Binev, Cohen, Dahmen, DeVore, Petrova, Wojtaszczyk, SIAM J. Math. Anal. 43, 1457 (2011), "
        "doi:10.1137/100795772: greedy bases",
        "Babuska, Nobile, Tempone, SIAM J. Numer. Anal. 45, 1005 (2007), "
        "doi:10.1137/050645142: collocation at Gauss points",
        "Sobol, Math. Comput. Simul. 55, 271 (2001), doi:10.1016/S0378-4754(00)00270-6: sensitivity indices",
    ),
    typical="20 parameters on an interval to 1e-7: 25 s, 0.4 GB; nine discs on 60 x 60 cells to 1e-6: 17 s, 0.4 GB",
    problem=ParametricProblem,
    solver=ParametricSolver,
    complete=complete,
    package="problems.parametric_pde",
)
