"""YAML keys that all Hamiltonians in time share: the start, and the absorber.

This module imports neither scipy nor numba: a configuration is checked before any numerics are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from problems.errors import ProblemError
from problems.keys import Keys, is_number, shown

NONE: Literal["none"] = "none"


def numbers(value: object) -> float | tuple[float, ...]:
    """A finite number, or a list of such as a tuple."""
    entries: Sequence[object] = value if isinstance(value, (list, tuple)) else [value]
    found = tuple(float(entry) for entry in entries if is_number(entry))
    if not entries or len(found) < len(entries):
        raise ValueError(f"must be a number or a list of numbers, found {shown(value)}")
    return found if isinstance(value, (list, tuple)) else found[0]


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
    def _one_or_many(cls, value: object) -> float | tuple[float, ...]:
        return numbers(value)

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
    def _pattern(cls, value: object) -> str | tuple[int, ...]:
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
    centre: object = None
    momentum: object = None
    state: object = None


def _which_initial(value: object) -> str:
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
