"""Plane domains as images of the unit square: quadrilaterals, triangles, rings and their sectors, smooth maps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.polynomial import chebyshev

from solvers.cards import Fact, number
from solvers.formats.quantics.domain import FOUND, Domain
from solvers.measured import numeral

DEGREES = (16, 32, 64, 128)  # of polynomials in each coordinate that a map is followed by
FOLLOWED = 1e-13  # of its size: what the last coefficients of a map may be
FLAT = 1e-9  # of the product of two sides: a corner of no angle, or of half a turn


@dataclass(frozen=True, eq=False, repr=False)
class Quadrilateral(Domain):
    """The quadrilateral of four ``corners``, counterclockwise, by the bilinear map; all its angles are below pi.

    Edges: "bottom" from corner 0 to 1, "right" from 1 to 2, "top" from 2 to 3, "left" from 3 to 0. Raises ValueError
    for other corners.
    """

    corners: Sequence[Sequence[float]]

    def __post_init__(self) -> None:
        c = _corners(self.corners, 4)
        for k in range(4):
            one, two = c[(k + 1) % 4] - c[k], c[(k - 1) % 4] - c[k]
            if not one[0] * two[1] - one[1] * two[0] > FLAT * np.linalg.norm(one) * np.linalg.norm(two):
                raise ValueError(
                    f"the corners of a quadrilateral go round counterclockwise with angles below pi, not {c.tolist()}"
                )

    def points(self, square: np.ndarray) -> np.ndarray:
        c, (x, y) = _corners(self.corners, 4), square.T[:, :, None]
        result: np.ndarray = (1 - x) * (1 - y) * c[0] + x * (1 - y) * c[1] + x * y * c[2] + (1 - x) * y * c[3]
        return result

    def jacobian(self, square: np.ndarray) -> np.ndarray:
        c, (x, y) = _corners(self.corners, 4), square.T[:, :, None]
        along = (1 - y) * (c[1] - c[0]) + y * (c[2] - c[3])
        across = (1 - x) * (c[3] - c[0]) + x * (c[2] - c[1])
        return np.stack([along, across], axis=2)

    def worded(self) -> list[Fact]:
        """Corners and edges."""
        return [("corners", _told(self.corners)), *super().worded()]


@dataclass(frozen=True, eq=False, repr=False)
class Triangle(Domain):
    """The triangle of ``corners`` a, b, c, counterclockwise; edges "ab", "bc", "ca".

    The side xi_1 = 0 of the square is the corner a: x = a + xi_1 ((b - a) + xi_2 (c - b)).
    """

    corners: Sequence[Sequence[float]]

    def __post_init__(self) -> None:
        a, b, c = _corners(self.corners, 3)
        one, two = b - a, c - a
        if not one[0] * two[1] - one[1] * two[0] > FLAT * np.linalg.norm(one) * np.linalg.norm(two):
            raise ValueError(f"the corners of a triangle go round counterclockwise, not {[a, b, c]}")

    @property
    def edges(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return ("bc",), ("ab", "ca")

    @property
    def collapsed(self) -> bool:
        return True

    def points(self, square: np.ndarray) -> np.ndarray:
        (a, b, c), (x, y) = _corners(self.corners, 3), square.T[:, :, None]
        result: np.ndarray = a + x * ((b - a) + y * (c - b))
        return result

    def jacobian(self, square: np.ndarray) -> np.ndarray:
        (a, b, c), (x, y) = _corners(self.corners, 3), square.T[:, :, None]
        return np.stack([(b - a) + y * (c - b), x * (c - b)], axis=2)

    def worded(self) -> list[Fact]:
        """Corners and edges."""
        return [("corners", _told(self.corners)), *super().worded()]


@dataclass(frozen=True, eq=False, repr=False)
class Ring(Domain):
    """Radii ``inner`` to ``outer`` about ``centre``, from the angle ``start`` over ``angle`` radians (2 pi: a ring).

    Edges "inner" and "outer"; of a sector "first" (at ``start``) and "last" too. ``inner`` = 0: a disc, or the sector
    of one, without the edge "inner". Raises ValueError for other numbers.
    """

    inner: float
    outer: float
    start: float = 0.0
    angle: float = 2.0 * math.pi
    centre: Sequence[float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        numbers = [self.inner, self.outer, self.start, self.angle, *self.centre]
        if not np.isfinite(numbers).all() or len(self.centre) != 2 or not 0.0 <= self.inner < self.outer:
            raise ValueError(f"a ring needs finite radii 0 <= inner < outer, not {self.inner!r}, {self.outer!r}")
        if not 0.0 < self.angle <= 2.0 * math.pi:
            raise ValueError(f"the angle of a ring lies in (0, 2 pi], not {self.angle!r}")

    @property
    def edges(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        along = ("outer",) if self.collapsed else ("inner", "outer")
        return along, () if self.periodic else ("first", "last")

    @property
    def collapsed(self) -> bool:
        return self.inner == 0.0

    @property
    def periodic(self) -> bool:
        return self.angle == 2.0 * math.pi

    def _polar(self, square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.inner + square[:, 0] * (self.outer - self.inner), self.start + self.angle * square[:, 1]

    def points(self, square: np.ndarray) -> np.ndarray:
        r, phi = self._polar(square)
        return np.asarray(self.centre) + r[:, None] * np.stack([np.cos(phi), np.sin(phi)], axis=1)

    def jacobian(self, square: np.ndarray) -> np.ndarray:
        r, phi = self._polar(square)
        cos, sin = np.cos(phi), np.sin(phi)
        along = (self.outer - self.inner) * np.stack([cos, sin], axis=1)
        return np.stack([along, (self.angle * r)[:, None] * np.stack([-sin, cos], axis=1)], axis=2)

    @property
    def opening(self) -> float:
        return self.angle

    def in_square(self, points: np.ndarray) -> np.ndarray:
        """Radius and angle, as numbers of [0, 1].  Raises ValueError as for other domains."""
        points = np.asarray(points, dtype=float)
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(f"points must be finite (m, 2), not {points.shape}")
        apart = points - np.asarray(self.centre)
        along = (np.linalg.norm(apart, axis=1) - self.inner) / (self.outer - self.inner)
        turned = np.mod(np.arctan2(apart[:, 1], apart[:, 0]) - self.start, 2.0 * math.pi)
        across = np.where(turned > 2.0 * math.pi - FOUND, 0.0, turned) / self.angle
        xi = np.stack([along, across], axis=1)
        far = ((xi < -1e3 * FOUND) | (xi > 1.0 + 1e3 * FOUND)).any(axis=1)
        if far.any():
            at = ", ".join(numeral(x) for x in points[int(np.argmax(far))])
            raise ValueError(f"the point ({at}) is not in the domain")
        return np.clip(xi, 0.0, 1.0)

    def worded(self) -> list[Fact]:
        """Radii, angles, edges."""
        angles = "all round" if self.periodic else f"from {number(self.start)} over {number(self.angle)}"
        return [("radii", f"{number(self.inner)} to {number(self.outer)}"), ("angle", angles), *super().worded()]


@dataclass(frozen=True, eq=False, repr=False)
class Mapped(Domain):
    """The image of the unit square under a smooth ``map``, (m, 2) -> (m, 2), one to one and keeping orientation.

    ``derivatives``: its Jacobian d x_i / d xi_j, (m, 2) -> (m, 2, 2); without it, that of polynomials of degree 16 to
    128 in each coordinate which follow the map to 1e-13. Edges "left", "right", "bottom", "top", those of the square.
    Raises ValueError where these polynomials do not follow the map, and for what it returns otherwise.
    """

    map: Callable[[np.ndarray], np.ndarray]
    derivatives: Callable[[np.ndarray], np.ndarray] | None = None
    _series: tuple[np.ndarray, np.ndarray] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.points(np.full((3, 2), 0.5))
        if self.derivatives is None:
            object.__setattr__(self, "_series", self._followed())
        else:
            self.jacobian(np.full((3, 2), 0.5))

    def points(self, square: np.ndarray) -> np.ndarray:
        return _returned(self.map(square), (len(square), 2), "the map")

    def jacobian(self, square: np.ndarray) -> np.ndarray:
        if self.derivatives is not None:
            return _returned(self.derivatives(square), (len(square), 2, 2), "the derivatives")
        assert self._series is not None
        both = [chebyshev.chebval2d(2.0 * square[:, 0] - 1.0, 2.0 * square[:, 1] - 1.0, one) for one in self._series]
        return np.stack([2.0 * one.T for one in both], axis=2)

    def _followed(self) -> tuple[np.ndarray, np.ndarray]:
        """Chebyshev coefficients (n, n, 2) of both derivatives."""
        for degree in DEGREES:
            angles = np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1)
            x = 0.5 + 0.5 * np.cos(angles)
            square = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
            values = self.points(square).reshape(degree + 1, degree + 1, 2)
            transform = np.cos(np.outer(np.arange(degree + 1), angles)) * 2.0 / (degree + 1)
            transform[0] *= 0.5
            series = np.tensordot(transform, np.matmul(transform, values), axes=(1, 0))
            size = np.abs(series).max()
            if max(np.abs(series[-2:]).max(), np.abs(series[:, -2:]).max()) <= FOLLOWED * size:
                return chebyshev.chebder(series, axis=0), chebyshev.chebder(series, axis=1)
        raise ValueError(f"polynomials of degree {DEGREES[-1]} do not follow the map: give its derivatives")


def _corners(corners: Sequence[Sequence[float]], count: int) -> np.ndarray:
    """As an array (count, 2).  Raises ValueError for anything else."""
    array = np.asarray(corners, dtype=float)
    if array.shape != (count, 2) or not np.isfinite(array).all():
        raise ValueError(f"{count} corners of two finite coordinates are needed, not {corners!r}")
    return array


def _told(corners: Sequence[Sequence[float]]) -> str:
    return "; ".join(", ".join(numeral(float(x)) for x in corner) for corner in corners)


def _returned(values: np.ndarray, shape: tuple[int, ...], what: str) -> np.ndarray:
    found = np.asarray(values)
    if found.shape != shape or found.dtype.kind not in "iuf" or not np.isfinite(found).all():
        raise ValueError(f"{what} must return finite real numbers {shape}, not {found.dtype} {found.shape}")
    return found.astype(float)
