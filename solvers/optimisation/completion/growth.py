"""Fits of growing ranks: the errors of each, the one that predicts best, and whether larger ranks are worth a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from solvers.optimisation.manifolds.fixed_rank_trains import FixedRankPoint

ENOUGH = 0.2  # of the accuracy: a validation error below ends the growth, for few entries judge there
BETTER = 0.9  # of the best validation error: what counts as progress
PATIENCE = 2  # ranks without progress, before the growth ends
LEARNED = 0.5  # validation error: above, nothing was learned yet


@dataclass(frozen=True)
class RankFit:
    """One rank's fit: relative errors in the 2-norm; ``uncertainty``: standard deviation of the test error.

    ``test_error`` and ``uncertainty`` are None without test entries. ``excess``: by how much the whole tensor is larger
    than its samples let expect, relative to those: what was put where no sample is. ``ridge``: that of the train.
    ``apart``: the difference to the fit of the rank before, over all entries where that is known.
    """

    rank: int
    ranks: tuple[int, ...]
    train_error: float
    validation_error: float
    test_error: float | None
    uncertainty: float | None
    evaluations: int
    seconds: float
    excess: float = 0.0
    ridge: float = 0.0
    apart: float = 0.0

    @property
    def judged(self) -> float:
        """What ranks are chosen by: the error of the entries set aside, or the excess where that is larger."""
        return max(self.validation_error, self.excess)

    @property
    def seen(self) -> float:
        """The largest relative error of entries that are known."""
        return max(self.train_error, self.validation_error, self.test_error or 0.0)

    @property
    def error(self) -> float:
        """The relative error of entries that were not fitted, as far as any of the looks at it shows."""
        return max(self.seen, self.excess)


class Growth:
    """The fits of growing ranks, and the one that predicts best."""

    def __init__(self, fits: list[RankFit], point: FixedRankPoint) -> None:
        self.fits, self.point, self.chosen = fits, point, fits[0]
        self.last = point  # the fit of the largest rank so far
        self.progress = 1  # the last rank that predicted clearly better

    def add(self, fit: RankFit, point: FixedRankPoint) -> None:
        self.fits.append(fit)
        self.last = point
        if fit.judged < BETTER * self.chosen.judged:
            self.progress = fit.rank
        if fit.judged < self.chosen.judged:
            self.point, self.chosen = point, fit

    @property
    def rising(self) -> bool:
        """Whether larger ranks may predict better."""
        return self.fits[-1].rank - self.progress < PATIENCE or self.chosen.judged > LEARNED

    @property
    def shown(self) -> float:
        """How many times more than entries set aside said the rank before was off, over all entries, by the one chosen.

        One where that is not known.
        """
        before = [fit for fit in self.fits if fit.rank == self.chosen.rank - 1]
        if not before or not before[0].validation_error > self.chosen.validation_error:
            return 1.0
        return self.chosen.apart / before[0].validation_error

    def hopeful(self, accuracy: float) -> bool:
        """Whether a larger rank is worth a fit: not where the entries set aside, and the test entries, are met."""
        missed = self.chosen.test_error is not None and self.chosen.test_error > accuracy
        return self.rising and (self.chosen.judged > ENOUGH * accuracy or missed)

    def renew(self, fit: RankFit, point: FixedRankPoint) -> None:
        """A better fit of the last rank."""
        if self.chosen is self.fits[-1] or fit.judged < self.chosen.judged:
            self.point, self.chosen = point, fit
        self.fits[-1], self.last, self.progress = fit, point, fit.rank

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The points it holds, as arrays of a checkpoint."""
        found: dict[str, np.ndarray] = {}
        for part, point in (("last", self.last), ("point", self.point)):
            found |= {f"{name}.{part}.left.{k}": core for k, core in enumerate(point.left)}
            found |= {f"{name}.{part}.right.{k}": core for k, core in enumerate(point.right)}
        return found

    @property
    def entry(self) -> dict[str, Any]:
        """The rest, as JSON data."""
        fits = [asdict(fit) for fit in self.fits]
        return {"fits": fits, "chosen": self.fits.index(self.chosen), "progress": self.progress}


def stored_growth(arrays: Mapping[str, np.ndarray], name: str, entry: Mapping[str, Any], d: int) -> Growth:
    """The growth of ``d`` cores that ``arrays`` and ``entry`` describe."""

    def point(part: str) -> FixedRankPoint:
        left = tuple(arrays[f"{name}.{part}.left.{k}"] for k in range(d))
        return FixedRankPoint(left, tuple(arrays[f"{name}.{part}.right.{k}"] for k in range(d)))

    fits = [RankFit(**{**fit, "ranks": tuple(fit["ranks"])}) for fit in entry["fits"]]
    growth = Growth(fits, point("point"))
    growth.last, growth.chosen, growth.progress = point("last"), fits[entry["chosen"]], entry["progress"]
    return growth
