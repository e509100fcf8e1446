"""The functions of one mode that states are trains in, kept with a run so that any observable can be computed from it.

f_v(q) = sum_m c_mv h_m((q - centre) / width) / sqrt(width),      h_m the normalised harmonic functions
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.quantum.hamiltonians.force_field.basis import ModeBasis
from problems.quantum.hamiltonians.force_field.primitives import position_powers


@dataclass(frozen=True, eq=False)
class OneModeFunctions:
    """Function v of one mode is column v of ``coefficients`` (N, n) in N harmonic functions of (q - centre) / width."""

    coefficients: np.ndarray
    centre: float = 0.0
    width: float = 1.0

    @classmethod
    def of_basis(cls, basis: ModeBasis) -> OneModeFunctions:
        """Those of a basis, in the order of their quantum numbers, as states are shown."""
        ascending = np.argsort(basis.labels, kind="stable")
        return cls(basis.coefficients[:, ascending], basis.primitive.centre, basis.primitive.width)

    @property
    def count(self) -> int:
        """How many functions there are."""
        return self.coefficients.shape[1]

    def powers(self, highest: int) -> np.ndarray:
        """The matrices of q^0 .. q^highest, (highest + 1, n, n), exact before the cut. Cost O(highest N^2 (N + n))."""
        c = self.coefficients
        return np.matmul(c.T, np.matmul(position_powers(len(c), highest, self.centre, self.width), c))

    def values(self, q: Sequence[float] | np.ndarray) -> np.ndarray:
        """f_v at points ``q`` (m,) -> (m, n). Cost O(m N n)."""
        x = (np.asarray(q, dtype=float) - self.centre) / self.width
        size = len(self.coefficients)
        found = np.zeros((size, len(x)))
        found[0] = math.pi**-0.25 * np.exp(-0.5 * x * x)
        if size > 1:
            found[1] = math.sqrt(2.0) * x * found[0]
        for m in range(2, size):
            found[m] = math.sqrt(2.0 / m) * x * found[m - 1] - math.sqrt((m - 1) / m) * found[m - 2]
        return found.T @ self.coefficients / math.sqrt(self.width)
