"""Between the Tucker format, dense arrays and quantics trains.

A Tucker tensor is a train over its axes, the core shared out between the long ones; long cores are split into bits by
truncated SVDs (solvers.formats.quantics.axes), most significant bit first, axes in sequence. Back, the bits of an axis
are multiplied out and its mode compressed by an SVD. Three axes of n points, Tucker ranks r, TT-ranks R between axes:
O(n r^2 R).
"""

from __future__ import annotations

import numpy as np

from solvers.formats.quantics.axes import split_axes
from solvers.formats.trains.factorisations import as_double
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.formats.tucker.tensor import TuckerTensor, left_singular, multiply, truncated


def from_full(array: np.ndarray, tol: float = 1e-12) -> TuckerTensor:
    """The Tucker tensor of a dense array within ``tol`` times its norm: higher-order SVD, cost N sum(n)."""
    array = as_double(array, "the array")
    bases, core = [], array
    for m, n in enumerate(array.shape):
        bases.append(left_singular(np.moveaxis(array, m, 0).reshape(n, -1))[0])
    core = multiply(array, [u.conj().T for u in bases])
    return truncated(core, bases, tol=tol)


def to_train(x: TuckerTensor) -> TensorTrain:
    """The train of one long mode an axis, exact."""
    rest, cores = x.core[None], []
    for factor in x.factors[:-1]:
        left, rank, *tail = rest.shape
        u, s, vt = np.linalg.svd(rest.reshape(left * rank, -1), full_matrices=False)
        cores.append(np.einsum("ajb,nj->anb", u.reshape(left, rank, -1), factor, optimize=True))
        rest = (s[:, None] * vt).reshape(-1, *tail)
    return TensorTrain((*cores, (rest @ x.factors[-1].T)[:, :, None]))


def to_quantics(x: TuckerTensor, tol: float = 1e-12) -> TensorTrain:
    """The quantics train, axes in sequence, most significant bit first, within ``tol`` times the norm.

    Raises ValueError where an axis is not a power of two, of at least two points.
    """
    return split_axes(to_train(x), tol)


def from_quantics(x: TensorTrain, levels: list[int], tol: float = 1e-12) -> TuckerTensor:
    """The Tucker tensor of a quantics train, axes of 2^levels points in sequence, within ``tol`` times the norm.

    Raises ValueError where the modes are not those of the axes.
    """
    if x.shape != (2,) * sum(levels):
        raise ValueError(f"axes of {levels} bits need {sum(levels)} modes of size 2, not {x.shape}")
    factors, core, at = [], np.ones((1, 1)), 0
    for level in levels:
        long = x.cores[at]
        for bit in x.cores[at + 1 : at + level]:
            long = np.tensordot(long, bit, axes=(2, 0)).reshape(long.shape[0], -1, bit.shape[2])
        at += level
        a, n, b = long.shape
        basis, triangle = np.linalg.qr(long.transpose(1, 0, 2).reshape(n, a * b))
        factors.append(basis)
        core = np.tensordot(core, triangle.reshape(-1, a, b), axes=(-1, 1))
    return truncated(core[0, ..., 0], factors, tol=tol)
