"""Matrices of named one-mode operators, each a real matrix times 1 or i.

Names are real (q, b, Sx) or i times a real matrix (p, Y, Sy); so is every product of them. Kept apart, an even number
of imaginary factors gives a real operator to the last bit. Oscillator and boson products are multiplied out in as many
functions more as they can reach, then cut: their elements are exact, and (p^2 + q^2)/2 is the diagonal v + 1/2.

    sinc    T_ij = (-1)^(i-j) / (m h^2 (i-j)^2),  T_ii = pi^2/(6 m h^2),  p_ij = -i (-1)^(i-j)/(h (i-j)),  p_ii = 0
    spin    S+ |m> = sqrt(s(s+1) - m(m+1)) |m+1>,  Sx = (S+ + S-)/2,  Sy = (S+ - S-)/(2i)
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from problems.quantum.hamiltonians.terms.modes import Boson, Harmonic, Mode, Sinc, Spin
from problems.quantum.hamiltonians.terms.names import Product, degree

Phased = tuple[int, np.ndarray]  # power of i, 0 or 1, and the real matrix


@lru_cache(maxsize=2000)
def matrix(mode: Mode, product: Product) -> Phased:
    """The product on ``mode`` as i^a times a real matrix (n, n), read-only."""
    n = mode.size
    wide = n + degree(product) if isinstance(mode, (Harmonic, Boson)) else n
    phase, total = 0, np.eye(wide)
    for name, power in product:
        a, factor = _power(mode, name, power, wide)
        phase, total = phase + a, total @ factor
    total = np.ascontiguousarray(total[:n, :n] * (-1.0 if phase % 4 >= 2 else 1.0))
    total.flags.writeable = False
    return phase % 2, total


def parity(mode: Mode, axis: str) -> np.ndarray | None:
    """A reflection R, real symmetric with R^2 = 1, that turns q into -q, or a spin half round about ``axis`` (z or x).

    None where the basis has none: sinc points that do not lie symmetrically about zero.
    """
    if isinstance(mode, Sinc):
        a, b = mode.interval
        return np.eye(mode.size)[::-1].copy() if a == -b else None
    if isinstance(mode, Spin) and axis == "x":  # turns m into -m, up to one phase for all m
        return np.eye(mode.size)[::-1].copy()
    return np.diag((-1.0) ** np.arange(mode.size))


def _power(mode: Mode, name: str, power: int, n: int) -> Phased:
    if name == "p" and isinstance(mode, Sinc):  # p^2 is that of T, not the square of the cut p
        _, kinetic = _sinc(mode, "T")
        square = np.linalg.matrix_power(2.0 * mode.mass * kinetic, power // 2)
        one = _sinc(mode, "p")[1]  # commutes with the square only on infinitely many points
        return (1, 0.5 * (square @ one + one @ square)) if power % 2 else (0, square)
    a, one = _named(mode, name, n)
    return a * power, np.linalg.matrix_power(one, power)


def _named(mode: Mode, name: str, n: int) -> Phased:
    if isinstance(mode, Sinc):
        return _sinc(mode, name)
    if isinstance(mode, Spin):
        return _spin(mode, name)
    b = np.diag(np.sqrt(np.arange(1.0, n)), 1)
    mass, frequency = (mode.mass, mode.frequency) if isinstance(mode, Harmonic) else (1.0, 1.0)
    if name == "n":
        return 0, np.diag(np.arange(float(n)))
    if name == "T":
        root = _named(mode, "p", n)[1]
        return 0, -root @ root / (2.0 * mass)
    if name in ("b", "bdag"):
        return 0, b if name == "b" else b.T.copy()
    dimensionless = np.diag(np.sqrt(np.arange(1.0, n) / 2.0), 1)  # b / sqrt(2), as the force fields have it
    if name == "q":
        return 0, (dimensionless + dimensionless.T) / math.sqrt(mass * frequency)
    return 1, (dimensionless.T - dimensionless) * math.sqrt(mass * frequency)


def _sinc(mode: Sinc, name: str) -> Phased:
    a, b = mode.interval
    points = 0.5 * (a + b) + 0.5 * (b - a) * np.linspace(-1.0, 1.0, mode.points)
    points = 0.5 * (a + b) + 0.5 * ((points - 0.5 * (a + b)) - (points - 0.5 * (a + b))[::-1])  # symmetric exactly
    if name == "q":
        return 0, np.diag(points)
    h = (b - a) / (mode.points - 1)
    distance = np.subtract.outer(np.arange(mode.points), np.arange(mode.points)).astype(float)
    sign = np.where(distance % 2 == 0, 1.0, -1.0)
    np.fill_diagonal(distance, 1.0)
    if name == "T":
        kinetic = sign / (mode.mass * h * h * distance**2)
        np.fill_diagonal(kinetic, math.pi**2 / (6.0 * mode.mass * h * h))
        return 0, kinetic
    derivative = sign / (h * distance)
    np.fill_diagonal(derivative, 0.0)
    return 1, -derivative


def _spin(mode: Spin, name: str) -> Phased:
    s = mode.s
    m = s - np.arange(mode.size)
    if name in ("Sz", "Z"):
        return 0, np.diag(m if name == "Sz" else 2.0 * m)
    raising = np.diag(np.sqrt(s * (s + 1) - m[1:] * (m[1:] + 1)), 1)
    if name in ("S+", "S-"):
        return 0, raising if name == "S+" else raising.T.copy()
    scale = 1.0 if name in ("X", "Y") else 0.5
    if name in ("X", "Sx"):
        return 0, scale * (raising + raising.T)
    return 1, scale * (raising.T - raising)
