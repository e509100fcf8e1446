"""Factors of the shifted positive pointwise mutual information: the closed answer to another question.

    M_ij = max(0, log(A_ij / (b_i c_j)) + log k - shift)  where A_ij > 0, zero elsewhere

Here b_i c_j holds the k negative samples, so that shift = log k (the default) is the matrix of which the skip-gram
objective without a bound on the rank has its maximum, cut at zero; shift = 0 is the positive information itself. The
best matrix of rank d in the Frobenius norm is U_d S_d V_d^T, and the words are U_d S_d^(1/2). Levy and Goldberg, NIPS
27 (2014), section 3. Cost: a sparse product a Lanczos step; dense below ``DENSE``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg

from solvers.checkpoint import Content
from solvers.fit_methods import ShiftedPMI
from solvers.optimisation.skip_gram.embedding import Embedding
from solvers.optimisation.skip_gram.problem import SkipGram
from solvers.solution import IterationState, Solution, Status

DENSE = 300  # words or contexts, up to which all singular values are cheap


def information(problem: SkipGram, above: float = 0.0) -> sparse.csr_array:
    """max(0, log(A_ij / B_ij) + above) of every pair that was seen; ``above``: log k minus the shift."""
    table = problem.counts.tocoo()
    row, column = table.coords
    expected = problem.rows[row] * problem.columns[column]
    values = np.maximum(np.log(table.data / np.maximum(expected, np.finfo(float).tiny)) + above, 0.0)
    found = sparse.csr_array((values, (row, column)), shape=problem.shape)
    found.eliminate_zeros()
    return found


def pmi_svd(problem: SkipGram, rank: int, rng: np.random.Generator, above: float = 0.0) -> Embedding:
    """The best matrix of that rank; vectors of zeros beyond the rank of the information."""
    matrix = information(problem, above)
    if min(problem.shape) <= DENSE or rank >= min(problem.shape) // 2:
        u, values, vt = np.linalg.svd(matrix.toarray(), full_matrices=False)
        u, values, vt = u[:, :rank], values[:rank], vt[:rank]
    elif not matrix.nnz:
        u, values, vt = np.zeros((problem.shape[0], rank)), np.zeros(rank), np.zeros((rank, problem.shape[1]))
    else:
        u, values, vt = sparse_linalg.svds(matrix, k=rank, v0=rng.standard_normal(min(problem.shape)))
    roots = np.sqrt(np.maximum(values, 0.0))
    return Embedding.balanced(u * roots, vt.T * roots)


class Decomposition:
    """The decomposition as an iteration of one step."""

    def __init__(self, problem: SkipGram, rank: int, method: ShiftedPMI, rng: np.random.Generator) -> None:
        above = 0.0
        if method.shift is not None:
            above = math.log(float(problem.rows.sum() * problem.columns.sum()) / problem.pairs) - method.shift
        self.problem, self.rank, self.above, self.rng = problem, rank, above, rng
        self.embedding: Embedding | None = None

    def steps(self) -> Iterator[IterationState]:
        """One state."""
        self.embedding = found = pmi_svd(self.problem, self.rank, self.rng, self.above)
        value = self.problem.value(found.words, found.contexts) / self.problem.pairs
        yield IterationState(0, "decomposition", self.rank, 0.0, energies=np.array([value]), fraction=1.0)

    def content(self) -> Content:
        return {}, {}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Nothing is kept: it is done again."""

    def solution(self) -> Solution:
        """No residual: it does not look for the maximum of the objective."""
        return Solution(self.embedding, Status.CONVERGED, 1, np.array([np.nan]), (), {"decompositions": 1}, {})
