"""What a cross approximation found, as a Solution, with the looks that were taken at it."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.cross import looks
from solvers.cross.judgement import Judged, Judgement
from solvers.cross.pivots import Pivots
from solvers.cross.sources import FunctionSource
from solvers.cross.train_source import TrainSource
from solvers.cross.whole import pivots_of
from solvers.formats.trains.construct import ones
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import Checked, Solution, Status


class Outcome:
    """What is said at the end of a refinement (solvers.cross.refinement), which sets all of this."""

    source: FunctionSource | TrainSource
    accuracy: float
    judgement: Judgement
    pivots: Pivots | None
    judged: Judged | None
    best: tuple[TensorTrain, float] | None
    whole: tuple[TensorTrain, float, Status] | None
    looked: list[Checked]
    status: Status | None
    floor: float | None
    sweeps: int

    def used(self) -> int:
        """Evaluations so far, but for those that only judge."""
        return self.source.evaluations - self.judgement.checks

    def solution(self) -> Solution:
        """The train, its status, the largest error found."""
        source, accuracy = self.source, self.accuracy
        if self.whole is not None:
            train, error, status = self.whole
            return self.said(train, status, error, pivots_of(train), 0.0, looks.every_entry(error, accuracy))
        if self.pivots is None:  # only zeros were seen
            sure = source.constant()
            status, share = (Status.CONVERGED, 0.0) if sure else (Status.NO_EVIDENCE, 1.0)
            none = np.zeros((0, len(source.shape)), dtype=np.int64)
            zero = ones(source.shape) * 0.0
            error = 0.0 if sure else 1.0  # where nothing was seen nothing is known
            return self.said(zero, status, error, none, share, looks.zeros(source.known.count, sure))
        assert self.status is not None
        if self.status is not Status.CONVERGED:
            before = self.best[0] if self.best is not None and self.floor is None else None
            train, error = self.judgement.last(self.pivots.train(), before)
            look = looks.known_values(source.known.count, error, error <= accuracy)
            return self.said(train, self.status, error, self.pivots.points(), 1.0, look)
        judged = self.judged
        assert judged is not None
        share = 0.0 if source.seen_whole() else judged.share
        looked = [looks.fresh_points(judged.fresh, judged.error, share), *self.looked]
        status = Status.CONVERGED if all(look.passed for look in looked) else Status.CONTRADICTED
        error = judged.error
        if source.single_valued() and not source.constant():  # one value alone is no evidence
            status, error = Status.NO_EVIDENCE, max(error, 1.0)
            looked.append(looks.one_value(source.known.count))
        return self.said(judged.train, status, error, self.pivots.points(), share, *looked)

    def said(
        self, train: TensorTrain, status: Status, error: float, pivots: np.ndarray, share: float, *looked: Checked
    ) -> Solution:
        counts = {"evaluations": self.used(), "check_evaluations": self.judgement.checks, "sweeps": self.sweeps}
        extra: dict[str, Any] = {"scale": self.source.largest, "pivots": pivots, "unseen_share": share}
        if self.floor is not None:
            extra["floor"] = self.floor
        return Solution(
            train,
            status,
            int(status is Status.CONVERGED),
            np.array([error]),
            (),
            counts,
            {},
            extra,
            looked,
        )
