"""The growth of ranks under Huber's loss: samples of which some are wrong by any amount bend it by little.

The same growth as that of squares, with three differences: the start of rank one is fitted to values cut off at a few
times their robust size; the loss turns linear at 1.345 robust standard deviations of the residuals, which are found
again between fits, so that what is wrong counts ever less as the fit becomes better; and ranks are judged by the median
size of the residuals, of which up to a half may be anything. What it finds says which samples do not fit, not more:
completion.robust goes on from there by squares.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from solvers.fit_methods import Completion
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.completion.given import Data
from solvers.optimisation.completion.growth import Growth, RankFit
from solvers.optimisation.completion.rank_growth import RankGrowth
from solvers.optimisation.completion.start import rank_one_start
from solvers.optimisation.descent import minimise
from solvers.optimisation.least_squares import MANIFOLD, LeastSquares
from solvers.optimisation.losses import EFFICIENT, Huber, robust_scale
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRankPoint
from solvers.optimisation.samples import SampledPoint, Samples, values_of

CUT = 3.0  # robust standard deviations, to which the values of a first start are cut off
SETTLED = 0.8  # of the robust residual before: a fit that made it no smaller than that is not fitted again
DECREASE = 1e-3  # of the loss of a residual at the turn to the linear part: a decrease expected below ends a fit


class HuberGrowth(RankGrowth):
    """As RankGrowth, under Huber's loss; its errors are robust ones: of median sizes in the place of 2-norms."""

    def __init__(
        self,
        given: Data[Samples],
        parts: tuple[Data[Samples], Data[Samples]],
        method: Completion,
        accuracy: float,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(given, parts, None, method, accuracy, rng, twice=False)
        self.roots, self.even = np.sqrt(self.weights), bool((self.weights == 1.0).all())
        self.typical = typical_size(self.fitted.values)
        self.rescale(self.typical)
        self.objective = self.under(1.0)

    def under(self, scale: float, ridge: float = 0.0, anchor: TensorTrain | None = None) -> LeastSquares:
        """The objective for residuals of a robust standard deviation ``scale``, in units of the values' own."""
        self.turn = EFFICIENT * max(scale, 1e-3 * self.accuracy)
        loss = Huber(self.turn if self.even else self.turn / self.roots)  # of residuals in units of their own deviation
        return LeastSquares(self.samples, self.values, weights=self.weights, loss=loss, ridge=ridge, anchor=anchor)

    def held(self, weight: float, anchor: TensorTrain) -> LeastSquares:
        return self.under(self.turn / EFFICIENT, weight * self.samples.share * self.objective.whole, anchor)

    def start(self) -> Growth:
        """The fit of rank one: of the values cut off, from the best start, or from a random one."""
        cut = self.values * (CUT / np.maximum(np.abs(self.values), CUT))
        if self.attempt == 0:
            train = rank_one_start(self.samples, cut, self.method.starts, self.rng, weights=self.weights)
        else:
            train = rank_one_start(self.samples, cut, 0, self.rng, False, self.weights)
        x = self.fit(MANIFOLD.point(train), 6)
        return Growth([self.judge(1, x)], x)

    def fit(
        self, x: FixedRankPoint, rounds: int, objective: LeastSquares | None = None, steps: int | None = None
    ) -> FixedRankPoint:
        """All cores fitted, again while the residuals, and with them the loss, become smaller."""
        method = self.method.descent
        if steps is not None:
            method = replace(method, steps=min(steps, method.steps))
        scale = self.residual(x)
        for _ in range(rounds):
            if objective is None:
                self.objective = self.under(scale)
            else:
                objective = self.under(scale, objective.ridge, objective.anchor)
            at_work = objective or self.objective
            target = max(0.5 * DECREASE * self.turn**2, 1e-28)
            found = minimise(at_work, MANIFOLD, x, method=method, accuracy=target, throw=False)
            self.evaluations += found.counts["evaluations"]
            self.fits += 1
            x, before, scale = found.value, scale, self.residual(found.value)
            if scale > SETTLED * before or scale <= 1e-3 * self.accuracy:
                break
        self.objective = self.under(scale)
        return x

    def residual(self, x: FixedRankPoint) -> float:
        return robust_scale(self.roots * (SampledPoint.of(self.samples, x).entries - self.values))

    def judge(self, rank: int, x: FixedRankPoint) -> RankFit:
        train = self.train(x)
        off = np.sqrt(self.kept.weights) * (values_of(train, self.kept.samples) - self.kept.values)
        kept = robust_scale(off) / self.typical
        seconds = time.perf_counter() - self.begin
        return RankFit(rank, x.ranks, self.residual(x), kept, None, None, self.evaluations, seconds)


def typical_size(values: np.ndarray) -> float:
    """The root mean square of normal values with this median size; of those that are not zero where most are."""
    size = robust_scale(values)
    return size if size > 0.0 else robust_scale(values[values != 0.0])
