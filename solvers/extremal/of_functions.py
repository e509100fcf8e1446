"""The extremes of a function of indices from a number of evaluations.

Where the entries are no more than that, all are evaluated. Else, for the minimum (and for the maximum, of -f), round by
round until the evaluations are spent:

    1. From a start (given, or the best of the middle and some random ones), sweeps along single modes.
    2. Where they lead down slowly: quadratic models in shrinking balls, for long modes; changes of pairs of indices.
    3. The next start: the beginning of one of the best points found so far with the end of another,
    4. or one of them with some of its indices drawn anew, or a point drawn at random.

A search: the best of it is BEST_SEEN, never proven. A continued call goes the same way, with values that are known.
Hooke and Jeeves, J. ACM 8, 212 (1961); Lourenco, Martin, Stuetzle, Handbook of Metaheuristics (2003), p. 320.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from solvers.checkpoint import Content, random_state, restore
from solvers.cross.calling import Calling
from solvers.extremal.extremes import Extremes, ExtremeSolution
from solvers.extremal.moves import best_of, model, pairs, recombined, sweep
from solvers.extremal.values import Values
from solvers.solution import IterationState, Status

POOL = 12  # points whose parts are recombined
FIRST_RADIUS = 0.05  # of quadratic models, of the modes' lengths
STEEP = 0.1  # relative descent of a sweep after which another follows at once
DRAWN = 64  # random points to begin with
IDLE = 1000  # rounds without a new point, after which nothing is left to be found


class FunctionExtremes:
    """An Iteration on a function; see the module's steps."""

    def __init__(self, calling: Calling, starts: np.ndarray, which: str, limit: int, rng: np.random.Generator) -> None:
        self.calling, self.starts, self.rng = calling, starts, rng
        self.shape = calling.shape
        self.values, self.limit = Values(calling, limit), limit
        self.signs = {"both": (1.0, -1.0), "minimum": (1.0,), "maximum": (-1.0,)}[which]
        self.total = float(np.prod(np.array(self.shape, dtype=float)))
        self.begun = random_state(rng)
        self.replayed = 0  # evaluations of an earlier call, which are gone through without a word
        self.rounds = 0
        self.ends: set[tuple[float, bytes]] = set()  # where searches have ended
        self.interrupted = self.done = False

    def steps(self) -> Iterator[IterationState]:
        if self.done:
            return
        if self.total <= self.limit:
            size = 2**14
            for first in range(0, int(self.total), size):
                numbers = np.arange(first, min(first + size, int(self.total)))
                self.values.at(np.column_stack(np.unravel_index(numbers, self.shape)))
            self.done = True
            yield self._state("all entries")
            return
        middle = np.array([[n // 2 for n in self.shape]])
        drawn = self.rng.integers(0, self.shape, (min(DRAWN, max(1, self.limit // 8)), len(self.shape)))
        begun = np.concatenate([self.starts, middle, drawn])
        found = self.values.at(begun)
        for j, sign in enumerate(self.signs):  # each side gets its share
            self.values.limit = self.limit * (j + 1) // len(self.signs)
            pool = self._pool(begun, sign * found)
            starts = [*self.starts, pool[0][0]]
            idle = 0
            while not self.values.spent and idle < IDLE:
                before = len(self.values.known)
                point, best = self._descent(starts.pop(0) if starts else self._next(pool[0]), sign)
                pool = self._pool(np.vstack([pool[0], point]), np.append(pool[1], best))
                idle = 0 if len(self.values.known) > before else idle + 1
                self.rounds += 1
                if len(self.values.known) > self.replayed:
                    yield self._state("round")
                    if self.interrupted:
                        return
        self.done = True
        yield self._state("end")

    def _descent(self, point: np.ndarray, sign: float) -> tuple[np.ndarray, float]:
        """Steps 1 and 2 from a point: where they lead, and the value there."""

        def value(points: np.ndarray) -> np.ndarray:
            return sign * self.values.at(points)

        point, best = best_of(point[None], value(point[None]))
        offset = self.rng.random() if self.ends else 0.0  # narrow minima lie between the places of one grid
        while not self.values.spent:
            before = best
            # 1 single modes
            point, best = sweep(value, point, best, self.shape, self.rng.permutation(len(self.shape)), offset)
            if best < before - STEEP * abs(before):
                continue
            if (sign, point.tobytes()) in self.ends:
                break
            # 2 models, of a ball that shrinks where one does not help, and pairs
            radius = FIRST_RADIUS
            while radius * max(self.shape) >= 1.0 and not self.values.spent:
                new, lower = model(value, point, best, self.shape, radius, self.rng)
                helped = lower < best
                radius = min(radius * 2.0, FIRST_RADIUS) if helped else radius / 4.0
                if helped:
                    point, best = new, lower
            if not best < before:
                new, lower = pairs(value, point, self.shape, max(100, self.limit // 8), self.rng)
                if not lower < best:
                    break
                point, best = new, lower
        self.ends.add((sign, point.tobytes()))
        return point, best

    def _next(self, points: np.ndarray) -> np.ndarray:
        """Steps 3 and 4: a start from the best points (p, d) found."""
        d = len(self.shape)
        drawn = self.rng.integers(0, self.shape)
        kind = self.rng.integers(4)
        if kind == 0:
            return drawn
        if kind == 1 and len(points) > 1:
            return recombined(points, 1, self.rng)[0]
        new = points[0 if kind == 2 else self.rng.integers(len(points))].copy()
        changed = self.rng.choice([1, 2, 3, max(1, d // 10), max(1, d // 5), max(1, d // 3)])
        where = self.rng.choice(d, min(d, int(changed)), replace=False)
        new[where] = drawn[where]
        return new

    def _pool(self, points: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The best different points."""
        values = np.where(np.isnan(values), np.inf, values)
        points, first = np.unique(points, axis=0, return_index=True)
        values = values[first]
        order = np.argsort(values, kind="stable")[:POOL]
        return points[order], values[order]

    def _state(self, label: str) -> IterationState:
        done = min(1.0, len(self.values.known) / min(self.limit, self.total))
        best = np.array([self.values.seen.low, self.values.seen.high])
        return IterationState(0, label, 1, 0.0, energies=best, fraction=done)

    def content(self) -> Content:
        points, values = self.values.table()
        return {"points": points, "values": values}, {"generator": self.begun, "rounds": self.rounds, "done": self.done}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        restore(self.rng, data["generator"])
        points = np.ascontiguousarray(arrays["points"], dtype=np.int64)
        self.replayed = len(points)
        self.values.recalled = dict(zip([row.tobytes() for row in points], arrays["values"].tolist()))
        if data["done"]:
            self.values.keep(list(self.values.recalled), points, arrays["values"])
            self.rounds, self.done = int(data["rounds"]), True

    def solution(self) -> ExtremeSolution:
        seen, counts = self.values.seen, {"evaluations": len(self.values.known), "undefined": self.values.undefined}
        if not np.isfinite(seen.low):
            raise ValueError(f"the function is not finite at any of the {len(self.values.known)} points looked at")
        below, above = 1.0 in self.signs, -1.0 in self.signs
        whole = len(self.values.known) >= self.total
        value = Extremes(
            seen.low if below else np.nan,
            seen.high if above else np.nan,
            seen.argmin if below else None,
            seen.argmax if above else None,
            seen.low if whole and below else -np.inf,
            seen.high if whole and above else np.inf,
        )
        status = Status.CONVERGED if whole else Status.BEST_SEEN if self.done else Status.INTERRUPTED
        room = np.full(len(self.signs), 0.0 if whole else np.inf)
        return ExtremeSolution(value, status, len(room) * whole, room, (), {**counts, "rounds": self.rounds}, {})
