"""What ``elliptic`` returns: a grid function as a quantics train, its slopes, and what is known of their errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from solvers.cards import Card, Fact, number, ranks, size
from solvers.elliptic.leaves import OFFSET, step_of
from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.domain import Domain
from solvers.formats.trains.construct import ones
from solvers.formats.trains.tensor_train import TensorTrain, dot


@dataclass(frozen=True, eq=False)
class EllipticField(Card):
    """u on 2^levels[k] points an axis, bits in sequence.

    ``u``: its train. ``energy``: h^d f.u, equal to the integral of
    a |grad u|^2 + c u^2; ``energy_error``: of the solution of the grid's equations; ``grid_error``: how far the energy
    is from that of the continuous problem, from coarser grids (None for a load given as a train).
    ``domain``: what the unit square stands for, where it is not itself.
    """

    u: TensorTrain
    levels: tuple[int, ...]
    ends: tuple[tuple[str, str], ...]
    energy: float
    energy_error: float
    grid_error: float | None
    _slope: Callable[[int], TensorTrain] = field(repr=False)
    domain: Domain | None = None
    _integral: float | None = field(default=None, repr=False)

    def slope(self, axis: int) -> TensorTrain:
        """(u_i - u_(i - 1)) / h along an axis as a train, made from its own polynomials, so that no digit is lost.

        Before the first point stands the zero of its end (one step or half a step before), or a mirror (slope 0).
        Raises ValueError for an axis that is not there.
        """
        if not 0 <= axis < len(self.levels):
            raise ValueError(f"there is no axis {axis} among {len(self.levels)}")
        return self._slope(axis)

    @property
    def steps(self) -> tuple[float, ...]:
        """The step h of each axis."""
        return tuple(step_of(levels, ends) for levels, ends in zip(self.levels, self.ends))

    @property
    def integral(self) -> float:
        """h^d times the sum of u; on a domain the integral over it, by the middles of the cells."""
        if self._integral is not None:
            return self._integral
        return float(np.prod(self.steps)) * float(dot(ones(self.u.shape), self.u).real)

    def coordinates(self, axis: int, indices: np.ndarray) -> np.ndarray:
        """The coordinates in [0, 1] of grid indices of an axis."""
        return (np.asarray(indices) + OFFSET[self.ends[axis][0]]) * self.steps[axis]

    def at(self, points: np.ndarray) -> np.ndarray:
        """u at ``points`` (m, d) of the unit interval, square, cube or the domain, linear between grid points: (m,).

        Raises ValueError for another shape or points outside.
        """
        points = np.asarray(points, dtype=float)
        d = len(self.levels)
        if self.domain is not None:
            points = self.domain.in_square(points)
        if points.ndim != 2 or points.shape[1] != d or not ((points >= 0.0) & (points <= 1.0)).all():
            raise ValueError(f"points must be (m, {d}) in [0, 1], not {points.shape}")
        total = np.zeros(len(points))
        lower = np.empty(points.shape, dtype=np.int64)
        share = np.empty(points.shape)
        for k in range(d):
            place = points[:, k] / self.steps[k] - OFFSET[self.ends[k][0]]
            floor = np.floor(place)
            lower[:, k], share[:, k] = floor.astype(np.int64), place - floor
        for corner in range(2**d):
            bits = np.array([(corner >> k) & 1 for k in range(d)])
            index = lower + bits
            weight = np.prod(np.where(bits == 1, share, 1.0 - share), axis=1)
            factor = np.ones(len(points))
            for k in range(d):
                last = 2 ** self.levels[k] - 1
                for end, beyond, edge in ((0, index[:, k] < 0, 0), (1, index[:, k] > last, last)):
                    edge = last - edge if self.ends[k][end] == "periodic" else edge
                    factor = np.where(beyond, factor * GHOSTS[self.ends[k][end]], factor)
                    index[:, k] = np.where(beyond, edge, index[:, k])
            total += weight * factor * self.u.entries(to_bits(index, self.levels))
        return total

    def worded(self) -> list[Fact]:
        """Points, energy with its errors, ranks."""
        told: list[Fact] = [
            *([] if self.domain is None else [("domain", type(self.domain).__name__)]),
            ("points", " x ".join(f"2^{levels}" for levels in self.levels)),
            ("energy", f"{number(self.energy)}, error {size(self.energy_error)}"),
        ]
        if self.grid_error is not None:
            told.append(("of the grid", f"{size(self.grid_error)} from the continuous energy"))
        return [*told, ("ranks of u", ranks(self.u.ranks))]


# value one point beyond, as a multiple of that at the end (of the other end where it is periodic)
GHOSTS = {"dirichlet": 0.0, "face": -1.0, "neumann": 1.0, "free": 1.0, "periodic": 1.0}
