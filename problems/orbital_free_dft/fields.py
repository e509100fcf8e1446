"""Functions on the grid, in one format: what the energy and its descent are written with, and the dense format.

The operations are the same in every format: linear combinations, integrals of products, pointwise functions, the
resolvent of the kinetic energy and the potential of a charge with zero values on the faces. Dense arrays (here) are
exact and the reference for the other two: Tucker tensors (tucker_fields) and quantics trains (quantics_fields).
Fields are immutable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import scipy.fft

from problems.orbital_free_dft.grid import Grid
from solvers.formats.tucker.convert import from_full
from solvers.formats.tucker.tensor import TuckerTensor, multiply

Field = Any
Terms = Sequence[tuple[float, Field]]
Pointwise = Callable[..., np.ndarray]


class Fields(Protocol):
    """Functions on ``grid``, computed to the relative accuracy ``tol``.

    ``missed``: the largest error of an operation so far over what was allowed, above one where a rank limit bound;
    ``counts``: work (evaluations of pointwise functions, solves). ``scale`` of an operation: the norm (of the integral
    of the square) its error is relative to; None for the norm of its result.
    """

    grid: Grid
    tol: float
    missed: float
    counts: dict[str, int]

    def combine(self, terms: Terms, scale: float | None = None) -> Field:
        """The sum of coefficients times fields."""

    def dot(self, u: Field, v: Field) -> float:
        """The integral of u v."""

    def pointwise(self, name: str, f: Pointwise, fields: Sequence[Field], scale: float | None = None) -> Field:
        """f(u, v, ...) point by point; ``name`` tells similar calls, whose knowledge may be used again."""

    def projected(self, u: Field, basis: np.ndarray) -> np.ndarray:
        """The integrals (r, r, r) of u with the products of the columns of ``basis`` (n, r), one an axis."""

    def kinetic(self, u: Field, v: Field) -> float:
        """The integral of u (-1/2 Laplace) v."""

    def resolvent(self, u: Field, shift: float, scale: float | None = None) -> Field:
        """(-1/2 Laplace + shift)^-1 u."""

    def poisson(self, charge: Field) -> Field:
        """The potential of ``charge``, zero on the faces: -Laplace V = 4 pi charge."""

    def adopt(self, x: TuckerTensor) -> Field:
        """A Tucker tensor of point values as a field."""

    def tucker(self, u: Field) -> TuckerTensor:
        """The point values of a field as a Tucker tensor."""

    def ranks(self, u: Field) -> tuple[int, ...]:
        """The ranks of a field, empty for a dense one."""


class DenseFields:
    """Arrays of all point values: the plain sine-transform code, exact to rounding. Cost N log N an operation."""

    def __init__(self, grid: Grid) -> None:
        self.grid, self.tol, self.missed = grid, 1e-14, 0.0
        self.counts = {"evaluations": 0, "solves": 0}
        k = grid.eigenvalues
        self._sums = k[:, None, None] + k[None, :, None] + k[None, None, :]

    def combine(self, terms: Terms, scale: float | None = None) -> np.ndarray:
        out = terms[0][0] * terms[0][1]
        for coefficient, u in terms[1:]:
            out += coefficient * u
        return out

    def dot(self, u: np.ndarray, v: np.ndarray) -> float:
        return float(np.vdot(u, v)) * self.grid.volume

    def pointwise(
        self, name: str, f: Pointwise, fields: Sequence[np.ndarray], scale: float | None = None
    ) -> np.ndarray:
        self.counts["evaluations"] += fields[0].size
        return f(*fields)

    def projected(self, u: np.ndarray, basis: np.ndarray) -> np.ndarray:
        return multiply(u, [basis.T] * 3) * self.grid.volume

    def kinetic(self, u: np.ndarray, v: np.ndarray) -> float:
        return 0.5 * float(np.vdot(_sine(u), self._sums * _sine(v))) * self.grid.volume

    def resolvent(self, u: np.ndarray, shift: float, scale: float | None = None) -> np.ndarray:
        self.counts["solves"] += 1
        return _values(_sine(u) / (0.5 * self._sums + shift))

    def poisson(self, charge: np.ndarray) -> np.ndarray:
        self.counts["solves"] += 1
        return _values(_sine(charge) * (4.0 * np.pi) / self._sums)

    def adopt(self, x: TuckerTensor) -> np.ndarray:
        return x.full(max_size=self.grid.points**3)

    def tucker(self, u: np.ndarray) -> TuckerTensor:
        return from_full(u, 1e-10)

    def ranks(self, u: np.ndarray) -> tuple[int, ...]:
        return ()


def _sine(u: np.ndarray) -> np.ndarray:
    return scipy.fft.dstn(u, type=2, norm="ortho")


def _values(coefficients: np.ndarray) -> np.ndarray:
    return scipy.fft.idstn(coefficients, type=2, norm="ortho", overwrite_x=True)
