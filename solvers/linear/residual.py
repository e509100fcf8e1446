"""The true residual ||b - A x|| of a linear system in tensor-train form: by QR, or by a random sketch.

By QR the residual is formed as a train, so no digits are lost to squares; the cost O(d n (R r + r_b)^3) limits it to
moderate ranks. The sketch multiplies the residual by Gaussian random trains from both ends, which meet at the middle
bond: with entries of variance 1/s (s the sketch's rank there) the squared norm of what is left has ||b - A x||^2 as
its expectation, here with a spread of about 15 per cent in the norm at width 40; nothing cancels that would not
cancel in the residual itself. Cost O(d n R r^2 (r + s)).
Gaussian random trains: Al Daas et al., SIAM J. Sci. Comput. 45, A74 (2023), section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.local_operator import OperatorCore, advance, half, mirrored
from solvers.trains.operator import TTOperator
from solvers.trains.tensor_train import TensorTrain

WIDTH = 40
EXACT_RANK = 500  # of the residual as a train: up to here QR is affordable
SPREAD = 1.5  # factor by which a sketched norm is raised before it is compared with a tolerance


def residual_norm(a: TTOperator, x: TensorTrain, b: TensorTrain) -> float:
    """||b - A x|| by QR of the residual as a train."""
    return (b - a @ x).norm()


def bounded_residual(a: TTOperator, x: TensorTrain, b: TensorTrain, rng: np.random.Generator) -> float:
    """``residual_norm``, or where ranks are too large for it a sketch of it raised by ``SPREAD``."""
    ranks = max(p * q + r for p, q, r in zip(a.ranks, x.ranks, b.ranks))
    if ranks <= EXACT_RANK:
        return residual_norm(a, x, b)
    dtype = np.result_type(a.dtype, x.dtype, b.dtype)
    operator = [OperatorCore.of(core, dtype) for core in a.cores]
    return SPREAD * sketched_residual(operator, _plain(x, dtype), _plain(b, dtype), rng)


def sketched_residual(
    operator: Sequence[OperatorCore], x: Sequence[np.ndarray], b: Sequence[np.ndarray], rng: np.random.Generator
) -> float:
    """An estimate of ||b - A x|| for bare cores of one dtype, unbiased in its square."""
    d = len(x)
    middle = d // 2
    left, left_b = _half(operator, x, b, middle, rng)
    mirror = [core.mirrored() for core in reversed(operator)]
    right, right_b = _half(mirror, mirrored(x), mirrored(b), d - middle, rng)
    s = len(left)
    rest = left_b @ right_b.T - left.reshape(s, -1) @ right.reshape(len(right), -1).T
    return float(np.linalg.norm(rest))


def _half(
    operator: Sequence[OperatorCore],
    x: Sequence[np.ndarray],
    b: Sequence[np.ndarray],
    steps: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Environments (s, alpha, a) and (s, c) of a random train with A x and with b over the first cores."""
    dtype = x[0].dtype
    environment, overlap = np.ones((1, 1, 1), dtype=dtype), np.ones((1, 1), dtype=dtype)
    for k in range(steps):
        s, n = len(environment), operator[k].dims[1]
        if s * n <= WIDTH:  # few enough functions: keep them all
            bra = np.eye(s * n, dtype=dtype).reshape(s, n, s * n)
        else:
            bra = rng.standard_normal((s, n, WIDTH)).astype(dtype) / np.sqrt(WIDTH)
        environment = advance(half(environment, operator[k], x[k]), bra, operator[k].dims[3])
        part = (overlap @ b[k].reshape(b[k].shape[0], -1)).reshape(-1, b[k].shape[2])
        overlap = bra.reshape(-1, bra.shape[2]).T @ part
    return environment, overlap


def _plain(x: TensorTrain, dtype: np.dtype) -> list[np.ndarray]:
    """Writable cores of one dtype, as the kernels take them."""
    return [core.astype(dtype) for core in x.cores]
