"""The discrete Fourier transform of quantics trains: an operator of small ranks, and the transform with rounding.

With the output index k written from its last bit to its first, the transform of N = 2^L points is smooth in what the
first modes hand on: for j = sum_l 2^(L-l) j_l, k = sum_m 2^(m-1) k_m and u = (k_1 + 2 k_2 + ... + 2^(p-1) k_p) / 2^p,

    exp(-2 pi i j k / N) = prod_p exp(-2 pi i j_p u_p),     u_p = (u_(p-1) + k_p) / 2,    u_0 = 0,

and what comes after bond p depends on u_p in [0, 1) alone, as an entire function of band limit one half about its
middle. It is interpolated at the Chebyshev points c of the module interpolation, l_c their Lagrange polynomials:

    core[a, k, j, c] = exp(-2 pi i j u) l_c(u),   u = (u_a + k) / 2:

error below rounding errors with 20 points, TT-ranks 20, of which 9 matter for 8 digits and 12 for 12. Ranks: Chen,
Stoudenmire and White, PRX Quantum 4, 040318 (2023); the interpolation: Chen and Lindsey, arXiv:2404.03182 (2024);
transforms of trains: Dolgov, Khoromskij and Savostyanov, J. Fourier Anal. Appl. 18, 915 (2012).
The result is read backwards: mode p is bit p of k from the last. On one axis the train is turned round; beside other
axes its bits are exchanged by SVDs, at ranks up to r^2. Cost of a transform: the rounding of ranks 20 r.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.formats.quantics.bits import check_levels, check_modes, closed
from solvers.formats.quantics.interpolation import POINTS, U, lagrange
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.permutation import permuted_cores
from solvers.formats.trains.rounding import check_truncation
from solvers.formats.trains.tensor_train import TensorTrain

SHARE = 0.7  # of the tolerance, for the rounding and for the exchanges: errors add up in squares
NORMS = ("backward", "ortho", "forward")


def fourier_operator(levels: int, inverse: bool = False) -> TTOperator:
    """The unitary transform of 2^levels points, its rows in bit-reversed order: mode p is bit p of k from the last.

    y_k = N^(-1/2) sum_j exp(-2 pi i j k / N) x_j, the other sign for ``inverse``; TT-ranks 20, entries right to 1e-14
    of their size. ``fourier`` applies it and puts the bits in order. Raises ValueError for bad levels.
    """
    check_levels([levels])
    sign = 1.0 if inverse else -1.0
    u = 0.5 * (U[:, None] + np.arange(2))  # [a, k]
    phase = np.exp(sign * 2j * np.pi * u[:, :, None] * np.arange(2)) / math.sqrt(2.0)  # [a, k, j]
    table = lagrange(u.ravel()).T.reshape(POINTS, 2, POINTS)  # [a, k, c]
    inner = phase[:, :, :, None] * table[:, :, None, :]
    start = lagrange(np.zeros(1))[:, 0]  # u_0 = 0
    return TTOperator(closed([inner] * levels, start, np.ones(POINTS)))


def fourier(
    x: TensorTrain,
    levels: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    *,
    inverse: bool = False,
    norm: str = "backward",
    tol: float = 1e-12,
) -> TensorTrain:
    """The discrete Fourier transform of a quantics train, as ``numpy.fft.fftn`` (``ifftn`` for ``inverse``).

    ``levels``: those of the axes, bits in sequence (one axis where none are given); ``axes``: those transformed, all
    where none are given; ``norm``: "backward", "ortho" or "forward", as in numpy. Relative error ``tol`` a transformed
    axis, in the 2-norm; a complex train. Raises ValueError where x does not have these levels, for other axes, another
    norm and a tol outside [0, 1).
    """
    check_truncation(tol, None)
    known = check_levels([x.d] if levels is None else levels)
    check_modes(x.shape, known)
    chosen = list(range(len(known))) if axes is None else [int(axis) for axis in axes]
    if len(set(chosen)) != len(chosen) or not set(chosen) <= set(range(len(known))):
        raise ValueError(f"axes {chosen} must be different ones of the {len(known)} axes")
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}, not {norm!r}")
    power = {"ortho": 0.0, "backward": -0.5 if inverse else 0.5, "forward": 0.5 if inverse else -0.5}[norm]
    cores = list(x.cores)
    for axis in chosen:
        first = sum(known[:axis])
        cores = _transformed(cores, first, first + known[axis], inverse, tol)
        cores[first] = cores[first] * 2.0 ** (known[axis] * power)
    return TensorTrain(tuple(cores))


def _transformed(cores: list[np.ndarray], first: int, last: int, inverse: bool, tol: float) -> list[np.ndarray]:
    """The modes from ``first`` to before ``last`` transformed and rounded, their bits in order again."""
    operator = fourier_operator(last - first, inverse)
    own = []
    for a, core in zip(operator.cores, cores[first:last], strict=True):
        product = np.tensordot(a, core, axes=(2, 1)).transpose(0, 3, 1, 2, 4)
        own.append(product.reshape(a.shape[0] * core.shape[0], 2, -1))
    whole = TensorTrain((*cores[:first], *own, *cores[last:])).round(SHARE * tol)
    goals = list(range(whole.d))
    goals[first:last] = reversed(goals[first:last])
    return list(permuted_cores(whole.cores, goals, SHARE * tol)[0])
