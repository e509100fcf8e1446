"""Factors of an operator's core: core[a, :, :, b] = sum_p coefficients[p, a, b] matrices[p], checked or computed.

Index letters: p factor; a, b ranks.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr, solve_triangular

from solvers.formats.trains.factorisations import (
    as_double,
    check_finite,
    freeze,
    frozen,
    power_of_two,
    singular_vectors,
)
from solvers.measured import amount

Factors = tuple[np.ndarray, np.ndarray]


def checked_factors(k: int, core: np.ndarray, coefficients: np.ndarray, matrices: np.ndarray) -> Factors:
    coefficients = as_double(coefficients, f"factors of core {k}")
    matrices = as_double(matrices, f"factors of core {k}")
    count = len(matrices) if matrices.ndim else 0
    ranks, modes = (core.shape[0], core.shape[3]), core.shape[1:3]
    if coefficients.shape != (count, *ranks) or matrices.shape != (count, *modes) or count == 0:
        raise ValueError(
            f"factors of core {k}: shapes {coefficients.shape} and {matrices.shape} do not fit ranks {ranks} "
            f"and modes {modes}"
        )
    for array in (coefficients, matrices):
        check_finite(array, f"factors of core {k}")
    terms = np.abs(coefficients).reshape(count, -1).T @ np.abs(matrices).reshape(count, -1)
    deviation = np.abs(_from_factors(coefficients, matrices) - core).max()
    if deviation > 1e-12 * terms.max():
        raise ValueError(f"factors of core {k} do not give the core: they deviate by {amount(deviation)}")
    return frozen(coefficients, coefficients.dtype), frozen(matrices, matrices.dtype)


def _from_factors(coefficients: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    return np.tensordot(coefficients, matrices, axes=(0, 0)).transpose(0, 2, 3, 1)


def factorised(core: np.ndarray) -> Factors:
    left, n, m, right = core.shape
    blocks = core.transpose(0, 3, 1, 2).reshape(left * right, n * m)
    present = np.flatnonzero(blocks.any(axis=1))
    if not len(present):
        return freeze(np.zeros((1, left, right), core.dtype)), freeze(np.zeros((1, n, m), core.dtype))
    # small blocks are compared as large ones (to 2^10): the next core may multiply them by what is large there
    _, exponents = np.frexp(np.abs(blocks[present]).max(axis=1))
    sizes = np.ldexp(1.0, 10 * np.rint((exponents - exponents.max()) / 10).astype(int))
    directions = power_of_two(blocks[present], -np.rint(np.log2(sizes)).astype(int)[:, None])
    # pivoted QR of the blocks as columns: the pivots are the blocks kept, R gives the others from them
    r, pivots = qr(directions.T, mode="r", pivoting=True, check_finite=False)
    diagonal = np.abs(np.diagonal(r))
    rank = int(np.count_nonzero(diagonal > 4.0 * max(r.shape) * np.finfo(float).eps * diagonal[0]))
    weights = np.empty((len(present), rank), dtype=core.dtype)
    weights[pivots[:rank]] = np.eye(rank)
    weights[pivots[rank:]] = solve_triangular(r[:rank, :rank], r[:rank, rank:], check_finite=False).T
    if np.abs(weights).max() > 100.0:
        u, s, vh = singular_vectors(directions)
        weights, matrices = sizes[:, None] * u[:, :rank] * s[:rank], vh[:rank]
    else:
        matrices = blocks[present[pivots[:rank]]]
        weights = weights * sizes[:, None] / sizes[pivots[:rank]]
        weights[pivots[:rank]] = np.eye(rank)  # exactly
    coefficients = np.zeros((rank, left * right), dtype=core.dtype)
    coefficients[:, present] = weights.T
    return freeze(coefficients.reshape(rank, left, right)), freeze(matrices.reshape(rank, n, m))
