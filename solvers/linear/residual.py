"""The true residual ||b - A x|| of a linear system in tensor-train form: by QR, or by a random sketch.

By QR the triangular factors of the interfaces of the residual pass from core to core: A x is not formed, and no
digits are lost to squares. Cost O(d n (R r + r_b)^3) with R, r, r_b the ranks of A, x and b, which limits it to
moderate ranks. The sketch multiplies the residual by Gaussian random trains from both ends, which meet at the middle
bond: with entries of variance 1/s (s the sketch's rank there) the squared norm of what is left has ||b - A x||^2 as
its expectation, here with a spread of about 15 per cent in the norm at width 40; nothing cancels that would not
cancel in the residual itself. Cost O(d n R r^2 (r + s)).
Gaussian random trains: Al Daas et al., SIAM J. Sci. Comput. 45, A74 (2023), section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.factorisations import frobenius, triangular_factor
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sweeping.local_operator import OperatorCore, advance, half, mirrored

WIDTH = 40
EXACT_RANK = 500  # of the residual as a train: up to here QR is affordable
SPREAD = 1.5  # factor by which a sketched norm is raised before it is compared with a tolerance
GLANCE_RANK = 150  # from here on a narrow sketch, which costs far less than QR, may spare it
GLANCE_WIDTH = 16
CLEARLY = 1.5  # times a tolerance: a narrow sketch above that leaves little doubt


def residual_norm(a: TTOperator, x: TensorTrain, b: TensorTrain) -> float:
    """||b - A x|| by QR of the residual as a train.  Raises ValueError where products overflow."""
    dtype = np.result_type(a.dtype, x.dtype, b.dtype)
    return exact_residual([OperatorCore.of(core, dtype) for core in a.cores], _plain(x, dtype), _plain(b, dtype))


def bounded_residual(
    operator: Sequence[OperatorCore],
    x: Sequence[np.ndarray],
    b: Sequence[np.ndarray],
    rng: np.random.Generator,
    accuracy: float = np.inf,
) -> float:
    """||b - A x|| for bare cores of one dtype, or where ranks are too large for QR a sketch of it raised by ``SPREAD``.

    Where a narrow sketch shows that ``accuracy`` is missed, that estimate, above ``accuracy``, is returned instead.
    """
    ranks = max(core.dims[3] * p.shape[2] + q.shape[2] for core, p, q in zip(operator, x, b))
    if ranks >= GLANCE_RANK and accuracy < np.inf:
        glance = sketched_residual(operator, x, b, rng, GLANCE_WIDTH)
        if glance > CLEARLY * accuracy:
            return glance
    if ranks <= EXACT_RANK:
        return exact_residual(operator, x, b)
    return SPREAD * sketched_residual(operator, x, b, rng)


def exact_residual(operator: Sequence[OperatorCore], x: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    """||b - A x|| by QR for bare cores of one dtype."""
    environment, overlap = np.ones((1, 1, 1), dtype=x[0].dtype), -np.ones((1, 1), dtype=x[0].dtype)
    for core, p, q in zip(operator, x, b):
        applied = half(environment, core, p)  # (t n, beta b)
        known = (overlap @ q.reshape(len(q), -1)).reshape(len(applied), -1)
        joined = np.empty((len(applied), applied.shape[1] + known.shape[1]), dtype=p.dtype, order="F")
        joined[:, : applied.shape[1]], joined[:, applied.shape[1] :] = applied, known
        factor = triangular_factor(joined)
        environment = np.ascontiguousarray(factor[:, : applied.shape[1]]).reshape(len(factor), core.dims[3], -1)
        overlap = np.ascontiguousarray(factor[:, applied.shape[1] :])
    return frobenius(environment.reshape(-1, 1) + overlap)


def best_multiple(
    operator: Sequence[OperatorCore], x: Sequence[np.ndarray], b: Sequence[np.ndarray], rng: np.random.Generator
) -> complex | float:
    """The number a of smallest ||b - a A x||, <A x, b> / ||A x||^2; zero where A x is zero."""
    zero = [np.zeros((1, core.shape[1], 1), dtype=core.dtype) for core in b]
    size = bounded_residual(operator, x, zero, rng)
    if size == 0.0:
        return 0.0
    environment = np.ones((1, 1, 1), dtype=x[0].dtype)
    for core, p, q in zip(operator, x, b):
        environment = advance(half(environment, core, p), q, core.dims[3])
    overlap = environment[0, 0, 0].conjugate() / size
    return (overlap / size).item()


def sketched_residual(
    operator: Sequence[OperatorCore],
    x: Sequence[np.ndarray],
    b: Sequence[np.ndarray],
    rng: np.random.Generator,
    width: int = WIDTH,
) -> float:
    """An estimate of ||b - A x|| for bare cores of one dtype, unbiased in its square."""
    d = len(x)
    middle = d // 2
    left, left_b = _half(operator, x, b, middle, rng, width)
    mirror = [core.mirrored() for core in reversed(operator)]
    right, right_b = _half(mirror, mirrored(x), mirrored(b), d - middle, rng, width)
    s = len(left)
    rest = left_b @ right_b.T - left.reshape(s, -1) @ right.reshape(len(right), -1).T
    return float(np.linalg.norm(rest))


def _half(
    operator: Sequence[OperatorCore],
    x: Sequence[np.ndarray],
    b: Sequence[np.ndarray],
    steps: int,
    rng: np.random.Generator,
    width: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Environments (s, alpha, a) and (s, c) of a random train with A x and with b over the first cores."""
    dtype = x[0].dtype
    environment, overlap = np.ones((1, 1, 1), dtype=dtype), np.ones((1, 1), dtype=dtype)
    for k in range(steps):
        s, n = len(environment), operator[k].dims[1]
        if s * n <= width:  # few enough functions: keep them all
            bra = np.eye(s * n, dtype=dtype).reshape(s, n, s * n)
        else:
            bra = rng.standard_normal((s, n, width)).astype(dtype) / np.sqrt(width)
        environment = advance(half(environment, operator[k], x[k]), bra, operator[k].dims[3])
        part = (overlap @ b[k].reshape(b[k].shape[0], -1)).reshape(-1, b[k].shape[2])
        overlap = bra.reshape(-1, bra.shape[2]).T @ part
    return environment, overlap


def _plain(x: TensorTrain, dtype: np.dtype) -> list[np.ndarray]:
    """Writable cores of one dtype, as the kernels take them."""
    return [core.astype(dtype) for core in x.cores]
