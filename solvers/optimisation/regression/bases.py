"""Functions of one coordinate, of which products over the coordinates make a function of many.

    Polynomials(degree)      sqrt(2 i + 1) P_i(t), i = 0 .. degree, P_i Legendre's; t in [-1, 1] over the interval
    Splines(pieces, degree)  B-splines on equal pieces of the interval: pieces + degree functions
    Fourier(order)           1, sqrt(2) cos(2 pi i t), sqrt(2) sin(2 pi i t), i = 1 .. order; t in [0, 1) over a period
    Functions(f_1, f_2, ..)  your own, real or complex

Each takes an ``interval`` (low, high); without one a fit takes the range of its points (Fourier's is the period, which
has to be given). de Boor, A Practical Guide to Splines (1978), for B-splines.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.polynomial import legendre
from scipy.interpolate import BSpline

Interval = tuple[float, float]
CELLS, NODES = 64, 8  # of the quadrature of functions of which nothing is known: Gauss points in equal cells
STEP = 1e-5  # of the interval, for differences of functions without derivatives: error about 1e-10


@dataclass(frozen=True)
class Basis(ABC):
    """``size`` functions of a coordinate on an ``interval``. Raises ValueError for an empty or infinite interval."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many functions there are."""

    @abstractmethod
    def values(self, x: np.ndarray) -> np.ndarray:
        """The functions (m, n) at coordinates (m,)."""

    @abstractmethod
    def slopes(self, x: np.ndarray) -> np.ndarray:
        """Their first derivatives (m, n)."""

    @abstractmethod
    def quadrature(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights between two ends, exact for products of two functions (but for ``Functions``)."""

    @abstractmethod
    def on(self, low: float, high: float) -> Self:
        """The same on this interval, where none was given."""

    @property
    @abstractmethod
    def ends(self) -> Interval | None:
        """The interval."""

    @property
    def wanted(self) -> str:
        """What it is, in a few words."""
        low, high = self.ends or (math.nan, math.nan)
        return f"{type(self).__name__}, {self.size} on [{low:g}, {high:g}]"


def _checked(name: str, interval: Interval | None) -> None:
    if interval is not None:
        ends = np.asarray(interval, dtype=float)
        if ends.shape != (2,) or not np.isfinite(ends).all() or not ends[0] < ends[1]:
            raise ValueError(f"{name}: interval is {interval!r}; give two finite numbers, the lower one first")


def _whole(name: str, **numbers: tuple[int, int]) -> None:
    for what, (value, least) in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name}: {what} is {value!r}; give a whole number of at least {least}")


def _gauss(count: int, walls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``count`` Gauss points in each cell between the walls."""
    nodes, weights = legendre.leggauss(count)
    half = 0.5 * np.diff(walls)
    x = (0.5 * (walls[1:] + walls[:-1]))[:, None] + half[:, None] * nodes
    return x.ravel(), (half[:, None] * weights).ravel()


@dataclass(frozen=True)
class Polynomials(Basis):
    """Legendre's polynomials up to ``degree``, of mean square one over the ``interval``."""

    degree: int
    interval: Interval | None = None

    def __post_init__(self) -> None:
        _whole("Polynomials", degree=(self.degree, 0))
        _checked("Polynomials", self.interval)

    @property
    def size(self) -> int:
        return self.degree + 1

    @property
    def ends(self) -> Interval | None:
        return self.interval

    def on(self, low: float, high: float) -> Polynomials:
        return self if self.interval else replace(self, interval=(low, high))

    def _scaled(self, x: np.ndarray) -> tuple[np.ndarray, float]:
        assert self.interval is not None
        low, high = self.interval
        return (x - low) * (2.0 / (high - low)) - 1.0, 2.0 / (high - low)

    def values(self, x: np.ndarray) -> np.ndarray:
        t, _ = self._scaled(x)
        return legendre.legvander(t, self.degree) * np.sqrt(2.0 * np.arange(self.size) + 1.0)

    def slopes(self, x: np.ndarray) -> np.ndarray:
        t, scale = self._scaled(x)
        found = np.zeros((len(x), self.size))
        if self.degree:
            each = legendre.legder(np.eye(self.size), axis=0)  # column i: the slope of P_i in Legendre's
            found = legendre.legvander(t, self.degree - 1) @ each
        return found * np.sqrt(2.0 * np.arange(self.size) + 1.0) * scale

    def quadrature(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        return _gauss(self.size, np.array([low, high]))


@dataclass(frozen=True)
class Splines(Basis):
    """B-splines of ``degree`` on ``pieces`` equal parts of the ``interval``."""

    pieces: int
    degree: int = 3
    interval: Interval | None = None

    def __post_init__(self) -> None:
        _whole("Splines", pieces=(self.pieces, 1), degree=(self.degree, 1))
        _checked("Splines", self.interval)

    @property
    def size(self) -> int:
        return self.pieces + self.degree

    @property
    def ends(self) -> Interval | None:
        return self.interval

    def on(self, low: float, high: float) -> Splines:
        return self if self.interval else replace(self, interval=(low, high))

    @property
    def _spline(self) -> BSpline:
        """All of them, as one with vectors for coefficients."""
        assert self.interval is not None
        walls = np.linspace(*self.interval, self.pieces + 1)
        knots = np.concatenate([[walls[0]] * self.degree, walls, [walls[-1]] * self.degree])
        return BSpline(knots, np.eye(self.size), self.degree)

    def values(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self._spline(x))

    def slopes(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self._spline.derivative()(x))

    def quadrature(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        assert self.interval is not None
        walls = np.linspace(*self.interval, self.pieces + 1)
        walls = np.concatenate([[low], walls[(walls > low) & (walls < high)], [high]])
        return _gauss(self.degree + 1, walls)


@dataclass(frozen=True)
class Fourier(Basis):
    """Cosines and sines up to ``order`` periods in the ``interval``, one period of the function."""

    order: int
    interval: Interval

    def __post_init__(self) -> None:
        _whole("Fourier", order=(self.order, 0))
        _checked("Fourier", self.interval)

    @property
    def size(self) -> int:
        return 2 * self.order + 1

    @property
    def ends(self) -> Interval | None:
        return self.interval

    def on(self, low: float, high: float) -> Fourier:
        return self

    def _turns(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = self.interval
        rates = 2.0 * np.pi * np.arange(1, self.order + 1) / (high - low)
        return np.outer(x - low, rates), rates

    def values(self, x: np.ndarray) -> np.ndarray:
        turns, _ = self._turns(x)
        return np.concatenate(
            [np.ones((len(x), 1)), np.sqrt(2.0) * np.cos(turns), np.sqrt(2.0) * np.sin(turns)], axis=1
        )

    def slopes(self, x: np.ndarray) -> np.ndarray:
        turns, rates = self._turns(x)
        down, up = -np.sqrt(2.0) * rates * np.sin(turns), np.sqrt(2.0) * rates * np.cos(turns)
        return np.concatenate([np.zeros((len(x), 1)), down, up], axis=1)

    def quadrature(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        if (low, high) != self.interval:  # a part of a period
            return _gauss(2 * self.size + 8, np.linspace(low, high, self.order + 2))
        count = 4 * self.order + 1
        width = (high - low) / count
        return low + width * np.arange(count), np.full(count, width)


class Functions(Basis):
    """Your own functions, each of an array (m,) with values (m,), real or complex; ``slopes``: their derivatives.

    Without these differences take their place. Integrals are by Gauss points in ``CELLS`` cells. Raises ValueError for
    what is no function, and where one is called for values of another shape, or that are not finite.
    """

    def __init__(
        self,
        *functions: Callable[[np.ndarray], np.ndarray],
        slopes: tuple[Callable[[np.ndarray], np.ndarray], ...] | None = None,
        interval: Interval | None = None,
    ) -> None:
        if not functions or not all(callable(f) for f in functions):
            raise ValueError("Functions: give functions of an array, such as Functions(np.ones_like, np.exp)")
        if slopes is not None and len(slopes) != len(functions):
            raise ValueError(f"Functions: {len(functions)} functions need as many slopes, not {len(slopes)}")
        _checked("Functions", interval)
        self.functions, self.derivatives, self.interval = functions, slopes, interval

    @property
    def size(self) -> int:
        return len(self.functions)

    @property
    def ends(self) -> Interval | None:
        return self.interval

    def on(self, low: float, high: float) -> Functions:
        return self if self.interval else Functions(*self.functions, slopes=self.derivatives, interval=(low, high))

    def values(self, x: np.ndarray) -> np.ndarray:
        return self._of(self.functions, x)

    def _of(self, functions: tuple[Callable[[np.ndarray], np.ndarray], ...], x: np.ndarray) -> np.ndarray:
        columns = []
        for number, f in enumerate(functions):
            column = np.asarray(f(x))
            if column.shape not in ((), x.shape) or column.dtype.kind not in "biufc":
                text = f"must give numbers {x.shape} for an array {x.shape}, not {column.dtype} {column.shape}"
                raise ValueError(f"Functions: function number {number} {text}")
            if not np.isfinite(column).all():
                raise ValueError(f"Functions: function number {number} is not finite at all points")
            columns.append(np.broadcast_to(column, x.shape))
        return np.stack(columns, axis=1) + 0.0

    def slopes(self, x: np.ndarray) -> np.ndarray:
        if self.derivatives is not None:
            return self._of(self.derivatives, x)
        assert self.interval is not None
        low, high = self.interval
        step = STEP * (high - low)
        one, other = np.minimum(x + step, np.maximum(x, high)), np.maximum(x - step, np.minimum(x, low))
        return (self.values(one) - self.values(other)) / (one - other)[:, None]

    def quadrature(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        return _gauss(NODES, np.linspace(low, high, CELLS + 1))
