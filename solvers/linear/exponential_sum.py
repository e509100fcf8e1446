"""A x = b for a Hermitian definite A = sum_g 1 x ... x A_g x ... x 1, by a sum of exponentials: no sweep.

    1. The parts A_g = V_g diag(l_g) V_g^H (solvers.linear.parts), each different one once; the eigenvalues of A are
       the sums of one l_g from each, so its condition number is known.
    2. 1 / l = sum_k w_k exp(-t_k l), k = 1..K, with a relative error that is the relative residual of
                  x = sum_k w_k prod_g V_g exp(-t_k l_g) V_g^H b:
       each term has the ranks of b (solvers.formats.quantics.sums).
    3. The sum is rounded to what ||A|| allows, then further, while the true residual stays within the accuracy.
Grasedyck, Computing 72, 247 (2004); Hackbusch, Khoromskij, Computing 76, 177 (2006).
Cost N^3 for each different part of N indices, and O(d n K s^2) with s the ranks of x, which are rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.formats.quantics.sums import inverse_shifted
from solvers.formats.trains.sums import rounded_sum
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.parts import parts
from solvers.linear.system import System

LARGEST_PART = 1024  # indices of a group: its eigenvectors take 0.4 s
LARGEST_CONDITION = 1e13  # beyond, the least eigenvalue is lost among the rounding errors of the largest
MOST_RANKS = 256  # of all terms together: beyond, sweeps cost less
SHARE = 0.3  # of the accuracy, for the sum of exponentials and for its rounding
FURTHER = (100.0, 10.0)  # times the rounding that surely fits: mostly fits too, for what is cut has large eigenvalues
TIGHTEST = 1e-13
FEW = 8  # different parts, with which one is compared
SAME = 4.0 * float(np.finfo(float).eps)  # of the largest entry: parts that differ by rounding errors


@dataclass(frozen=True)
class Found:
    """x with its true ``residual``, and the condition number of A in the 2-norm."""

    x: TensorTrain
    residual: float
    condition: float


def by_exponentials(system: System, accuracy: float, max_rank: int, rng: np.random.Generator) -> Found | None:
    """x of a system of scale about one, None where A is no such sum, or where sweeps are the better way."""
    if not system.definite or SHARE * accuracy < TIGHTEST:
        return None
    found = parts(system.cores, LARGEST_PART)
    if found is None or not all(np.isfinite(part).all() for part in found[0]):
        return None
    matrices, groups = found
    levels, vectors = diagonalised(matrices)
    least, most = spectrum(levels)
    if not 0.0 < most < LARGEST_CONDITION * least:
        return None
    blocks = exponential_terms(system.b, levels, vectors, groups, SHARE * accuracy, MOST_RANKS)
    if blocks is None:
        return None
    b = system.b
    # ||A d|| <= most ||d|| for what is cut, d, and ||x|| <= 1 / least
    whole = rounded_sum(blocks, max(SHARE * accuracy * least / most, TIGHTEST))
    sure = max(SHARE * accuracy / (most * whole.norm()), TIGHTEST)
    split = whole.reshape(b.shape, tol=sure) if whole.d < b.d else whole
    for factor in (*FURTHER, 1.0):
        x = split.round(factor * sure)
        residual = system.residual(x, rng, accuracy)
        if residual <= accuracy:
            break
    return Found(x, residual, most / least) if x.max_rank <= max_rank else None


def spectrum(levels: list[np.ndarray]) -> tuple[float, float]:
    """The least and the largest eigenvalue of the sum, of its negative where they are negative."""
    ends = sum(float(l[0]) for l in levels), sum(float(l[-1]) for l in levels)
    return ends if ends[1] > 0.0 else (-ends[1], -ends[0])


def exponential_terms(
    b: TensorTrain,
    levels: list[np.ndarray],
    vectors: list[np.ndarray],
    groups: list[range],
    accuracy: float,
    most_ranks: int,
) -> list[np.ndarray] | None:
    """Step 2: cores (K, a, N, b) of the K terms of x, a mode for each group; None where their ranks are too many."""
    least, most = spectrum(levels)
    sign = 1.0 if sum(l[-1] for l in levels) > 0.0 else -1.0
    weights, exponents = inverse_shifted(least, most, accuracy)
    if len(weights) * b.max_rank > most_ranks:
        return None
    weights = weights * np.exp(-exponents * least)
    blocks = []
    for l, v, group in zip(levels, vectors, groups):
        side = b.cores[group.start]
        for core in b.cores[group.start + 1 : group.stop]:
            side = np.tensordot(side, core, axes=(-1, 0))
        side = side.reshape(len(side), -1, side.shape[-1])
        l = sign * l
        decay = np.exp(-exponents[:, None] * (l - l.min()))  # of the whole the least one is in the weights
        terms = decay[:, None, :, None] * np.matmul(v.conj().T, side)
        blocks.append(np.matmul(v, terms))
    blocks[0] = blocks[0] * (sign * weights)[:, None, None, None]
    return blocks


def diagonalised(matrices: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Eigenvalues, ascending, and eigenvectors of each; once of those that differ by a multiple of the identity."""
    levels: list[np.ndarray] = []
    vectors: list[np.ndarray] = []
    known: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for matrix in matrices:
        twin = None
        for one in known[-FEW:]:
            if one[0].shape == matrix.shape:
                shift = np.trace(matrix - one[0]).real / len(matrix)
                apart = matrix - one[0]
                apart[np.diag_indices(len(matrix))] -= shift
                if np.abs(apart).max() <= SAME * np.abs(matrix).max():
                    twin = one[0], one[1] + shift, one[2]
                    break
        if twin is None:
            twin = matrix, *np.linalg.eigh(0.5 * (matrix + matrix.conj().T))
            known.append(twin)
        levels.append(twin[1])
        vectors.append(twin[2])
    return levels, vectors
