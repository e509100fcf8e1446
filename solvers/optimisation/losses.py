"""Losses of a value predicted x beside one known b: squares, Huber's, and the logistic one of yes and no.

Each has its derivative in x, and the quadratic function w (x - z)^2 / 2 + c that touches it at x and lies nowhere below
it: minimising that, again and again, never raises the loss (iteratively reweighted least squares). Huber, Annals of
Mathematical Statistics 35, 73 (1964); Boehning and Lindsay, Annals of the Institute of Statistical Mathematics 40, 641
(1988), for the bound 1/4 of the logistic curvature. Values may be complex, but for yes and no: the loss is then one of
|x - b|, and its derivative the direction in the plane that the real inner product has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

NORMAL = 1.4826  # the standard deviation of a normal distribution over its median absolute deviation
CIRCULAR = 1.2011  # the same of complex values that are normal in the plane: 1 / sqrt(log 2)
EFFICIENT = 1.345  # standard deviations: there Huber's loss has 95 % of the efficiency of squares on normal noise


class Loss(Protocol):
    """A loss of each of m entries, convex in the prediction."""

    def each(self, found: np.ndarray, true: np.ndarray) -> np.ndarray:
        """The loss of every entry (m,); that of squares is (x - b)^2 / 2."""

    def derivative(self, found: np.ndarray, true: np.ndarray) -> np.ndarray:
        """By the prediction (m,)."""

    def above(self, found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights w and targets z (m,) of the quadratic functions that touch the loss from above."""


@dataclass(frozen=True)
class Squares:
    """|x - b|^2 / 2."""

    def each(self, found: np.ndarray, true: np.ndarray) -> np.ndarray:
        return 0.5 * np.abs(found - true) ** 2

    def derivative(self, found: np.ndarray, true: np.ndarray) -> np.ndarray:
        return found - true

    def above(self, found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.ones(len(true)), true


@dataclass(frozen=True)
class Huber:
    """|x - b|^2 / 2 up to a distance ``delta`` (in the unit of the values; one, or one an entry), linear beyond.

    Raises ValueError where ``delta`` is not above zero.
    """

    delta: float | np.ndarray

    def __post_init__(self) -> None:
        if not np.all(np.asarray(self.delta) > 0.0):
            raise ValueError(f"Huber: delta is {self.delta!r}; give a distance above zero, in the unit of the values")

    def each(self, found: np.ndarray, true: np.ndarray) -> np.ndarray:
        off = np.abs(found - true)
        near = np.minimum(off, self.delta)
        return near * (off - 0.5 * near)

    def derivative(self, found: np.ndarray, true: np.ndarray) -> np.ndarray:
        return (found - true) * self.above(found, true)[0]

    def above(self, found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.delta / np.maximum(np.abs(found - true), self.delta), true


@dataclass(frozen=True)
class Logistic:
    """log(1 + e^x) - b x for b of 0 or 1: x are log-odds, and 1 / (1 + e^-x) is the probability of a one."""

    def each(self, found: np.ndarray, true: np.ndarray) -> np.ndarray:
        return np.logaddexp(0.0, found) - true * found

    def derivative(self, found: np.ndarray, true: np.ndarray) -> np.ndarray:
        return probability(found) - true

    def above(self, found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full_like(found, 0.25), found - 4.0 * self.derivative(found, true)


def probability(odds: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x) of log-odds, without overflow."""
    small = np.exp(-np.abs(odds))
    return np.where(odds >= 0.0, 1.0, small) / (1.0 + small)


def robust_scale(residual: np.ndarray) -> float:
    """The standard deviation that normal residuals of this median size have; half of them may be anything."""
    return (CIRCULAR if np.iscomplexobj(residual) else NORMAL) * float(np.median(np.abs(residual)))
