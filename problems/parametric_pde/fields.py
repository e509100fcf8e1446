"""The random coefficients: their keys, their values in the cells, and what is known of their parameters.

    affine     a = mean + sum_m scale m^-decay f_m(x) y_m,          y_m uniform on [-1, 1]
    lognormal  a = exp(mean + sum_m scale m^-decay f_m(x) y_m),     y_m standard normal
    discs      a = mu_i inside disc i, background outside,          mu_i, or log10 mu_i, uniform

f_m = sin(m pi x) on the interval; on the square sin(m pi x1) for odd m and sin(m pi x2) for even m. All parameters are
standardised: the y above, and y_i in [-1, 1] that runs linearly through the range of a disc.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from problems.errors import ProblemError
from problems.keys import Keys
from solvers.measured import numeral

MOST_PARAMETERS = 200
LARGEST_EXPONENT = 300.0  # of exp(...) at six standard deviations: beyond it numbers overflow


class _Sines(Keys):
    """What affine and log-normal fields share."""

    mean: float
    scale: float
    decay: float
    parameters: int

    @property
    def d(self) -> int:
        """Number of parameters."""
        return self.parameters

    def modes(self, x: np.ndarray) -> np.ndarray:
        """scale m^-decay f_m at points x (p, dimensions) -> (d, p)."""
        m = np.arange(1, self.parameters + 1)
        axis = np.zeros_like(m) if x.shape[1] == 1 else (m + 1) % 2
        return self.scale * m[:, None] ** -float(self.decay) * np.sin(m[:, None] * np.pi * x.T[axis])

    def totals(self, x: np.ndarray, power: int) -> np.ndarray:
        """sum_m |scale m^-decay f_m|^power at points x (p, dimensions) -> (p,). Cost O(d) a distinct coordinate."""
        total = np.zeros(len(x))
        for axis in range(x.shape[1]):
            m = np.arange(1 + axis, self.parameters + 1, x.shape[1])
            values, where = np.unique(x[:, axis], return_inverse=True)
            sizes = np.abs(self.scale * m[:, None] ** -float(self.decay) * np.sin(m[:, None] * np.pi * values))
            total += (sizes**power).sum(axis=0)[where]
        return total


class Affine(_Sines):
    """a = mean + sum_m scale m^-decay sin(m pi x) y_m, y uniform on [-1, 1]."""

    type: Literal["affine"] = Field(description="The name of the field.")
    mean: float = Field(default=1.0, gt=0, description="The mean of a.")
    scale: float = Field(default=0.5, description="Amplitude of the first mode.")
    decay: float = Field(default=2.0, description="Power of m by which the amplitudes fall.")
    parameters: int = Field(default=10, ge=1, le=MOST_PARAMETERS, description="Number of parameters.")

    @property
    def distribution(self) -> str:
        """Of every parameter."""
        return "uniform"

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """a at points x (p, dimensions) for parameters y (s, d) -> (s, p)."""
        return self.mean + y @ self.modes(x)

    def check(self, x: np.ndarray) -> None:
        """ProblemError where a can reach zero in a cell with midpoint in x (p, dimensions)."""
        totals = self.totals(x, 1)
        least = self.mean - totals
        worst = int(np.argmin(least))
        if not least[worst] > 0.0:
            where = ", ".join(numeral(v) for v in x[worst])
            message = (
                f"the coefficient can become {numeral(least[worst])} at x = {where}, but must stay positive: "
                f"lower scale below {numeral(abs(self.scale) * self.mean / float(totals.max()))} or raise mean"
            )
            raise ProblemError(message, "problem.field.scale")


class Lognormal(_Sines):
    """a = exp(mean + sum_m scale m^-decay sin(m pi x) y_m), y standard normal."""

    type: Literal["lognormal"] = Field(description="The name of the field.")
    mean: float = Field(default=0.0, description="The mean of log a.")
    scale: float = Field(default=1.0, description="Amplitude of the first mode of log a.")
    decay: float = Field(default=2.0, description="Power of m by which the amplitudes fall.")
    parameters: int = Field(default=10, ge=1, le=MOST_PARAMETERS, description="Number of parameters.")

    @property
    def distribution(self) -> str:
        """Of every parameter."""
        return "normal"

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """a at points x (p, dimensions) for parameters y (s, d) -> (s, p)."""
        return np.exp(self.mean + y @ self.modes(x))

    def check(self, x: np.ndarray) -> None:
        """ProblemError where a overflows within six standard deviations."""
        largest = abs(self.mean) + 6.0 * np.sqrt(self.totals(x, 2)).max()
        if not largest < LARGEST_EXPONENT:
            message = f"log a reaches {numeral(largest)} within six standard deviations: lower scale"
            raise ProblemError(message, "problem.field.scale")


class Discs(Keys):
    """a = mu_i where the midpoint of a cell is strictly inside disc i, background outside."""

    type: Literal["discs"] = Field(description="The name of the field.")
    background: float = Field(default=1.0, gt=0, description="The coefficient outside the discs.")
    centres: tuple[tuple[float, ...], ...] = Field(
        description="Centres of the discs.", json_schema_extra={"values": "a list of points, such as [[0.25, 0.75]]"}
    )
    radii: float | tuple[float, ...] = Field(
        description="Radius of the discs, or one each.", json_schema_extra={"values": "a number | a list of numbers"}
    )
    range: tuple[float, float] = Field(
        description="Smallest and largest mu_i; of its logarithm to base 10 with scale: log10.",
        json_schema_extra={"values": "a list of two numbers"},
    )
    scale: Literal["linear", "log10"] = Field(default="linear", description="Whether mu_i or log10 mu_i is uniform.")

    @field_validator("centres", "radii", "range", mode="before")
    @classmethod
    def _tuples(cls, value: object) -> object:
        if not isinstance(value, (list, tuple)):
            return value
        return tuple(tuple(entry) if isinstance(entry, list) else entry for entry in value)

    @property
    def d(self) -> int:
        """Number of parameters."""
        return len(self.centres)

    @property
    def distribution(self) -> str:
        """Of every parameter."""
        return "uniform"

    def inside(self, x: np.ndarray) -> np.ndarray:
        """Which points x (p, dimensions) are strictly inside which disc: (d, p) booleans."""
        radii = np.broadcast_to(np.asarray(self.radii, dtype=float), self.d)
        return np.array([((x - c) ** 2).sum(axis=1) < r**2 for c, r in zip(np.array(self.centres), radii)])

    def conductivity(self, y: np.ndarray) -> np.ndarray:
        """mu for parameters y in [-1, 1], any shape."""
        low, high = self.range
        value = low + 0.5 * (high - low) * (y + 1.0)
        return 10.0**value if self.scale == "log10" else value

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """a at points x (p, dimensions) for parameters y (s, d) -> (s, p)."""
        inside = self.inside(x)
        return np.where(inside.any(axis=0), self.conductivity(y) @ inside, self.background)

    def check(self, x: np.ndarray) -> None:
        """ProblemError for discs that are not on the mesh, overlap or are empty, and for a range that reaches zero."""
        dimensions = x.shape[1]
        if not self.centres:
            raise ProblemError("needs at least one centre", "problem.field.centres")
        if self.d > MOST_PARAMETERS:
            raise ProblemError(f"at most {MOST_PARAMETERS} discs, found {self.d}", "problem.field.centres")
        for i, centre in enumerate(self.centres):
            if len(centre) != dimensions or not all(0.0 <= v <= 1.0 for v in centre):
                message = f"must be {dimensions} number{'s' * (dimensions > 1)} in [0, 1], found {list(centre)}"
                raise ProblemError(message, f"problem.field.centres.{i}")
        radii = self.radii if isinstance(self.radii, tuple) else (self.radii,)
        if isinstance(self.radii, tuple) and len(radii) != self.d:
            raise ProblemError(f"needs {self.d} numbers, one a disc, found {len(radii)}", "problem.field.radii")
        if not all(radius > 0.0 for radius in radii):
            raise ProblemError("must be greater than 0", "problem.field.radii")
        low, high = self.range
        if not low < high:
            raise ProblemError(
                f"must run from the smaller to the larger value, found {low:g} to {high:g}", "problem.field.range"
            )
        if self.scale == "linear" and low <= 0.0:
            message = f"the coefficient can become {low:g}, but must stay positive: raise the lower end above 0"
            raise ProblemError(message, "problem.field.range")
        if self.scale == "log10" and max(abs(low), abs(high)) > 12.0:
            raise ProblemError("exponents beyond 12 lose all digits", "problem.field.range")
        inside = self.inside(x)
        for empty in np.flatnonzero(~inside.any(axis=1)):
            message = "no midpoint of a cell is inside this disc: make it larger or the mesh finer"
            raise ProblemError(message, f"problem.field.centres.{empty}")
        twice = np.flatnonzero(inside.sum(axis=0) > 1)
        if len(twice):
            pair = np.flatnonzero(inside[:, twice[0]])[:2]
            message = f"discs {pair[0]} and {pair[1]} share cells: the coefficient is defined for separate discs only"
            raise ProblemError(message, f"problem.field.centres.{pair[1]}")


Coefficient = Affine | Lognormal | Discs


class AnyField(Keys):
    """Only reached by a mapping whose ``type`` is missing or unknown, to say so."""

    type: Literal["discs", "affine", "lognormal"]
    background: object = None
    centres: object = None
    radii: object = None
    range: object = None
    scale: object = None
    mean: object = None
    decay: object = None
    parameters: object = None
