"""The judgement of a cross approximation: against all that is known, and where nothing was looked at.

Rounding is part of what is judged: the train that is returned is the one that was looked at. Where known or new values
do not bear the rounding, less of it is tried, and in the end none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solvers.cross.known import entries
from solvers.cross.noise import is_noise
from solvers.cross.pivots import Pivots
from solvers.cross.search import EVIDENCE, STARTS, Search
from solvers.formats.trains.construct import ones
from solvers.formats.trains.tensor_train import TensorTrain

ROUNDING = 0.05  # of the accuracy (root mean square), for the rounding
ROUNDINGS = 3  # attempts, each with less, where the values known do not bear it
FEW = 4096  # known values that are looked at first
FIRST_LOOK = 0.25  # of the random points of a check: where they show an error the others are not looked at
SLIGHT = 3.0  # times the accuracy: so small an error is one of the bonds added up, not one of a place overlooked
MUCH = 0.5  # of the error of the last train: one before it is better
WORST = 80  # points returned of those where known values are missed, and one a rank


@dataclass(frozen=True)
class Judged:
    """A train looked at, the largest error found, over the largest value, and the points (p, d) of the worst.

    ``fresh``: new random points among those it was looked at, 0 where known values spoke against it already; ``share``:
    of all entries, so many can be worse unseen.
    """

    train: TensorTrain
    error: float
    worst: np.ndarray
    fresh: int
    share: float = 1.0


@dataclass(frozen=True)
class Held:
    """Random ``points`` of ``tests`` looks that found an error, which no pivot was chosen from since.

    A train that is right at them is as likely right elsewhere as if they were new, but for the number of trains that
    were tried: each is one more that can pass by chance.
    """

    points: int = 0
    tests: int = 0

    def share(self, fresh: int) -> float:
        """Which share of all entries can be wrong, where none of these and of ``fresh`` new ones are."""
        return min(1.0, (EVIDENCE + math.log(1 + self.tests)) / (self.points + fresh))


class Judgement:
    """Looks at the trains of a ``source``; ``checks``: evaluations for new points so far."""

    def __init__(self, source: Any, search: Search, accuracy: float) -> None:
        self.source, self.search, self.accuracy = source, search, accuracy
        self.checks = 0

    def fitted(self, pivots: Pivots) -> tuple[TensorTrain, TensorTrain, float, np.ndarray]:
        """The rounded train, the one it is of, the largest error at what is known, and the points of the worst."""
        known, scale = self.source.known, self.source.largest
        exact, tol = pivots.train(), ROUNDING * self.accuracy
        none = np.zeros((0, pivots.d), dtype=np.int64)
        # 1 a few of the known values: where these are missed, the others need not be looked at
        if known.count > FEW:
            rows = np.random.default_rng(known.count).choice(known.count, FEW, replace=False)
            found = self._missed(exact, pivots, known.errors_at(exact, rows) / scale, rows)
            if found is not None:
                return found
        # 2 all of them, by the train rounded as far as they bear it
        for _ in range(ROUNDINGS):
            train = exact.round(tol)
            errors = known.errors(train) / scale
            error = float(errors.max())
            if error <= self.accuracy:
                return train, exact, error, none
            failed = np.flatnonzero(errors > self.accuracy)
            if (self._errors(exact, self._known_points(failed)) > self.accuracy * scale).any():
                break
            tol *= max(0.5 * self.accuracy / error, 1e-3)
        errors = known.errors(exact) / scale
        missed = self._missed(exact, pivots, errors, np.arange(known.count))
        return missed or (exact, exact, float(errors.max()), none)

    def _missed(
        self, exact: TensorTrain, pivots: Pivots, errors: np.ndarray, rows: np.ndarray
    ) -> tuple[TensorTrain, TensorTrain, float, np.ndarray] | None:
        """What ``fitted`` says where known values at ``rows`` have ``errors`` above the accuracy, else nothing."""
        worst = np.argsort(errors)[::-1][: WORST + max(pivots.ranks)]
        worst = worst[errors[worst] > self.accuracy]
        if not len(worst):
            return None
        return exact, exact, float(errors.max()), self._known_points(rows[worst])

    def _known_points(self, rows: np.ndarray) -> np.ndarray:
        """Multi-indices (m, d) of the tensor at positions of what is known; with outputs, the worst output is not
        known here, and each is one.
        """
        points = self.source.known.indices(rows)
        if points.shape[1] == len(self.source.shape):
            return points
        q = self.source.shape[-1]
        return np.column_stack([np.repeat(points, q, axis=0), np.tile(np.arange(q), len(points))])

    def _errors(self, train: TensorTrain, points: np.ndarray) -> np.ndarray:
        return np.abs(self.source.points(points) - entries(train, points, len(self.source.shape) // 2))

    def judged_by(
        self, train: TensorTrain, exact: TensorTrain, before: float, pivots: Pivots, count: int, held: Held
    ) -> Judged:
        """A train looked at where nothing was, at ``count`` random points with those ``held`` from looks before.

        ``before``: the largest error at what was known, all that is held among it. Where rounding is to blame the train
        is the one before it, judged in turn.
        """
        source, spent = self.source, self.source.evaluations
        # 1 points chosen, and a few random ones: a train that fails there needs no more
        few = max(1, int(FIRST_LOOK * count))
        drawn = self.search.random(max(few, count - held.points))
        points = np.concatenate([drawn[:few], self.search.suspects(pivots.points())])
        errors = self._errors(train, points)
        fresh = few
        if errors.max() <= self.accuracy * source.largest:
            points, errors = np.concatenate([points, drawn[few:]]), np.append(errors, self._errors(train, drawn[few:]))
            fresh = len(drawn)
        # 2 from the worst along single modes, but where a small error was found, which is everywhere
        if fresh == len(drawn) or errors.max() > SLIGHT * self.accuracy * source.largest:
            order = np.argsort(errors)[::-1]
            reached, sizes = self.search.climb(lambda p: self._errors(train, p), points[order[:STARTS]])
            points, errors = np.concatenate([points, reached]), np.concatenate([errors, sizes])
        self.checks += source.evaluations - spent
        limit = self.accuracy * source.largest
        failed = np.flatnonzero(errors > limit)
        if len(failed) and train is not exact and not (self._errors(exact, points[failed]) > limit).any():
            known = float(source.known.errors(exact).max()) / source.largest
            return self.judged_by(exact, exact, known, pivots, count, replace(held, tests=held.tests + 1))
        order = failed[np.argsort(errors[failed])[::-1]]
        _, once = np.unique(points[order], axis=0, return_index=True)
        error = max(float(errors.max()) / source.largest, before)
        return Judged(train, error, points[order][np.sort(once)], fresh, held.share(fresh))

    def fresh(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Random points (count, d) with their values, which are known from now on."""
        spent = self.source.evaluations
        points = self.search.random(count)
        values = self.source.points(points)
        self.checks += self.source.evaluations - spent
        return points, values

    def beside(self, exact: TensorTrain, error: float, worst: np.ndarray, count: int) -> tuple[float, np.ndarray]:
        """The largest error, over the largest value, and the points where the error is above the accuracy, worst first.

        Of ``worst`` (p, d), the largest ``error`` there, and ``count`` fresh random points: what is known lies on the
        lines through the pivots, where a part of the function may be small that is large elsewhere.
        """
        points = np.concatenate([worst, self.fresh(count)[0]])
        errors = self._errors(exact, points) / self.source.largest
        order = np.argsort(errors)[::-1]
        order = order[errors[order] > self.accuracy][: max(len(worst), WORST)]
        return max(error, float(errors.max(initial=0.0))), points[order]

    def noise(self, pivots: Pivots, error: float) -> bool:
        """Whether an ``error`` (over the largest value) that stays while the ranks grow is that of the values."""
        spent = self.source.evaluations
        found = is_noise(self.source, pivots.train(), error * self.source.largest)
        self.checks += self.source.evaluations - spent
        return found

    def last(self, exact: TensorTrain, before: TensorTrain | None) -> tuple[TensorTrain, float]:
        """The train rounded, or as it is where that is better, or one ``before`` it that is much better, with the
        largest error at what is known; never one that is worse than zero.
        """
        known, scale = self.source.known, self.source.largest
        trains = [exact.round(ROUNDING * self.accuracy), exact]
        errors = [float(known.errors(x).max()) / scale for x in trains]
        chosen = 0 if errors[0] <= max(errors[1], self.accuracy) else 1
        if before is not None and errors[chosen] > self.accuracy:
            trains.append(before)
            errors.append(float(known.errors(before).max()) / scale)
            chosen = 2 if errors[2] < MUCH * errors[chosen] else chosen
        if not errors[chosen] <= 1.0:
            return ones(self.source.shape) * 0.0, 1.0
        return trains[chosen], errors[chosen]
