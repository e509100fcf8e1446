"""The discrete problem over its parameters: exact solves anywhere, and the parametric system on a grid of points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.sparse import csr_array

from problems.parametric_pde.fields import Lognormal
from problems.parametric_pde.finite_elements import FiniteElements, Functional
from problems.parametric_pde.model import ParametricProblem
from problems.parametric_pde.separation import Separation, lognormal_factors, separate
from solvers.checkpoint import Journal
from solvers.cross.parametric_system import ParametricSystem, factorised


@dataclass(frozen=True, eq=False)
class Discrete:
    """A problem on its mesh: finite elements, separated coefficient, functionals."""

    problem: ParametricProblem
    elements: FiniteElements
    separation: Separation
    functionals: tuple[Functional, ...]
    journal: Journal = field(default_factory=lambda: Journal(None))  # of the exact solves

    @classmethod
    def of(
        cls, problem: ParametricProblem, tol: float, rng: np.random.Generator, journal: Journal | None = None
    ) -> Discrete:
        """Assemble; ``tol``: relative error allowed to the separated coefficient."""
        elements = FiniteElements(problem)
        separation = separate(problem.coefficient, problem.midpoints, tol, rng)
        return cls(problem, elements, separation, tuple(elements.functionals(problem)), journal or Journal(None))

    @property
    def d(self) -> int:
        """Number of parameters."""
        return self.problem.coefficient.d

    def solve(self, y: np.ndarray) -> np.ndarray:
        """Exact discrete solutions on the free nodes for parameters y (s, d) -> (s, free). Cost: an LU each."""
        known = self.journal.get(y)
        if known is None:
            known = solve_at(self.elements, self.problem, y)
            self.journal.put(y, known)
        return known

    def quantities(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The quantities of solutions u (s, free) at parameters y (s, d) -> (s, Q)."""
        full = self.elements.all_nodes(u)
        columns = []
        for q in self.functionals:
            value = full @ q.weights
            if q.cell is not None:
                value = value * self.problem.coefficient.values(self.problem.midpoints[q.cell : q.cell + 1], y)[:, 0]
            columns.append(value + q.offset)
        return np.stack(columns, axis=1)

    def system(self, grids: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> ParametricSystem:
        """The parametric system on grids of parameter values (n_m,) with probabilities ``weights``."""
        elements, terms = self.elements, self.separation.terms
        factors = self.separation.factors(grids)
        matrices = tuple(csr_array(elements.matrix(phi)) for phi in terms)
        load = elements.load * elements.unit_load[elements.free]
        loads, load_factors = load[None], [np.ones((1, len(y))) for y in grids]
        if elements.lifted:
            loads = np.concatenate([loads, [elements.lift(phi) for phi in terms]])
            load_factors = [np.concatenate([h, g]) for h, g in zip(load_factors, factors)]
        exact = partial(_solve_on_grid, elements, self.problem, tuple(grids)) if self.separation.error else None
        return ParametricSystem(matrices, factors, loads, tuple(load_factors), tuple(weights), exact)

    def cell_factors(self, cell: int, grids: Sequence[np.ndarray]) -> list[np.ndarray]:
        """a in one cell as d cores (r, n_m, r') over the parameters, exactly: rank 1, or 2 for an affine field."""
        field, x = self.problem.coefficient, self.problem.midpoints[cell : cell + 1]
        if isinstance(field, Lognormal):
            return [g[:, :, None] for g in lognormal_factors(field, x, grids)]
        terms = self.separation.terms[:, cell]
        values = [g[m + 1] * terms[m + 1] for m, g in enumerate(self.separation.factors(grids))]
        cores = []
        for m, value in enumerate(values):  # the sum of constant and one-parameter parts, rank 2
            core = np.zeros((2, len(value), 2))
            core[0, :, 0] = core[1, :, 1] = 1.0
            core[0, :, 1] = value + (terms[0] if m == 0 else 0.0)
            cores.append(core)
        cores[0] = cores[0][:1]
        cores[-1] = cores[-1][:, :, 1:]
        return cores


def solve_at(elements: FiniteElements, problem: ParametricProblem, y: np.ndarray) -> np.ndarray:
    """Discrete solutions on the free nodes for parameters y (s, d) -> (s, free).

    Raises ValueError where the coefficient or the solution is not finite or not positive.
    """
    out = np.empty((len(y), len(elements.free)))
    load = elements.load * elements.unit_load[elements.free]
    for k, a in enumerate(problem.coefficient.values(problem.midpoints, y)):
        if not (np.isfinite(a).all() and a.min() > 0.0):
            raise ValueError(f"the coefficient is not positive and finite at the parameters {y[k].tolist()}")
        f = load + elements.lift(a) if elements.lifted else load
        out[k] = factorised(elements.matrix(a)).solve(f)
    if not np.isfinite(out).all():
        raise ValueError("a solution of the PDE is not finite")
    return out


def _solve_on_grid(
    elements: FiniteElements, problem: ParametricProblem, grids: tuple[np.ndarray, ...], points: np.ndarray
) -> np.ndarray:
    """``solve_at`` for grid points (p, d)."""
    return solve_at(elements, problem, np.column_stack([y[points[:, m]] for m, y in enumerate(grids)]))
