"""Whether the error of a cross approximation still falls, over the evaluations it took.

A smooth function gains digits with every rank. Noise in the values, a value that is rounded to few digits, is a floor:
below it every rank is spent on entries that say nothing of each other. A jump across several modes has no small rank at
all, and the error at a kink falls as a small power of the rank, that of a smooth function as an exponential of it. A
rank r takes N ~ r^2 evaluations and W ~ r^3 operations of the algebra. With the error e

    the error stays               where it has fallen, and no more while N grew by ``AGAIN``: at a floor of noise, if
                                  the remainder is noise (solvers.cross.noise),
    the accuracy is out of reach  where log e ~ -a N^(1/2), with the slope at N that it has between N / ``WINDOW`` and
                                  N, does not come down to it within ``BEYOND`` times the evaluations allowed,
    the accuracy is too dear      where log e ~ -b W^(1/3), with the slope at W fitted between W / ``WINDOW``^2 and W,
                                  does not within ``MOST_WORK`` operations: a kink in long modes has few values for its
                                  ranks, and factorisations of minutes.

An error that falls as a power of N is at first taken for one that will fall faster, and no more when N is large; no
exponential is followed farther than to ``FARTHEST`` N, a power may be. The first is looked for from ``FEWEST``
evaluations on. The others may also be a function whose rank is large, but exact, before that rank is reached: they are
looked for from ``patience`` evaluations on, a method's option, and the last from ``LEAST_WORK`` operations on.
"""

from __future__ import annotations

import math
import statistics

import numpy as np

FALLEN = 30.0  # times: so much must the error have fallen before a floor is one
FLAT = 1.5  # times: an error that fell less has not fallen
AGAIN = 6.0  # times the evaluations over which it has not
FEWEST = 100_000  # evaluations from which on a floor is one
WINDOW = 4.0  # times the evaluations over which the power is taken
BEYOND = 1.0  # times the evaluations allowed
MOST_WORK = 1e11  # products of two numbers in the sweeps: a minute or two on one core
LEAST_WORK = 1e9  # a second
FARTHEST = 36.0  # times the evaluations so far: no exponential is followed farther
LEAST = 8  # errors for a fit


class Progress:
    """Errors over evaluations; ``accuracy``: on the scale of the errors; ``most``: evaluations allowed."""

    def __init__(self, accuracy: float, most: int, patience: int) -> None:
        self.accuracy, self.most, self.patience = accuracy, most, patience
        self.seen: list[tuple[int, float, float]] = []  # evaluations, error, work

    def note(self, evaluations: int, error: float, work: float = 0.0) -> None:
        """The largest error found so far at so many evaluations, and operations."""
        if error > 0.0:
            self.seen.append((evaluations, error, work))

    def lowest(self) -> float:
        """The smallest error so far."""
        return self._smallest(0.0, math.inf)

    def _largest(self, low: float, high: float) -> float:
        return max((e for n, e, _ in self.seen if low < n <= high), default=0.0)

    def _median(self, low: float, high: float) -> float:
        found = [e for n, e, _ in self.seen if low < n <= high]
        return statistics.median(found) if found else math.inf

    def _smallest(self, low: float, high: float) -> float:
        return min((e for n, e, _ in self.seen if low < n <= high), default=math.inf)

    def stays(self) -> bool:
        """Whether the error has fallen and falls no more."""
        if not self.seen or self.seen[-1][0] < FEWEST:
            return False
        now = self.seen[-1][0]
        before, last = self._median(now / AGAIN**2, now / AGAIN), self._median(now / AGAIN, now)
        fell = self._largest(0.0, now) >= FALLEN * last
        return fell and before <= FLAT * last

    def out_of_reach(self) -> bool:
        """Whether the accuracy lies far beyond the evaluations allowed, at the rate at which the error falls."""
        if not self.seen or self.seen[-1][0] < self.patience:
            return False
        now = self.seen[-1][0]
        old, new = self._largest(now / WINDOW**2, now / WINDOW), self._smallest(now / 2.0, now)
        if old == 0.0 or new <= self.accuracy:
            return False
        power = math.log(old / new) / math.log(WINDOW)
        wanted = math.log(new / self.accuracy)
        room = BEYOND * self.most / now
        return wanted > power * max(math.log(room), 2.0 * (math.sqrt(min(room, FARTHEST)) - 1.0))

    def too_dear(self) -> bool:
        """Whether the accuracy lies far beyond the operations allowed, at the rate at which the error falls."""
        if not self.seen or self.seen[-1][0] < self.patience:
            return False
        now = self.seen[-1][2]
        if now < LEAST_WORK:
            return False
        points = np.log([(w, e) for _, e, w in self.seen if w > now / WINDOW**2])
        if len(points) < LEAST:
            return False
        slope, level = np.polyfit(points[:, 0] - math.log(now), points[:, 1], 1)
        wanted = level - math.log(self.accuracy)  # what the error of the fit has still to fall
        return bool(wanted > 3.0 * max(-slope, 0.0) * ((MOST_WORK / now) ** (1.0 / 3.0) - 1.0))

    def ended(self) -> bool:
        """Whether to go on is no use, whatever an error that stays is of."""
        return self.out_of_reach() or self.too_dear()
