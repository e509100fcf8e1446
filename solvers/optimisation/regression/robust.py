"""Values at points of which some are wrong by any amount: those that do not fit are found, told, and left out.

1. All by squares: where that meets the accuracy, nothing is wrong.
2. The growth of ranks under Huber's loss, which turns linear at 1.345 robust standard deviations of the residuals,
   found again in each sweep; ranks are judged by the median size of the residuals, of which half may be anything.
3. What is off by more than ``FAR`` robust standard deviations and by more than the accuracy is rejected, the rest
   fitted by squares, and every value judged again, until the set of the rejected stays the same.
4. Two looks at the rejected (completion.suspects): values that were not fitted must not be rejected more often than
   those that were (a fit that rejects what it does not explain), and they must not lie together (a peak).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.fit_methods import Regression
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.completion.dimension import LEAST_VALIDATION
from solvers.optimisation.completion.given import Data
from solvers.optimisation.completion.growth import LEARNED, RankFit
from solvers.optimisation.completion.judges import relative_error
from solvers.optimisation.completion.robust import FAR
from solvers.optimisation.completion.suspects import looks_at
from solvers.optimisation.least_squares import LeastSquares
from solvers.optimisation.losses import EFFICIENT, Huber, robust_scale
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRankPoint
from solvers.optimisation.regression.growth import RegressionGrowth
from solvers.optimisation.regression.sweeps import sweep
from solvers.optimisation.samples import FunctionSamples, values_of
from solvers.solution import IterationState, Solution, Status

Points = Data[FunctionSamples]
SETTLED = 0.9  # of the robust residual before: a sweep that made it no smaller than that is the last but one
PASSES = 6  # growths of squares, before a set that still changes is told as it is


class HuberRegression(RegressionGrowth):
    """As RegressionGrowth, under Huber's loss; its errors are robust ones."""

    turn = 1.0  # robust standard deviation of the residuals, in units of the scale

    def objective(self, ridge: float) -> LeastSquares:
        plain = super().objective(ridge)
        delta = EFFICIENT * max(self.turn, 1e-3 * self.accuracy) / np.sqrt(plain.weights)
        return LeastSquares(plain.samples, plain.values, weights=plain.weights, loss=Huber(delta), ridge=plain.ridge)

    def swept(self, x: FixedRankPoint, ridge: float, most: int) -> FixedRankPoint:
        self.fits += 1
        idle = 0
        for _ in range(most):
            before = self.turn = self.scale_of(x, self.fitted) / self.scale
            x, _ = sweep(self.objective(ridge), x)
            self.sweeps += 1
            now = self.scale_of(x, self.fitted) / self.scale
            idle = idle + 1 if now > SETTLED * before else 0
            if now <= 1e-3 * self.accuracy or idle == 3:
                break
        return x

    def scale_of(self, x: FixedRankPoint, data: Points) -> float:
        return robust_scale(off(self.train(x), data))

    def judge(self, rank: int, x: FixedRankPoint, ridge: float) -> RankFit:
        plain = super().judge(rank, x, ridge)
        fitted, kept = (self.scale_of(x, data) / self.typical for data in (self.fitted, self.kept))
        return replace(plain, train_error=fitted, validation_error=kept, test_error=None, uncertainty=None)


