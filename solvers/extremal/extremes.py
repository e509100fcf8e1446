"""What ``extreme`` returns: a solution whose value is the smallest and the largest entry, with their places."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solvers.cards import Card, Fact, ends, number, size
from solvers.solution import Solution


@dataclass(frozen=True, eq=False)
class Extremes(Card):
    """The smallest and the largest value, multi-indices (d,) where they are, and what no value is below or above.

    ``least`` and ``most``: bounds, infinite where none is known; NaN and None stand for what was not asked for.
    """

    minimum: float
    maximum: float
    argmin: np.ndarray | None
    argmax: np.ndarray | None
    least: float
    most: float

    def worded(self) -> list[Fact]:
        """Both values, where, and how far beyond them others can lie."""
        told: list[Fact] = []
        for name, value, where, room in (
            ("minimum", self.minimum, self.argmin, self.minimum - self.least),
            ("maximum", self.maximum, self.argmax, self.most - self.maximum),
        ):
            if where is not None:
                beyond = f"none beyond by more than {size(room)}" if math.isfinite(room) else "no bound"
                told.append((name, f"{number(value)} at ({ends(where.tolist())}), {beyond}"))
        return told


class ExtremeSolution(Solution):
    """A Solution with the names of its value at hand."""

    @property
    def minimum(self) -> float:
        return self.value.minimum

    @property
    def maximum(self) -> float:
        return self.value.maximum

    @property
    def argmin(self) -> np.ndarray | None:
        return self.value.argmin

    @property
    def argmax(self) -> np.ndarray | None:
        return self.value.argmax

    @property
    def max_abs(self) -> float:
        """The largest absolute value; NaN where one side alone was asked for."""
        return float(np.maximum(abs(self.value.minimum), abs(self.value.maximum)))

    @property
    def argmax_abs(self) -> np.ndarray | None:
        """Where it is."""
        return self.argmax if abs(self.maximum) >= abs(self.minimum) else self.argmin
