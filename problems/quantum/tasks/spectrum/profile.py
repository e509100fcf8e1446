"""Lines broadened into the profile of a spectrum.

    S(x) = sum_l I_l g(x - x_l),     int g = 1,

g a Lorentzian (2 / pi w) / (1 + (2x/w)^2) or a Gaussian (2/w) (ln 2 / pi)^(1/2) exp(-4 ln 2 (x/w)^2) of full width w at
half maximum. With S in km/mol per cm-1 the decadic molar absorption coefficient is 100 / ln 10 S, in L/(mol cm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

POINTS = 10  # a width: the sum over the points is then the integral to 1e-13
MOST_POINTS = 40_000
MARGIN = 10.0  # widths beside the outermost lines, where no range is given
MOLAR = 100.0 / math.log(10.0)  # L/(mol cm) of 1 km/mol per cm-1
ROUNDED = 1e-6  # of a step: a range of whole steps is one
BLOCK = 500  # lines broadened at once


def shape(x: np.ndarray, form: str, fwhm: float) -> np.ndarray:
    """g at distances ``x`` from a line, in 1/cm-1."""
    u = 2.0 * x / fwhm
    if form == "gaussian":
        return (2.0 / fwhm) * math.sqrt(math.log(2.0) / math.pi) * np.exp(-math.log(2.0) * u * u)
    return (2.0 / (math.pi * fwhm)) / (1.0 + u * u)


def grid(positions: np.ndarray, fwhm: float, asked: Sequence[float] | None) -> np.ndarray:
    """Wavenumbers a tenth of a width apart over the range asked for, or over all lines and a margin.

    Coarser where these would be more than MOST_POINTS.
    """
    step = fwhm / POINTS
    if asked is None:  # at multiples of the step
        ends = positions if len(positions) else np.zeros(1)
        low = step * math.floor(max(0.0, float(np.min(ends)) - MARGIN * fwhm) / step)
        high = step * math.ceil((float(np.max(ends)) + MARGIN * fwhm) / step)
    else:
        low, high = asked
    count = min(MOST_POINTS, math.ceil((high - low) / step - ROUNDED) + 1)
    return np.linspace(low, high, max(count, 2))


def profile(x: np.ndarray, positions: np.ndarray, intensities: np.ndarray, form: str, fwhm: float) -> np.ndarray:
    """S at ``x`` (m,) in km/mol per cm-1. Cost O(m lines)."""
    found = np.zeros(len(x))
    for first in range(0, len(positions), BLOCK):
        part = slice(first, first + BLOCK)
        found += shape(x[:, None] - positions[None, part], form, fwhm) @ intensities[part]
    return found
