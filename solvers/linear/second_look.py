"""A second look at a solution of A x = b: single entries of b - A x, apart from the arithmetic of the sweeps.

Row i of A is contracted with x core by core, (A x)_i = prod_k (sum_j A_k[i_k, j] x_k[j]), and b_i subtracted: no
environment, no compiled kernel, no orthogonal factor. Half of the rows are drawn evenly, half from |b_i|^2, so that a
right-hand side which is zero nearly everywhere is met where it is not; p_i is the probability with both. Then
    sqrt(sum of |b - A x|_i^2 over different rows) <= ||b - A x||, a bound, and
    mean of |b - A x|_i^2 / p_i = ||b - A x||^2 in expectation, so by Markov's inequality it exceeds t^2 times the truth
in at most a share 1/t^2 of all draws. Small systems are looked at in all rows. Cost a row d n R r (r + R).
"""

from __future__ import annotations

import math

import numpy as np

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.full_vectors import apply_full
from solvers.measured import amount
from solvers.solution import Checked

ROWS = 32
ALL_ROWS = 4096  # unknowns up to which every row is looked at
UNLIKELY = 1e3  # t: a factor by which the mean exceeds the residual once in a million draws
ABOVE = 1.5  # times the stated residual: the bound must not exceed it


def look(
    operator: TTOperator,
    x: TensorTrain,
    b: TensorTrain,
    stated: float,
    rounding: float,
    rng: np.random.Generator,
    *,
    rows: bool = False,
) -> Checked:
    """Whether the residual ``stated`` of a system with ||b|| = 1 agrees with entries of b - A x.

    ``rounding``: what rounding errors alone may make of the residual. ``rows``: not by full vectors, for these have
    given the residual already.
    """
    if math.prod(b.shape) <= ALL_ROWS and not rows:
        left = b.full().reshape(-1) - apply_full(operator.cores, x.full().reshape(-1))
        seen = float(np.linalg.norm(left))
        passed = bool(seen <= ABOVE * stated + rounding)
        how = f"all {len(left)} entries of b - A x, the operator applied core by core to the full vector"
        return Checked("relative residual", how, f"{amount(seen)} beside the stated {amount(stated)}", passed)
    n = np.array(b.shape)
    even = np.floor(rng.random((ROWS - ROWS // 2, len(n))) * n).astype(np.int64)
    indices = np.concatenate([draw(b, ROWS // 2, rng), even])
    known = b.entries(indices)
    errors = np.abs(known - row_products(operator, x, indices)) ** 2
    probability = 0.5 * math.exp(-float(np.log(n).sum())) + 0.5 * np.abs(known) ** 2
    mean = math.sqrt(float(np.mean(errors / probability)))
    _, different = np.unique(indices, axis=0, return_index=True)
    bound = math.sqrt(float(errors[different].sum()))
    passed = bool(bound <= ABOVE * stated + rounding and mean <= UNLIKELY * (stated + rounding))
    how = f"{ROWS} random rows of A contracted with x one by one, half of them drawn where b is large"
    return Checked("relative residual", how, f"about {amount(mean)} beside the stated {amount(stated)}", passed)


def row_products(operator: TTOperator, x: TensorTrain, indices: np.ndarray) -> np.ndarray:
    """(A x)_i for multi-indices (m, d) of rows."""
    m = len(indices)
    left = np.ones((m, 1, 1), dtype=np.result_type(operator.dtype, x.dtype))  # m alpha a
    for core, p, index in zip(operator.cores, x.cores, indices.T):
        alpha, a = left.shape[1:]
        ahead = (left.reshape(m * alpha, a) @ p.reshape(a, -1)).reshape(m, alpha * p.shape[1], p.shape[2])
        block = core[:, index].transpose(1, 0, 2, 3).reshape(m, alpha * core.shape[2], core.shape[3])
        left = np.matmul(block.transpose(0, 2, 1), ahead)
    return left[:, 0, 0]


def draw(b: TensorTrain, count: int, rng: np.random.Generator) -> np.ndarray:
    """Multi-indices (count, d), index i with probability |b_i|^2 / ||b||^2.

    Mode by mode, each from its distribution given those before: Ferris and Vidal, Phys. Rev. B 85, 165146 (2012).
    """
    b = b.orthogonalise(0)
    rows = np.zeros((count, b.d), dtype=np.int64)
    left = np.ones((count, 1), dtype=b.dtype)
    for k, core in enumerate(b.cores):
        vectors = (left @ core.reshape(len(core), -1)).reshape(count, core.shape[1], core.shape[2])
        weights = np.cumsum(np.sum(np.abs(vectors) ** 2, axis=2), axis=1)
        chosen = np.sum(weights < rng.random((count, 1)) * weights[:, -1:], axis=1)
        rows[:, k] = np.minimum(chosen, core.shape[1] - 1)
        left = vectors[np.arange(count), rows[:, k]]
        size = np.linalg.norm(left, axis=1, keepdims=True)
        left = left / np.where(size > 0.0, size, 1.0)
    return rows
