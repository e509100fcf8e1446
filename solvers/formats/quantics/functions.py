"""Quantics trains of functions of one variable, exact: x_i = start + i step, i = 0 ... 2^L - 1.

The index is a sum of bits, i = sum_k 2^(L-1-k) b_k, so whatever adds up nicely has small TT-ranks: an exponential 1 (a
product over the bits), sine and cosine 2 (rotations; 1 at a cut beyond which whole periods follow), a polynomial of
degree p at most p + 1 (the binomial theorem), a jump 2, a unit vector 1. Everything else: ``sampled``, the TT-SVD of
2^L values, or ``interpolated`` (solvers.formats.quantics.interpolation), which ``gaussian`` uses on large grids.

Khoromskij, Constr. Approx. 34, 257 (2011); Oseledets, Constr. Approx. 37, 1 (2013).
Products of functions are Hadamard products of trains, rounded. Cost O(L r^2), r the rank. Index
letters: i point, k mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.polynomial import Polynomial
from scipy.special import comb

from solvers.formats.quantics.bits import check_levels, closed, to_bits
from solvers.formats.quantics.interpolation import interpolated
from solvers.formats.quantics.turns import angles, reduced
from solvers.formats.trains.construct import tt_svd, unit
from solvers.formats.trains.tensor_train import TensorTrain

SAMPLED_LEVELS = 14  # up to here 2^L values and their TT-SVD cost milliseconds


def exponential(levels: int, rate: complex = 1.0, start: float = 0.0, step: float = 1.0) -> TensorTrain:
    """exp(rate x), TT-ranks 1; a complex ``rate`` gives a complex train.

    Every core but the first has largest modulus one, so nothing overflows or vanishes before the function does; whole
    turns are taken off exactly, so the phase is right however many there are (solvers.formats.quantics.turns). Raises
    ValueError where the function overflows, and for a rate that is not finite.
    """
    weights = _weights(levels, start, step)
    if not np.isfinite(rate):
        raise ValueError(f"exp({rate} x) overflows: the rate must be finite")
    growth, frequency = float(np.real(rate)), float(np.imag(rate))
    exponents = growth * step * weights
    shifts = np.maximum(exponents, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        top = np.exp(growth * start + shifts.sum())
    if not np.isfinite(top):
        raise ValueError(f"exp({rate} x) overflows between {start} and {start + step * (2.0**levels - 1.0)}")
    cores = [np.exp(np.array([-shift, e - shift])).reshape(1, 2, 1) for e, shift in zip(exponents, shifts)]
    cores[0] = cores[0] * top
    if np.iscomplexobj(rate):
        turns = np.exp(1j * np.array(angles(frequency, step, levels)))
        cores = [core * np.array([1.0, turn])[:, None] for core, turn in zip(cores, turns)]
        cores[0] = cores[0] * np.exp(1j * reduced(Fraction(frequency) * Fraction(start)))
    return TensorTrain(tuple(cores))


def sine(levels: int, frequency: float = 1.0, phase: float = 0.0, start: float = 0.0, step: float = 1.0) -> TensorTrain:
    """sin(frequency x + phase), TT-ranks 2; ``frequency`` in radians a unit of x."""
    return _rotations(levels, frequency, phase, start, step, [0.0, 1.0])


def cosine(
    levels: int, frequency: float = 1.0, phase: float = 0.0, start: float = 0.0, step: float = 1.0
) -> TensorTrain:
    """cos(frequency x + phase), TT-ranks 2; ``frequency`` in radians a unit of x."""
    return _rotations(levels, frequency, phase, start, step, [1.0, 0.0])


def _rotations(
    levels: int, frequency: float, phase: float, start: float, step: float, end: Sequence[float]
) -> TensorTrain:
    """The row [cos a, sin a] of the first angle is turned by the angle of every bit that is set."""
    _weights(levels, start, step)
    if not np.isfinite([frequency, phase]).all():
        raise ValueError(f"frequency and phase must be finite, not {frequency!r}, {phase!r}")
    cores = []
    for angle in angles(frequency, step, levels):
        core = np.zeros((2, 2, 2))
        core[:, 0] = np.eye(2)
        core[:, 1] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        cores.append(core)
    first = reduced(Fraction(frequency) * Fraction(start) + Fraction(phase))
    return TensorTrain(closed(cores, np.array([np.cos(first), np.sin(first)]), np.array(end)))


def polynomial(levels: int, coefficients: Sequence[complex], start: float = 0.0, step: float = 1.0) -> TensorTrain:
    """sum_p coefficients[p] x^p (ascending powers), TT-ranks p + 1.

    Written in powers of t = (x - middle) / half width, which stay below one. Raises ValueError for no coefficients or
    NaN or infinity.
    """
    weights = _weights(levels, start, step)
    values = np.asarray(coefficients)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError("polynomial needs a list of finite coefficients")
    half = 0.5 * step * (2.0**levels - 1.0)
    scaled = np.zeros(len(values), dtype=np.result_type(values, float))
    found = Polynomial(values)(Polynomial([start + half, half])).coef
    scaled[: len(found)] = found
    powers = np.arange(len(values))
    lift = powers[None, :] - powers[:, None]  # [p, q]: t^p contributes C(q, p) s^(q-p) t^p to (t + s)^q
    binomial = np.where(lift >= 0, comb(powers[None, :], powers[:, None]), 0.0)
    cores = []
    for shift in 2.0 * weights / (2.0**levels - 1.0):
        core = np.zeros((len(powers), 2, len(powers)))
        core[:, 0] = np.eye(len(powers))
        core[:, 1] = binomial * shift ** np.maximum(lift, 0)
        cores.append(core)
    return TensorTrain(closed(cores, (-1.0) ** powers, scaled))


def gaussian(
    levels: int, exponent: float, centre: float = 0.0, start: float = 0.0, step: float = 1.0, tol: float = 1e-12
) -> TensorTrain:
    """exp(-exponent (x - centre)^2); TT-ranks by accuracy, about 5 to 8.

    Up to 2^14 points by TT-SVD, relative error ``tol`` in the 2-norm; beyond by piecewise interpolation, error ``tol``
    in the maximum norm. Raises ValueError for a negative exponent.
    """
    _weights(levels, start, step)
    if not (np.isfinite(exponent) and np.isfinite(centre)) or exponent < 0.0:
        raise ValueError(f"a Gaussian needs a finite exponent >= 0 and centre, not {exponent!r}, {centre!r}")

    def values(x: np.ndarray) -> np.ndarray:
        return np.exp(-exponent * (x - centre) ** 2)

    if levels <= SAMPLED_LEVELS:
        return sampled(values(start + step * np.arange(2**levels)), tol)
    width = 1.0 / np.sqrt(exponent) if exponent > 0.0 else np.inf
    return interpolated(values, levels, start, step, tol, features=[(centre, width)])


def heaviside(levels: int, first: int) -> TensorTrain:
    """One at the points i >= ``first``, zero before; TT-ranks 2.  Raises ValueError unless 0 <= first <= 2^levels."""
    check_levels([levels])
    if not 0 <= first <= 2**levels:
        raise ValueError(f"first must lie between 0 and {2**levels}, not {first}")
    if first == 2**levels:
        return TensorTrain((np.zeros((1, 2, 1)),) * levels)
    cores = []
    for bit in to_bits(np.array([[first]]), [levels])[0]:
        core = np.zeros((2, 2, 2))  # state 0: as the bits of first so far, 1: larger
        core[0, bit, 0] = 1.0
        core[0, bit + 1 :, 1] = 1.0
        core[1, :, 1] = 1.0
        cores.append(core)
    return TensorTrain(closed(cores, np.array([1.0, 0.0]), np.ones(2)))


def unit_vector(levels: int, index: int) -> TensorTrain:
    """One at the point ``index``, zero elsewhere; TT-ranks 1.  Raises IndexError for a point outside."""
    check_levels([levels])
    return unit((2,) * levels, to_bits(np.array([[index]]), [levels])[0].tolist())


def sampled(values: np.ndarray, tol: float = 1e-12) -> TensorTrain:
    """The train of a vector of 2^L values by TT-SVD, relative error ``tol`` in the 2-norm.  Cost O(2^L r).

    Raises ValueError for another length, NaN or infinity.
    """
    values = np.asarray(values)
    if values.ndim != 1 or len(values) < 2 or len(values) & (len(values) - 1):
        raise ValueError(f"sampled needs a vector of 2, 4, 8, ... values, not shape {values.shape}")
    return tt_svd(values.reshape((2,) * (len(values).bit_length() - 1)), tol)


def _weights(levels: int, start: float, step: float) -> np.ndarray:
    """2^(L-1-k) of every mode k, once the grid is checked."""
    check_levels([levels])
    if not np.isfinite([start, step]).all() or step == 0.0:
        raise ValueError(f"the grid needs a finite start and a step other than zero, not {start!r}, {step!r}")
    return 2.0 ** np.arange(levels - 1, -1, -1)
