"""Levels known from elsewhere, and how far a run is from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reference:
    """Energies from elsewhere, to compare a vibrational run with.

    Attributes
    ----------
    name : the column's name in the data file (machine-readable).
    label : the name used in texts and figures.
    source : where the numbers come from.
    levels : (m,) entry 0 is the lowest energy, absolute; NaN where nothing was published.
    relative : whether the entries 1.. are relative to entry 0 (spectroscopic levels) or absolute.
    judge : whether this is the column a run is judged against.
    uncertainty : what its own levels are good to; None where that is not said.
    """

    name: str
    label: str
    source: str
    levels: np.ndarray
    relative: bool
    judge: bool = False
    uncertainty: float | None = None

    def deviations(self, energies: np.ndarray) -> np.ndarray:
        """Signed deviation of absolute, ascending ``energies`` (n,) from this column, matched by order.

        The lowest energy is compared absolutely. With ``relative`` the others are compared relative to each
        list's own lowest energy, as levels are published. NaN where the column has no entry; shape
        (min(n, m),).
        """
        energies = np.asarray(energies, dtype=float)
        count = min(len(energies), len(self.levels))
        values = energies[:count].copy()
        if self.relative and count:
            values[1:] -= energies[0]
        return values - self.levels[:count]

    def at(self, i: int) -> float:
        """Entry i; NaN where the column does not reach."""
        return float(self.levels[i]) if i < len(self.levels) else math.nan

    def absolute(self) -> np.ndarray:
        """The column as absolute energies (m,)."""
        values = self.levels.copy()
        if self.relative:
            values[1:] += self.levels[0]
        return values
