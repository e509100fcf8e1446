"""How far a fit may be off over all entries, and not at the samples alone: least squares, linearised at the fit.

With the samples J (m, P) of an orthonormal basis of the tangent space at the fit X, weights w and residuals r,

    H = J^H W J,      step = H^-1 J^H W r,      e = r - J step,      h_j = w_j J_j H^-1 J_j^H,

the minimiser is at X + step to first order. It is off the tensor by chance, with the covariance

    s^2 H^-1,   s^2 = e^H W e / (m - P),    or    H^-1 (sum_j J_j^H J_j |w_j e_j|^2 / (1 - h_j)^2) H^-1,

the first where e is noise, alike at all samples, by weight (Seber and Wild, Nonlinear Regression (1989), section 2.1);
the second, the jackknife, also where it is what the ranks cannot hold, and larger in places: sample j left out, the fit
changes by H^-1 J_j^H w_j e_j / (1 - h_j) (Hinkley, Technometrics 19, 285 (1977); MacKinnon and White, J. Econometrics
29, 305 (1985)). Since the basis is orthonormal, |step|^2 and the trace add up to the square of the error expected over
all entries. Entries set aside lie where the samples lie: what these hardly look at shows here alone.

    1. Along an eigenvector of H a direction is taken for at most its share |X|^2 / P of the whole.
    2. One in which the samples have next to no weight is open, and taken for all of that: nothing but the way of the
       fit chose it.

Cost O((m + P) P^2), memory 24 m P bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.optimisation.completion.given import Data
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRankPoint
from solvers.optimisation.samples import SampledPoint, Samples, Sampling

MOST_WORK = 4e9  # multiplications of H or of its eigenvectors, seconds: above, nothing is told
BLIND = 1e-6  # of the weight in a direction that samples drawn evenly have: one with less is open
LEAST = 1e-6  # of 1 - h: a sample that nothing else checks


@dataclass(frozen=True)
class Linearised:
    """Errors expected over all entries, relative to the 2-norm of the whole tensor: where what is left of the samples
    is ``noise``, and by the ``jackknife``; and how many of the ``directions`` of the tangent space are ``open``."""

    noise: float
    jackknife: float
    open: int
    directions: int


def linearised(data: Data[Samples], x: FixedRankPoint) -> Linearised | None:
    """Of the fit ``x`` to values in its own unit; None where that is too much work, or ``x`` is zero."""
    count = sum(core.size for core in x.left) - sum(r * r for r in x.ranks[1:-1])
    size = float(np.linalg.norm(x.left[-1])) ** 2
    if float(max(len(data), count)) * float(count) ** 2 > MOST_WORK or size == 0.0:
        return None
    weights = data.weights
    rows = tangent_rows(data.samples, x)
    values, vectors = np.linalg.eigh((rows.conj().T * weights) @ rows)
    seen = values > BLIND * data.samples.share * float(weights.sum())
    values, along = values[seen], rows @ vectors[:, seen]
    left = data.values - SampledPoint.of(data.samples, x).entries
    step = (along.conj().T @ (weights * left)) / values
    left = left - along @ step
    squares = np.abs(along) ** 2
    alike = float(weights @ np.abs(left) ** 2) / max(len(data) - count, 1) / values
    without = weights * np.abs(left) / np.maximum(1.0 - weights * (squares @ (1.0 / values)), LEAST)
    share, blind = size / count, count - len(values)

    def error(variances: np.ndarray) -> float:
        whole = np.minimum(np.abs(step) ** 2 + variances, share).sum() + blind * share
        return float(np.sqrt(whole / size))

    return Linearised(error(alike), error((without**2) @ squares / values**2), blind, count)


def tangent_rows(samples: Sampling, x: FixedRankPoint) -> np.ndarray:
    """The samples (m, P) of an orthonormal basis of the tangent space: of changes of each core, all but the last ones
    orthogonal to it."""
    at = SampledPoint.of(samples, x)
    blocks = []
    for k, (left, right, core) in enumerate(zip(at.left, at.right, x.left)):
        a, n, b = core.shape
        rows = samples.rows(k, left, right).reshape(samples.count, a * n, right.shape[1])
        if k < len(x.left) - 1:
            outside = np.linalg.qr(core.reshape(a * n, b), mode="complete")[0][:, b:]
            rows = np.matmul(outside.T, rows)
        blocks.append(rows.reshape(samples.count, -1))
    return np.concatenate(blocks, axis=1)
