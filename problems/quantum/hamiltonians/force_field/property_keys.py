"""YAML keys of what a molecule shows: its dipole, its polarisability, and the spectrum that is drawn of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, Keys, is_number, shown
from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.readers.property_table import MAX_ORDER, read_property


class PropertyKey(Keys):
    """A property of the molecule as a function of the coordinates of its force field."""

    file: str | None = Field(
        default=None,
        description="CSV file of its derivatives; where it is left out, what the file of the force field holds.",
        json_schema_extra={"values": "a path relative to the YAML file"},
    )
    order: int | None = Field(
        default=None,
        ge=1,
        le=MAX_ORDER,
        description="Highest power that is used; where it is left out, all that are known.",
        json_schema_extra={"values": f"a whole number from 1 to {MAX_ORDER}"},
    )


class Spectrum(Keys):
    """How the infrared spectrum is drawn."""

    temperature: float = Field(
        default=296.0,
        ge=0,
        description="Of the lines, hot bands included; 0: from the ground state alone.",
        json_schema_extra={"unit": "K"},
    )
    range: tuple[float, float] | Literal["automatic"] = Field(
        default=AUTOMATIC,
        description="Wavenumbers [from, to] of the profile; automatic: all lines.",
        json_schema_extra={"values": "automatic or [from, to]", "unit": "cm-1"},
    )
    shape: Literal["lorentzian", "gaussian"] = Field(default="lorentzian", description="Shape of every line.")
    fwhm: float = Field(
        default=10.0,
        gt=0,
        description="Full width of every line at half its height.",
        json_schema_extra={"unit": "cm-1"},
    )

    @field_validator("range", mode="plain")
    @classmethod
    def _from_to(cls, value: object) -> tuple[float, float] | Literal["automatic"]:
        if isinstance(value, str) and value == AUTOMATIC:
            return AUTOMATIC
        ends = list(value) if isinstance(value, (list, tuple)) else []
        if len(ends) != 2 or not all(is_number(end) for end in ends) or not 0.0 <= ends[0] < ends[1]:
            raise ValueError(f"must be automatic or [from, to] with 0 <= from < to, found {shown(value)}")
        return float(ends[0]), float(ends[1])


@dataclass(frozen=True, eq=False)
class Observed:
    """What is asked of the states: properties (None: not known), the spectrum, the frequencies (d,) in cm-1 of normal
    modes (None of others), and the title."""

    dipole: Surface | None
    polarisability: Surface | None
    spectrum: Spectrum
    frequencies: np.ndarray | None
    title: str


def property_of(
    asked: PropertyKey | None, of_file: Surface | None, axes: Sequence[str], d: int, key: str
) -> Surface | None:
    """The property that a configuration names, to the order asked for; None where there is none.

    ``of_file``: what the file of the force field holds. Raises ProblemError for anything wrong in the file, and where
    more is asked for than is known.
    """
    surface = of_file
    if asked is not None and asked.file is not None:
        surface = read_property(Path(asked.file), d, axes, f"{key}.file")
    if asked is None or surface is None:
        if asked is not None:
            raise ProblemError("the file of the force field holds none: give file", key)
        return surface
    if asked.order is None:
        return surface
    if asked.order > surface.order:
        raise ProblemError(f"is {asked.order}, but the derivatives known are of order {surface.order}", f"{key}.order")
    return surface.truncated(asked.order)
