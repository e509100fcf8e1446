"""Sums of exponentials for 1/r and 1/lambda, and sums of separable terms as quantics trains.

    lambda^-p = 1 / Gamma(p) int exp(-lambda e^s + p s) ds,   1/lambda: p = 1;   1/r: p = 1/2, lambda = r^2,

by the trapezoidal rule of step d. Its relative error oscillates in log(lambda) with the known amplitude
2 |Gamma(p + 2 pi i / d)| / Gamma(p), and more than exponentially little is lost by ending the sum at large s. The slow
end is a geometric series of weights: all of it becomes one term with the same zeroth and first moments, which is right
to second order and saves the terms a plain rule spends there.
Beylkin, Monzon, Appl. Comput. Harmon. Anal. 28, 131 (2010); Hackbusch, Khoromskij, Computing 76, 177 (2006).

A sum over k of products of K vectors an axis is a canonical tensor: it is rounded without its trains of rank K being
formed. Index letters: k term, i point, a, b ranks, t rank of the interface to the right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import gamma, gammaln, loggamma

from solvers.formats.quantics.axes import reordered, split_axes
from solvers.formats.quantics.bits import SEQUENTIAL, check_order
from solvers.formats.trains.factorisations import as_double
from solvers.formats.trains.rounding import check_truncation
from solvers.formats.trains.sums import rounded_sum
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount, numeral

CHECKS = 4000  # points, equidistant in the logarithm, where a sum is judged
FINER = 0.97  # step of the rule, until the sum is as good as asked for
BEST = 1e-14  # no relative accuracy below is promised in double precision
LEAST_STEP = 0.05
WIDEST = 1e50  # ratio of the ends of an interval
BETWEEN = 0.1  # of the tolerance, for the rounding between axes: the cuts there are judged again with the bits


def inverse_distance(smallest: float, largest: float, accuracy: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and exponents with 1/r = sum_k weights[k] exp(-exponents[k] r^2) for smallest <= r <= largest.

    Relative error ``accuracy``, checked on 4000 points. Terms: 20 (31) for largest/smallest = 400 and an accuracy
    of 1e-4 (1e-6). Ascending exponents, positive weights. Raises ValueError for a bad interval or an accuracy that is
    out of reach.
    """
    weights, exponents = _inverse_power(smallest, largest, accuracy, 0.5)
    return _scaled(weights, exponents, smallest, 2)


