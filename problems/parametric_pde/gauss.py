"""Gauss points of the parameters: Legendre for uniform, Hermite for normal ones, and how many are needed.

A priori: where the coefficient becomes zero, at a complex value of one parameter, the solution stops being analytic;
the largest Bernstein ellipse without that point, of sum of half-axes rho, bounds the interpolation error by rho^-n
(Babuska, Nobile, Tempone, SIAM J. Numer. Anal. 45, 1005 (2007), sec. 4). The other parameters are taken two standard
deviations off. A log-normal field has entire dependence; with c the amplitude of the parameter the coefficients fall
as c^n / sqrt(n!). A posteriori: problems.parametric_pde.statistics.tails.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import leggauss

from problems.parametric_pde.fields import Affine, Coefficient, Discs, Lognormal

SURROGATE_SHARE = 1.0  # interpolation error allowed, over the accuracy: means and variances gain its square
MOST = 40
LEAST = 3


def rule(distribution: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """n points (n,) and probabilities (n,) for a ``uniform`` parameter on [-1, 1] or a standard ``normal`` one."""
    x, w = leggauss(n) if distribution == "uniform" else hermegauss(n)
    return x, w / w.sum()


def polynomials(distribution: str, n: int, y: np.ndarray) -> np.ndarray:
    """The n first orthonormal polynomials at y (s,) -> (s, n), by their three-term recurrence."""
    out = np.empty((len(y), n))
    out[:, 0] = 1.0
    before, c = np.zeros(len(y)), 0.0
    for k in range(1, n):
        b = np.sqrt(k) if distribution == "normal" else k / np.sqrt(4.0 * k * k - 1.0)
        out[:, k] = (y * out[:, k - 1] - c * before) / b
        before, c = out[:, k - 1], b
    return out


def automatic_points(field: Coefficient, x: np.ndarray, accuracy: float) -> list[int]:
    """Points a parameter for a field in cells with midpoints x (cells, dimensions)."""
    goal = min(SURROGATE_SHARE * accuracy, 0.1)
    if isinstance(field, Lognormal):
        counts = [_hermite(float(c), goal) for c in np.abs(field.modes(x)).max(axis=1)]
    else:
        counts = [int(np.ceil(-np.log(goal) / np.log(rho))) for rho in _ellipses(field, x)]
    return [min(max(n, LEAST), MOST) for n in counts]


def _ellipses(field: Affine | Discs, x: np.ndarray) -> list[float]:
    """Sum of half-axes of the largest ellipse without a zero of the coefficient, one a parameter."""
    if isinstance(field, Affine):
        modes = field.modes(x)
        found = []
        for m in range(field.d):
            others = np.delete(modes, m, axis=0)
            spread = np.minimum(2.0 * np.sqrt((others**2).sum(axis=0) / 3.0), np.abs(others).sum(axis=0))
            zero = ((field.mean - spread) / np.maximum(np.abs(modes[m]), 1e-300)).min()
            found.append(_half_axes(complex(max(zero, 1.0 + 1e-3))))
        return found
    low, high = field.range
    half = 0.5 * (high - low)
    if field.scale == "linear":
        zero = complex(-0.5 * (low + high) / half)
    else:  # log mu - log background reaches i pi
        zero = complex((np.log10(field.background) - 0.5 * (low + high)) / half, np.pi / np.log(10.0) / half)
    return [_half_axes(zero)] * field.d


def _half_axes(z: complex) -> float:
    """Sum of the half-axes of the ellipse with foci -1, 1 through z."""
    root = np.sqrt(z * z - 1.0)
    return float(max(abs(z + root), abs(z - root)))


def _hermite(c: float, goal: float) -> int:
    """Least n with c^n / sqrt(n!) below ``goal``."""
    size, n = 1.0, 0
    while size > goal or n < c * c:
        n += 1
        size *= c / np.sqrt(n)
        if n >= MOST:
            break
    return n
