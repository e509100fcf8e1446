"""``cross``: a tensor train of a function from few of its values.

A small tensor is taken whole (solvers.cross.whole): the error is then known at every entry. Of a larger one
    1. the index sets grow by pivots at the bonds (solvers.cross.pivots) until no bond finds an error above its
       tolerance,
    2. the train is rounded, and held against everything that is known of the function (solvers.cross.known),
    3. it is judged where nothing was looked at: at fresh random points, at points chosen as suspicious, and by a search
       along single modes from the worst of them (solvers.cross.search).
Where 2 or 3 find too much, the points found become pivots at every bond, they stay among what is known, and it goes on
from 1. The accuracy is one in the maximum norm, over the largest value seen; entries that no point ever touched can be
wrong, and ``unseen_share`` says how many of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from solvers.cross.judgement import Judgement
from solvers.cross.pivots import NOISE, Pivots
from solvers.cross.search import EVIDENCE, STARTS, Search
from solvers.cross.sources import Exhausted, Function, FunctionSource, TrainSource
from solvers.cross.whole import pivots_of, whole_train
from solvers.methods import Cross
from solvers.solution import Checked, IterationState, NotConverged, Solution, Status
from solvers.trains.construct import ones
from solvers.trains.tensor_train import TensorTrain

LOCAL_SHARE = 0.3  # of the accuracy, for the error of a superblock: the errors of the bonds add up
TIGHTEN = 0.3  # of the local tolerance, where the points found do not help
SMALLEST = 1e-16  # local tolerance: below it are rounding errors
FIRST = 100  # random points among which the first pivot is looked for
NEAR = 30.0  # times the accuracy: smaller errors are first answered by a smaller tolerance
INSERTED = 8  # points that become pivots at once, and an eighth of the rank
MORE = 4  # times as many random points after every check that found an error ...
MORE_SHARE = 0.5  # ... up to this share of all evaluations
AGAIN = 500  # known values looked at entry by entry at the end
ABOVE = 1.01  # times the accuracy: two ways to the same entry differ by rounding errors
LARGE = 8  # times ``Cross.whole``: so large a tensor is taken whole if half of it was evaluated
Callback = Callable[[IterationState], object]


def cross(
    f: Function,
    shape: Sequence[int],
    *,
    method: Cross | None = None,
    starts: np.ndarray | None = None,
    grids: Sequence[np.ndarray] | None = None,
    accuracy: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    throw: bool = True,
    start: np.ndarray | None = None,
) -> Solution:
    """The tensor f(i_1, ..., i_d) of ``shape`` as a train, in the maximum norm to ``accuracy`` times the largest |f|.

    ``f`` is called on batches: multi-indices (m, d) -> (m,), or, with ``grids`` (d arrays of shape[k] numbers),
    coordinates (m, d) -> (m,); real or complex. It may return (m, q), q outputs at once: the train then has a last mode
    of size q. ``starts`` (or ``start``): multi-indices (p, d) where f matters, such as a known peak. A tensor of at
    most ``method.whole`` entries is evaluated whole; of a larger one no entry is evaluated twice, as long as 8 million
    values can tell. ``callback`` gets an IterationState a sweep and a check; one that returns True ends the call.

    ``value``: the train; ``residual``: (1,) the largest error found, over the largest value, all known values looked at
    after the last change; ``counts``: evaluations, check_evaluations (those only for judging), sweeps; ``extra``:
    scale, the largest |f| seen; pivots, multi-indices (p, d) to ``starts`` a similar function with; unseen_share, which
    share of the entries may be wrong although no error was found (N random points bound it by 9.2 / N, but for one case
    in 10^4; 0 where all was seen; 1 where not converged). Status CONVERGED, RANK_LIMIT, ITERATION_LIMIT (sweeps or
    evaluations), STAGNATED (rounding errors), NO_EVIDENCE (one value alone was seen of a tensor not seen whole) or
    INTERRUPTED (by the callback). The same ``rng`` state gives the same train.

    Cost: about d n r^2 evaluations, as much again for the search of pivots, and some thousand for the judgement. Raises
    NotConverged, with the solution, when ``throw``; ValueError for wrong shapes, for NaN or infinity from f (with the
    multi-index), and for fewer evaluations allowed than a first cross takes.
    """
    shape = tuple(int(n) for n in shape)
    if not shape or min(shape) < 1:
        raise ValueError(f"the shape must have at least one mode, each of at least one index, not {shape}")
    if grids is not None and tuple(len(g) for g in grids) != shape:
        raise ValueError(f"the grids have {[len(g) for g in grids]} points, the shape is {shape}")
    return _solution(FunctionSource(f, shape, grids), method, starts, start, accuracy, rng, callback, throw)


def cross_of_trains(
    f: Callable[..., np.ndarray],
    trains: Sequence[TensorTrain],
    *,
    method: Cross | None = None,
    starts: np.ndarray | None = None,
    accuracy: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    throw: bool = True,
    start: np.ndarray | None = None,
) -> Solution:
    """f(x(i), y(i), ...) of trains of one shape, elementwise, as a train; everything else as in ``cross``.

    ``f`` takes one array of values a train, all of one shape, and returns an array of that shape.
    """
    if not trains:
        raise ValueError("needs at least one train")
    return _solution(TrainSource(f, trains), method, starts, start, accuracy, rng, callback, throw)


def _solution(
    source: FunctionSource | TrainSource,
    method: Cross | None,
    starts: np.ndarray | None,
    start: np.ndarray | None,
    accuracy: float,
    rng: np.random.Generator | None,
    callback: Callback | None,
    throw: bool,
) -> Solution:
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    points = np.concatenate([_starts(starts, source.shape), _starts(start, source.shape)])
    run = _Run(source, method or Cross(), accuracy, rng or np.random.default_rng(0), callback)
    solution = run.solve(points)
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


class _Interrupted(Exception):
    """The callback returned True."""


class _Run:
    """What one call knows while it runs."""

    def __init__(
        self,
        source: FunctionSource | TrainSource,
        method: Cross,
        accuracy: float,
        rng: np.random.Generator,
        callback: Callback | None,
    ) -> None:
        self.source, self.method, self.accuracy, self.rng, self.callback = source, method, accuracy, rng, callback
        self.begin = time.perf_counter()
        self.history: list[IterationState] = []
        self.sweeps = 0
        self.search = Search(source.shape, rng)
        self.judgement = Judgement(source, self.search, accuracy)
        source.budget = method.max_evaluations

    def report(self, label: str, ranks: list[int], error: float) -> None:
        state = IterationState(
            len(self.history) + 1,
            label,
            max(ranks, default=1),
            time.perf_counter() - self.begin,
            residuals=np.array([error]),
            extra={"evaluations": self.used()},
        )
        self.history.append(state)
        if self.callback is not None and self.callback(state) is True:
            raise _Interrupted

    def used(self) -> int:
        """Evaluations so far, but for those that only judge."""
        return self.source.evaluations - self.judgement.checks

    def solve(self, starts: np.ndarray) -> Solution:
        source = self.source
        if source.size <= min(self.method.whole, self.method.max_evaluations):
            return self.whole()
        pivots: Pivots | None = None
        try:
            first = self.first(starts)
            if first is None:
                return self.nothing()
            pivots = Pivots(source, first, self.rng)
            if len(starts):
                pivots.renew(starts, LOCAL_SHARE * self.accuracy)
            return self.approximated(pivots)
        except (Exhausted, _Interrupted) as end:
            interrupted = isinstance(end, _Interrupted)
            if pivots is None and not interrupted:
                raise ValueError(
                    f"max_evaluations is {self.method.max_evaluations}: a first cross of shape {source.shape} takes "
                    "more, raise it"
                ) from None
            if pivots is None:
                return self.nothing(Status.INTERRUPTED)
            return self.ended(pivots, Status.INTERRUPTED if interrupted else Status.ITERATION_LIMIT)

    def whole(self) -> Solution:
        """Every entry evaluated, and the error known at every entry."""
        tensor = self.source.whole()
        train, error, capped = whole_train(tensor, self.accuracy, self.method.max_rank)
        status = Status.RANK_LIMIT if capped else Status.STAGNATED
        status = Status.CONVERGED if error <= self.accuracy else status
        try:
            self.report("whole", list(train.ranks), error)
        except _Interrupted:  # nothing was left to do
            pass
        looked = Checked(
            "every entry",
            "all values of the tensor against the train",
            f"largest error {error:.1e}",
            error <= self.accuracy,
        )
        return self.solution(train, status, error, pivots_of(train), 0.0, looked)

    def first(self, starts: np.ndarray) -> np.ndarray | None:
        """Where |f| is large: the first pivot; None where only zeros were found."""
        points = np.concatenate([starts, self.search.random(FIRST)])
        sizes = np.abs(self.source.points(points))
        if not sizes.any():
            extra = np.concatenate([self.search.suspects(starts), self.search.random(self.method.check_points)])
            points = np.concatenate([starts, extra])
            sizes = np.abs(self.source.points(points))
        chosen = points[np.argsort(sizes)[::-1][: STARTS if not sizes.any() else 1]]
        reached, sizes = self.search.climb(lambda p: np.abs(self.source.points(p)), chosen)
        best = int(np.argmax(sizes))
        return reached[best] if sizes[best] > 0.0 else None

    def nothing(self, status: Status = Status.NO_EVIDENCE) -> Solution:
        """Only zeros were seen."""
        source = self.source
        sure = source.constant()
        looked = Checked(
            "the function is zero",
            f"{source.known.count} of its values",
            "no other value seen: give points where it lives (starts)",
            sure,
        )
        none = np.zeros((0, len(source.shape)), dtype=np.int64)
        status = Status.CONVERGED if sure else status
        return self.solution(ones(source.shape) * 0.0, status, 0.0, none, 0.0 if sure else 1.0, looked)

    def approximated(self, pivots: Pivots) -> Solution:
        """Growth and judgement in turn, until nothing is found or a limit ends it."""
        source, method, accuracy = self.source, self.method, self.accuracy
        local, checks, repeated = LOCAL_SHARE * accuracy, 0, False
        while True:
            capped = self.grow(pivots, local)
            if self.mostly_seen():
                return self.whole()
            train, exact, error, worst = self.judgement.fitted(pivots)
            if error <= accuracy:
                count = min(
                    method.check_points * MORE**checks, max(method.check_points, int(MORE_SHARE * source.evaluations))
                )
                train, error, worst = self.judgement.judged_by(train, exact, error, pivots, count)
                self.report("check", pivots.ranks, error)
                if error <= accuracy:
                    return self.converged(train, pivots, error, count)
                checks += 1
            else:
                self.report("known", pivots.ranks, error)
            if capped:
                return self.ended(pivots, Status.RANK_LIMIT)
            if self.sweeps >= method.sweeps:
                return self.ended(pivots, Status.ITERATION_LIMIT)
            added = 0
            if error > NEAR * accuracy or repeated:
                self.search.remember(worst[:INSERTED])
                for point in worst[: INSERTED + max(pivots.ranks, default=0) // 8]:
                    added += pivots.insert(point, 0.1 * local * source.largest, method.max_rank)
            if not added:
                local *= TIGHTEN
                if repeated:  # pivots taken early may tell the later ones badly apart
                    pivots.renew(self.search.failures[:0], NOISE)
            repeated = not added
            if local < SMALLEST:
                return self.ended(pivots, Status.STAGNATED)

    def mostly_seen(self) -> bool:
        """Whether half of a tensor was evaluated that is not too large to be taken whole."""
        size, method = self.source.size, self.method
        return size <= min(LARGE * method.whole, method.max_evaluations) and self.source.evaluations > 0.5 * size

    def grow(self, pivots: Pivots, local: float) -> bool:
        """Sweeps that add pivots until no bond finds an error, or a limit; whether the cap on the ranks bound."""
        method = self.method
        busy, forward = set(range(pivots.d - 1)), True
        while busy and self.sweeps < method.sweeps and not self.mostly_seen():
            self.sweeps += 1
            for k in sorted(busy, reverse=not forward):
                room = method.max_rank - pivots.ranks[k]
                if pivots.grow(k, local * self.source.largest, room):
                    # its neighbours see a larger superblock now
                    busy |= {b for b in (k - 1, k + 1) if 0 <= b < pivots.d - 1}
                else:
                    busy.discard(k)
            forward = not forward
            self.report("sweep", pivots.ranks, np.nan)
        return any(rank >= method.max_rank for rank in pivots.ranks)

    def converged(self, train: TensorTrain, pivots: Pivots, error: float, count: int) -> Solution:
        """No error was found; one value alone is no evidence."""
        source = self.source
        share = 0.0 if source.seen_whole() else min(1.0, EVIDENCE / count)
        looked = [
            Checked(
                "entries not looked at before",
                f"{count} random points, corners, searches along single modes",
                f"largest error {error:.1e}; at most {share:.1e} of all entries can be worse",
                True,
            ),
            *self.looked_again(train),
        ]
        status = Status.CONVERGED if all(look.passed for look in looked) else Status.CONTRADICTED
        if source.single_valued() and not source.constant():
            status = Status.NO_EVIDENCE
            looked.append(
                Checked(
                    "the function is constant",
                    f"{source.known.count} of its values",
                    "no other value seen: give points where it changes (starts)",
                    False,
                )
            )
        return self.solution(train, status, error, pivots.points(), share, *looked)

    def looked_again(self, train: TensorTrain) -> Iterator[Checked]:
        """The train that is returned against all values known, whatever led here; some of them entry by entry."""
        source, allowed = self.source, ABOVE * self.accuracy
        known, rng = source.known, np.random.default_rng(source.known.count)
        off = float(known.errors(train).max()) / source.largest
        yield Checked(
            "all known values",
            f"{known.count} of them against the train, after rounding",
            f"largest error {off:.1e}",
            off <= allowed,
        )
        points = known.indices(rng.integers(0, known.count, AGAIN))
        if points.shape[1] < len(source.shape):  # many outputs: one of them
            points = np.column_stack([points, rng.integers(0, source.shape[-1], AGAIN)])
        off = float(np.abs(train.entries(points) - source.points(points)).max()) / source.largest
        yield Checked(
            "known values",
            f"{AGAIN} of them, the train contracted for each",
            f"largest error {off:.1e}",
            off <= allowed,
        )

    def ended(self, pivots: Pivots, status: Status) -> Solution:
        """What there is where a limit ended it, with the errors at all that is known."""
        train, error = self.judgement.last(pivots.train())
        looked = Checked(
            "all known values",
            f"{self.source.known.count} of them against the train, after rounding",
            f"largest error {error:.1e}",
            error <= self.accuracy,
        )
        return self.solution(train, status, error, pivots.points(), 1.0, looked)

    def solution(
        self, train: TensorTrain, status: Status, error: float, pivots: np.ndarray, share: float, *looked: Checked
    ) -> Solution:
        counts = {"evaluations": self.used(), "check_evaluations": self.judgement.checks, "sweeps": self.sweeps}
        extra = {"scale": self.source.largest, "pivots": pivots, "unseen_share": share}
        return Solution(
            train,
            status,
            int(status is Status.CONVERGED),
            np.array([error]),
            tuple(self.history),
            counts,
            {"solve_s": time.perf_counter() - self.begin},
            extra,
            looked,
        )
