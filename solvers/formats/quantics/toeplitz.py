"""Toeplitz and circulant operators from a quantics train of their entries, and the convolution of quantics vectors.

T_ij = t[i - j + N], N = 2^L, with a generator t of 2N entries (entry 0 is never used). In bits i + (N - 1 - j) + 1 =
i - j + N: an addition of i, the complement of j and a carry of one at the last bit, so core k is

    T[(c, a), i, j, (c', b)] = sum_m [i + (1 - j) + c' = m + 2 c] t[a, m, b],

c the carry handed to the next more significant bit; the last carry out is the leading bit of the generator. TT-ranks at
most 2R, R those of the generator. A circulant ignores the last carry out. In several axes the same is done axis by
axis: R between axes, 2R within. A convolution is the adder with two vectors, TT-ranks at most 2 R_x R_y, then rounded.
Kazeev, Khoromskij, Tyrtyshnikov, SIAM J. Sci. Comput. 35, A1511 (2013). Cost O(L R^2) for an operator.
"""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain


def toeplitz_operator(generator: TensorTrain, axes: int = 1) -> TTOperator:
    """The operator T_ij = t[i - j + N] of a generator train t of 2N = 2^(L+1) entries (along each of ``axes`` axes).

    Several axes: bits in sequence, the same L on each, T_ij = t[i_1 - j_1 + N, i_2 - j_2 + N, ...]. TT-ranks at most
    2R. The product with a vector is a discrete convolution cut to the grid. Raises ValueError for other modes than
    size 2 or a number of them that is not ``axes`` times two or more.
    """
    levels = _levels(generator.shape, axes)
    if levels < 2:
        raise ValueError("the generator of a Toeplitz operator on N points has 2N entries, 4 at least")
    adder = _complement_adder()
    cores = []
    for axis in range(axes):
        head, *rest = generator.cores[axis * levels : (axis + 1) * levels]
        own = [_joined(adder, core) for core in rest]
        a, _, b = head.shape
        c, i, j, right = own[0].shape
        # the first carry out is the leading bit of the generator: [a, m, b] with [(m, b), ...]
        own[0] = (head.reshape(a, 2 * b) @ own[0].reshape(c, -1)).reshape(a, i, j, right)
        own[-1] = _carry_in(own[-1], 1)
        cores += own
    return TTOperator(tuple(cores))


def circulant_operator(generator: TensorTrain, axes: int = 1) -> TTOperator:
    """The operator C_ij = c[i - j mod N] of a train c of N = 2^L entries (along each of ``axes`` axes); ranks 2R.

    The product with a vector is the cyclic convolution. Raises ValueError for other modes than size 2 or a number of
    them that ``axes`` does not divide.
    """
    levels = _levels(generator.shape, axes)
    adder = _complement_adder()
    cores = []
    for axis in range(axes):
        own = [_joined(adder, core) for core in generator.cores[axis * levels : (axis + 1) * levels]]
        a = own[0].shape[0] // 2
        own[0] = own[0].reshape(2, a, *own[0].shape[1:]).sum(axis=0)
        # complement of j and a carry of one: i - j + N with any last carry, hence modulo N
        own[-1] = _carry_in(own[-1], 1)
        cores += own
    return TTOperator(tuple(cores))


def convolve(x: TensorTrain, y: TensorTrain, axes: int = 1, tol: float = 1e-12) -> TensorTrain:
    """The full convolution z_m = sum_i x_i y_(m - i) of vectors of N points an axis, on 2N points (the last is zero).

    Rounded with relative error ``tol``. Cost 16 d (2 R_x R_y)^3 for the rounding; where that is too much, round
    ``toeplitz_operator`` of the longer vector and multiply approximately. Raises ValueError for unequal
    shapes, other modes than size 2 or a number of them that ``axes`` does not divide.
    """
    if x.shape != y.shape:
        raise ValueError(f"trains of shapes {x.shape} and {y.shape} cannot be convolved")
    levels = _levels(x.shape, axes)
    adder = np.zeros((2, 2, 2, 2, 2))  # carry out, m, i, j, carry in
    for i in range(2):
        for j in range(2):
            for carry in range(2):
                out, m = divmod(i + j + carry, 2)
                adder[out, m, i, j, carry] = 1.0
    cores = []
    for axis in range(axes):
        own = []
        for k in range(axis * levels, (axis + 1) * levels):
            p, q = x.cores[k], y.cores[k]
            (a, _, b), (c, _, e) = p.shape, q.shape
            pair = (p[:, None, :, None, :, None] * q[None, :, None, :, None, :]).reshape(a * c, 2, 2, b * e)
            core = np.tensordot(adder, pair, axes=((2, 3), (1, 2)))  # out, m, in, left, right
            own.append(core.transpose(0, 3, 1, 2, 4).reshape(2 * a * c, 2, 2 * b * e))
        own[-1] = _carry_in(own[-1], 0)
        left = own[0].shape[0] // 2
        head = np.eye(2 * left).reshape(2, left, 2 * left).swapaxes(0, 1)  # the last carry out is the leading bit
        cores += [head, *own]
    return TensorTrain(tuple(cores)).round(tol)


def _complement_adder() -> np.ndarray:
    """[carry out, i, j, m, carry in]: one where i + (1 - j) + carry in = m + 2 carry out."""
    adder = np.zeros((2, 2, 2, 2, 2))
    for i in range(2):
        for j in range(2):
            for carry in range(2):
                out, m = divmod(i + 1 - j + carry, 2)
                adder[out, i, j, m, carry] = 1.0
    return adder


def _joined(adder: np.ndarray, core: np.ndarray) -> np.ndarray:
    """The core (2a, i, j, 2b) of the adder over the bit m of a generator core (a, m, b); the carry is slow."""
    a, _, b = core.shape
    wide = np.tensordot(adder, core, axes=(3, 1))  # out, i, j, in, a, b
    return wide.transpose(0, 4, 1, 2, 3, 5).reshape(2 * a, 2, 2, 2 * b)


def _carry_in(core: np.ndarray, carry: int) -> np.ndarray:
    """The last core of an axis with the given carry coming in."""
    b = core.shape[-1] // 2
    return core[..., carry * b : (carry + 1) * b]


def _levels(shape: tuple[int, ...], axes: int) -> int:
    if axes < 1 or len(shape) % axes or shape != (2,) * len(shape):
        raise ValueError(f"a train of shape {shape} is no quantics train on {axes} axes of equal levels")
    return len(shape) // axes
