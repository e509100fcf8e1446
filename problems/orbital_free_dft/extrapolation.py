"""From the energies on grids of different spacing to the one without a grid, and to error estimates.

    E(h) = E_0 + c h^p + ...:   p = 2 for second differences; p = 3 for a point nucleus in the sine basis, whose cusp
    has coefficients falling like k^-4, so that what the waves beyond pi/h would add falls like h^3

Without a cusp the sine basis converges faster than any power and the finest grid is the answer. The estimates: of an
extrapolated energy, its distance from the one extrapolated a grid earlier (which errs more), or with two grids a
share of the step it took; of the finest grid, its distance from the extrapolated one, or where the error falls faster
than any power, a share of the last change, the smaller the faster the changes fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OF_STEP = 0.5  # of the extrapolation from two grids, taken for its error where the finest shows every feature,
UNRESOLVED = 3.2  # and larger by the square of this times its spacing in sizes of the sharpest one, where above one
OF_CHANGE = 0.25  # of the last change, taken for the error where it falls faster than any power
LEAST = 1e-2  # the smallest ratio of changes believed


@dataclass(frozen=True)
class Extrapolated:
    """The value without a grid, its estimated error, and that of the finest grid."""

    value: float
    error: float
    finest_error: float


def extrapolate(
    values: Sequence[float], spacings: Sequence[float], order: int | None, coarse: float = 0.0
) -> Extrapolated:
    """Of ``values`` on grids of falling ``spacings``, at least two; ``order``: p, or None for faster than any power.

    ``coarse``: the finest spacing in sizes of the sharpest feature, lambda/Z of a point nucleus.
    """
    if order is None:
        change = abs(values[-1] - values[-2])
        share = OF_CHANGE
        if len(values) > 2:
            before = abs(values[-2] - values[-3])
            share = min(OF_CHANGE, max(LEAST, change / before)) if before > 0.0 else OF_CHANGE
        return Extrapolated(values[-1], share * change, share * change)
    value = _power(values[-2:], spacings[-2:], order)
    step = abs(value - values[-1])
    error = OF_STEP * max(1.0, UNRESOLVED * coarse) ** 2 * step
    if len(values) > 2:
        error = abs(value - _power(values[-3:-1], spacings[-3:-1], order))
    return Extrapolated(value, error, step + error)


def _power(values: Sequence[float], spacings: Sequence[float], order: int) -> float:
    """E_0 of two values."""
    ratio = (spacings[0] / spacings[1]) ** order
    return values[1] + (values[1] - values[0]) / (ratio - 1.0)
