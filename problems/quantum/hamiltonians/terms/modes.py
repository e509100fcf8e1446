"""The one-mode bases a user can name: their keys, their sizes, and the operators each one knows.

harmonic: eigenfunctions of p^2/(2 m) + m w^2 q^2/2; sinc: functions on equidistant points (Colbert and Miller, J. Chem.
Phys. 96, 1982 (1992)); spin: m = s, s-1, .., -s; boson: 0, 1, .. quanta. No numerics are imported here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from problems.keys import Keys, shown

MOST_FUNCTIONS = 400
LARGEST_POWER = 8
LARGEST_DEGREE = 12  # of a product of operators on one mode


class Harmonic(Keys):
    """Eigenfunctions of the oscillator p^2/(2 mass) + mass frequency^2 q^2/2; elements exact, then cut."""

    basis: Literal["harmonic"] = Field(description="The name of the basis.")
    functions: int = Field(ge=1, le=MOST_FUNCTIONS, description="Number of functions, v = 0, 1, ...")
    frequency: float = Field(default=1.0, gt=0, description="Frequency of the oscillator whose functions they are.")
    mass: float = Field(default=1.0, gt=0, description="Mass, in T = p^2/(2 mass) and in the oscillator.")

    @property
    def size(self) -> int:
        """Number of functions."""
        return self.functions

    @property
    def operators(self) -> tuple[str, ...]:
        """Names of its operators."""
        return ("1", "q", "p", "T", "n", "b", "bdag")


class Sinc(Keys):
    """Sinc functions on equidistant points, the ends included: q is diagonal, T = p^2/(2 mass)."""

    basis: Literal["sinc"] = Field(description="The name of the basis.")
    points: int = Field(ge=2, le=MOST_FUNCTIONS, description="Number of points.")
    interval: tuple[float, float] = Field(
        description="First and last point.", json_schema_extra={"values": "a list of two numbers, ascending"}
    )
    mass: float = Field(default=1.0, gt=0, description="Mass, in T = p^2/(2 mass).")

    @field_validator("interval", mode="before")
    @classmethod
    def _ascending(cls, value: object) -> tuple[float, float]:
        entries = list(value) if isinstance(value, (list, tuple)) else []
        if len(entries) != 2 or not all(type(entry) in (int, float) for entry in entries):
            raise ValueError(f"must be a list of two numbers, as in [-6.0, 6.0], found {shown(value)}")
        if not entries[0] < entries[1]:
            raise ValueError(f"must ascend: {entries[0]:g} is not below {entries[1]:g}")
        return float(entries[0]), float(entries[1])

    @property
    def size(self) -> int:
        """Number of functions."""
        return self.points

    @property
    def operators(self) -> tuple[str, ...]:
        """Names of its operators."""
        return ("1", "q", "p", "T")


class Spin(Keys):
    """A spin: functions m = s, s-1, .., -s (function 0 is up); X, Y, Z are 2 Sx, 2 Sy, 2 Sz of s = 1/2."""

    basis: Literal["spin"] = Field(description="The name of the basis.")
    s: float = Field(default=0.5, description="The spin.", json_schema_extra={"values": "0.5, 1, 1.5, ..."})

    @field_validator("s")
    @classmethod
    def _half_integer(cls, value: float) -> float:
        if not 0.5 <= value <= (MOST_FUNCTIONS - 1) / 2 or (2 * value) % 1:
            raise ValueError(f"must be a positive multiple of 0.5, found {value:g}")
        return value

    @property
    def size(self) -> int:
        """Number of functions."""
        return round(2 * self.s) + 1

    @property
    def operators(self) -> tuple[str, ...]:
        """Names of its operators."""
        return ("1", *(("X", "Y", "Z") if self.s == 0.5 else ()), "Sx", "Sy", "Sz", "S+", "S-")


class Boson(Keys):
    """Number states: q = (b + bdag)/sqrt(2), p = i (bdag - b)/sqrt(2), n = bdag b; elements exact, then cut."""

    basis: Literal["boson"] = Field(description="The name of the basis.")
    levels: int = Field(ge=1, le=MOST_FUNCTIONS, description="Number of levels, 0, 1, ... quanta.")

    @property
    def size(self) -> int:
        """Number of functions."""
        return self.levels

    @property
    def operators(self) -> tuple[str, ...]:
        """Names of its operators."""
        return ("1", "n", "b", "bdag", "q", "p")


class AnyBasis(Keys):
    """Only reached by a mapping whose ``basis`` is missing or unknown, to say so."""

    basis: Literal["harmonic", "sinc", "spin", "boson"]
    functions: object = None
    frequency: object = None
    mass: object = None
    points: object = None
    interval: object = None
    s: object = None
    levels: object = None


Mode = Harmonic | Sinc | Spin | Boson


def _tag(value: object) -> str:
    """Tag of the union below; tags are in parentheses, so that error paths can drop them."""
    name = value.get("basis") if isinstance(value, dict) else getattr(value, "basis", None)
    return f"({name})" if name in ("harmonic", "sinc", "spin", "boson") else "(any)"


ModeKey = Annotated[
    Annotated[Harmonic, Tag("(harmonic)")]
    | Annotated[Sinc, Tag("(sinc)")]
    | Annotated[Spin, Tag("(spin)")]
    | Annotated[Boson, Tag("(boson)")]
    | Annotated[AnyBasis, Tag("(any)")],
    Discriminator(_tag),
]
