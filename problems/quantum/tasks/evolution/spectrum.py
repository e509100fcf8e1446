"""The spectrum of an autocorrelation function and its lines.

With a(-t) = a(t)* and a window w that ends at T,

    S(E) = (1/pi) Re int_0^T w(t) a(t) exp(iEt) dt ,     a(t) = sum_n |c_n|^2 exp(-i E_n t),

every line is the transform of the window, of height |c_n|^2 (1/pi) int_0^T w dt. Lines closer than about pi/T, the
resolution, are one. The integral is the trapezoidal sum over the output times, exact but for energies outside a band
of width 2 pi / output step, which fold back into it. Cost O(times x energies).
"""

from __future__ import annotations

import math

import numpy as np

POINTS = 10  # of the energy grid, a resolution
MOST_POINTS = 40_000
SPREAD = 6.0  # standard deviations of the energy, to either side
FAINT = 1e-3  # of the highest line: nothing below is a line
NOTHING = 3e-5
NEAR = 1.5  # resolutions: maxima closer than this do not hide each other
LOBE_MARGIN = 1.2  # on the side lobes of the lines accepted so far
GAUSSIAN_END = 3.5  # standard deviations of the Gaussian window, at the last time


def window_values(name: str, t: np.ndarray, broadening: float | None = None) -> np.ndarray:
    """w(t) on times (T,) from 0 to the last; ``broadening``: full width at half maximum of an additional Gaussian."""
    s = t / t[-1]
    if name in ("hann", "cos2"):
        w = np.cos(0.5 * math.pi * s) ** 2
    elif name == "gaussian":
        w = np.exp(-0.5 * (GAUSSIAN_END * s) ** 2)
    else:
        w = np.ones_like(t)
    if broadening:
        sigma = broadening / (2.0 * math.sqrt(2.0 * math.log(2.0)))
        w = w * np.exp(-0.5 * (sigma * t) ** 2)
    return w


def line_height(t: np.ndarray, w: np.ndarray) -> float:
    """Height of a line that holds the whole state."""
    return float(np.trapezoid(w, t)) / math.pi


def transform(t: np.ndarray, a: np.ndarray, w: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """S at ``energies`` (E,) from a and w at evenly spaced times (T,)."""
    weights = np.full(len(t), t[1] - t[0])
    weights[[0, -1]] *= 0.5
    amplitude = weights * w * a / math.pi
    values = np.empty(len(energies))
    for first in range(0, len(energies), 1000):
        part = energies[first : first + 1000]
        values[first : first + 1000] = (np.exp(1j * np.outer(part, t)) @ amplitude).real
    return values


def energy_grid(t: np.ndarray, mean: float, deviation: float, asked: tuple[float, float] | None) -> np.ndarray:
    """Energies at a tenth of the resolution over the range asked for, or where the start has energy.

    Never wider than the band 2 pi / output step, beyond which the spectrum only repeats.
    """
    resolution, band = math.pi / t[-1], 2.0 * math.pi / (t[1] - t[0])
    if asked is not None:
        low, high = asked
    else:
        reach = SPREAD * deviation + 4.0 * resolution
        low, high = mean - reach, mean + reach
    if high - low > band:
        middle = min(max(mean, low + 0.5 * band), high - 0.5 * band)
        low, high = middle - 0.5 * band, middle + 0.5 * band
    count = min(MOST_POINTS, max(2, math.ceil((high - low) / resolution * POINTS) + 1))
    return np.linspace(low, high, count)


def lines(
    energies: np.ndarray, values: np.ndarray, resolution: float, window: str, whole: float
) -> list[tuple[float, float]]:
    """(energy, height) of the local maxima that are no side lobes, ascending, refined by a parabola.

    ``whole``: height of a line that holds the whole state; below its share ``NOTHING`` nothing is a line.
    """
    inner = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:])) + 1
    if not len(inner):
        return []
    top = values[inner].max()
    kept: list[int] = []
    # from the highest down: a line must rise above the side lobes of all higher ones
    for i in inner[np.argsort(-values[inner], kind="stable")]:
        distance = np.abs(energies[kept] - energies[i]) / resolution
        far = distance > NEAR
        lobes = float(np.sum(side_lobes(window, distance[far]) * values[kept][far]))
        if values[i] >= max(FAINT * top, NOTHING * whole, LOBE_MARGIN * lobes):
            kept.append(int(i))
    step = energies[1] - energies[0]
    found = []
    for i in sorted(kept):
        before, here, after = values[i - 1], values[i], values[i + 1]
        shift = 0.5 * (before - after) / (before - 2.0 * here + after)
        found.append((float(energies[i] + shift * step), float(here - 0.25 * (before - after) * shift)))
    return found


def side_lobes(window: str, distance: np.ndarray) -> np.ndarray:
    """Envelope of a line's side lobes, of its height, at distances in resolutions (beyond the main lobe)."""
    x = math.pi * distance
    if window in ("hann", "cos2"):
        return 1.0 / (x * np.abs(1.0 - distance**2))
    if window == "gaussian":  # what the end at T cuts off, over the mean of the window
        return math.exp(-0.5 * GAUSSIAN_END**2) * GAUSSIAN_END / (math.sqrt(0.5 * math.pi) * x)
    return 1.0 / x


def significant_range(energies: np.ndarray, values: np.ndarray, resolution: float) -> slice:
    """The part of a grid beyond which nothing reaches a thousandth of the highest line."""
    high = np.flatnonzero(np.abs(values) > FAINT * np.abs(values).max())
    margin = math.ceil(3.0 * resolution / (energies[1] - energies[0]))
    return slice(max(0, high[0] - margin), min(len(values), high[-1] + margin + 1))
