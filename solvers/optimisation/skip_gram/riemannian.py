"""The skip-gram objective on the manifold of matrices of fixed rank: what ``minimise`` makes small is -F / pairs.

The gradient over all matrices is Z_ij = A_ij sigma(-X_ij) - B_ij sigma(X_ij), of which only Z V and Z^T U are needed;
blocks of rows are made and forgotten. The first trial step along a direction xi is the minimiser of the parabola with
slope and curvature of F there, -<grad, xi> / sum_ij h_ij xi_ij^2, so that no step length is asked of anybody. With
plain descent and the retraction of solvers.optimisation.manifolds.fixed_rank_matrices this is the step of Fonarev et
al., ACL 2017, algorithm 1 (there the step is constant, and found by trial). Cost six products of n m d flops a step.
"""

from __future__ import annotations

import math

import numpy as np

from solvers.kernels.skip_gram import row_slopes
from solvers.optimisation.descent import Evaluation
from solvers.optimisation.manifolds.fixed_rank_matrices import FixedRankMatrices, MatrixPoint, MatrixTangent
from solvers.optimisation.skip_gram.problem import SkipGram

MANIFOLD = FixedRankMatrices()


class SkipGramDescent:
    """-F / pairs, its gradient, and a first step."""

    def __init__(self, problem: SkipGram) -> None:
        self.problem = problem

    def evaluate(self, x: MatrixPoint) -> Evaluation:
        """Value and Riemannian gradient."""
        (u, s, v), problem = x, self.problem
        left, total = u @ s, 0.0
        z_v, zt_u = np.empty_like(u), np.zeros_like(v)
        for part in problem.blocks():
            slopes = left[part] @ v.T
            curvature = np.empty_like(slopes)
            total += float(row_slopes(slopes, *problem.compressed, part.start, curvature).sum())
            z_v[part] = slopes @ v
            zt_u += slopes.T @ u[part]
        scale = -1.0 / problem.pairs
        return Evaluation(scale * total, MANIFOLD.project(x, scale * z_v, scale * zt_u))

    def precondition(self, x: MatrixPoint, evaluation: Evaluation) -> MatrixTangent:
        """The gradient over the mean curvature of an entry at X = 0: plain descent, in the unit of the variables."""
        problem = self.problem
        weights = 0.25 * (1.0 + float(problem.rows.sum() * problem.columns.sum()) / problem.pairs)
        entries = problem.shape[0] * problem.shape[1]
        return MANIFOLD.combine(x, [(entries / weights, evaluation.gradient)])

    def first_step(self, x: MatrixPoint, evaluation: Evaluation, direction: MatrixTangent) -> float:
        """To the minimum of the parabola; one where that is not known."""
        (u, s, v), (m, k, l), problem = x, direction, self.problem
        along = u @ m + k
        bend = 0.0
        for part in problem.blocks():
            slopes = (u[part] @ s) @ v.T
            curvature = np.empty_like(slopes)
            row_slopes(slopes, *problem.compressed, part.start, curvature)
            moved = along[part] @ v.T + u[part] @ l.T
            bend += float(np.vdot(curvature, moved**2))
        slope = MANIFOLD.inner(x, evaluation.gradient, direction)
        step = -slope * problem.pairs / bend if bend > 0.0 else math.nan
        return step if math.isfinite(step) and step > 0.0 else 1.0
