"""Samples that nobody checks: entries of a fit that hang on one sample alone.

With the Jacobian J of the entries at the samples by the cores, the fit that leaves sample j out differs there by

    r_j / (1 - h_j),     h_j = (J (J^T J)^+ J^T)_jj

to first order, r_j the residual and h_j the leverage of the sample. An error e of sample j leaves (1 - h_j) e in its
residual: where that is below what can be told from noise, it cannot be found, and is taken for the truth. Cook and
Weisberg, Residuals and Influence in Regression (1982), section 2.1.
"""

from __future__ import annotations

import numpy as np

from solvers.optimisation.manifolds.fixed_rank_trains import FixedRankPoint
from solvers.optimisation.samples import SampledPoint, Sampling

MOST_WORK = 2e10  # multiplications of J^T J, ten seconds: above, the leverages are not computed
SMALLEST = 1e-12  # of the largest eigenvalue of J^T J: below are the directions along which the cores change nothing


def leverages(samples: Sampling, x: FixedRankPoint, weights: np.ndarray | None = None) -> np.ndarray | None:
    """The leverage of each sample (m,), of these ``weights`` (m,), between 0 and 1.

    None where P numbers of the cores make m P^2 too much work.
    Cost O(m P^2), memory 8 m P bytes.
    """
    at = SampledPoint.of(samples, x)
    sizes = [left.shape[1] * n * right.shape[1] for left, n, right in zip(at.left, samples.shape, at.right)]
    count = sum(sizes)
    if float(samples.count) * float(count) ** 2 > MOST_WORK:
        return None
    blocks = [samples.rows(k, left, right) for k, (left, right) in enumerate(zip(at.left, at.right))]
    jacobian = np.concatenate(blocks, axis=1)
    if weights is not None:
        jacobian *= np.sqrt(weights)[:, None]
    values, vectors = np.linalg.eigh(jacobian.conj().T @ jacobian)
    kept = values > SMALLEST * values[-1]
    spread = jacobian @ (vectors[:, kept] / np.sqrt(values[kept]))
    return np.minimum(np.einsum("jk,jk->j", spread.conj(), spread).real, 1.0)
