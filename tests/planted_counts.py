"""Counts whose skip-gram objective has a known maximum of low rank: A = B exp(X) for a matrix X of rank d.

sum over k = 1..d of (amplitude / k) sin(alpha k i + k) cos(1.3 alpha k j + k / 2), i and j from 1; B = 1e5 p_w p_c with
p_w as 1 / (i + 2) and p_c as 1 / (j + 3). Values of the maximum: summed in double precision from these formulas.
"""

import numpy as np
import scipy.sparse as sparse

from solvers.optimisation.skip_gram.problem import SkipGram

CASES = [  # n, m, rank, amplitude, alpha, the maximum
    (60, 50, 3, 1.5, 0.37, -145212.6701534147),
    (120, 100, 6, 2.0, 0.11, -156927.17122241494),
]


def planted(n, m, rank, amplitude, alpha):
    """The problem, and X."""
    i, j = np.arange(1, n + 1), np.arange(1, m + 1)
    x = sum(
        amplitude / k * np.outer(np.sin(alpha * k * i + k), np.cos(1.3 * alpha * k * j + k / 2))
        for k in range(1, rank + 1)
    )
    words, contexts = 1.0 / (i + 2), 1.0 / (j + 3)
    rows, columns = 1e5 * words / words.sum(), contexts / contexts.sum()
    return SkipGram(sparse.csr_array(np.outer(rows, columns) * np.exp(x)), rows, columns), x
