"""Least squares of small operators on full matrices, by singular values; and the pseudo-inverse.

A = U S V^H. Singular values below max(m, n) eps s_1 count as zero: they are the rounding errors of the entries. Then
x = V_r f(S_r) U_r^H b is the solution of least norm, f(s) = 1 / s, or s / (s^2 + lambda) with Tikhonov's term.
Golub and Van Loan, Matrix Computations, 4th ed., sections 5.5.2 to 5.5.4 and 6.1.4. Cost 14 m n min(m, n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, svd

from solvers.formats.trains.construct import rank_one_operator, tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.full_vectors import between_identities

MOST_WORK = 1.5e9  # m n min(m, n): one second, measured
NOISE = float(np.finfo(float).eps)
SHARE = 0.3  # of the accuracy, for the train of x


@dataclass(frozen=True)
class Decomposed:
    """U (m, r), s (r,), V^H (r, n) of the numerical rank r; ``spread``: s_1 over s_r."""

    u: np.ndarray
    s: np.ndarray
    vh: np.ndarray
    spread: float

    @property
    def rank(self) -> int:
        return len(self.s)

    def solve(self, b: np.ndarray, ridge: float) -> np.ndarray:
        """The x of least norm among those of least ||b - A x||^2 + ridge ||x||^2."""
        weights = self.s / (self.s**2 + ridge)
        return self.vh.conj().T @ (weights * (self.u.conj().T @ b).T).T

    def inverse(self) -> np.ndarray:
        """The pseudo-inverse (n, m)."""
        return (self.vh.conj().T / self.s) @ self.u.conj().T


def is_small(operator: TTOperator) -> bool:
    """Whether singular values of the full matrix are affordable."""
    rows, columns = math.prod(operator.row_shape), math.prod(operator.column_shape)
    return float(rows) * columns * min(rows, columns) <= MOST_WORK


def decompose(operator: TTOperator) -> Decomposed:
    """The singular value decomposition, cut at the numerical rank."""
    rows, columns = math.prod(operator.row_shape), math.prod(operator.column_shape)
    matrix = operator.full(max_size=rows * columns)
    try:
        u, s, vh = svd(matrix, full_matrices=False, check_finite=False)
    except LinAlgError:  # the faster driver fails on a few matrices
        u, s, vh = svd(matrix, full_matrices=False, check_finite=False, lapack_driver="gesvd")
    rank = int(np.count_nonzero(s > max(rows, columns) * NOISE * s[0])) if s[0] > 0.0 else 0
    spread = float(s[0] / s[rank - 1]) if rank else 1.0
    return Decomposed(u[:, :rank], s[:rank], vh[:rank], spread)


def inverse_of_product(operator: TTOperator) -> tuple[TTOperator, int, float]:
    """The pseudo-inverse of a Kronecker product, factor by factor; its rank and its condition."""
    matrices, rank, condition = [], 1, 1.0
    for core in operator.cores:
        u, s, vh = svd(core[0, :, :, 0], full_matrices=False, check_finite=False)
        kept = int(np.count_nonzero(s > max(core.shape[1:3]) * NOISE * s[0])) if s[0] > 0.0 else 0
        matrices.append((vh[:kept].conj().T / s[:kept]) @ u[:, :kept].conj().T)
        rank = rank * kept
        condition *= float(s[0] / s[kept - 1]) if kept else 1.0
    return rank_one_operator(matrices), rank, condition


def train_of_vector(
    operator: TTOperator, x: np.ndarray, size: float, accuracy: float, max_rank: int
) -> tuple[TensorTrain, bool]:
    """A train of x (n,) of small rank; A x keeps to a share of ``accuracy`` ``size``, and x to its own norm.

    True where ``max_rank`` forbids it.
    """
    tensor = x.reshape(operator.column_shape)
    exact = tt_svd(tensor, 0.0)
    own = float(np.linalg.norm(x))
    for digit in range(1, 17):
        train = exact.round(10.0**-digit)
        if train.max_rank > max_rank:
            return exact.round(0.0, max_rank), True
        off = train.full().reshape(-1) - x
        image = np.asarray(operator @ off.reshape(operator.column_shape))
        if np.linalg.norm(off) <= SHARE * accuracy * own and np.linalg.norm(image) <= SHARE * accuracy * size:
            return train, False
    train = between_identities(tensor)
    return (train, False) if train.max_rank <= max_rank else (exact.round(0.0, max_rank), True)
