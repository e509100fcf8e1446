"""Cuts of a density for the figures: lines along the axes, a plane, and the radial density about a single centre."""

from __future__ import annotations

import numpy as np

from problems.orbital_free_dft.grid import Grid
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.result import Plane, Profile
from solvers.formats.tucker.tensor import TuckerTensor

LINE, PLANE = 1024, 257  # most points of a line, and of an axis of the plane
AXES = "xyz"


def _indices(grid: Grid, count: int, at: int) -> np.ndarray:
    """At most ``count`` evenly spaced indices, and a few next to ``at``."""
    even = np.linspace(0, grid.points - 1, min(count, grid.points)).astype(int)
    near = np.clip(np.arange(at - 8, at + 9), 0, grid.points - 1)
    return np.union1d(even, near)


def profiles(grid: Grid, density: TuckerTensor, through: tuple[int, int, int]) -> list[Profile]:
    """The density along x, y and z through the point of these indices."""
    out = []
    for m in range(3):
        rows = [np.array([i]) for i in through]
        rows[m] = _indices(grid, LINE, through[m])
        place = tuple(float(grid.x[i]) for i in through)
        out.append(Profile(AXES[m], (place[0], place[1], place[2]), grid.x[rows[m]], density.block(rows).ravel()))
    return out


def plane(grid: Grid, density: TuckerTensor, through: tuple[int, int, int]) -> Plane:
    """The density on the plane z = constant through the point of these indices."""
    even = np.unique(np.linspace(0, grid.points - 1, min(PLANE, grid.points)).astype(int))
    values = density.block([even, even, np.array([through[2]])])[:, :, 0]
    return Plane(float(grid.x[through[2]]), grid.x[even], grid.x[even], values)


def radial(grid: Grid, density: TuckerTensor, nuclei: Nuclei, omega: float | None) -> np.ndarray | None:
    """Distances from the only centre and the density there (2, p), ascending; None for none or several centres."""
    centres = [*nuclei.positions, *([np.zeros(3)] if omega is not None else [])]
    if len(centres) != 1:
        return None
    nearest = [int(np.argmin(np.abs(grid.x - c))) for c in centres[0]]
    rows = [_indices(grid, LINE, nearest[0]), np.array([nearest[1]]), np.array([nearest[2]])]
    aside = sum((grid.x[nearest[m]] - centres[0][m]) ** 2 for m in (1, 2))
    r = np.sqrt((grid.x[rows[0]] - centres[0][0]) ** 2 + aside)
    right = grid.x[rows[0]] >= centres[0][0]
    return np.array([r[right], density.block(rows).ravel()[right]])
