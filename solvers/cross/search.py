"""Where a cross approximation may be wrong: the points it is judged at, and the way from them to the worst nearby.

Random points say what share of all entries can be wrong (``unseen_share``). An error in few entries is more likely met
where the function is special: at the corners, beside places where errors were found before, and where the left part of
one pivot meets the right part of another. From the worst of all these the search goes along single modes to a local
maximum of the error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

STARTS = 4  # points from which the search goes along single modes
ROUNDS = 2  # through all modes
LINE = 32  # indices of a mode that are looked at, drawn afresh each time where it has more
MIXED = 400  # points of two pivots, a check
REMEMBERED = 30  # failures whose neighbours are looked at, the latest
EVIDENCE = float(-np.log(1e-4))  # N random points without an error bound the share of worse entries by this over N,
# but for one case in 10^4; three over N would hold in 19 of 20


class Search:
    """The search for errors in a tensor of ``shape``; ``size``: (m, d) multi-indices -> (m,) errors."""

    def __init__(self, shape: Sequence[int], rng: np.random.Generator) -> None:
        self.shape, self.rng = tuple(shape), rng
        self.failures = np.zeros((0, len(self.shape)), dtype=np.int64)

    def random(self, count: int) -> np.ndarray:
        """Independent points (count, d), each entry as likely as any other."""
        return np.column_stack([self.rng.integers(0, n, count) for n in self.shape])

    def remember(self, points: np.ndarray) -> None:
        """Points (p, d) where errors were found: neighbours of them are looked at from now on."""
        self.failures = np.concatenate([self.failures, points])[-REMEMBERED:]

    def suspects(self, pivots: np.ndarray) -> np.ndarray:
        """Points chosen, not drawn: corners, neighbours of failures, parts of two pivots (p, d) put together."""
        parts = [self._corners(), *(self._neighbours(point) for point in self.failures)]
        if len(pivots) and len(self.shape) > 1:
            one, two = self.rng.integers(0, len(pivots), (2, MIXED))
            cut = self.rng.integers(1, len(self.shape), MIXED)
            parts.append(np.where(np.arange(len(self.shape)) < cut[:, None], pivots[one], pivots[two]))
        return np.concatenate(parts)

    def _corners(self) -> np.ndarray:
        top = np.array(self.shape) - 1
        one = np.diag(top)
        return np.concatenate([(0 * top)[None], top[None], (top // 2)[None], one, top - one])

    def _neighbours(self, point: np.ndarray) -> np.ndarray:
        """One step in every mode, and one in the number whose digits the last modes are: a step with its carries."""
        d, top = len(self.shape), np.array(self.shape) - 1
        steps = np.concatenate([np.eye(d, dtype=np.int64), -np.eye(d, dtype=np.int64)])
        near = [np.clip(point + steps, 0, top)]
        for m in range(d):
            for sign, edge, fill in ((1, top, 0 * top), (-1, 0 * top, top)):
                moved, k = point.copy(), m
                while k >= 0 and moved[k] == edge[k]:
                    moved[k] = fill[k]
                    k -= 1
                if k >= 0:
                    moved[k] += sign
                    near.append(moved[None])
        return np.concatenate(near)

    def climb(self, size: Callable[[np.ndarray], np.ndarray], points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From points (p, d) along single modes to where ``size`` is largest; the points reached and their sizes."""
        points = points.copy()
        largest = size(points)
        for _ in range(ROUNDS):
            before = points.copy()
            for m, n in enumerate(self.shape):
                looked = np.arange(n) if n <= LINE else self.rng.choice(n, LINE, replace=False)
                lines = np.repeat(points, len(looked), axis=0)
                lines[:, m] = np.tile(looked, len(points))
                sizes = size(lines).reshape(len(points), len(looked))
                best = np.argmax(sizes, axis=1)
                found = sizes[np.arange(len(points)), best]
                better = found > largest
                points[better, m] = looked[best[better]]
                largest = np.maximum(largest, found)
            if np.array_equal(before, points):
                break
        return points, largest
