"""Alternating least squares for the CP format, held to the sweep before by a weight that fades.

For the factor U of one mode, Z the Khatri-Rao product of the others and G = Z^T Z the product of their Gram matrices:

    minimise |T - U Z^T|^2 + w |U - U_before|^2,   U = (T Z + w U_before) (G + w I)^-1

Proximal alternating least squares: Li, Kindermann and Navasca, Linear Algebra Appl. 439, 796 (2013). Index letters:
N entries, R terms. Cost a sweep d N R + d R^3.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from solvers.formats.cp.fit import Fit
from solvers.formats.cp.tensor import CPTensor, khatri_rao

HALVED = 50  # sweeps, after which the weight is halved
STILL = 1e-9  # relative change of the error over STILL_SWEEPS: no step improves it
STILL_SWEEPS = 20


class AlternatingFit(Fit):
    """One start under alternating least squares."""

    def __init__(self, target: np.ndarray, factors: list[np.ndarray], most: int, weight: float) -> None:
        super().__init__(target, factors, most)
        self.weight = weight

    def plain(self) -> dict[str, Any]:
        return {"weight": self.weight}

    def step(self) -> None:
        """A sweep over all factors."""
        # 1 columns of one term equally long, so that the weight means the same for all
        factors = list(CPTensor(tuple(self.factors)).balanced().factors)
        # 2 each factor in turn
        for k in range(len(factors)):
            others = [u for m, u in enumerate(factors) if m != k]
            gram = reduce(np.multiply, (u.T @ u for u in others))
            right = self.unfoldings[k] @ khatri_rao(others) + self.weight * factors[k]
            factors[k] = _solved(gram, self.weight, right)
        self.factors = factors
        self.errors.append(float(np.linalg.norm(self.misfit(factors))))
        # 3 the weight fades
        if len(self.errors) % HALVED == 0:
            self.weight *= 0.5
        before = self.errors[-STILL_SWEEPS - 1] if len(self.errors) > STILL_SWEEPS else np.inf
        self.still = abs(before - self.errors[-1]) <= STILL * self.errors[-1]


def _solved(gram: np.ndarray, weight: float, right: np.ndarray) -> np.ndarray:
    """right (G + w I)^-1, of least norm where that is singular."""
    shifted = gram + weight * np.eye(len(gram))
    try:
        return cho_solve(cho_factor(shifted, check_finite=False), right.T, check_finite=False).T
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(shifted, right.T, rcond=None)[0].T
