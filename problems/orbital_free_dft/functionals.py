"""The local part of the energy of an electron gas: Thomas-Fermi kinetic energy, Dirac exchange, correlation.

    e(rho) = C_TF rho^(5/3) - C_X rho^(4/3) + rho ec(rho),    C_TF = (3/10)(3 pi^2)^(2/3),  C_X = (3/4)(3/pi)^(1/3)

as functions of the orbital phi, rho = phi^2, always as products with phi: |phi|^(4/3) phi is smooth where phi, cut to
low rank, dips below zero in the tail; rho^(2/3) alone is not. Correlation of the unpolarised gas, with rs = (3 / 4 pi
rho)^(1/3): PW92 (Perdew and Wang, Phys. Rev. B 45, 13244 (1992), eq. 10 and table I) and VWN5 (Vosko, Wilk and
Nusair, Can. J. Phys. 58, 1200 (1980), eq. 4.4, fit to Ceperley and Alder). Hartree atomic units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

C_TF = 0.3 * (3.0 * np.pi**2) ** (2.0 / 3.0)
C_X = 0.75 * (3.0 / np.pi) ** (1.0 / 3.0)
TINY = 1e-60  # a density below this has no correlation energy worth a number


def pw92(rs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation energy an electron and its derivative by rs."""
    a, alpha, beta = 0.0310907, 0.21370, (7.5957, 3.5876, 1.6382, 0.49294)
    root = np.sqrt(rs)
    q = 2.0 * a * root * (beta[0] + root * (beta[1] + root * (beta[2] + root * beta[3])))
    slope = a * (beta[0] / root + 2.0 * beta[1] + root * (3.0 * beta[2] + 4.0 * beta[3] * root))
    logarithm = np.log1p(1.0 / q)
    energy = -2.0 * a * (1.0 + alpha * rs) * logarithm
    return energy, -2.0 * a * (alpha * logarithm - (1.0 + alpha * rs) * slope / (q * (q + 1.0)))


def vwn5(rs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation energy an electron and its derivative by rs."""
    a, x0, b, c = 0.0310907, -0.10498, 3.72744, 12.9352
    x, q = np.sqrt(rs), np.sqrt(4.0 * c - b * b)
    full, at0 = x * x + b * x + c, x0 * x0 + b * x0 + c
    angle = np.arctan(q / (2.0 * x + b))
    share = b * x0 / at0
    energy = a * (
        np.log(x * x / full)
        + 2.0 * b / q * angle
        - share * (np.log((x - x0) ** 2 / full) + 2.0 * (b + 2.0 * x0) / q * angle)
    )
    turn = -2.0 * q / ((2.0 * x + b) ** 2 + q * q)  # d angle / dx
    grow = (2.0 * x + b) / full
    slope = a * (
        2.0 / x - grow + 2.0 * b / q * turn - share * (2.0 / (x - x0) - grow + 2.0 * (b + 2.0 * x0) / q * turn)
    )
    return energy, slope / (2.0 * x)


_CORRELATION = {"pw92": pw92, "vwn5": vwn5}


@dataclass(frozen=True)
class Functional:
    """The local functional of a model: with ``exchange`` or not, ``correlation`` one of pw92, vwn5, or None."""

    exchange: bool
    correlation: str | None

    @classmethod
    def named(cls, name: str) -> Functional:
        """From TFW, TFDW, TFDW+pw92 or TFDW+vwn5."""
        model, _, correlation = name.partition("+")
        return cls(model == "TFDW", correlation or None)

    def potential(self, phi: np.ndarray) -> np.ndarray:
        """phi times the derivative of e by rho: (5/3) C_TF |phi|^(4/3) phi - (4/3) C_X |phi|^(2/3) phi + v_c phi."""
        third = np.cbrt(phi)  # carries the sign
        square = third * third
        out = (5.0 / 3.0) * C_TF * square * square
        if self.exchange:
            out -= (4.0 / 3.0) * C_X * square
        if self.correlation is not None:
            out += self.correlated(phi)[1]
        return out * phi

    def energy(self, phi: np.ndarray) -> np.ndarray:
        """e(rho) / phi, so that its integral with phi is the energy."""
        third = np.cbrt(phi)
        square = third * third
        out = C_TF * square * square
        if self.exchange:
            out -= C_X * square
        if self.correlation is not None:
            out += self.correlated(phi)[0]
        return out * phi

    def correlated(self, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Correlation energy an electron ec and potential v_c = ec - (rs/3) d ec/d rs; zero without a density."""
        if self.correlation is None:
            return np.zeros_like(phi), np.zeros_like(phi)
        rho = np.maximum(phi * phi, TINY)
        rs = (0.75 / (np.pi * rho)) ** (1.0 / 3.0)
        energy, slope = _CORRELATION[self.correlation](rs)
        dense = phi * phi > TINY
        return np.where(dense, energy, 0.0), np.where(dense, energy - rs / 3.0 * slope, 0.0)
