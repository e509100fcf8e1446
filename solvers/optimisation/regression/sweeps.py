"""Alternating least squares for the objective of fits: each core in turn its exact minimiser, the others fixed.

    1. With the cores before orthogonal to the left and those after to the right, X[j] = A_j g is linear in the core g
       and ||X|| = |g|: minimise sum_j w_j |A_j g - z_j|^2 + lambda |g|^2, for the step from the residual, so that
       rounding errors of the normal equations shrink with it. Another loss is replaced by the quadratic function above
       it (solvers.optimisation.losses): no step raises the objective.
    2. The core is made orthogonal and its factor handed on: a sweep to the right and back.

Where weights differ so much that the normal equations lose the light ones, by a QR factorisation. Holtz, Rohwedder and
Schneider, SIAM J. Sci. Comput. 34, A683 (2012). Cost of a sweep 2 d (m p^2 + p^3), p = n r^2; memory 8 m p bytes.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve, lstsq

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.least_squares import MANIFOLD, LeastSquares
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRankPoint

FLOOR = 1e-14  # of the mean curvature, added to it: a core with more numbers than samples tell
UNEVEN = 1e6  # ratio of weights, whose squares the normal equations would mix in double precision
CHUNK = 1 << 22  # numbers of a design at a time


def sweep(objective: LeastSquares, x: FixedRankPoint) -> tuple[FixedRankPoint, float]:
    """One sweep to the right and back from ``x``, and the value of the objective then. The anchor must be zero."""
    samples, loss, ridge = objective.samples, objective.loss, objective.ridge
    d, count = len(x.left), samples.count
    cores = list(x.right)
    rights = [np.ones((count, 1))]
    for k in range(d - 1, 0, -1):
        rights.append(samples.times(k, rights[-1], cores[k].T))
    rights.reverse()
    lefts = [np.ones((count, 1))]
    seen = np.einsum("jb,jb->j", samples.times(0, lefts[0], cores[0]), rights[0])

    def fitted(k: int) -> None:
        """Step 1."""
        nonlocal seen
        weights, targets = loss.above(seen, objective.values)
        step, along = minimiser(
            objective, k, (lefts[k], rights[k]), objective.weights * weights, targets - seen, cores[k]
        )
        cores[k], seen = cores[k] + step, seen + along

    for k in range(d - 1):
        fitted(k)
        a, n, b = cores[k].shape
        q, r = np.linalg.qr(cores[k].reshape(a * n, b))
        cores[k], cores[k + 1] = q.reshape(a, n, -1), np.tensordot(r, cores[k + 1], 1)
        lefts.append(samples.times(k, lefts[k], cores[k]))
    for k in range(d - 1, -1, -1):
        fitted(k)
        if k:
            a, n, b = cores[k].shape
            q, r = np.linalg.qr(cores[k].reshape(a, n * b).T)
            cores[k], cores[k - 1] = q.T.reshape(-1, n, b), np.tensordot(cores[k - 1], r.T, 1)
            rights[k - 1] = samples.times(k, rights[k], cores[k].T)
    value = float(objective.weights @ loss.each(seen, objective.values))
    value += 0.5 * ridge * float(np.linalg.norm(cores[0])) ** 2
    return MANIFOLD.point(TensorTrain(tuple(cores), 0)), value / objective.size


def minimiser(
    objective: LeastSquares,
    k: int,
    sides: tuple[np.ndarray, np.ndarray],
    weights: np.ndarray,
    residual: np.ndarray,
    core: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The step (a, n, b) of core ``k`` to its minimiser, and what it adds at the samples (m,).

    ``sides``: l (m, a) and r (m, b); ``weights`` and ``residual`` (m,) of the quadratic function.
    """
    samples, ridge = objective.samples, objective.ridge
    (left, right), size = sides, core.size
    each = max(1, CHUNK // size)
    parts = [slice(begin, min(begin + each, samples.count)) for begin in range(0, samples.count, each)]
    roots = np.sqrt(weights)
    if objective.weights.max() > UNEVEN * max(objective.weights.min(), 1e-300):
        design = roots[:, None] * samples.rows(k, left, right)
        floor = np.sqrt(ridge) * np.eye(size, dtype=design.dtype)
        rhs = np.concatenate([roots * residual, -np.sqrt(ridge) * core.ravel()])
        step = lstsq(np.concatenate([design, floor]), rhs, cond=1e-15, lapack_driver="gelsy")[0]
        return step.reshape(core.shape), samples.rows(k, left, right) @ step
    normal: np.ndarray | float = 0.0
    slope: np.ndarray = -ridge * core.ravel()
    for part in parts:
        design = roots[part, None] * samples.only(part).rows(k, left[part], right[part])
        normal = normal + design.conj().T @ design
        slope = slope + design.conj().T @ (roots[part] * residual[part])
    curvature = np.asarray(normal)
    floor = ridge + FLOOR * float(np.trace(curvature).real) / size + 1e-300
    curvature[np.diag_indices(size)] += floor
    try:
        step = cho_solve(cho_factor(curvature), slope)
    except np.linalg.LinAlgError:  # rounding errors above the floor
        step = np.linalg.lstsq(curvature, slope, rcond=1e-13)[0]
    step = step.reshape(core.shape)
    return step, np.einsum("jb,jb->j", samples.times(k, left, step), right)
