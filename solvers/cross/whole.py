"""A small tensor taken whole: every value, TT-SVD, and the error of the train at every entry.

The singular values of TT-SVD bound the Frobenius norm, the accuracy is of the maximum norm: the train of all digits is
rounded as far as the maximum norm allows, found by halving from what an evenly spread error would allow.
"""

from __future__ import annotations

import numpy as np

from solvers.cross.maxvol import maxvol
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.tensor_train import TensorTrain

EVEN = 0.5  # of the accuracy, for the root mean square error: the largest is some times that
HALVINGS = 12
SMALLEST = 1e-16
ALL_DIGITS = 1e-15  # relative, for the train that is rounded


def whole_train(tensor: np.ndarray, accuracy: float, max_rank: int) -> tuple[TensorTrain, float, bool]:
    """A train within ``accuracy`` times the largest |entry| at every entry, the error, and whether the cap bound.

    Where the cap on the ranks, or rounding errors, do not allow that: the best there is. Cost: that of TT-SVD, and one
    contraction a halving.
    """
    top = float(np.abs(tensor).max())
    if top == 0.0:
        return tt_svd(tensor, 0.0).round(ALL_DIGITS), 0.0, False
    scaled = tensor / top  # squares of tiny or huge values would leave the range of numbers
    exact = tt_svd(scaled, ALL_DIGITS)
    norm = float(np.linalg.norm(scaled))
    tol = EVEN * accuracy * np.sqrt(tensor.size) / norm
    best: tuple[float, TensorTrain] | None = None
    for _ in range(HALVINGS):
        train = exact.round(min(tol, 0.5), max_rank)
        error = _error(train, scaled)
        if best is None or error < best[0]:
            best = error, train
        capped = max(train.ranks) >= max_rank
        if error <= accuracy or tol < SMALLEST or capped:
            break
        tol *= 0.5 if error < 8.0 * accuracy else 0.1
    if best is None or (best[0] > accuracy and max(best[1].ranks) < max_rank):
        for train in (exact.round(SMALLEST, max_rank), tt_svd(scaled, 0.0).round(0.0, max_rank)):
            error = _error(train, scaled)
            if best is None or error < best[0]:
                best = error, train
    assert best is not None
    error, train = best
    capped = error > accuracy and max(train.ranks) >= max_rank
    return train * top, error, capped


def _error(train: TensorTrain, tensor: np.ndarray) -> float:
    return float(np.abs(train.full(tensor.size) - tensor).max())


def pivots_of(train: TensorTrain) -> np.ndarray:
    """Multi-indices (p, d), each once, that span the train at every bond: rows and columns of large volume."""
    d = train.d
    left = [np.zeros((1, 0), dtype=np.int64)]
    u = np.ones((1, 1), dtype=train.dtype)
    for k in range(d - 1):
        left_k, u = _next(left[-1], u, train.cores[k])
        left.append(left_k)
    right = [np.zeros((1, 0), dtype=np.int64)]
    v = np.ones((1, 1), dtype=train.dtype)
    for k in range(d - 1, 0, -1):
        turned, v = _next(right[-1][:, ::-1], v, np.ascontiguousarray(train.cores[k].transpose(2, 1, 0)))
        right.append(turned[:, ::-1])
    pairs = [np.zeros((0, d), dtype=np.int64)]
    for k in range(1, d):
        rows, columns = left[k], right[d - k]
        count = min(len(rows), len(columns))
        pairs.append(np.column_stack([rows[:count], columns[:count]]))
    return np.unique(np.concatenate(pairs), axis=0)


def _next(before: np.ndarray, interface: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices one mode longer, as many as the rank, and the interface at them."""
    a, n = len(before), core.shape[1]
    rows = np.tensordot(interface, core, axes=(1, 0)).reshape(a * n, -1)
    q = rows[:, : min(rows.shape)] if rows.shape[1] > rows.shape[0] else rows
    chosen, _ = maxvol(np.ascontiguousarray(q))
    indices = np.column_stack([before[chosen // n], chosen % n])
    return indices, rows[chosen]
