"""The refinement of a cross approximation: growth and judgement in turn; see solvers.cross.cross."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from solvers.checkpoint import Content, random_state, restore, stored_train, train_arrays
from solvers.cross import looks
from solvers.cross.blocks import NOISE
from solvers.cross.floor import settled
from solvers.cross.judgement import SLIGHT, Held, Judged, Judgement
from solvers.cross.outcome import Outcome
from solvers.cross.pivots import Pivots
from solvers.cross.progress import Progress
from solvers.cross.search import STARTS, Search
from solvers.cross.sources import Exhausted, FunctionSource
from solvers.cross.train_source import TrainSource
from solvers.cross.whole import whole_train
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.methods import Cross
from solvers.solution import Checked, IterationState, Status

LOCAL_SHARE = 0.2  # of the accuracy, for the error of a superblock: the errors of the bonds add up
TIGHTEN = 0.3  # of the local tolerance, where the points found do not help; where the error is little too large ...
NEARLY = 0.8  # ... to so much of the accuracy, as errors fall with it, and ...
ENOUGH = 0.6  # ... at most so much of it
SMALLEST = 1e-16  # local tolerance: below it are rounding errors
FIRST = 100  # random points among which the first pivot is looked for
NEAR = 30.0  # times the accuracy: smaller errors are first answered by a smaller tolerance
FEATURE = 1e3  # times the accuracy: so large an error is that of a feature the pivots have not met
HELPED = 0.7  # of the last error: where a smaller tolerance does not bring it so far down, points are the answer
ALONE = 2  # so few points of thousands become pivots, whatever their error: a smaller tolerance is dear everywhere
BLAMED = 2  # of the worst points, that are asked which bonds their errors come from
INSERTED = 8  # points that become pivots at once, and an eighth of the rank
MORE = 4  # times as many random points after every check that found an error ...
MORE_SHARE = 0.5  # ... up to this share of all evaluations
ASIDE = 0.05  # of the evaluations: random points beside known ones that are missed, which lie on few lines
LAST_LOOK = 0.1  # of the evaluations allowed, or a check's: kept back to look at what they reached, if not all of it
LOOK_AGAIN = 2.0  # times the evaluations, before a remainder that was no noise is looked at again
KEPT = 4_000_000  # numbers in the cores of a train that is kept as the best so far: 32 MB
LARGE = 8  # times ``Cross.whole``: so large a tensor is taken whole if half of it was evaluated
_COUNTS = ("sweeps", "work", "checks", "held", "tests", "next_look")
_PLACE = (*_COUNTS, "local", "repeated", "forward", "last_judged", "ended", "noise", "floor")  # where it is, plain data


class _Interrupted(Exception):
    """The callback returned True."""


class Refinement(Outcome):
    """A cross approximation of a ``source`` under way from the points ``starts`` (p, d).

    ``interrupted``: set from outside to end it after the present state.
    """

    def __init__(
        self,
        source: FunctionSource | TrainSource,
        method: Cross,
        accuracy: float,
        starts: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        self.source, self.method, self.accuracy, self.starts, self.rng = source, method, accuracy, starts, rng
        self.search = Search(source.shape, rng)
        self.judgement = Judgement(source, self.search, accuracy)
        most = method.max_evaluations
        source.budget = most if source.size <= most else most - min(method.check_points, int(LAST_LOOK * most))
        self.pivots: Pivots | None = None
        self.sweeps = self.checks = 0  # checks that found an error
        self.work = 0.0  # operations of the sweeps
        self.local = LOCAL_SHARE * accuracy  # tolerance at the bonds
        self.busy: set[int] | None = None  # bonds to look at in the next sweep; None: a new round of all
        self.forward = True
        self.judged: Judged | None = None  # after a round; None while one is at work
        self.best: tuple[TensorTrain, float] | None = None  # of those judged, and its error
        self.last_judged: float | None = None  # the error of the last judgement
        self.held = self.tests = 0  # random points of looks that no pivot was chosen from since, and those looks
        self.repeated = False  # whether the answer to the last one was a smaller tolerance alone
        self.whole: tuple[TensorTrain, float, Status] | None = None  # where every entry was evaluated
        self.looked: list[Checked] = []  # at the train that is returned
        self.status: Status | None = None
        self.progress = Progress(accuracy, method.max_evaluations, method.patience)
        self.ended = False  # by what it says of the progress
        self.noise = False  # whether that is so because the values have errors of their own
        self.next_look = 0  # evaluations from which on an error that stays is held against noise
        self.floor: float | None = None  # the error of the values themselves, where it ended at that
        self.interrupted = False

    def steps(self) -> Iterator[IterationState]:
        """A state a sweep and a judgement, or one for all where every entry is evaluated."""
        if self.whole is not None:
            return
        try:
            if self.source.size <= min(self.method.whole, self.method.max_evaluations):
                yield self.taken_whole()
                return
            yield from self.refined()
        except _Interrupted:
            self.status = Status.INTERRUPTED
        except Exhausted:
            if self.pivots is None:
                raise ValueError(
                    f"max_evaluations is {self.method.max_evaluations}: a first cross of shape {self.source.shape} "
                    "takes more, raise it"
                ) from None
            self.status = Status.ITERATION_LIMIT
            self.look()

    def refined(self) -> Iterator[IterationState]:
        """Growth and judgement in turn, until nothing is found or a limit ends it."""
        if self.status is not None:  # it had ended
            return
        # 1 the first pivot where |f| is large, and the start points
        if self.pivots is None:
            first = self.first(self.starts)
            if first is None:
                return
            self.pivots = Pivots(self.source, first, self.rng)
            if len(self.starts):
                self.pivots.renew(self.starts, LOCAL_SHARE * self.accuracy)
        while self.status is None:
            if self.judged is None:
                # 2 pivots at the bonds until none finds an error above its tolerance
                yield from self.grow(self.pivots)
                if self.mostly_seen():
                    yield self.taken_whole()
                    return
                # 3 the train, held against what is known, and looked at where nothing was
                self.judged = self.judge(self.pivots)
                label = "check" if self.judged.fresh else "known"
                self.remember(self.judged)
                yield from self.told(label, self.judged.error)
            # 4 the end, or an answer to the errors found
            if self.judged.fresh and self.judged.error <= self.accuracy:
                self.looked = list(looks.again(self.source, self.judged.train, self.accuracy))
                self.status = Status.CONVERGED
            else:
                self.answer(self.pivots, self.judged)
                self.last_judged = self.judged.error
                self.busy = self.judged = None
        if self.status is not Status.CONVERGED:
            self.look()

    def look(self) -> None:
        """5 what was not reached is looked at too, at points for which evaluations were kept back."""
        assert self.pivots is not None
        self.source.budget = most = self.method.max_evaluations
        try:
            fresh = self.judgement.fresh(min(self.method.check_points, most - self.source.evaluations))
        except Exhausted:  # gaps of the function ask for points beside
            return
        if self.noise:
            self.pivots, self.floor = settled(self.pivots, fresh, self.progress.lowest())

    def told(self, label: str, error: float) -> Iterator[IterationState]:
        """The present state; raises _Interrupted where it is to be the last."""
        assert self.pivots is not None
        yield self.state(label, self.pivots.ranks, error)
        if self.interrupted:
            raise _Interrupted

    def state(self, label: str, ranks: Sequence[int], error: float) -> IterationState:
        rank, extra = max(ranks, default=1), {"evaluations": self.used()}
        return IterationState(0, label, rank, 0.0, residuals=np.array([error]), extra=extra)

    def taken_whole(self) -> IterationState:
        """Every entry evaluated, and the error known at every entry."""
        train, error, capped = whole_train(self.source.whole(), self.accuracy, self.method.max_rank)
        status = Status.RANK_LIMIT if capped else Status.STAGNATED
        self.whole = train, error, Status.CONVERGED if error <= self.accuracy else status
        return self.state("whole", train.ranks, error)

    def first(self, starts: np.ndarray) -> np.ndarray | None:
        """Where |f| is large: the first pivot; None where only zeros were found."""
        points = np.concatenate([starts, self.search.random(FIRST)])
        sizes = np.abs(self.source.points(points))
        if not sizes.any():
            extra = np.concatenate(
                [self.source.nonzero(), self.search.suspects(starts), self.search.random(self.method.check_points)]
            )
            points = np.concatenate([starts, extra])
            sizes = np.abs(self.source.points(points))
        chosen = points[np.argsort(sizes)[::-1][: STARTS if not sizes.any() else 1]]
        reached, sizes = self.search.climb(lambda p: np.abs(self.source.points(p)), chosen)
        best = int(np.argmax(sizes))
        return reached[best] if sizes[best] > 0.0 else None

    def mostly_seen(self) -> bool:
        """Whether half of a tensor was evaluated that is not too large to be taken whole."""
        size, method = self.source.size, self.method
        return size <= min(LARGE * method.whole, method.max_evaluations) and self.source.evaluations > 0.5 * size

    def grow(self, pivots: Pivots) -> Iterator[IterationState]:
        """Sweeps that add pivots until no bond finds an error, or a limit."""
        method = self.method
        if self.busy is None:
            self.busy, self.forward = set(range(pivots.d - 1)), True
        worst = 0.0 if self.last_judged is None else self.last_judged
        while self.busy and self.sweeps < method.sweeps and not self.mostly_seen() and not self.ended:
            self.sweeps += 1
            error = worst
            for k in sorted(self.busy, reverse=not self.forward):
                room = method.max_rank - pivots.ranks[k]
                if pivots.grow(k, self.local * self.source.largest, room):
                    error = max(error, pivots.worst / self.source.largest)
                    # its neighbours see a larger superblock now
                    self.busy |= {b for b in (k - 1, k + 1) if 0 <= b < pivots.d - 1}
                else:
                    self.busy.discard(k)
            for k in range(pivots.d):
                if pivots.widen(k, self.local * self.source.largest):
                    self.busy |= {b for b in (k - 1, k) if 0 <= b < pivots.d - 1}
            if pivots.recondition(self.local):
                self.busy = set(range(pivots.d - 1))
            self.forward = not self.forward
            self.moved(error)
            yield from self.told("sweep", np.nan)

    def moved(self, error: float) -> None:
        """Note the largest error found, and whether to go on is no use: what can be taken whole ends by itself."""
        assert self.pivots is not None
        self.work += self.pivots.work()
        self.progress.note(self.source.evaluations, error, self.work)
        size, method = self.source.size, self.method
        if size <= min(LARGE * method.whole, method.max_evaluations):
            return
        if self.source.evaluations >= self.next_look and self.progress.stays():
            self.noise = self.judgement.noise(self.pivots, self.progress.lowest())
            self.next_look = int(LOOK_AGAIN * self.source.evaluations)
        self.ended = self.noise or self.progress.ended()

    def judge(self, pivots: Pivots) -> Judged:
        """The train against all that is known and, where it agrees, where nothing was looked at."""
        train, exact, error, worst = self.judgement.fitted(pivots)
        if error > self.accuracy:
            if error > SLIGHT * self.accuracy:
                count = int(min(self.method.check_points, ASIDE * self.source.evaluations))
                error, worst = self.judgement.beside(exact, error, worst, count)
            return Judged(train, error, worst, 0)
        least = self.method.check_points
        count = min(least * MORE**self.checks, max(least, int(MORE_SHARE * self.source.evaluations)))
        return self.judgement.judged_by(train, exact, error, pivots, count, Held(self.held, self.tests))

    def remember(self, judged: Judged) -> None:
        """The train if it is the best so far, and not too large to be kept: growth can lose what was reached."""
        size = sum(core.size for core in judged.train.cores)
        if size <= KEPT and (self.best is None or judged.error < self.best[1]):
            self.best = judged.train, judged.error

    def answer(self, pivots: Pivots, judged: Judged) -> None:
        """The worst points become pivots, or the tolerance falls; else the limit that stands in the way."""
        self.checks += judged.fresh > 0 and judged.error > SLIGHT * self.accuracy
        if any(rank >= self.method.max_rank for rank in pivots.ranks):
            self.status = Status.RANK_LIMIT
            return
        if self.ended or self.sweeps >= self.method.sweeps:
            self.status = Status.FLOOR if self.ended else Status.ITERATION_LIMIT
            return
        added = 0
        before = np.inf if self.last_judged is None else self.last_judged
        alone = judged.fresh > 0 and len(judged.worst) <= ALONE
        tol = self.local * self.source.largest
        near = judged.error <= min(NEAR * self.accuracy, HELPED * before)
        if alone or self.repeated or not near or _overlooked(pivots, judged.worst, tol):
            self.search.remember(judged.worst[:INSERTED])
            feature = judged.error > (SLIGHT if alone else FEATURE) * self.accuracy
            for point in judged.worst[: INSERTED + max(pivots.ranks, default=0) // 8]:
                added += pivots.insert(point, 0.1 * tol, self.method.max_rank, forward=feature)
        if not added:
            share = max(TIGHTEN, min(ENOUGH, NEARLY * self.accuracy / judged.error))
            self.local *= TIGHTEN if self.repeated else share
            if self.repeated:  # pivots taken early may tell the later ones badly apart
                pivots.renew(self.search.failures[:0], NOISE)
        self.held, self.tests = (0, 0) if added else (self.held + judged.fresh, self.tests + 1)
        self.repeated = not added
        if self.local < SMALLEST:
            self.status = Status.STAGNATED

    def content(self) -> Content:
        """The pivots with their values and what else is known; of a tensor taken whole the train."""
        data: dict[str, Any] = {name: getattr(self, name) for name in _PLACE}
        data |= {
            "progress": self.progress.seen,
            "judgements": self.judgement.checks,
            "generator": random_state(self.rng),
        }
        known, data["source"] = self.source.content()
        arrays = {f"source.{name}": array for name, array in known.items()}
        if self.whole is not None:
            train, error, status = self.whole
            arrays, data["whole"] = train_arrays("train", train)  # nothing else is asked for any more
            return arrays, data | {"error": error, "status": status.name}
        assert self.pivots is not None
        arrays |= {f"pivots.{name}": array for name, array in self.pivots.content().items()}
        arrays["failures"] = self.search.failures
        data |= {"whole": None, "judged": None, "busy": None if self.busy is None else sorted(self.busy)}
        data |= {"status": None, "looked": [asdict(look) for look in self.looked]}
        if self.status is not None and self.status is not Status.INTERRUPTED:  # which can be gone on with
            data["status"] = self.status.name
        if self.judged is not None:
            cores, entry = train_arrays("train", self.judged.train)
            arrays |= {**cores, "worst": self.judged.worst}
            judged = {name: getattr(self.judged, name) for name in ("error", "fresh", "share")}
            data["judged"] = {"train": entry, **judged}
        if self.best is not None:
            cores, entry = train_arrays("best", self.best[0])
            arrays |= cores
            data["best"] = {"train": entry, "error": self.best[1]}
        return arrays, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name in _PLACE:
            setattr(self, name, data.get(name, getattr(self, name)))
        self.progress.seen = [(int(count), float(error), float(sum(work))) for count, error, *work in data["progress"]]
        self.judgement.checks = data["judgements"]
        restore(self.rng, data["generator"])
        if data["whole"] is not None:
            self.source.count(data["source"])
            self.whole = stored_train(arrays, "train", data["whole"]), data["error"], Status[data["status"]]
            return
        self.source.restore(_part(arrays, "source."), data["source"])
        self.pivots = Pivots(self.source, None, self.rng)
        self.pivots.restore(_part(arrays, "pivots."))
        self.search.failures = arrays["failures"]
        self.busy = None if data["busy"] is None else set(data["busy"])
        self.status = None if data["status"] is None else Status[data["status"]]
        self.looked = [Checked(**look) for look in data["looked"]]
        if data.get("best") is not None:
            self.best = stored_train(arrays, "best", data["best"]["train"]), data["best"]["error"]
        if data["judged"] is not None:
            judged = data["judged"]
            train = stored_train(arrays, "train", judged["train"])
            self.judged = Judged(train, judged["error"], arrays["worst"], judged["fresh"], judged.get("share", 1.0))


def _overlooked(pivots: Pivots, worst: np.ndarray, tol: float) -> bool:
    """Whether errors come from a bond with one above its tolerance, which its searches did not meet."""
    return any(pivots.blame(point).max(initial=0.0) > tol for point in worst[:BLAMED])


def _part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Those of a name that begins so, without that."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
