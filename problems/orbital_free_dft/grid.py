"""The cube of cell-centred points and its sine basis.

    x_i = -B/2 + (i + 1/2) h,   h = B / n,   n = 2^level points an axis;   sin(pi k (x + B/2) / B),  k = 1..n

The basis functions vanish on the faces and are exactly the discrete sine transform (type 2) of the points. In it the
Laplacian is diagonal: ``spectral`` eigenvalues (pi k / B)^2, exact for every function of the grid, or those of second
``differences`` with the same faces, (4/h^2) sin^2(pi k / 2n), whose error is of order h^2 everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft


@dataclass(frozen=True)
class Grid:
    """A cube of edge ``box`` (bohr), 2^``level`` points an axis; ``laplacian``: spectral or differences."""

    box: float
    level: int
    laplacian: str = "spectral"

    @property
    def points(self) -> int:
        return 1 << self.level

    @property
    def spacing(self) -> float:
        return self.box / self.points

    @property
    def volume(self) -> float:
        """Of one cell."""
        return self.spacing**3

    @cached_property
    def x(self) -> np.ndarray:
        """The points of an axis (n,)."""
        return -0.5 * self.box + (np.arange(self.points) + 0.5) * self.spacing

    @cached_property
    def wave_numbers(self) -> np.ndarray:
        """pi k / B, (n,)."""
        return np.pi * np.arange(1, self.points + 1) / self.box

    @cached_property
    def eigenvalues(self) -> np.ndarray:
        """Of -d^2/dx^2 in the sine basis (n,)."""
        if self.laplacian == "spectral":
            return self.wave_numbers**2
        return (2.0 / self.spacing * np.sin(0.5 * np.pi * np.arange(1, self.points + 1) / self.points)) ** 2

    def point_charge(self, at: np.ndarray) -> np.ndarray:
        """Coefficients (n, K), in the orthonormal sine basis of one axis, of delta functions at ``at`` (K,)."""
        waves = np.sqrt(2.0 / self.box) * np.sin(np.outer(self.wave_numbers, np.asarray(at) + 0.5 * self.box))
        waves[-1] *= np.sqrt(0.5)  # the last discrete function alternates: its square does not average to a half
        return waves / np.sqrt(self.spacing)

    def point_dipole(self, at: np.ndarray) -> np.ndarray:
        """Coefficients (n, K) of the derivatives of those delta functions by the place ``at``."""
        waves = np.cos(np.outer(self.wave_numbers, np.asarray(at) + 0.5 * self.box)) * self.wave_numbers[:, None]
        waves *= np.sqrt(2.0 / self.box)
        waves[-1] *= np.sqrt(0.5)
        return waves / np.sqrt(self.spacing)


def to_sine(columns: np.ndarray) -> np.ndarray:
    """Orthonormal sine coefficients along the first axis."""
    return scipy.fft.dst(columns, type=2, norm="ortho", axis=0)


def from_sine(columns: np.ndarray) -> np.ndarray:
    """Values from orthonormal sine coefficients along the first axis."""
    return scipy.fft.idst(columns, type=2, norm="ortho", axis=0)


def refined(columns: np.ndarray, points: int) -> np.ndarray:
    """Columns (n, r) on a grid of ``points`` >= n of the same box, by their sine series: exact for its functions."""
    n = len(columns)
    padded = np.zeros((points, columns.shape[1]))
    padded[:n] = to_sine(columns)
    if points > n:
        padded[n - 1] *= np.sqrt(0.5)  # the alternating function becomes an ordinary one
    return from_sine(padded) * np.sqrt(points / n)