def inverse_shifted(smallest: float, largest: float, accuracy: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and exponents with 1/x = sum_k weights[k] exp(-exponents[k] x) for smallest <= x <= largest.

    For an operator A with eigenvalues between lambda_1 and lambda_N and a shift s: smallest = lambda_1 + s, largest =
    lambda_N + s, and exp(-t (A + s)) is a Kronecker product where A is a Kronecker sum. Everything else as
    ``inverse_distance``.
    """
    weights, exponents = _inverse_power(smallest, largest, accuracy, 1.0)
    return _scaled(weights, exponents, smallest, 1)


def _scaled(weights: np.ndarray, exponents: np.ndarray, unit: float, power: int) -> tuple[np.ndarray, np.ndarray]:
    """The sum for r / unit turned into that for r."""
    with np.errstate(over="ignore"):
        weights, exponents = weights / unit, exponents * np.float64(1.0 / unit) ** power
    if not (np.isfinite(weights).all() and np.isfinite(exponents).all()):
        raise ValueError("the interval is too close to zero for double precision: change the units")
    return weights, exponents


def _inverse_power(smallest: float, largest: float, accuracy: float, power: float) -> tuple[np.ndarray, np.ndarray]:
    """lambda^-power, lambda from 1 to (largest/smallest)^(1/power): the coarsest rule that passes, its ends trimmed."""
    if not (0.0 < smallest <= largest and largest / smallest < WIDEST):
        raise ValueError(
            f"the interval needs 0 < smallest <= largest < {amount(WIDEST)} smallest, not {smallest}, {largest}"
        )
    if not BEST <= accuracy < 1.0:
        raise ValueError(f"accuracy must lie in [{BEST}, 1), not {accuracy!r}")
    points = np.geomspace(1.0, (largest / smallest) ** (1.0 / power), CHECKS)
    step = 2.0
    while step > LEAST_STEP:
        amplitude = 2.0 * math.exp(float(loggamma(power + 2j * math.pi / step).real) - float(gammaln(power)))
        if amplitude <= 0.9 * accuracy:
            found = _trimmed(points, accuracy, power, step)
            if found is not None:
                return found
        step *= FINER
    raise ValueError(
        f"no sum of exponentials reaches {amount(accuracy)} from {numeral(smallest)} to {numeral(largest)}"
    )


def _trimmed(points: np.ndarray, accuracy: float, power: float, step: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The shortest rule of this ``step`` that is good to ``accuracy`` at the points, or None."""
    # generous ends: what is lost beyond is below machine precision
    top = math.log(50.0 / points[0])
    bottom = math.log(1e-8 / points[-1])
    s = top - step * np.arange(math.ceil((top - bottom) / step) + 1)
    exponents = np.exp(s)
    weights = step / gamma(power) * np.exp(power * s)
    target = points**power
    terms = target * weights[:, None] * np.exp(-exponents[:, None] * points)
    from_slow = np.cumsum(terms[::-1], axis=0)[::-1]  # [k]: the sum of the terms k and all slower ones
    ratio = math.exp(-step)

    def tail(k: int) -> tuple[float, float]:
        """Weight and exponent of the one term for k and all slower terms, by their first two moments."""
        weight = weights[k] / (1.0 - ratio**power)
        return weight, exponents[k] * (1.0 - ratio**power) / (1.0 - ratio ** (power + 1.0))

    def error(first: int, k: int) -> float:
        weight, exponent = tail(k)
        slow = target * weight * np.exp(-exponent * points)
        return float(np.abs(from_slow[first] - from_slow[k] + slow - 1.0).max())

    first, last = 0, len(s) - 1
    if error(first, last) > accuracy:
        return None
    while last > first and error(first, last - 1) <= accuracy:
        last -= 1
    while first < last and error(first + 1, last) <= accuracy:
        first += 1
    weight, exponent = tail(last)
    order = slice(None, None, -1)
    return (
        np.append(weights[first:last], weight)[order].copy(),
        np.append(exponents[first:last], exponent)[order].copy(),
    )


def gaussian_sum(
    weights: np.ndarray,
    exponents: np.ndarray,
    points: Sequence[np.ndarray],
    centre: Sequence[float],
    tol: float = 1e-12,
    order: str = SEQUENTIAL,
) -> TensorTrain:
    """sum_k weights[k] exp(-exponents[k] |x - centre|^2) on the grid of ``points`` (2^L coordinates an axis).

    With the terms of ``inverse_distance``: 1/|x - centre|. Error, cost and errors raised as ``separable``.
    """
    if len(points) != len(centre):
        raise ValueError(f"{len(points)} axes of points do not fit a centre of {len(centre)} coordinates")
    weights, exponents = np.asarray(weights), np.asarray(exponents)
    if weights.ndim != 1 or weights.shape != exponents.shape:
        raise ValueError(f"weights {weights.shape} and exponents {exponents.shape} must be vectors of one length")
    factors = [np.exp(-exponents * (np.asarray(x)[:, None] - c) ** 2) for x, c in zip(points, centre)]
    return separable([factors[0] * weights, *factors[1:]], tol, order)


def separable(factors: Sequence[np.ndarray], tol: float = 1e-12, order: str = SEQUENTIAL) -> TensorTrain:
    """The train of sum_k prod_axis factors[axis][i_axis, k], factors (2^L, K), with relative error ``tol``.

    First the axes are rounded as modes of N = 2^L points: triangular factors of the interfaces from the right (K x t,
    t their numerical rank), then a sweep of SVDs from the left; then every mode is split into its bits. Cost
    O(N t K^2 + N a^2 b) an axis, a and b the ranks between axes; memory N t K. Interleaved: bits are exchanged
    afterwards. Raises ValueError for no factors, other shapes, NaN or infinity.
    """
    check_truncation(tol, None)
    arrays = [as_double(factor, f"factor {axis}") for axis, factor in enumerate(factors)]
    if not arrays:
        raise ValueError("separable needs the factors of at least one axis")
    for axis, array in enumerate(arrays):
        good = array.ndim == 2 and array.shape[1] == arrays[0].shape[1] > 0
        if not good or len(array) < 2 or len(array) & (len(array) - 1):
            raise ValueError(f"factors need shapes (2^L, K), one K > 0, not {array.shape} on axis {axis}")
        if not np.isfinite(array).all():
            raise ValueError(f"the factors of axis {axis} contain NaN or infinity")
    levels = [len(array).bit_length() - 1 for array in arrays]
    check_order(order, levels)
    moved = order != SEQUENTIAL and len(levels) > 1
    share = 0.7 * tol if moved else tol  # projections one after the other: their errors add up in squares
    axes = rounded_sum([np.ascontiguousarray(array.T)[:, None, :, None] for array in arrays], BETWEEN * share)
    train = split_axes(axes, math.sqrt(1.0 - BETWEEN**2) * share)
    return reordered(train, levels, order, share) if moved else train
