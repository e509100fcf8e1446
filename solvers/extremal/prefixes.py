"""The extremes of a train by branch and bound over its first indices.

    1. The prefixes of k indices are rows v (p, r); each goes on with all n indices of mode k.
    2. A row inside the convex hull of the others is never the best for any continuation v . w, which is linear in v:
       where the rows span at most three dimensions, the corners of their hull are kept.
    3. A row goes on when its bounds (solvers.extremal.suffixes) leave room above the largest value seen or below the
       smallest.
    4. When prefixes times combinations of later indices are few, all of them are evaluated.

Nothing is lost, and the extremes are proven, unless more than ``most`` rows want to go on: then the most promising do,
and the bounds of the others are what may have been missed. Exact at once for products and sums of functions of one
mode (one and two dimensions). Land and Doig, Econometrica 28, 497 (1960). Cost p n r^2 a mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from solvers.extremal.suffixes import Suffixes

HULL = 3  # dimensions of hulls that are taken
FLAT = 1e-14  # singular value, over the largest row, below which rows do not leave a plane
FINISH = 2**26  # prefixes times combinations of later indices that are evaluated at the end
BLOCK = 2**20  # numbers of a block of rows or of values


@dataclass
class Seen:
    """The extreme values seen and where, and between which all others lie if what was dropped is what was missed."""

    low: float
    high: float
    argmin: np.ndarray
    argmax: np.ndarray

    def update(self, values: np.ndarray, indices: np.ndarray) -> None:
        """Values (m,) at multi-indices (m, d); NaN counts for nothing."""
        if np.isnan(values).all():
            return
        i, j = int(np.nanargmin(values)), int(np.nanargmax(values))
        if values[i] < self.low:
            self.low, self.argmin = float(values[i]), indices[i].copy()
        if values[j] > self.high:
            self.high, self.argmax = float(values[j]), indices[j].copy()


class Prefixes:
    """The search on a train of real ``cores``; ``seen`` is bettered in place, ``gap`` the room that does not count.

    ``least`` and ``largest``: bounds of every entry that was not looked at, infinite where there is none.
    """

    def __init__(
        self, cores: Sequence[np.ndarray], seen: Seen, gap: float, most: int, sides: tuple[bool, bool] = (True, True)
    ) -> None:
        self.cores, self.seen, self.gap, self.most = cores, seen, gap, most
        self.below, self.above = sides  # which extremes are looked for
        self.suffixes = Suffixes(cores)
        self.least, self.largest = np.inf, -np.inf
        self.looked = 0

    def steps(self) -> Iterator[int]:
        """The number of rows after each mode, until all is done."""
        d = len(self.cores)
        rows = np.ones((1, 1))
        chain: list[tuple[np.ndarray, np.ndarray]] = []
        for k in range(d + 1):
            later = self.suffixes.all[k]
            if later is not None and (k == d or len(rows) * later.shape[1] <= FINISH):
                self._finish(k, rows, later, chain)
                return
            rows, parents, index = self._grown(k, rows)
            chain.append((parents, index))
            yield len(rows)
            if not len(rows):
                return

    def _grown(self, k: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Steps 1 to 3 for mode k: the rows that go on, which rows they come from, and their indices."""
        core = self.cores[k]
        n, r = core.shape[1], core.shape[2]
        kept: list[tuple[np.ndarray, ...]] = []
        size = max(1, BLOCK // (n * r))
        for first in range(0, len(rows), size):
            some = rows[first : first + size]
            new = np.tensordot(some, core, axes=1).reshape(-1, r)
            number = np.arange(first * n, first * n + len(new))
            low, high = self.suffixes.bounds(k + 1, new)
            self.looked += len(new)
            going = (self.above & (high > self.seen.high + self.gap)) | (self.below & (low < self.seen.low - self.gap))
            kept.append((new[going], number[going], low[going], high[going]))
            if sum(len(part[1]) for part in kept) > 4 * self.most:
                kept = [self._cut(*self._hull(kept))]
        new, number, low, high = self._cut(*self._hull(kept))
        return new, number // n, number % n

    def _hull(self, parts: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
        """The corners of the convex hull where the rows span few dimensions; all rows where they do not."""
        rows, number, low, high = (np.concatenate(column) for column in zip(*parts))
        if len(rows) < 2:
            return rows, number, low, high
        size = np.abs(rows).max()
        gram = rows.T @ rows
        if size > 0.0 and np.count_nonzero(np.linalg.eigvalsh(gram) > 1e-10 * np.trace(gram)) > HULL + 1:
            return rows, number, low, high
        apart = rows - rows.mean(axis=0)
        _, values, turned = np.linalg.svd(apart, full_matrices=False)
        span = int(np.count_nonzero(values > FLAT * max(size, 1e-300) * np.sqrt(len(rows))))
        if span == 0:
            corners = np.zeros(1, dtype=np.int64)
        elif span == 1:
            along = apart @ turned[0]
            corners = np.unique([int(along.argmin()), int(along.argmax())])
        elif span <= HULL and len(rows) > span + 1:
            try:
                corners = np.sort(ConvexHull(apart @ turned[:span].T / values[:span]).vertices)
            except QhullError:  # a hull too thin for its arithmetic
                return rows, number, low, high
        else:
            return rows, number, low, high
        return rows[corners], number[corners], low[corners], high[corners]

    def _cut(
        self, rows: np.ndarray, number: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """At most ``most`` rows: half with the most room above, half below; what others could reach is noted."""
        if len(rows) <= self.most:
            return rows, number, low, high
        chosen = np.zeros(len(rows), dtype=bool)
        share = self.most // (self.above + self.below)
        for measure, wanted in ((-high, self.above), (low, self.below)):
            if wanted:
                chosen[np.argpartition(measure, share)[:share]] = True
        self.least = min(self.least, float(low[~chosen].min(initial=np.inf)))
        self.largest = max(self.largest, float(high[~chosen].max(initial=-np.inf)))
        return rows[chosen], number[chosen], low[chosen], high[chosen]

    def _finish(self, k: int, rows: np.ndarray, later: np.ndarray, chain: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Step 4."""
        size = max(1, BLOCK // later.shape[1])
        shape = tuple(core.shape[1] for core in self.cores[k:])
        for first in range(0, len(rows), size):
            values = rows[first : first + size] @ later
            self.looked += values.size
            for better, at in (
                (values.min() < self.seen.low, values.argmin()),
                (values.max() > self.seen.high, values.argmax()),
            ):
                if better:
                    row, column = divmod(int(at), later.shape[1])
                    tail = np.array(np.unravel_index(column, shape), dtype=np.int64) if shape else np.zeros(0, np.int64)
                    whole = np.concatenate([_prefix(chain, first + row), tail])
                    self.seen.update(values.ravel()[at : at + 1], whole[None])


def _prefix(chain: list[tuple[np.ndarray, np.ndarray]], row: int) -> np.ndarray:
    """The indices that a row has taken."""
    found = []
    for parents, index in reversed(chain):
        found.append(int(index[row]))
        row = int(parents[row])
    return np.array(found[::-1], dtype=np.int64)
