"""Functions on the grid as Tucker tensors of dense one-axis factors: the format of the calculation, as measured.

In the sine basis the factors of a field are transformed column by column, and resolvent and potential are pointwise
there: both, and every pointwise function, are one cross approximation on a few planes of points. So an operation
costs about 3 n r^2, r the Tucker rank (10 to 40), for n points an axis instead of n^3, and no linear system is
solved.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.orbital_free_dft.fields import Pointwise, Terms
from problems.orbital_free_dft.grid import Grid, from_sine, to_sine
from solvers.formats.tucker.cross import tucker_cross
from solvers.formats.tucker.tensor import TuckerTensor, combine, dot, multiply
from solvers.methods import TuckerCross
from solvers.solution import Status

LOOSEST = 0.1  # relative accuracy of a cross, also where its result is small against the scale
SINE, VALUES = [to_sine] * 3, [from_sine] * 3


class TuckerFields:
    """Tucker tensors of point values; see Fields for what each method does. ``max_rank`` caps the Tucker ranks."""

    def __init__(self, grid: Grid, tol: float, max_rank: int, rng: np.random.Generator) -> None:
        self.grid, self.tol, self.rng = grid, tol, rng
        self.method = TuckerCross(max_rank=max_rank)
        self.missed = 0.0
        self.counts = {"evaluations": 0, "solves": 0}
        # of the last function of each name: what the next one, much like it, begins with
        self._rows: dict[str, list[np.ndarray]] = {}
        self._inside: dict[str, float] = {}

    def combine(self, terms: Terms, scale: float | None = None) -> TuckerTensor:
        return combine(terms, tol=self.tol, scale=self._norm(scale), max_rank=self.method.max_rank)

    def dot(self, u: TuckerTensor, v: TuckerTensor) -> float:
        return dot(u, v).real * self.grid.volume

    def pointwise(
        self,
        name: str,
        f: Pointwise,
        fields: Sequence[TuckerTensor],
        scale: float | None = None,
        coordinates: Sequence[np.ndarray] | None = None,
    ) -> TuckerTensor:
        """As in Fields; with ``coordinates`` f takes these too, after the fields."""
        solution = tucker_cross(
            f,
            fields,
            coordinates=coordinates,
            method=self.method,
            start=self._rows.get(name),
            inside=self._inside.get(name),
            accuracy=min(self.tol, LOOSEST),
            scale=self._norm(scale),
            rng=self.rng,
            throw=False,
        )
        self._rows[name], self._inside[name] = solution.extra["rows"], solution.extra["inside"]
        self.counts["evaluations"] += solution.counts["evaluations"]
        if solution.status is not Status.CONVERGED:
            self.missed = max(self.missed, float(solution.residual[0]) / self.tol)
        return solution.value

    def projected(self, u: TuckerTensor, basis: np.ndarray) -> np.ndarray:
        return multiply(u.core, [basis.T @ factor for factor in u.factors]) * self.grid.volume

    def kinetic(self, u: TuckerTensor, v: TuckerTensor) -> float:
        waves, others = u.mapped(SINE), v.mapped(SINE)
        total = 0.0
        for axis in range(3):
            total += dot(waves, others.mapped([self._weighted if m == axis else None for m in range(3)])).real
        return 0.5 * total * self.grid.volume

    def resolvent(self, u: TuckerTensor, shift: float, scale: float | None = None) -> TuckerTensor:
        return self._divided("resolvent", u, lambda a, x, y, z: a / (0.5 * (x + y + z) + shift), scale)

    def poisson(self, charge: TuckerTensor) -> TuckerTensor:
        return self._divided("poisson", charge, lambda a, x, y, z: 4.0 * np.pi * a / (x + y + z), None)

    def adopt(self, x: TuckerTensor) -> TuckerTensor:
        return x

    def tucker(self, u: TuckerTensor) -> TuckerTensor:
        return u

    def ranks(self, u: TuckerTensor) -> tuple[int, ...]:
        return u.ranks

    def _divided(self, name: str, u: TuckerTensor, f: Pointwise, scale: float | None) -> TuckerTensor:
        """The function of the sine coefficients and the eigenvalues of each axis."""
        self.counts["solves"] += 1
        waves = self.pointwise(name, f, [u.mapped(SINE)], scale, [self.grid.eigenvalues] * 3)
        return waves.mapped(VALUES)

    def _weighted(self, columns: np.ndarray) -> np.ndarray:
        return self.grid.eigenvalues[:, None] * columns

    def _norm(self, scale: float | None) -> float | None:
        """From the norm of an integral to that of the entries."""
        return None if scale is None else scale / np.sqrt(self.grid.volume)
