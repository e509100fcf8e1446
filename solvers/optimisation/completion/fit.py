"""Fitting a train of fixed ranks to sampled entries: the objective, its start of rank one, and ranks that grow.

Objective, with b_j the value at sample j of m, N the number of entries of the tensor, A a given train:

    f(X) = sum_j (X[i(j)] - b_j)^2 / (2 S) + w m ||X - A||^2 / (2 N S),      S = sum_j b_j^2,     B = N S / (m (1 + w))

B is the inverse Hessian of f in the mean over all choices of samples, so that <g, B g> / 2 estimates the decrease left.
Another loss (completion.losses) takes the place of the squares (X[i(j)] - b_j)^2 / 2, its derivative that of the
residual, and its quadratic function from above that of the square in the first step.
The second term, with a small weight w or none, holds what the samples hardly show to an anchor A, a fit of lower ranks.
The first step along a direction is the minimiser of the linearised residual (Steinlechner, SIAM J. Sci. Comput. 38,
S461 (2016), section 4.3). A rank grows by the best direction of the residual R (R_j = b_j - X[i(j)] at the samples,
zero elsewhere) at a bond: the leading singular pair u, v of <U_<k, R, V_>k+1>, as a (r n, n r) matrix and orthogonal
to the present spaces, by power iteration; with a step that fits the samples best. Cost O(m d r^2) an evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.kernels.samples import outer_sums
from solvers.optimisation.completion.losses import Loss
from solvers.optimisation.completion.samples import SampledPoint, Samples
from solvers.optimisation.descent import Evaluation
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRank, FixedRankPoint, Tangent

MANIFOLD = FixedRank()
POWER_STEPS = 15
SWEEPS, FIRST_SWEEPS = 40, 6  # of the rank-one start: of the best, and of each
DAMPED = 1e-9  # of the largest weight of an index, added to all: a mostly-zero tensor has some of no weight at all
GOOD = 0.5  # relative residual of a first rank-one start that makes others unnecessary


class SampledFit:
    """The objective above for ``samples`` with ``values`` (m,), not all zero; an Objective that proposes steps.

    ``weight`` w counts only with an ``anchor`` A. ``loss``: None for squares; of another, S is the number of samples,
    for values of a size of about one.
    """

    def __init__(
        self,
        samples: Samples,
        values: np.ndarray,
        weight: float = 0.0,
        anchor: TensorTrain | None = None,
        loss: Loss | None = None,
    ) -> None:
        self.loss = loss
        self.samples, self.values, self.anchor = samples, values, anchor
        self.size = float(values @ values) if loss is None else float(samples.count)
        entries = float(np.prod(np.array(samples.shape, dtype=float)))
        self.weight = 0.0 if anchor is None else weight * samples.count / (entries * self.size)
        self.inverse = self.size * entries / (samples.count * (1.0 + (0.0 if anchor is None else weight)))

    def evaluate(self, x: FixedRankPoint) -> Evaluation:
        at = SampledPoint.of(self.samples, x)
        residual = at.entries - self.values if self.loss is None else self.loss.derivative(at.entries, self.values)
        gradient = at.project(MANIFOLD, residual / self.size)
        if self.loss is None:
            value = 0.5 * float(residual @ residual) / self.size
        else:
            value = float(self.loss.each(at.entries, self.values).sum()) / self.size
        if self.anchor is None:
            return Evaluation(value, gradient, (at, residual, None))
        # X lies in its own tangent space, all in the last core
        away = [-core for core in MANIFOLD.project(x, self.anchor)]
        away[-1] = away[-1] + x.left[-1]
        value += 0.5 * self.weight * (x.train - self.anchor).norm() ** 2
        pulled = MANIFOLD.combine(x, [(1.0, gradient), (self.weight, tuple(away))])
        return Evaluation(value, pulled, (at, residual, tuple(away)))

    def precondition(self, x: FixedRankPoint, evaluation: Evaluation) -> Tangent:
        return MANIFOLD.combine(x, [(self.inverse, evaluation.gradient)])

    def first_step(self, x: FixedRankPoint, evaluation: Evaluation, direction: Tangent) -> float:
        at, residual, away = evaluation.extra
        along = at.tangent_entries(direction)
        curvature, slope = float(along @ along) / self.size, float(along @ residual) / self.size
        if self.loss is not None:
            curvature = float(self.loss.above(at.entries, self.values)[0] @ along**2) / self.size
        if away is not None:
            curvature += self.weight * MANIFOLD.inner(x, direction, direction)
            slope += self.weight * MANIFOLD.inner(x, away, direction)
        return max(-slope / curvature, 1e-12) if curvature > 0.0 else 1.0

    def grown(self, x: FixedRankPoint, k: int, rng: np.random.Generator) -> FixedRankPoint:
        """The point with the rank between cores ``k`` and ``k + 1`` one larger, fitting better; see the module."""
        at = SampledPoint.of(self.samples, x)
        residual = self.values - at.entries if self.loss is None else -self.loss.derivative(at.entries, self.values)
        left, right = at.left[k], at.right[k + 1]
        first, second = self.samples.columns[k], self.samples.columns[k + 1]
        (a, n, _), (_, q, b) = x.left[k].shape, x.right[k + 1].shape
        u_space, v_space = x.left[k].reshape(a * n, -1), x.right[k + 1].reshape(-1, q * b)
        one = np.ones((self.samples.count, 1))

        def on_left(u: np.ndarray) -> np.ndarray:
            return np.einsum("ja,ja->j", left, u.reshape(a, n).T[first])

        def on_right(v: np.ndarray) -> np.ndarray:
            return np.einsum("jb,jb->j", right, v.reshape(q, b)[second])

        v = _outside(rng.standard_normal(q * b), v_space.T)
        u = np.zeros(a * n)
        for _ in range(POWER_STEPS):
            u = outer_sums(left, residual * on_right(v), one, first, n)[:, :, 0].T.reshape(-1)
            u = _outside(u, u_space)
            v = outer_sums(right, residual * on_left(u), one, second, q)[:, :, 0].reshape(-1)
            v = _outside(v, v_space.T)
        along = on_left(u) * on_right(v)
        size = float(along @ along)
        step = float(along @ residual) / size if size > 0.0 else 0.0
        cores = list(x.train.orthogonalise(k + 1).cores)
        cores[k] = np.concatenate((cores[k], u.reshape(a, n, 1)), axis=2)
        cores[k + 1] = np.concatenate((cores[k + 1], step * v.reshape(1, q, b)), axis=0)
        return MANIFOLD.point(TensorTrain(tuple(cores)))


def _outside(vector: np.ndarray, space: np.ndarray) -> np.ndarray:
    """Orthogonal to the columns of ``space``, and of norm one (zero where nothing is left)."""
    size = np.linalg.norm(vector)
    for _ in range(2):
        vector = vector - space @ (space.T @ vector)
    left = np.linalg.norm(vector)
    return vector / left if left > 1e-13 * size else np.zeros_like(vector)


def rank_one_start(
    samples: Samples, values: np.ndarray, starts: int, rng: np.random.Generator, constant: bool = True
) -> TensorTrain:
    """A train of rank one fitted by alternating least squares, from a constant or from a random start.

    Where that ends badly, the best of ``starts`` further random ones. Cost 3 d m a sweep; every index of every mode
    needs a sample.
    """

    def random() -> list[np.ndarray]:
        return [rng.standard_normal(n) for n in samples.shape]

    first = [np.ones(n) for n in samples.shape] if constant else random()
    best, least = _sweeps(first, samples, values, FIRST_SWEEPS)
    for _ in range(starts if least > GOOD else 0):
        other, residual = _sweeps(random(), samples, values, FIRST_SWEEPS)
        if residual < least:
            best, least = other, residual
    return rank_one(_sweeps(best, samples, values, SWEEPS)[0])


def _sweeps(
    factors: Sequence[np.ndarray], samples: Samples, values: np.ndarray, count: int
) -> tuple[list[np.ndarray], float]:
    """Alternating least squares; the factors and the relative residual."""
    vectors = [np.array(vector) for vector in factors]
    d = len(vectors)
    rest = np.ones_like(values)
    for _ in range(count):
        after = [np.ones_like(values)]
        for k in range(d - 1, 0, -1):
            after.append(after[-1] * vectors[k][samples.columns[k]])
        before = np.ones_like(values)
        for k, index in enumerate(samples.columns):
            rest = before * after[d - 1 - k]
            size = np.bincount(index, rest * rest, samples.shape[k])
            # an index whose samples say next to nothing stays near zero instead of becoming anything
            vectors[k] = np.bincount(index, rest * values, samples.shape[k]) / (size + DAMPED * size.max())
            if k < d - 1:  # the size of the tensor stays in the last factor
                vectors[k] /= max(float(np.linalg.norm(vectors[k])), 1e-300)
            before = before * vectors[k][index]
    residual = np.linalg.norm(before - values) / np.linalg.norm(values)
    return vectors, float(residual)
