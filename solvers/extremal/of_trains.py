"""The extremes of a train: candidates, a proof by branch and bound, and a second look by samples.

    1. Candidates: beams from samples of |x|^2, random points and the ends of all modes (solvers.extremal.beams).
    2. Branch and bound with them (solvers.extremal.prefixes) from the side that proves more.
    3. A second look: samples of (x - c)^2, c half way between both extremes, which favours either; one beyond them
       contradicts what was found.

All on x over its root mean square, each core over its share, so that nothing leaves double precision at 1000 modes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from solvers.checkpoint import Content, random_state, restore
from solvers.extremal.beams import beams
from solvers.extremal.extremes import Extremes, ExtremeSolution
from solvers.extremal.prefixes import Prefixes, Seen
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.sampling.sample import sample
from solvers.solution import Checked, IterationState, Status

FLOOR = 1e-32  # of a squared norm, relative
DRAWN = 32  # samples and random points to begin with
LOOKS = 2000  # samples of the second look
ROUNDING = 1e-12  # relative to the largest entry, below which two entries are one
ERRORS = 1e-15  # rounding errors of an entry a mode, over the root mean square, where nothing cancels


class TrainExtremes:
    """An Iteration on a real train ``x``; ``prefixes``: rows that go on in branch and bound."""

    def __init__(
        self, x: TensorTrain, prefixes: int, accuracy: float, rng: np.random.Generator, which: str = "both"
    ) -> None:
        self.x, self.prefixes, self.accuracy, self.rng = x, prefixes, accuracy, rng
        self.sides = (which != "maximum", which != "minimum")
        self.begun = random_state(rng)
        self.interrupted = False
        zero = np.zeros(x.d, dtype=np.int64)
        self.seen = Seen(np.inf, -np.inf, zero, zero)
        self.least, self.most, self.rounding, self.scale = -np.inf, np.inf, 0.0, 0.0  # of the scaled train
        self.counts = {"sweeps": 0, "looked_at": 0, "samples": 0}
        self.checked: tuple[Checked, ...] = ()
        self.proven = [False, False]
        self.done = False

    def steps(self) -> Iterator[IterationState]:
        if self.done:
            return
        x = self.x
        try:
            unit, log_norm = x.normalised()
        except ZeroDivisionError:
            self.seen.low = self.seen.high = self.least = self.most = 0.0
            self.proven = [True, True]
            self.done = True
            yield IterationState(0, "zero", x.max_rank, 0.0)
            return
        self.scale = float(np.exp(log_norm - 0.5 * sum(np.log(x.shape))))
        scaled = TensorTrain(tuple(core * core.shape[1] ** 0.5 for core in unit.cores), 0)
        # 1 candidates
        self.counts["sweeps"] += beams(scaled, self._points(unit), self.seen)
        yield IterationState(0, "candidates", x.max_rank, 0.0)
        if self.interrupted:
            return
        # 2 the proof
        gap = self.accuracy * max(abs(self.seen.low), abs(self.seen.high))
        search = Prefixes(scaled.cores, self.seen, gap, self.prefixes, self.sides)
        for rows in search.steps():
            yield IterationState(0, f"{rows} rows", x.max_rank, 0.0, finished=False)
            if self.interrupted:
                return
        self.counts["looked_at"] = search.looked
        self.proven = [search.least >= self.seen.low - gap, search.largest <= self.seen.high + gap]
        self.rounding = ERRORS * x.d * np.exp(min(_cancelled(x) - log_norm, 100.0))
        self.least = min(self.seen.low - gap, search.least) - self.rounding
        self.most = max(self.seen.high + gap, search.largest) + self.rounding
        # 3 the second look
        self._second_look(scaled)
        self.done = True
        yield IterationState(0, "second look", x.max_rank, 0.0)

    def _points(self, unit: TensorTrain) -> np.ndarray:
        shape = np.array(self.x.shape)
        ends = np.stack([np.zeros_like(shape), shape - 1])
        return np.concatenate([ends, self.rng.integers(0, shape, (DRAWN, len(shape))), sample(unit, DRAWN, self.rng)])

    def _second_look(self, scaled: TensorTrain) -> None:
        low, high = self.seen.low, self.seen.high
        apart = scaled - (low + high) / 2.0
        try:
            found = sample(apart, LOOKS, self.rng)
        except ValueError:  # a constant
            return
        values = scaled.entries(found)
        self.counts["samples"] += len(values)
        self.seen.update(values, found)
        beyond = max(0.0, values.max() - high, low - values.min())
        passed = beyond <= max(ROUNDING, self.accuracy) * max(abs(low), abs(high))
        how = f"{LOOKS} samples of (x - c)^2, c half way between them"
        said = "none beyond them" if passed else f"one beyond by {amount(beyond * self.scale)}"
        self.checked = (Checked("extremes", how, said, passed),)

    def content(self) -> Content:
        data = {"generator": self.begun, "done": self.done, "counts": self.counts}
        data |= {"numbers": [self.seen.low, self.seen.high, self.least, self.most, self.rounding, self.scale]}
        data |= {"proven": [bool(side) for side in self.proven]}
        data |= {"checked": [[look.what, look.how, look.result, look.passed] for look in self.checked]}
        return {"argmin": self.seen.argmin, "argmax": self.seen.argmax}, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        restore(self.rng, data["generator"])
        if data["done"]:  # what was not done is done again, from the same numbers
            low, high, self.least, self.most, self.rounding, self.scale = data["numbers"]
            self.seen = Seen(low, high, arrays["argmin"], arrays["argmax"])
            self.checked = tuple(Checked(*look) for look in data["checked"])
            self.proven = list(data["proven"])
            self.counts, self.done = dict(data["counts"]), True

    def solution(self) -> ExtremeSolution:
        seen = self.seen
        minimum, maximum = (float(value) for value in self.x.entries(np.stack([seen.argmin, seen.argmax])))
        # rooms, not bounds, are scaled: the entries have their own rounding errors
        below, above = (max(0.0, float(room)) for room in (seen.low - self.least, self.most - seen.high))
        below_wanted, above_wanted = self.sides
        value = Extremes(
            minimum if below_wanted else np.nan,
            maximum if above_wanted else np.nan,
            seen.argmin if below_wanted else None,
            seen.argmax if above_wanted else None,
            minimum - below * self.scale if below_wanted else -np.inf,
            maximum + above * self.scale if above_wanted else np.inf,
        )
        size = max(abs(seen.low), abs(seen.high))
        room = np.array([below, above])[list(self.sides)] / (size if size > 0.0 else 1.0)
        proven = np.array(self.proven)[list(self.sides)]
        if not self.done:
            status = Status.INTERRUPTED
        elif not all(look.passed for look in self.checked):
            status = Status.CONTRADICTED
        elif self.rounding > self.accuracy * size:
            status = Status.PRECISION
        else:
            status = Status.CONVERGED if proven.all() else Status.BEST_SEEN
        return ExtremeSolution(value, status, int(proven.sum()), room, (), dict(self.counts), {}, checked=self.checked)


def _cancelled(x: TensorTrain) -> float:
    """The logarithm of the largest product of both sides' norms at a bond: far above that of x where its terms cancel,
    and rounding errors are of its size."""
    sides = []
    for cores in (x.cores, [core.transpose(2, 1, 0) for core in reversed(x.cores)]):
        gram, log, logs = np.ones((1, 1)), 0.0, [0.0]
        for core in cores:
            largest = float(np.abs(core).max())
            core = core / largest
            gram = np.tensordot(core, np.tensordot(gram, core, axes=1), axes=([0, 1], [0, 1]))
            size = float(np.linalg.norm(gram, 2))
            if size < FLOOR:  # all of it cancels, down to rounding errors
                gram, size = np.eye(len(gram)) * FLOOR, FLOOR
            gram, log = gram / size, log + 0.5 * np.log(size) + np.log(largest)
            logs.append(log)
        sides.append(logs)
    return max(left + right for left, right in zip(sides[0], reversed(sides[1])))
