"""Functions on the grid as quantics trains: axes in sequence, each the train of its bits.

Pointwise functions are cross approximations on existing trains; resolvent and potential are AMEn solves with the
Kronecker sum of the second differences of each axis (TT-ranks at most 4), started from the last solution of the same
kind. Kept beside the Tucker format, which is faster by far (README): one core of an operation costs r^3 for TT-ranks
r of 40 to 60, but there are three times the level of them, and a sweep visits each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.orbital_free_dft.fields import Pointwise, Terms
from problems.orbital_free_dft.grid import Grid
from solvers.cross.cross import cross_of_trains
from solvers.formats.quantics.axes import kronecker_sum
from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.operators import identity, laplacian
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.formats.tucker.convert import from_quantics, to_quantics
from solvers.formats.tucker.tensor import TuckerTensor, multiply
from solvers.linear.solve import solve
from solvers.methods import AMEn, Cross
from solvers.solution import Solution, Status

LOOSEST = 0.1
OF_TOL = 0.1  # of the tolerance, for a cross: its accuracy is of the largest value, and densities fill little space


class QuanticsFields:
    """Quantics trains of point values; see Fields for what each method does. ``max_rank`` caps the TT-ranks."""

    def __init__(self, grid: Grid, tol: float, max_rank: int, rng: np.random.Generator) -> None:
        if grid.laplacian != "differences":
            raise ValueError("quantics trains need the Laplacian of second differences")
        self.grid, self.tol, self.max_rank, self.rng = grid, tol, max_rank, rng
        self.missed = 0.0
        self.counts = {"evaluations": 0, "solves": 0}
        one_axis = laplacian(grid.level, grid.spacing, left="face", right="face")
        self._laplacian: TTOperator = kronecker_sum([one_axis] * 3)
        self._one: TTOperator = kronecker_sum([identity(grid.level)] * 3) * (1.0 / 3.0)
        self._solutions: dict[str, TensorTrain] = {}
        self._pivots: dict[str, np.ndarray] = {}

    def combine(self, terms: Terms, scale: float | None = None) -> TensorTrain:
        total = terms[0][1] * terms[0][0]
        for coefficient, x in terms[1:]:
            total = total + x * coefficient
        norm = total.norm()
        if norm == 0.0:
            return total.round(1e-12)
        return total.round(min(LOOSEST, self.tol * (1.0 if scale is None else self._norm(scale) / norm)), self.max_rank)

    def dot(self, u: TensorTrain, v: TensorTrain) -> float:
        return float(dot(u, v).real) * self.grid.volume

    def pointwise(
        self, name: str, f: Pointwise, fields: Sequence[TensorTrain], scale: float | None = None
    ) -> TensorTrain:
        middle = to_bits(self.grid.points // 2 - np.array([[0, 0, 0], [1, 1, 1]]), [self.grid.level] * 3)
        solution = cross_of_trains(
            f,
            fields,
            method=Cross(max_rank=self.max_rank),
            accuracy=OF_TOL * self.tol,
            rng=self.rng,
            start=self._pivots.get(name, middle),
            throw=False,
        )
        self.counts["evaluations"] += solution.counts["evaluations"] + solution.counts["check_evaluations"]
        self._pivots[name] = solution.extra["pivots"]
        self._noted(solution, OF_TOL * self.tol)
        return solution.value.round(self.tol * OF_TOL)

    def projected(self, u: TensorTrain, basis: np.ndarray) -> np.ndarray:
        x = from_quantics(u, [self.grid.level] * 3, OF_TOL * self.tol)
        return multiply(x.core, [basis.T @ factor for factor in x.factors]) * self.grid.volume

    def kinetic(self, u: TensorTrain, v: TensorTrain) -> float:
        return 0.5 * self.dot(u, self._laplacian @ v)

    def resolvent(self, u: TensorTrain, shift: float, scale: float | None = None) -> TensorTrain:
        return self._solved("resolvent", self._laplacian * 0.5 + self._one * shift, u)

    def poisson(self, charge: TensorTrain) -> TensorTrain:
        return self._solved("poisson", self._laplacian * (0.25 / np.pi), charge)

    def adopt(self, x: TuckerTensor) -> TensorTrain:
        return to_quantics(x, OF_TOL * self.tol)

    def tucker(self, u: TensorTrain) -> TuckerTensor:
        return from_quantics(u, [self.grid.level] * 3, self.tol)

    def ranks(self, u: TensorTrain) -> tuple[int, ...]:
        return u.ranks

    def _solved(self, name: str, operator: TTOperator, b: TensorTrain) -> TensorTrain:
        self.counts["solves"] += 1
        solution = solve(
            operator,
            b,
            method=AMEn(max_rank=self.max_rank),
            start=self._solutions.get(name),
            accuracy=self.tol,
            condition=False,
            rng=self.rng,
            throw=False,
        )
        self._noted(solution, self.tol)
        self._solutions[name] = solution.value
        return solution.value.round(OF_TOL * self.tol)

    def _noted(self, solution: Solution, tol: float) -> None:
        if solution.status is not Status.CONVERGED:
            self.missed = max(self.missed, float(solution.residual[0]) / tol)

    def _norm(self, scale: float) -> float:
        """From the norm of an integral to that of the entries."""
        return scale / np.sqrt(self.grid.volume)
