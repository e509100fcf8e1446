"""Construction of trains and operators: TT-SVD, rank one, random, unit vectors, outer products, Kronecker sums.

TT-SVD: Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), algorithm 1 and theorem 2.2.
Kronecker sum: Kazeev and Khoromskij, SIAM J. Matrix Anal. Appl. 33, 742 (2012), lemma 5.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.chain import check_kind
from solvers.formats.trains.cores import multiplied_cores
from solvers.formats.trains.factorisations import (
    as_double,
    check_finite,
    freeze,
    frobenius,
    singular_vectors,
    truncation_rank,
)
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.rounding import check_truncation, largest_ranks
from solvers.formats.trains.tensor_train import TensorTrain


def tt_svd(array: np.ndarray, tol: float = 1e-12, max_rank: int | Sequence[int] | None = None) -> TensorTrain:
    """The train x of ``array`` (n1, ..., nd) with ||array - x|| <= tol ||array||; centre at the last core.

    Singular values beyond tol ||array|| / sqrt(d-1) are cut at each of the d-1 unfoldings; the squares of the
    errors add up to at most tol^2 ||array||^2.  ``tol = 0`` cuts nothing, not even rounding errors. ``max_rank``, one
    number or the d+1 largest ranks, binds before the tolerance: the error is then within sqrt(d-1) of the least.
    Cost O(N min(n r, N / n r)) an unfolding, N entries.  Raises ValueError for a scalar or empty array, NaN,
    infinity, a tol outside [0, 1) or a max_rank below 1.
    """
    check_truncation(tol, max_rank)
    array = as_double(array, "the tensor")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"tt_svd needs a tensor with entries, not shape {array.shape}")
    check_finite(array, "the tensor")
    caps = largest_ranks(max_rank, array.ndim)
    budget = tol * frobenius(array) / math.sqrt(max(array.ndim - 1, 1))
    cores = []
    rest, rank = array, 1
    for n, cap in zip(array.shape, caps):
        u, s, vh = singular_vectors(rest.reshape(rank * n, -1))
        kept, _ = truncation_rank(s, budget, cap)
        cores.append(freeze(u[:, :kept].reshape(rank, n, kept)))
        rest, rank = s[:kept, None] * vh[:kept], kept
    cores.append(rest.reshape(rank, array.shape[-1], 1))
    return TensorTrain(tuple(cores), array.ndim - 1)


def operator_tt_svd(array: np.ndarray, tol: float = 1e-12, max_rank: int | Sequence[int] | None = None) -> TTOperator:
    """The operator of a matrix given as ``array`` (n1, ..., nd, m1, ..., md), rows first, by TT-SVD.

    Relative error ``tol`` in the Frobenius norm, unless ``max_rank`` binds.  Raises ValueError for an odd number of
    axes and as ``tt_svd``.
    """
    array = np.asarray(array)
    d, odd = divmod(array.ndim, 2)
    if odd or d == 0:
        raise ValueError(f"rows and columns need as many axes each, not {array.ndim} in all")
    rows, columns = array.shape[:d], array.shape[d:]
    paired = array.transpose([axis for k in range(d) for axis in (k, d + k)])
    train = tt_svd(paired.reshape([n * m for n, m in zip(rows, columns)]), tol, max_rank)
    return TTOperator.of_train(train, rows, columns)


def rank_one(vectors: Sequence[np.ndarray]) -> TensorTrain:
    """The outer product of d vectors (n_k,).  Raises ValueError for anything but vectors."""
    arrays = [np.asarray(vector) for vector in vectors]
    if any(array.ndim != 1 for array in arrays):
        raise ValueError(f"rank_one needs vectors, not shapes {[array.shape for array in arrays]}")
    return TensorTrain(tuple(array[None, :, None] for array in arrays))


def ones(shape: Sequence[int]) -> TensorTrain:
    """The tensor of ones, ranks 1."""
    return rank_one([np.ones(n) for n in shape])


def zeros(shape: Sequence[int]) -> TensorTrain:
    """The tensor of zeros, ranks 1."""
    return rank_one([np.zeros(n) for n in shape])


def unit(shape: Sequence[int], index: Sequence[int]) -> TensorTrain:
    """The tensor that is one at ``index`` and zero elsewhere, ranks 1, centre 0.

    Raises ValueError for an index of another length, IndexError for one outside the tensor.
    """
    if len(index) != len(shape):
        raise ValueError(f"index {tuple(index)} does not fit shape {tuple(shape)}")
    if not all(0 <= i < n for i, n in zip(index, shape)):
        raise IndexError(f"index {tuple(index)} lies outside shape {tuple(shape)}")
    cores = tuple(np.zeros((1, n, 1)) for n in shape)
    for core, i in zip(cores, index):
        core[0, i, 0] = 1.0
    return TensorTrain(cores, 0)


def random_train(
    shape: Sequence[int],
    ranks: int | Sequence[int],
    rng: np.random.Generator,
    dtype: type | np.dtype = np.float64,
) -> TensorTrain:
    """Independent Gaussian cores, real or complex, scaled so that the expected squared norm is one.

    ``ranks``: the d+1 ranks, or one number, lowered where the tensor cannot have it. Raises ValueError for
    another number of ranks, outer ranks other than 1, or a dtype that is neither float64 nor complex128.
    """
    d = len(shape)
    dtype = np.dtype(dtype)
    if dtype not in (np.float64, np.complex128):
        raise ValueError(f"dtype must be float64 or complex128, not {dtype}")
    if isinstance(ranks, int | np.integer):
        left = [math.prod(shape[:k]) for k in range(d + 1)]
        right = [math.prod(shape[k:]) for k in range(d + 1)]
        ranks = [min(int(ranks), p, q) for p, q in zip(left, right)]
    if len(ranks) != d + 1 or ranks[0] != 1 or ranks[-1] != 1 or min(ranks) < 1:
        raise ValueError(f"ranks must be {d + 1} integers >= 1, the outer ones 1, not {list(ranks)}")
    cores = []
    for k, n in enumerate(shape):
        core_shape = (ranks[k], n, ranks[k + 1])
        core = rng.standard_normal(core_shape)
        if dtype.kind == "c":
            core = (core + 1j * rng.standard_normal(core_shape)) / math.sqrt(2.0)
        cores.append(core / math.sqrt(n * ranks[k]))
    return TensorTrain(tuple(cores))


def random_operator(
    rows: Sequence[int],
    columns: Sequence[int],
    ranks: int | Sequence[int],
    rng: np.random.Generator,
    dtype: type | np.dtype = np.float64,
) -> TTOperator:
    """An operator of independent Gaussian cores, its expected squared Frobenius norm one; as ``random_train``."""
    return TTOperator.of_train(random_train([n * m for n, m in zip(rows, columns)], ranks, rng, dtype), rows, columns)


def outer(x: TensorTrain, y: TensorTrain) -> TTOperator:
    """The operator x y^T of entries x[i] y[j], ranks multiplied; nothing is conjugated, as ``numpy.outer``.

    The projector on a state of norm one is ``outer(x, x.conj())``.  Cost its size.  Raises ValueError for trains of
    different numbers of modes.
    """
    check_kind("outer", TensorTrain, x, y)
    if x.d != y.d:
        raise ValueError(f"trains of {x.d} and {y.d} modes make no operator")

    def product(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        core = np.multiply.outer(p, q).transpose(0, 3, 1, 4, 2, 5)  # a c i j b e
        return core.reshape(p.shape[0] * q.shape[0], p.shape[1], q.shape[1], -1)

    return TTOperator(multiplied_cores(product, x.cores, y.cores))


def rank_one_operator(matrices: Sequence[np.ndarray]) -> TTOperator:
    """The Kronecker product of d matrices (n_k, m_k), with its factors.  Raises ValueError for other
    shapes.
    """
    arrays = [np.asarray(matrix) for matrix in matrices]
    if any(array.ndim != 2 for array in arrays):
        raise ValueError(f"rank_one_operator needs matrices, not shapes {[array.shape for array in arrays]}")
    return TTOperator(
        tuple(array[None, :, :, None] for array in arrays),
        tuple((np.ones((1, 1, 1)), array[None]) for array in arrays),
    )


def identity_operator(shape: Sequence[int]) -> TTOperator:
    """The identity on tensors of ``shape``, ranks 1."""
    return rank_one_operator([np.eye(n) for n in shape])


def kronecker_sum(matrices: Sequence[np.ndarray]) -> TTOperator:
    """sum_k 1 x ... x A_k x ... x 1 for d square matrices (n_k, n_k), TT-ranks 2, with its factors.

    Cores [1 A], [[1 A], [0 1]], ..., [A; 1].  Raises ValueError for matrices that are not square.
    """
    arrays = [np.asarray(matrix) for matrix in matrices]
    if any(array.ndim != 2 or array.shape[0] != array.shape[1] for array in arrays):
        raise ValueError(f"kronecker_sum needs square matrices, not {[array.shape for array in arrays]}")
    # which (left, right) blocks hold the identity and which A_k; rank index 1 once some A has been placed
    coefficients = np.array([np.eye(2), [[0.0, 1.0], [0.0, 0.0]]])
    cores, factors = [], []
    for k, array in enumerate(arrays):
        chosen = coefficients
        if k == 0:
            chosen = chosen[:, :1]
        if k == len(arrays) - 1:
            chosen = chosen[:, :, 1:]
        pair = np.stack([np.eye(len(array), dtype=array.dtype), array])
        cores.append(np.tensordot(chosen, pair, axes=(0, 0)).transpose(0, 2, 3, 1))
        factors.append((chosen, pair))
    return TTOperator(tuple(cores), tuple(factors))
