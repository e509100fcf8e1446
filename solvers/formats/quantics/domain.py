"""A plane domain as the image of the unit square: what all of them have (shapes: solvers.formats.quantics.domains).

A map x(xi) with Jacobian J_ij = d x_i / d xi_j turns -div(a grad u) + c u = f on the domain into

    -div(K grad u) + c |J| u = f |J|,    K = |J| J^-1 a J^-T = adj(J) a adj(J)^T / |J|,

on the unit square. A triangle is a square with one side drawn together to a corner, a disc one whose side becomes the
centre: there |J| goes to zero as xi_1 and K_22 to infinity as 1 / xi_1, which grids that are fine enough at that side
follow (``collapsed``). A whole ring has no edges across: its second axis is ``periodic``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from solvers.cards import Card, Fact
from solvers.measured import numeral

DIRICHLET, NEUMANN = "dirichlet", "neumann"
FREE, PERIODIC = "free", "periodic"  # of the square: a last point on the edge; no edge
DomainEnds: TypeAlias = str | Mapping[str, str] | Sequence[str | Sequence[str]]
START_POINTS = 33  # an axis, from the nearest of which a point of the domain is found
NEWTON_STEPS = 50
FOUND = 1e-12  # of the size of the domain, for a point that is found
INSIDE = 1e-15  # of the square


@dataclass(frozen=True, eq=False)
class Domain(Card):
    """What all domains have; ``edges`` are their names, the two of each axis of the square in order."""

    @property
    def edges(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the edges along the two axes."""
        return ("left", "right"), ("bottom", "top")

    @property
    def collapsed(self) -> bool:
        """Whether xi_1 = 0 is one point of the domain."""
        return False

    @property
    def periodic(self) -> bool:
        """Whether xi_2 = 0 and xi_2 = 1 are the same points."""
        return False

    def points(self, square: np.ndarray) -> np.ndarray:
        """The images (m, 2) of points (m, 2) of the unit square."""
        raise NotImplementedError

    def jacobian(self, square: np.ndarray) -> np.ndarray:
        """d x_i / d xi_j, (m, 2, 2)."""
        raise NotImplementedError

    def in_square(self, points: np.ndarray) -> np.ndarray:
        """The points of the unit square (m, 2) whose images ``points`` (m, 2) are, by Newton steps from a near one.

        Raises ValueError for another shape and for points outside the domain.
        """
        points = np.asarray(points, dtype=float)
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(f"points must be finite (m, 2), not {points.shape}")
        side = (np.arange(START_POINTS) + 0.5) / START_POINTS
        known = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
        images = self.points(known)
        size = float(np.ptp(images, axis=0).max())
        xi = np.array([known[np.argmin(np.sum((images - x) ** 2, axis=1))] for x in points]).reshape(-1, 2)
        for _ in range(NEWTON_STEPS):
            apart = points - self.points(xi)
            if np.abs(apart).max(initial=0.0) <= FOUND * size:
                break
            # not onto a side that is one point of the domain: the Jacobian is singular there
            xi = np.clip(xi + np.linalg.solve(self.jacobian(xi), apart[:, :, None])[:, :, 0], INSIDE, 1.0)
        far = np.abs(points - self.points(xi)).max(axis=1) > 1e3 * FOUND * size
        if far.any():
            at = ", ".join(numeral(x) for x in points[int(np.argmax(far))])
            raise ValueError(f"the point ({at}) is not in the domain")
        return xi

    def ends(self, given: DomainEnds) -> tuple[tuple[str, str], tuple[str, str]]:
        """What the grid of the square does at its four sides; ``given``: one kind, {edge: kind}, or those of each axis.

        Edges that a mapping does not name are "dirichlet". Raises ValueError for other kinds and edges.
        """
        names = [name for axis in self.edges for name in axis]
        said = f"ends on this domain are 'dirichlet' or 'neumann' for {', '.join(names)}, not {given!r}"
        if isinstance(given, str):
            kinds = dict.fromkeys(names, given)
        elif isinstance(given, Mapping):
            kinds = {**dict.fromkeys(names, DIRICHLET), **given}
        else:
            axes = [axis for axis in self.edges if axis]
            parts = [(one,) * len(axis) if isinstance(one, str) else tuple(one) for one, axis in zip(given, axes)]
            if len(list(given)) != len(axes) or any(len(one) != len(axis) for one, axis in zip(parts, axes)):
                raise ValueError(said)
            kinds = {name: kind for one, axis in zip(parts, axes) for name, kind in zip(axis, one)}
        if set(kinds) != set(names) or not set(kinds.values()) <= {DIRICHLET, NEUMANN}:
            raise ValueError(said)
        grid = {name: DIRICHLET if kind == DIRICHLET else FREE for name, kind in kinds.items()}
        across = (PERIODIC, PERIODIC) if self.periodic else tuple(grid[name] for name in self.edges[1])
        along = [grid[name] for name in self.edges[0]]
        if self.collapsed:  # zero on an edge that ends there
            along.insert(0, DIRICHLET if DIRICHLET in across else FREE)
        return (along[0], along[1]), (across[0], across[1])

    def exponent(self, ends: Sequence[tuple[str, str]], collapsed: bool = False) -> float:
        """The least r^exponent by which solutions behave at corners: pi / angle, half of it where the ends change.

        ``collapsed``: also at the corner that a side of the square is. Infinite without corners.
        """
        least = math.inf
        if self.periodic:
            return least
        for i in range(1 if self.collapsed else 0, 2):
            for j in range(2):
                jacobian = self.jacobian(np.array([[float(i), float(j)]]))[0]
                angle = _angle(jacobian[:, 0] * (1 - 2 * i), jacobian[:, 1] * (1 - 2 * j))
                least = min(least, _power(angle, ends[0][i] == ends[1][j]))
        if collapsed and self.collapsed:
            least = min(least, _power(self.opening, ends[1][0] == ends[1][1]))
        return least

    @property
    def opening(self) -> float:
        """The angle at the corner that xi_1 = 0 is."""
        first, last = self.jacobian(np.array([[1.0, 0.0], [1.0, 1.0]]))[:, :, 0]
        return _angle(first, last)

    def worded(self) -> list[Fact]:
        """The names of the edges."""
        return [("edges", ", ".join(name for axis in self.edges for name in axis))]


def _angle(one: np.ndarray, two: np.ndarray) -> float:
    return abs(math.atan2(one[0] * two[1] - one[1] * two[0], float(one @ two)))


def _power(angle: float, alike: bool) -> float:
    return math.inf if angle == 0.0 else math.pi / angle * (1.0 if alike else 0.5)
