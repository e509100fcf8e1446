"""``cross``: a tensor train of a function from few of its values.

The index sets grow by one pivot a bond and sweep (solvers.cross.pivots) until no bond finds an error above its
tolerance; then the train is judged where nothing was looked at: at fresh random points, and by a search that goes from
the worst of them along single modes to a local maximum of the error. Where that finds too much, the points found join
the index sets, the tolerance falls, and the growth goes on. So the accuracy is one in the maximum norm, over the
largest value seen, as far as a search can tell; a peak that no point ever touched cannot be known of.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from solvers.cross.pivots import Pivots
from solvers.cross.sources import Function, FunctionSource, TrainSource
from solvers.methods import Cross
from solvers.solution import IterationState, NotConverged, Solution, Status
from solvers.trains.tensor_train import TensorTrain

LOCAL_SHARE = 0.3  # of the accuracy, for the error of a superblock: the errors of the bonds add up
TIGHTEN = 0.3  # of the local tolerance, when the check finds too much
ROUNDING = 0.05  # of the accuracy (root mean square, over the largest value), for the final rounding
STARTS = 3  # of the search for the largest error, from the worst random points
FIRST = 100  # random points among which the first pivot is looked for
ENOUGH = 0.5  # a smaller tolerance must lower the error to this share, or the points found are taken in
Callback = Callable[[IterationState], None]


def cross(
    f: Function,
    shape: Sequence[int],
    *,
    method: Cross | None = None,
    start: np.ndarray | None = None,
    grids: Sequence[np.ndarray] | None = None,
    accuracy: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    throw: bool = True,
) -> Solution:
    """The tensor f(i_1, ..., i_d) of ``shape`` as a train, in the maximum norm to ``accuracy`` times the largest |f|.

    ``f`` is called on batches: multi-indices (m, d) -> (m,), or, with ``grids`` (d arrays of shape[k] numbers),
    coordinates (m, d) -> (m,); real or complex. It may return (m, q), q outputs at once: the train then has a last mode
    of size q. ``start``: multi-indices (p, d) where f matters, such as a known peak.

    ``value``: the train; ``residual``: (1,) the largest error found, over the largest value; ``counts``: evaluations,
    check_evaluations (those only for judging), sweeps; ``extra``: scale, the largest |f| seen, and pivots,
    multi-indices (p, d) to ``start`` a similar function with. Status CONVERGED,
    RANK_LIMIT or ITERATION_LIMIT (sweeps or evaluations). The same ``rng`` state gives the same train.

    Cost: about d n r^2 evaluations, and as much again for the search of pivots. Raises NotConverged, with the solution,
    when ``throw``; ValueError for wrong shapes, and for NaN or infinity from f (with the multi-index).
    """
    shape = tuple(int(n) for n in shape)
    if not shape or min(shape) < 1:
        raise ValueError(f"the shape must have at least one mode, each of at least one index, not {shape}")
    if grids is not None and tuple(len(g) for g in grids) != shape:
        raise ValueError(f"the grids have {[len(g) for g in grids]} points, the shape is {shape}")
    return _solution(FunctionSource(f, shape, grids), method, start, accuracy, rng, callback, throw)


def cross_of_trains(
    f: Callable[..., np.ndarray],
    trains: Sequence[TensorTrain],
    *,
    method: Cross | None = None,
    start: np.ndarray | None = None,
    accuracy: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    throw: bool = True,
) -> Solution:
    """f(x(i), y(i), ...) of trains of one shape, elementwise, as a train; everything else as in ``cross``.

    ``f`` takes one array of values a train, all of one shape, and returns an array of that shape.
    """
    if not trains:
        raise ValueError("needs at least one train")
    return _solution(TrainSource(f, trains), method, start, accuracy, rng, callback, throw)


def _solution(source, method, start, accuracy, rng, callback, throw) -> Solution:
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    run = _Run(source, method or Cross(), accuracy, rng or np.random.default_rng(0), callback)
    solution = run.solve(_starts(start, source.shape))
    if throw and solution.status is not Status.CONVERGED:
        raise NotConverged(solution)
    return solution


def _starts(start: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """The start points (p, d), checked."""
    if start is None:
        return np.zeros((0, len(shape)), dtype=np.int64)
    points = np.atleast_2d(np.asarray(start))
    if points.shape[1] != len(shape) or not np.issubdtype(points.dtype, np.integer):
        raise ValueError(f"start must be multi-indices of shape (p, {len(shape)}), not {points.shape} {points.dtype}")
    if (points < 0).any() or (points >= np.array(shape)).any():
        raise ValueError(f"a start point lies outside the shape {shape}")
    return points.astype(np.int64)


class _Run:
    """What one call knows while it runs."""

    def __init__(self, source: Any, method: Cross, accuracy: float, rng: np.random.Generator, callback) -> None:
        self.source, self.method, self.accuracy, self.rng, self.callback = source, method, accuracy, rng, callback
        self.begin = time.perf_counter()
        self.history: list[IterationState] = []
        self.checks = self.sweeps = 0

    def random(self, count: int) -> np.ndarray:
        return np.column_stack([self.rng.integers(0, n, count) for n in self.source.shape])

    def report(self, label: str, ranks: list[int], error: float) -> None:
        state = IterationState(
            len(self.history) + 1, label, max(ranks, default=1), time.perf_counter() - self.begin,
            residuals=np.array([error]), extra={"evaluations": self.used()},
        )  # fmt: skip
        self.history.append(state)
        if self.callback is not None:
            self.callback(state)

    def used(self) -> int:
        """Evaluations so far, but for those that only judge."""
        return self.source.evaluations - self.checks

    def solve(self, starts: np.ndarray) -> Solution:
        source, method, accuracy = self.source, self.method, self.accuracy
        points = np.concatenate([starts, self.random(FIRST)])
        first = points[int(np.argmax(np.abs(source.points(points))))]
        first, _ = self.climb(lambda p: np.abs(source.points(p)), first)
        pivots = Pivots(source, first, self.rng)
        if len(starts) and source.largest > 0.0:
            pivots.renew(starts, LOCAL_SHARE * accuracy)
        local, before, status = LOCAL_SHARE * accuracy, np.inf, None
        while status is None:
            capped = self.grow(pivots, local)
            train = pivots.train()
            error, worst = self.check(train)
            self.report("check", pivots.ranks, error)
            if error <= accuracy:
                status = Status.CONVERGED
            elif capped:
                status = Status.RANK_LIMIT
            elif self.sweeps >= method.sweeps or self.used() >= method.max_evaluations:
                status = Status.ITERATION_LIMIT
            else:
                local *= TIGHTEN
                if error > ENOUGH * before:  # a smaller tolerance alone did not help: something was never seen
                    pivots.renew(worst, local)
                before = error
        if source.largest > 0.0:
            train, error = self.rounded(train, error)
        counts = {"evaluations": self.used(), "check_evaluations": self.checks, "sweeps": self.sweeps}
        return Solution(
            train, status, int(status is Status.CONVERGED), np.array([error]), tuple(self.history), counts,
            {"solve_s": time.perf_counter() - self.begin}, {"scale": source.largest, "pivots": pivots.points()},
        )  # fmt: skip

    def grow(self, pivots: Pivots, local: float) -> bool:
        """Sweeps that add pivots until no bond finds an error, or a limit; whether the cap on the ranks bound."""
        method = self.method
        busy, forward = set(range(pivots.d - 1)), True
        while busy and self.sweeps < method.sweeps and self.used() < method.max_evaluations:
            self.sweeps += 1
            for k in sorted(busy, reverse=not forward):
                if pivots.ranks[k] < method.max_rank and pivots.grow(k, local * self.source.largest):
                    # its neighbours see a larger superblock now
                    busy |= {b for b in (k - 1, k + 1) if 0 <= b < pivots.d - 1}
                else:
                    busy.discard(k)
            forward = not forward
            self.report("sweep", pivots.ranks, np.nan)
        return any(rank >= method.max_rank for rank in pivots.ranks)

    def check(self, train: TensorTrain) -> tuple[float, np.ndarray]:
        """The largest error found, over the largest value, and the points (p, d) where the search found it."""
        source, before = self.source, self.source.evaluations

        def size(points: np.ndarray) -> np.ndarray:
            return np.abs(source.points(points) - train.entries(points))

        points = self.random(self.method.check_points)
        errors = size(points)
        found = [self.climb(size, points[i]) for i in np.argsort(errors)[::-1][:STARTS]]
        self.checks += source.evaluations - before
        largest = max(float(errors.max()), *(error for _, error in found))
        scale = source.largest
        return (largest / scale if scale > 0.0 else 0.0), np.unique([point for point, _ in found], axis=0)

    def climb(self, size: Callable[[np.ndarray], np.ndarray], point: np.ndarray) -> tuple[np.ndarray, float]:
        """From a point along single modes to where ``size`` is largest, two rounds; the point and its size."""
        largest = 0.0
        for _ in range(2):
            before = point
            for m, n in enumerate(self.source.shape):
                line = np.repeat(point[None], n, axis=0)
                line[:, m] = np.arange(n)
                sizes = size(line)
                best = int(np.argmax(sizes))
                point, largest = line[best], float(sizes[best])
            if np.array_equal(before, point):
                break
        return point, largest

    def rounded(self, train: TensorTrain, error: float) -> tuple[TensorTrain, float]:
        """Rounded, where fresh points say that this keeps the accuracy or what there is of it."""
        smaller = train.round(ROUNDING * self.accuracy)
        again, _ = self.check(smaller)
        if again <= max(error, self.accuracy):
            return smaller, max(again, error)
        return train, error