class RobustRegression:
    """The steps above, for an Iteration: growths one by one; ``phase`` 0 all by squares, 1 under Huber's loss."""

    def __init__(
        self,
        parts: tuple[Points, Points],
        test: Points | None,
        method: Regression,
        accuracy: float,
        rng: np.random.Generator,
    ) -> None:
        self.all = (*parts, parts[0].only(np.arange(0)) if test is None else test)
        self.method, self.accuracy = method, accuracy
        self.seed = int(rng.integers(2**63))
        self.masks = [np.zeros(len(part), dtype=bool) for part in self.all]
        size = robust_scale(np.concatenate([part.values for part in parts]))
        self.typical = size or parts[0].joined(parts[1]).size
        self.counts = {"sweeps": 0, "fits": 0}
        self.phase, self.settled = 0, False
        self.growth = self.begun()

    def begun(self) -> RegressionGrowth:
        """The growth of this phase on what is not rejected."""
        fitted, kept, test = (part.only(~mask) for part, mask in zip(self.all, self.masks))
        kind = HuberRegression if self.phase == 1 else RegressionGrowth
        growth = kind(
            fitted.joined(kept),
            (fitted, kept),
            test if len(test) else None,
            self.method,
            self.accuracy,
            np.random.default_rng(self.seed),
        )
        if self.phase == 1:
            growth.scale = growth.typical = self.typical
        return growth

    def steps(self) -> Iterator[IterationState]:
        """The states of all growths."""
        while not self.settled:
            yield from self.growth.steps()
            masks = self.judged()
            if masks is None:
                self.settled = True
                return
            self.counts = self.work()
            self.phase, self.masks = self.phase + 1, masks
            self.growth = self.begun()

    def judged(self) -> list[np.ndarray] | None:
        """Who is rejected in the next phase; None: it is over."""
        assert self.growth.best is not None
        if self.phase == 0:
            return None if self.growth.best.chosen.error <= self.accuracy else self.masks
        if self.growth.best.chosen.judged > LEARNED:  # nothing was learned, and nothing is told apart by it
            return [np.zeros_like(mask) for mask in self.masks] if self.phase == 1 else None
        masks = self.rejected()
        same = all(np.array_equal(a, b) for a, b in zip(masks, self.masks))
        return None if self.phase > 1 and (same or self.phase > PASSES) else masks

    def rejected(self) -> list[np.ndarray]:
        """Values too far from the best fit."""
        assert self.growth.best is not None
        train = self.growth.train(self.growth.best.point)
        far = [off(train, part) for part in self.all]
        near = np.concatenate([each[~mask] for each, mask in zip(far[:2], self.masks)])
        limit = max(FAR * robust_scale(near), self.accuracy * self.typical)
        masks = [each > limit for each in far]
        if np.count_nonzero(~masks[1]) < LEAST_VALIDATION:
            masks[1][np.argsort(far[1])[:LEAST_VALIDATION]] = False
        return masks

    def work(self) -> dict[str, int]:
        return {name: self.counts[name] + getattr(self.growth, name) for name in self.counts}

    def content(self) -> Content:
        arrays, data = self.growth.content()
        arrays |= {f"mask.{k}": mask for k, mask in enumerate(self.masks)}
        return arrays, {**data, "phase": self.phase, "settled": self.settled, "done": self.counts, "seed": self.seed}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        self.masks = [np.asarray(arrays[f"mask.{k}"], dtype=bool) for k in range(3)]
        self.phase, self.settled, self.seed = data["phase"], data["settled"], data["seed"]
        self.counts = dict(data["done"])
        self.growth = self.begun()
        self.growth.restore(arrays, data)
        if self.settled:  # that growth is over, and its best is asked for
            self.growth.best = self.growth.best or self.growth.growth

    def solution(self) -> Solution:
        """What the last growth found, with the looks at what was rejected."""
        solution = self.growth.solution()
        looks = [*looks_at(self.all, self.masks)] if any(mask.any() for mask in self.masks) else []
        rejected = tuple(part.samples.points[mask] for part, mask in zip(self.all, self.masks))
        solution = replace(
            solution,
            counts=self.work(),
            checked=(*solution.checked, *looks),
            extra={**solution.extra, "rejected": rejected},
        )
        if not all(look.passed for look in looks):
            known = [(values_of(solution.value, part.samples), part) for part in self.all]
            found, true = np.concatenate([at for at, _ in known]), np.concatenate([part.values for part in self.all])
            error = relative_error(found, true, weights=np.concatenate([part.weights for part in self.all]))[0]
            error = max(error, float(solution.residual[0]))  # the rejected may be true
            status = Status.CONTRADICTED if solution.converged else solution.status
            return replace(solution, status=status, n_converged=0, residual=np.array([error]))
        return solution


def off(train: TensorTrain, data: Points) -> np.ndarray:
    """How far the train is from the values (m,), in units of the deviation that their weights say."""
    return np.sqrt(data.weights) * np.abs(values_of(train, data.samples) - data.values)
