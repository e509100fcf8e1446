"""A state through spaces that grow: its levels, the one that moved least, and what that would still move by.

The error is the sum of a geometric series of the last changes before the least, or the change after it, where the
level has begun to drift, with a safety; what the level may lack by its residual; a share of what is in it to second
order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

SAFETY = 1.5  # on the changes to come
# of a change to the one before: they alternate, as even and odd quanta do, by up to three (formaldehyde, water)
UNKNOWN_RATIO, SMALLEST_RATIO, LARGEST_RATIO = 0.5, 0.3, 0.9
DRIFTING = 2  # steps in a row in which a level that is past its plateau moves more
UNSURE = 0.5  # of what is left to second order: its error; measured 0.08 to 0.4
FACTORS = (0.5, 5.0)  # of what products did in the space to what second order said of them, least and most


@dataclass
class Chain:
    """One state through the spaces: ``quanta`` and ``levels`` of each, ``residuals``: what these may lack, ``rests``:
    what is in them to second order, ``doubts``: the error of that, and the ``vector`` of the best so far.

    ``rest``, ``doubt``: so far; not a number for a state that began when products had been left out. ``factor``: what
    the products taken did last, by what second order had said.
    """

    charge: int
    rest: float = 0.0
    doubt: float = 0.0
    factor: float = 1.0
    quanta: list[int] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    residuals: list[float] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)
    doubts: list[float] = field(default_factory=list)
    vector: np.ndarray | None = None

    @property
    def changes(self) -> np.ndarray:
        """Of the level, from space to space."""
        return np.diff(self.levels)

    @property
    def best(self) -> int:
        """The place in ``levels`` of the one that moved least."""
        return 1 + int(np.argmin(np.abs(self.changes))) if len(self.levels) > 1 else 0

    @property
    def level(self) -> float:
        """The level where it moved least."""
        return self.levels[self.best]

    @property
    def error(self) -> float:
        """What it would still move by, see the module; infinite for a state seen once."""
        moved, at = np.abs(self.changes), self.best - 1
        if at < 0 or not np.isfinite(self.rest):
            return float("inf")
        own = self.residuals[self.best] + self.doubts[self.best]
        if at + 1 < len(moved):  # the drift after the plateau
            return SAFETY * float(max(moved[at], moved[at + 1])) + own
        ratios = [moved[i] / moved[i - 1] for i in range(max(1, at - 1), at + 1) if moved[i - 1] > 0.0]
        ratio = float(ratios[-1]) if ratios else UNKNOWN_RATIO
        if len(ratios) > 1:
            ratio += max(0.0, float(ratios[-1] - ratios[-2]))  # ratios rise towards the drift
        ratio = min(max(ratio, SMALLEST_RATIO), LARGEST_RATIO)
        # products left out have no part in what comes after them, which is as much of them as of those taken
        last = float(moved[at]) + abs(self.rests[self.best])
        return SAFETY * last * ratio / (1.0 - ratio) + own

    def drifts(self) -> bool:
        """Whether the level has passed its plateau for good."""
        return len(self.changes) - self.best >= DRIFTING

    def leave_out(self, rest: float, expected: float, done: float) -> None:
        """Products add ``rest`` to second order; those taken were ``expected`` to add so much, and have ``done``."""
        if expected:
            self.factor = float(np.clip(done / expected, *FACTORS))
        self.rest += self.factor * rest
        self.doubt += (abs(self.factor - 1.0) + UNSURE * self.factor) * abs(rest)

    def add(self, quanta: int, level: float, residual: float, vector: np.ndarray) -> None:
        """The state in the next space, with its ``level`` there."""
        known = self.rest if np.isfinite(self.rest) else 0.0
        self.quanta.append(quanta)
        self.levels.append(level + known)
        self.residuals.append(residual)
        self.rests.append(known)
        self.doubts.append(self.doubt)
        if self.best == len(self.levels) - 1:
            self.vector = vector
