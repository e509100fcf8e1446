"""Trains fitted to samples by a loss: the one objective of completion, of regression and of your own descents.

With x_j the train X at sample j of m (solvers.optimisation.samples), b_j its value, w_j its weight, l a loss
(solvers.optimisation.losses; of squares |x - b|^2 / 2), and A a train or zero,

    f(X) = [ sum_j w_j l(x_j, b_j)  +  (lambda / 2) ||X - A||^2 ] / S,      S = sum_j w_j |b_j|^2 (squares), sum_j w_j

so that for squares sqrt(2 f) is the relative error at the samples. The ridge lambda holds what the samples hardly show
to the anchor A. On a manifold of fixed ranks the gradient is the projection of sum_j w_j l'_j (phi_1[j] x .. )* / S and
of lambda (X - A) / S, and

    B = S / (s sum_j w_j + lambda),      s = 1 / N for N entries, 1 for functions that are orthonormal over the points

is the inverse Hessian of squares in the mean over all choices of samples: <g, B g> / 2 estimates the decrease left.
The first step along a direction minimises the linearised sum, with the quadratic function above another loss
(Steinlechner, SIAM J. Sci. Comput. 38, S461 (2016), section 4.3). A rank grows by the best direction of the residual
z_j = -w_j l'_j at a bond: the leading singular pair u, v of sum_j z_j (l_j x phi_k[j])* (phi_k+1[j] x r_j)^H,
orthogonal to the present spaces, by power iteration; with a step that fits the samples best. Cost O(m d r^2) an
evaluation, times n for functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.descent import Evaluation
from solvers.optimisation.losses import Loss, Squares
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRank, FixedRankPoint, Tangent
from solvers.optimisation.samples import SampledPoint, Samples, Sampling

MANIFOLD = FixedRank()
POWER_STEPS = 15


class LeastSquares:
    """The objective of the module's text for ``minimise`` on ``FixedRank()``; proposes its steps.

    ``samples``: what sees a train (``LeastSquares.of_entries`` makes them of multi-indices); ``values`` (m,), real or
    complex; ``weights`` (m,), not negative: inverse squares of what the values may be off by, as a rule; ``loss``:
    Squares(), Huber(delta), Logistic() or another ``Loss``; ``ridge``: lambda, in the weights' unit; ``anchor``: A.

    Raises ValueError for arrays of other shapes, values or weights that are not finite, negative weights or none above
    zero, and a ridge that is negative.
    """

    def __init__(
        self,
        samples: Sampling,
        values: np.ndarray,
        *,
        weights: np.ndarray | None = None,
        loss: Loss | None = None,
        ridge: float = 0.0,
        anchor: TensorTrain | None = None,
    ) -> None:
        self.samples, self.values = samples, np.asarray(values)
        self.weights = np.ones(samples.count) if weights is None else np.asarray(weights, dtype=np.float64)
        for name, array in (("values", self.values), ("weights", self.weights)):
            if array.shape != (samples.count,):
                raise ValueError(f"{name} must have the shape {(samples.count,)} of the samples, not {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name}: number {int(np.argmin(np.isfinite(array)))} is not finite")
        if (self.weights < 0.0).any() or not self.weights.any():
            raise ValueError("weights must not be negative, and some must be above zero")
        if not (math.isfinite(ridge) and ridge >= 0.0):
            raise ValueError(f"ridge is {ridge!r}; give a number from 0 on, in the unit of the weights")
        self.loss: Loss = Squares() if loss is None else loss
        self.ridge, self.anchor = ridge, anchor
        self.whole = float(self.weights.sum())
        squares = float(self.weights @ np.abs(self.values) ** 2) if isinstance(self.loss, Squares) else self.whole
        self.size = squares or self.whole
        self.inverse = self.size / (samples.share * self.whole + ridge)

    @classmethod
    def of_entries(
        cls,
        indices: np.ndarray,
        values: np.ndarray,
        shape: Sequence[int],
        *,
        weights: np.ndarray | None = None,
        loss: Loss | None = None,
        ridge: float = 0.0,
        anchor: TensorTrain | None = None,
    ) -> Self:
        """For entries at multi-indices (m, d), from 0, of a tensor of this shape.

        Raises ValueError for indices that are no integers or lie outside the shape too.
        """
        indices, shape = np.asarray(indices), tuple(int(n) for n in shape)
        if indices.ndim != 2 or indices.shape[1] != len(shape) or indices.dtype.kind not in "iu":
            raise ValueError(f"indices must be integers (m, {len(shape)}), not {indices.dtype} {indices.shape}")
        if ((indices < 0) | (indices >= np.array(shape))).any():
            raise ValueError(f"indices must lie from 0 on inside the shape {shape}")
        samples = Samples(indices.astype(np.int64), shape)
        return cls(samples, values, weights=weights, loss=loss, ridge=ridge, anchor=anchor)

    def evaluate(self, x: FixedRankPoint) -> Evaluation:
        """Value and Riemannian gradient at a point."""
        at = SampledPoint.of(self.samples, x)
        slope = self.weights * self.loss.derivative(at.entries, self.values)
        gradient = at.project(MANIFOLD, slope / self.size)
        value = float(self.weights @ self.loss.each(at.entries, self.values)) / self.size
        if not self.ridge:
            return Evaluation(value, gradient, (at, slope, None))
        # X lies in its own tangent space, all in the last core
        if self.anchor is None:
            away = [np.zeros_like(core) for core in x.left]
            square = float(np.linalg.norm(x.left[-1])) ** 2
        else:
            away = [-core for core in MANIFOLD.project(x, self.anchor)]
            square = (x.train - self.anchor).norm() ** 2
        away[-1] = away[-1] + x.left[-1]
        value += 0.5 * self.ridge / self.size * square
        pulled = MANIFOLD.combine(x, [(1.0, gradient), (self.ridge / self.size, tuple(away))])
        return Evaluation(value, pulled, (at, slope, tuple(away)))

    def precondition(self, x: FixedRankPoint, evaluation: Evaluation) -> Tangent:
        """B times the gradient."""
        return MANIFOLD.combine(x, [(self.inverse, evaluation.gradient)])

    def first_step(self, x: FixedRankPoint, evaluation: Evaluation, direction: Tangent) -> float:
        """The minimiser along the direction of the linearised sum."""
        at, slopes, away = evaluation.extra
        along = at.tangent_entries(direction)
        curved = self.weights * self.loss.above(at.entries, self.values)[0]
        curvature = float(curved @ np.abs(along) ** 2) / self.size
        slope = float(np.vdot(along, slopes).real) / self.size
        if away is not None:
            curvature += self.ridge / self.size * MANIFOLD.inner(x, direction, direction)
            slope += self.ridge / self.size * MANIFOLD.inner(x, away, direction)
        return max(-slope / curvature, 1e-12) if curvature > 0.0 else 1.0

    def grown(self, x: FixedRankPoint, k: int, rng: np.random.Generator) -> FixedRankPoint:
        """The point with the rank between cores ``k`` and ``k + 1`` (from 0) one larger, fitting better."""
        at = SampledPoint.of(self.samples, x)
        residual = -self.weights * self.loss.derivative(at.entries, self.values)
        left, right = at.left[k], at.right[k + 1]
        (a, n, _), (_, q, b) = x.left[k].shape, x.right[k + 1].shape
        u_space, v_space = x.left[k].reshape(a * n, -1), x.right[k + 1].reshape(-1, q * b)
        one = np.ones((self.samples.count, 1))

        def on_left(u: np.ndarray) -> np.ndarray:
            return self.samples.times(k, left, u.reshape(a, n, 1))[:, 0]

        def on_right(v: np.ndarray) -> np.ndarray:
            return self.samples.times(k + 1, right, v.reshape(q, b).T[:, :, None])[:, 0]

        v = _outside(rng.standard_normal(q * b), v_space.T)
        u = np.zeros(a * n)
        for _ in range(POWER_STEPS):
            u = self.samples.back(k, left, residual * on_right(v).conj(), one)[:, :, 0].reshape(-1)
            u = _outside(u, u_space)
            v = self.samples.back(k + 1, right, residual * on_left(u).conj(), one)[:, :, 0].T.reshape(-1)
            v = _outside(v, v_space.T)
        along = on_left(u) * on_right(v)
        size = float(self.weights @ np.abs(along) ** 2)
        step = np.vdot(along, residual) / size if size > 0.0 else 0.0
        cores = list(x.train.orthogonalise(k + 1).cores)
        cores[k] = np.concatenate((cores[k], u.reshape(a, n, 1)), axis=2)
        cores[k + 1] = np.concatenate((cores[k + 1], step * v.reshape(1, q, b)), axis=0)
        return MANIFOLD.point(TensorTrain(tuple(cores)))


def _outside(vector: np.ndarray, space: np.ndarray) -> np.ndarray:
    """Orthogonal to the columns of ``space``, and of norm one (zero where nothing is left)."""
    size = np.linalg.norm(vector)
    for _ in range(2):
        vector = vector - space @ (space.conj().T @ vector)
    left = np.linalg.norm(vector)
    return vector / left if left > 1e-13 * size else np.zeros_like(vector)
