"""The whole parametric problem as one linear system in tensor-train form, solved by AMEn.

    A = sum_s A_s (x) diag(g_1s) (x) ... (x) diag(g_ds),   f = sum_t f_t (x) h_1t (x) ... (x) h_dt

Nodes that no parameter touches are eliminated exactly first (static condensation: for discs all but their own nodes
go), and the space that is left is taken in coordinates orthonormal in the energy product of the mean operator, so that
norms are energy norms and the condition number is the contrast of the coefficient. A route independent of ALS-cross:
it sees no single parameter point. Cost: dense matrices of the nodes left, hence their limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.sparse import csc_array

from problems.errors import ProblemError
from problems.parametric_pde.fields import Discs
from problems.parametric_pde.geometry import corners
from problems.parametric_pde.model import ParametricProblem
from solvers.cross.parametric_system import ParametricSystem, factorised
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.solve import solve
from solvers.methods import AMEn
from solvers.solution import IterationState, Solution

MOST_NODES = 1600
RESIDUAL_SHARE = 0.5  # of the accuracy


def check_size(problem: ParametricProblem) -> None:
    """ProblemError where more nodes depend on the parameters than dense matrices of them can hold."""
    touched = corners(problem.domain, problem.mesh.cells)
    if isinstance(problem.coefficient, Discs):
        touched = touched[problem.coefficient.inside(problem.midpoints).any(axis=0)]
    count = len(np.unique(touched))
    if count > MOST_NODES:
        message = (
            f"amen holds dense matrices of the nodes that depend on the parameters: {count}, but at most {MOST_NODES}; "
            "use als_cross, or fewer cells"
        )
        raise ProblemError(message, "solver.method")


def solve_assembled(
    system: ParametricSystem,
    accuracy: float,
    max_rank: int,
    rng: np.random.Generator,
    callback: Callable[[IterationState], None],
) -> Solution:
    """The solution (N, n_1, ..., n_d) to a relative residual, in the energy norm's dual, below ``accuracy``."""
    condensed = Condensed(system)
    operator = TTOperator((condensed.operators, *_diagonal(system.factors)))
    # in sqrt(w) u every parameter point counts by its probability, and the operator stays the same: it is diagonal
    roots = [np.sqrt(w) for w in system.weights]
    load = TensorTrain((condensed.loads, *_columns([h * root for h, root in zip(system.load_factors, roots)])))
    solution = solve(
        operator,
        load,
        method=AMEn(max_rank=max_rank),
        accuracy=RESIDUAL_SHARE * accuracy,
        condition=False,
        rng=rng,
        callback=callback,
        throw=False,
    )
    first, *rest = solution.value.cores
    value = condensed.expanded(TensorTrain((first, *(core / root[:, None] for core, root in zip(rest, roots)))))
    return replace(solution, value=value)


class Condensed:
    """The spatial part: eliminated nodes, and energy coordinates of those left."""

    def __init__(self, system: ParametricSystem) -> None:
        varying = [any(np.ptp(g[s]) > 0.0 for g in system.factors) for s in range(len(system.matrices))]
        touched = np.zeros(system.size, dtype=bool)
        for matrix, varies in zip(system.matrices, varying):
            if varies:
                touched[matrix.nonzero()[0]] = True
        for t, load in enumerate(system.loads):
            if any(np.ptp(h[t]) > 0.0 for h in system.load_factors):
                touched |= load != 0.0
        self.kept, gone = np.flatnonzero(touched), np.flatnonzero(~touched)
        self.size, self.shape = system.size, system.shape
        fixed = np.array(
            [0.0 if varies else np.prod([g[s, 0] for g in system.factors]) for s, varies in enumerate(varying)]
        )
        constant = csc_array(system.matrix(fixed))
        self.extension = np.zeros((system.size, len(self.kept)))
        self.extension[self.kept] = np.eye(len(self.kept))
        self.particular = np.zeros(system.size)
        if len(gone):
            inner = factorised(csc_array(constant[gone][:, gone]))
            self.extension[gone] = -inner.solve(constant[gone][:, self.kept].toarray())
            fixed_loads = [
                np.prod([h[t, 0] for h in system.load_factors])
                * (0.0 if any(np.ptp(h[t]) > 0.0 for h in system.load_factors) else 1.0)
                for t in range(len(system.loads))
            ]
            self.particular[gone] = inner.solve((np.array(fixed_loads) @ system.loads)[gone])
        mean = np.prod([g @ w for g, w in zip(system.factors, system.weights)], axis=0)
        # restricted to functions that solve the problem in the eliminated nodes: the Schur complement, term by term
        dense = np.array([self.extension.T @ (matrix @ self.extension) for matrix in system.matrices])
        self.root = cholesky(np.tensordot(mean, dense, axes=(0, 0)), lower=True)
        for s in range(len(dense)):
            half = solve_triangular(self.root, dense[s], lower=True)
            dense[s] = solve_triangular(self.root, half.T, lower=True).T
        self.operators = np.ascontiguousarray(dense.transpose(1, 2, 0))[None]
        # the particular part is orthogonal to the extension in the energy product: nothing of it is left in the loads
        loads = system.loads @ self.extension
        self.loads = np.ascontiguousarray(solve_triangular(self.root, loads.T, lower=True))[None]

    def expanded(self, train: TensorTrain) -> TensorTrain:
        """A train in energy coordinates as one of nodal values."""
        first = self.extension @ solve_triangular(self.root, train.cores[0][0], lower=True, trans=1)
        out = TensorTrain((first[None], *train.cores[1:]))
        if not self.particular.any():
            return out
        constant = (self.particular[None, :, None], *(np.ones((1, n, 1)) for n in self.shape))
        return out + TensorTrain(constant)


def _diagonal(factors: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    """Operator cores (S, n, n, S), the last (S, n, n, 1): diagonal in both."""
    cores = []
    for m, g in enumerate(factors):
        terms, n = g.shape
        last = m == len(factors) - 1
        core = np.zeros((terms, n, n, 1 if last else terms))
        i, s = np.meshgrid(np.arange(n), np.arange(terms))
        core[s, i, i, 0 if last else s] = g
        cores.append(core)
    return cores


def _columns(factors: list[np.ndarray]) -> list[np.ndarray]:
    """Vector cores (T, n, T), the last (T, n, 1): diagonal in the terms."""
    cores = []
    for m, h in enumerate(factors):
        terms, n = h.shape
        last = m == len(factors) - 1
        core = np.zeros((terms, n, 1 if last else terms))
        t = np.arange(terms)
        core[t, :, 0 if last else t] = h
        cores.append(core)
    return cores
