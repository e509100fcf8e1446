"""Systems of any scale: every core brought to largest entry about one by an exact power of two, and back.

A x = b with entries of 1e-200 or 1e200 overflows in the squares of norms although its solution may be harmless.
Powers of two change no digit, so the scaled system has exactly the solution of the given one but for its own power.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.factorisations import freeze
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

ONE_CORE = 900  # exponents up to here fit in one core beside entries about one; larger ones are spread over all


def balanced(cores: Sequence[np.ndarray]) -> tuple[tuple[np.ndarray, ...], int]:
    """The cores with largest real or imaginary part in [1/2, 1), and the exponent e: the train is 2^e times theirs.

    A core of zeros stays. Equal cores stay equal.
    """
    total, out = 0, []
    for core in cores:
        exponent = int(np.frexp(np.abs(_parts(core)).max())[1])
        total += exponent
        out.append(_times_power(core, -exponent))
    return tuple(out), total


def of_scale_one(operator: TTOperator) -> tuple[TTOperator, int]:
    """The operator with singular values of mean square about one, and the exponent e: it is 2^e times that one."""
    flat = TensorTrain(tuple(core.reshape(len(core), -1, core.shape[3]) for core in operator.cores))
    least = min(float(np.sum(np.log2(shape))) for shape in operator.shape)
    size = flat.log_norm() / math.log(2.0) - 0.5 * least
    if not math.isfinite(size):
        return operator, 0
    exponent = round(size)
    each, rest = divmod(-exponent, operator.d)
    cores = (_times_power(core, each + (k < rest)) for k, core in enumerate(operator.cores))
    return TTOperator(tuple(cores)), exponent


def moderate_scale(operator: TTOperator) -> tuple[TTOperator, int]:
    """The operator of scale one with cores of entries about one, and the exponent e: it is 2^e times that one.

    Cores of entries about one alone may still make products out of range: of 110 modes, each with a small identity.
    """
    cores, first = balanced(operator.cores)
    moderate, more = of_scale_one(TTOperator(cores))
    return moderate, first + more


def times_power(x: TensorTrain, exponent: int) -> TensorTrain:
    """2^exponent x, exact; where that does not fit in one core the factor is spread over all and the centre lost.

    Raises ValueError where even so it leaves the range of double precision.
    """
    if abs(exponent) <= ONE_CORE:
        k = x.centre or 0
        return TensorTrain((*x.cores[:k], _times_power(x.cores[k], exponent), *x.cores[k + 1 :]), x.centre)
    each, rest = divmod(exponent, x.d)
    if abs(each) > ONE_CORE:
        raise ValueError(
            f"the solution is about 2^{exponent}, outside the range of double precision: rescale the operator or the "
            "right-hand side"
        )
    return TensorTrain(tuple(_times_power(core, each + (k < rest)) for k, core in enumerate(x.cores)))


def _parts(core: np.ndarray) -> np.ndarray:
    """Real and imaginary parts as one flat array."""
    return np.ascontiguousarray(core).view(np.float64).reshape(-1)


def _times_power(core: np.ndarray, exponent: int) -> np.ndarray:
    if exponent == 0:
        return core
    return freeze(np.ldexp(_parts(core), exponent).view(core.dtype).reshape(core.shape))


def is_hermitian(operator: TTOperator) -> bool:
    """Whether A equals its conjugate transpose to rounding errors; cores are scaled, so nothing overflows."""
    if all(np.array_equal(core, core.transpose(0, 2, 1, 3).conj()) for core in operator.cores):
        return True
    scaled = TTOperator(balanced(operator.cores)[0])
    return (scaled - scaled.adjoint()).norm() <= 1e-12 * scaled.norm()
