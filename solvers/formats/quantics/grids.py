"""A function of one to three variables as a quantics train, by polynomials on equal pieces of every axis.

    1. Every axis is cut into 2^m pieces of its points, m the least for which polynomials of degree 19 on them agree
       with the function to the tolerance at random points; short axes are taken point by point.
    2. The values at the Chebyshev points become a train of m bits and one long mode an axis, by SVD.
    3. A long mode becomes the bits that are left: values on both halves of a piece follow by a fixed matrix
       (solvers.formats.quantics.interpolation).
Cost: (20 2^m)^d values and an SVD of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.quantics.coefficients import Function
from solvers.formats.quantics.interpolation import POINTS, U, lagrange
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount

SHORT = 6  # levels of an axis that is taken point by point
MOST_VALUES = 2_000_000  # of the function
TESTS = 200  # random points at which polynomials are judged
HALVES = lagrange((np.array([0.0, 1.0])[:, None] + U).reshape(-1) / 2.0).reshape(POINTS, 2, POINTS)  # c, bit, c'


def on_grid(
    f: Function, levels: Sequence[int], starts: Sequence[float], steps: Sequence[float], tol: float
) -> TensorTrain:
    """f at the points starts[k] + i steps[k], bits in sequence, to ``tol`` of its largest value.

    Raises ValueError where 2 million values do not tell the function.
    """
    pieces = 0
    while True:
        sizes = [2**n if n <= SHORT + pieces else POINTS << pieces for n in levels]
        if np.prod(sizes) > MOST_VALUES:
            raise ValueError(f"the function is not resolved to {amount(tol)} by 2^{pieces - 1} pieces of every axis")
        index = [_indices(n, pieces) for n in levels]
        x = [start + step * i for start, step, i in zip(starts, steps, index)]
        values = f(np.stack(np.meshgrid(*x, indexing="ij"), axis=-1).reshape(-1, len(levels))).reshape(sizes)
        if _agrees(f, values, levels, starts, steps, pieces, tol):
            break
        pieces += 1
    modes: list[int] = []
    for n in levels:
        modes += [2] * n if n <= SHORT + pieces else [*[2] * pieces, POINTS]
    small = tt_svd(values.reshape(modes), 0.1 * tol)
    cores: list[np.ndarray] = []
    at = 0
    for n in levels:
        count = n if n <= SHORT + pieces else pieces
        cores += small.cores[at : at + count]
        at += count
        if count < n:
            cores += _bits(small.cores[at], n - count)
            at += 1
    return TensorTrain(tuple(cores)).round(0.1 * tol)


def _indices(levels: int, pieces: int) -> np.ndarray:
    """Of the points, or of the Chebyshev points of all pieces."""
    if levels <= SHORT + pieces:
        return np.arange(2.0**levels)
    size = 2.0 ** (levels - pieces)
    return (size * (np.arange(2.0**pieces)[:, None] + U)).reshape(-1)


def _agrees(
    f: Function,
    values: np.ndarray,
    levels: Sequence[int],
    starts: Sequence[float],
    steps: Sequence[float],
    pieces: int,
    tol: float,
) -> bool:
    """Whether polynomials are right at random grid points."""
    rng = np.random.default_rng(0)
    index = np.column_stack([rng.integers(0, 2**n, TESTS) for n in levels])
    exact = f(np.asarray(starts) + np.asarray(steps) * index)
    for test, known in zip(index, exact):
        rows = values
        for n, i in zip(levels, test):
            if n <= SHORT + pieces:
                rows = rows[int(i)]
                continue
            piece, inside = divmod(int(i), 2 ** (n - pieces))
            weights = lagrange(np.array([inside / 2.0 ** (n - pieces)]))[:, 0]
            rows = np.tensordot(weights, rows[POINTS * piece : POINTS * (piece + 1)], axes=(0, 0))
        if not abs(float(rows) - known) <= tol * np.abs(values).max():
            return False
    return True


def _bits(core: np.ndarray, count: int) -> list[np.ndarray]:
    """The core (r, POINTS, r') of values at Chebyshev points as ``count`` cores of bits."""
    right = core.shape[2]
    wide = np.einsum("cbd,pq->cpbdq", HALVES, np.eye(right)).reshape(POINTS * right, 2, POINTS * right)
    first = np.einsum("rcp,cbd->rbdp", core, HALVES).reshape(core.shape[0], 2, POINTS * right)
    ends = np.kron(lagrange(np.zeros(1)), np.eye(right))
    bits = [first, *[wide] * (count - 1)]
    bits[-1] = np.tensordot(bits[-1], ends, axes=(2, 0))
    return bits
