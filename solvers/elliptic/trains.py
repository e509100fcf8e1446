"""From a trial space to quantics trains and back: functions of it as trains, and sums of a train over its functions.

A polynomial on a dyadic interval is known by its values at Chebyshev points, and those on the two halves follow by a
fixed matrix (solvers.formats.quantics.interpolation). So, from the last bit to the first, with R_l states a level,

    train: orthonormal states of 2^l points hold all polynomials there and what the leaves inside have become, the
           columns of all intervals are cut together by SVD, absolute error tol |u| / sqrt(L) a level;
    sums:  sum_i b_i l_c(i) over an interval of 2^l points, a matrix (r, c, r') a level, halves added.

Neither sees 2^L points, both are exact for polynomials. Cost O(L (R + p)^2 c) for c columns. Bits in sequence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from solvers.elliptic.bases import along_all
from solvers.elliptic.elements import Element, elements
from solvers.elliptic.leaves import GROUND, Axis, Pieces, differences
from solvers.formats.quantics.axes import permuted
from solvers.formats.quantics.interpolation import POINTS, U, lagrange
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.factorisations import qr_factors, singular_vectors
from solvers.formats.trains.tensor_train import TensorTrain

HALVES = lagrange((np.array([0.0, 1.0])[:, None] + U).reshape(-1) / 2.0).reshape(POINTS, 2, POINTS)  # c, bit, c'
DEPENDENT = 1e-13  # of the largest singular value: polynomials on few points
MOST_RANK = 100  # between axes: the bits of more functions at once cost minutes


def train_of(axes: Sequence[Axis], coefficients: np.ndarray, tol: float, slope: int | None = None) -> TensorTrain:
    """The grid function of ``coefficients`` (n_1, n_2, ...), or its slopes along one axis, to ``tol`` in the 2-norm.

    Slopes: (u_i - u_(i - 1)) / h, zero before the first point where the end is one, none (0) across a mirror.
    """
    if not np.any(coefficients):
        return TensorTrain(tuple(np.zeros((1, 2, 1)) for axis in axes for _ in range(axis.levels)))
    factors = []
    for k, axis in enumerate(axes):
        functions = axis.values if k != slope else axis.slopes
        weights = axis.node_weights if k != slope else axis.edge_weights
        gram = functions.T @ (weights[:, None] * functions)
        scale = 1.0 / np.sqrt(np.diag(gram))
        jitter = 1e-14 if k == slope else 0.0  # two mirrors: the constant has no slope
        factor = cholesky(gram * scale * scale[:, None] + jitter * np.eye(len(gram)), check_finite=False)
        factors.append((factor, scale))
    rotated = along_all([factor / scale for factor, scale in factors], coefficients)
    small = tt_svd(rotated, 0.5 * tol) if len(axes) > 1 else TensorTrain((rotated.reshape(1, -1, 1),))
    if small.max_rank > MOST_RANK:
        small = small.round(0.5 * tol, MOST_RANK)
    cores: list[np.ndarray] = []
    for k, (axis, core) in enumerate(zip(axes, small.cores)):
        left, n, right = core.shape
        factor, scale = factors[k]
        columns = core.transpose(1, 0, 2).reshape(n, left * right)
        columns = scale[:, None] * solve_triangular(factor, columns, check_finite=False)
        space: Axis | Pieces = axis
        if axis.pieces is not None:
            space, columns = axis.pieces, axis.pieces.coefficients @ columns
        cores += _block(space, columns, left, right, 0.3 * tol / math.sqrt(len(axes)), k == slope)
    return TensorTrain(tuple(cores)).round(0.3 * tol)


def _block(
    axis: Axis | Pieces, columns: np.ndarray, left: int, right: int, tol: float, slope: bool
) -> list[np.ndarray]:
    """Bit cores (left, 2, ...), ..., (..., 2, right) of left times right functions."""
    bits = _bit_cores(axis, columns, tol, slope)  # the first core is (left right, 2, R)
    if right == 1:
        return bits
    modes = [np.eye(left)[None], np.eye(left * right).reshape(left, right, left * right), *bits]
    moved = permuted(TensorTrain(tuple(modes)), [0, len(bits) + 1, *range(1, len(bits) + 1)], tol)
    cores = list(moved.cores)
    cores[1] = np.tensordot(cores[0][0], cores[1], axes=(1, 0))
    cores[-2] = np.tensordot(cores[-2], cores[-1][:, :, 0], axes=(2, 0))
    return cores[1:-1]


def _bit_cores(axis: Axis | Pieces, columns: np.ndarray, tol: float, slope: bool) -> list[np.ndarray]:
    known, allowed = _pieces(axis, columns, slope), 0.0
    deepest = max(level for _, level in known)
    allowed = tol * math.sqrt(sum(_energy(level, values) for (_, level), values in known.items()) / axis.levels)
    polynomials = lagrange(np.zeros(1)).T  # states, c
    states = 1
    here = {start: polynomials @ values for (start, level), values in known.items() if level == 0}
    cores: list[np.ndarray] = []
    for level in range(1, axis.levels + 1):
        stacked = np.concatenate([polynomials @ HALVES[:, bit].T for bit in range(2)])
        above = {start: stacked @ values for (start, at), values in known.items() if at == level}
        for start in {start >> level << level for start in here}:
            above[start] = np.concatenate([here[start], here[start + 2 ** (level - 1)]])
        kept = np.zeros((2 * states, 0))
        if deepest > level:
            u, s, _ = singular_vectors(stacked)
            kept = u[:, s > DEPENDENT * s[0]]
        wide = np.concatenate(list(above.values()), axis=1) if above else np.zeros((2 * states, 0))
        size = float(np.linalg.norm(wide))
        wide = wide - kept @ (kept.T @ wide)
        if wide.shape[1]:
            u, s, _ = singular_vectors(wide)
            tails = np.sqrt(np.cumsum(s[::-1] ** 2)[::-1])
            # small remainders are hardly orthogonal to what they were taken from
            floor = max(allowed, DEPENDENT * size)
            count = min(int(np.count_nonzero(tails > floor)), 2 * states - kept.shape[1])
            if count:
                kept = qr_factors(np.concatenate([kept, u[:, :count]], axis=1))[0]
        if kept.shape[1] == 0:
            kept = np.eye(2 * states, 1)
        cores.append(kept.reshape(2, states, -1).transpose(2, 0, 1))
        polynomials, here = kept.T @ stacked, {start: kept.T @ values for start, values in above.items()}
        states = kept.shape[1]
    root = here[0].T
    cores.reverse()
    cores[0] = np.tensordot(root, cores[0], axes=(1, 0))
    return cores


def _pieces(axis: Axis | Pieces, columns: np.ndarray, slope: bool) -> dict[tuple[int, int], np.ndarray]:
    """Values at the Chebyshev points, (c, columns), of every leaf (start, level) of the functions or their slopes."""
    known = {}
    for piece in elements(axis):
        if not slope:
            known[piece.start, piece.level] = piece.at(piece.start + 2.0**piece.level * U) @ columns[piece.columns]
            continue
        # the first leaf point by point apart from its first: the edge before that is not of the polynomial
        leaves = [(piece.start, piece.level)] if piece.start else [(0, 0), *((2**m, m) for m in range(piece.level))]
        for start, level in leaves:
            x = start + 2.0**level * U
            known[start, level] = _slopes(piece, x, axis.step) @ columns[piece.columns]
    if slope:
        ground = columns[0] / axis.step * (GROUND[axis.ends[0]] != 0.0)
        if axis.ends[0] == "periodic":  # the edge from the last point to the first
            (_, level), last = next(reversed(known.items()))
            ground = (columns[0] - columns[-1]) / axis.step if level == 0 else lagrange(np.ones(1)).T[0] @ last
        known[0, 0] = np.tile(ground, (POINTS, 1))
    return known


def _slopes(piece: Element, indices: np.ndarray, step: float) -> np.ndarray:
    """(phi(i) - phi(i - 1)) / h at real indices."""
    if piece.edges == 0:
        return np.zeros((len(indices), 1))
    middles = (2.0 * (indices - piece.first) - 1.0) / piece.edges - 1.0
    return differences(middles, piece.degree, 1.0 / piece.edges) / step


def _energy(level: int, values: np.ndarray) -> float:
    """About the square of the 2-norm on the points."""
    return 2.0**level * float(np.sum(values**2)) / POINTS


def sums_of(b: TensorTrain, axes: Sequence[Axis]) -> np.ndarray:
    """sum_i b_i phi_j(i) for all products phi_j of basis functions, exactly: (n_1, n_2, ...)."""
    total = np.ones((1, 1))  # columns so far, rank
    shape: list[int] = []
    first = 0
    for axis in axes:
        block = _axis_sums(b.cores[first : first + axis.levels], axis)  # r, n, r'
        first += axis.levels
        total = np.tensordot(total, block, axes=(1, 0)).reshape(-1, block.shape[2])
        shape.append(axis.size)
    return total.reshape(shape)


def leaf_sums(cores: Sequence[np.ndarray], axis: Axis) -> list[tuple[Element, np.ndarray]]:
    """sum_i b_i l_c(i) over every leaf, l_c the Lagrange polynomials of its Chebyshev points: (r, POINTS, r') each."""
    rank = cores[-1].shape[2]
    inside = [lagrange(np.zeros(1))[None] * np.eye(rank)[:, None]]  # per level: r, c, r'
    for core in reversed(cores):
        ahead = np.tensordot(core, inside[-1], axes=(2, 0))  # r, bit, c', r'
        inside.append(np.einsum("rbdq,cbd->rcq", ahead, HALVES, optimize=True))
    found = []
    for piece in elements(axis):
        row = np.eye(cores[0].shape[0])
        for k in range(axis.levels - piece.level):
            row = row @ cores[k][:, (piece.start >> (axis.levels - 1 - k)) & 1]
        found.append((piece, np.tensordot(row, inside[piece.level], axes=(1, 0))))
    return found


def _axis_sums(cores: Sequence[np.ndarray], axis: Axis) -> np.ndarray:
    out = np.zeros((cores[0].shape[0], axis.size, cores[-1].shape[2]), dtype=np.result_type(*cores))
    for piece, part in leaf_sums(cores, axis):
        at = piece.at(piece.start + 2.0**piece.level * U)  # c, j
        out[:, piece.columns] += np.einsum("rcq,cj->rjq", part, at)
    return out
