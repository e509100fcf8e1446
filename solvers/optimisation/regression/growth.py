"""The fits of growing ranks to values at points: from rank one, and from a sum of functions of one coordinate each.

1. A start: rank one from a constant; then the best sum of functions of single coordinates, of rank two; then random
   ones where nothing was learned.
2. Ranks one larger at every bond, by the best direction of the residual, and sweeps over the cores
   (regression.sweeps) until they gain little.
3. Where the points set aside are predicted worse than those fitted, the same under ridges from strong to weak; they
   choose. Ranks grow while they predict better (completion.growth).
4. The best of all, with fits of the same rank and ridge from other points: each point is set aside once, where that is
   not too dear (cross-validation; Stone, J. R. Stat. Soc. B 36, 111 (1974)), else a part of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from solvers.checkpoint import Content, random_state, restore
from solvers.fit_methods import Regression
from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.measured import amount
from solvers.optimisation.completion.dimension import feasible, parameters
from solvers.optimisation.completion.given import Data, Repeated, parted
from solvers.optimisation.completion.growth import LEARNED, PATIENCE, Growth, RankFit, stored_growth
from solvers.optimisation.completion.judges import relative_error, undetermined, weighed
from solvers.optimisation.least_squares import MANIFOLD, LeastSquares
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRankPoint
from solvers.optimisation.regression.sweeps import sweep
from solvers.optimisation.samples import FunctionSamples, values_of
from solvers.solution import Checked, IterationState, Solution, Status

SETTLED = 0.02  # relative decrease of the sum of squares in a sweep, below which a fit ends
FLOOR = 1e-3  # of the accuracy: an error of the points fitted below is as good as none
OVER = 1.3  # times the error of the points fitted, from which on that of those set aside calls for a ridge
RIDGES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
SHORT = 6  # sweeps of a fit under a ridge on trial
FOLDS = 5  # parts of the points, each set aside once
LEAST_JUDGES = 20  # points set aside, or a fifth of them: on fewer a rank or ridge is chosen by chance
APART = 3.0  # times the error said, by which two fits may differ where coordinates are drawn apart, up to everything
DRAWN = 2000  # points there
SECOND_LOOK = 2e9  # multiplications of a sweep: beyond, one part alone is set aside
MOST_WORK = 3e10  # beyond, no second fit is made


class RegressionGrowth:
    """The steps above, for an Iteration; values scaled to a root mean square of one.

    ``twice``: whether a second fit is made.
    """

    def __init__(
        self,
        given: Data[FunctionSamples],
        parts: tuple[Data[FunctionSamples], Data[FunctionSamples]],
        test: Data[FunctionSamples] | None,
        method: Regression,
        accuracy: float,
        rng: np.random.Generator,
        repeated: Repeated | None = None,
        twice: bool = True,
    ) -> None:
        self.given, self.test, self.twice, self.repeated = given, test, twice, repeated or Repeated()
        self.method, self.accuracy, self.rng = method, accuracy, rng
        self.fitted, self.kept = parts
        self.shape = given.samples.shape
        self.scale = self.fitted.size
        self.typical = given.size
        self.begin = time.perf_counter()
        self.sweeps = self.fits = 0
        self.attempt = 0
        self.best: Growth | None = None  # of the attempts before
        self.growth: Growth | None = None  # of this one
        self.origin = 0  # the attempt of the best
        largest = max(feasible(self.shape, method.max_rank))  # and no more than the points can tell
        while largest > 1 and parameters(self.shape, largest) > len(self.fitted):
            largest -= 1
        self.largest = largest

    def objective(self, ridge: float) -> LeastSquares:
        """``ridge``: relative to the sum of the weights."""
        samples, weights = self.fitted.samples, self.fitted.weights
        return LeastSquares(
            samples, self.fitted.values / self.scale, weights=weights, ridge=ridge * float(weights.sum())
        )

    def steps(self) -> Iterator[IterationState]:
        """A state a rank, until an attempt is good enough or there were enough."""
        while True:
            if self.growth is None:
                self.growth = self.start()
                yield self.state(self.growth)
            while self.growth.fits[-1].rank < self.largest and self.hopeful(self.growth):
                self.enlarge(self.growth)
                yield self.state(self.growth)
            if self.best is None or self.growth.chosen.judged < self.best.chosen.judged:
                self.best, self.origin = self.growth, self.attempt
            judged = self.best.chosen.judged
            enough = judged <= self.accuracy or (self.attempt >= 1 and judged <= LEARNED)
            if enough or self.attempt > self.method.starts or self.largest == 1:
                return
            self.attempt += 1
            self.growth = None

    def hopeful(self, growth: Growth) -> bool:
        """Whether a larger rank is worth a fit: some, not many, may predict no better."""
        return growth.hopeful(self.accuracy) and growth.fits[-1].rank - max(growth.progress, 2) < PATIENCE

    def start(self) -> Growth:
        """Step 1, fitted."""
        values, shape = self.fitted.values, self.shape
        if self.attempt == 1:
            train = self.additive()
        else:
            # a constant is the first direction of no basis: the mean of the functions themselves
            vectors = [phi.conj().mean(axis=0) for phi in self.fitted.samples.functions]
            if self.attempt > 1 or not all(vector.any() for vector in vectors):
                vectors = [self.rng.standard_normal(n) for n in shape]
            train = rank_one([vector.astype(np.result_type(vector, values)) for vector in vectors])
        fit, x = self.chosen(MANIFOLD.point(train))
        return Growth([fit], x)

    def additive(self) -> TensorTrain:
        """The best sum of functions of one coordinate each, at a ridge too small to matter, as a train of rank two."""
        samples, roots = self.fitted.samples, np.sqrt(self.fitted.weights)
        columns = np.concatenate([np.ones((len(roots), 1)), *samples.functions], axis=1) * roots[:, None]
        rhs = roots * self.fitted.values / self.scale
        found = np.linalg.lstsq(columns, rhs, rcond=1e-10)[0]
        effects = np.split(found[1:], np.cumsum(self.shape)[:-1])
        # a constant in each basis, as near as it has one
        ones = [np.linalg.lstsq(phi, np.ones(len(phi)), rcond=1e-10)[0] for phi in samples.functions]
        cores = []
        for k, (effect, one) in enumerate(zip(effects, ones)):
            core = np.zeros((2, len(one), 2), dtype=np.result_type(found, one))
            core[0, :, 0] = core[1, :, 1] = one
            core[0, :, 1] = effect + (found[0] * one if k == 0 else 0.0)
            core = core[:1] if k == 0 else core
            cores.append(core[:, :, 1:] if k == len(ones) - 1 else core)
        return TensorTrain(tuple(cores))

    def enlarge(self, growth: Growth) -> None:
        """Step 2: one rank more."""
        last = growth.fits[-1].rank + 1
        ranks, objective, x = feasible(self.shape, last), self.objective(growth.fits[-1].ridge), growth.last
        for k in range(len(self.shape) - 1):
            most = min(ranks[k + 1], x.ranks[k] * self.shape[k], self.shape[k + 1] * x.ranks[k + 2])
            if x.ranks[k + 1] < most:
                x = objective.grown(x, k, self.rng)
        growth.add(*self.chosen(x, last))

    def chosen(self, start: FixedRankPoint, rank: int | None = None) -> tuple[RankFit, FixedRankPoint]:
        """Steps 2 and 3: the fit from ``start`` that predicts best, by its ridge."""
        rank = rank or start.max_rank
        ridge = self.method.ridge
        x = self.swept(start, ridge or 0.0, self.method.sweeps)
        best = self.judge(rank, x, ridge or 0.0), x
        if ridge is not None or best[0].validation_error <= max(OVER * best[0].train_error, FLOOR * self.accuracy):
            return best
        x = start
        for trial in RIDGES:
            x = self.swept(x, trial, SHORT)
            fit = self.judge(rank, x, trial)
            if fit.judged < best[0].judged:
                best = fit, x
        fit, x = best
        if fit.ridge:
            x = self.swept(x, fit.ridge, self.method.sweeps)
            again = self.judge(rank, x, fit.ridge)
            best = (again, x) if again.judged < fit.judged else best
        return best

    def swept(self, x: FixedRankPoint, ridge: float, most: int) -> FixedRankPoint:
        """Sweeps until they gain little."""
        objective, last = self.objective(ridge), np.inf
        self.fits += 1
        for _ in range(most):
            x, value = sweep(objective, x)
            self.sweeps += 1
            if value <= 0.5 * (FLOOR * self.accuracy) ** 2 or value > (1.0 - SETTLED) * last:
                break
            last = value
        return x

    def train(self, x: FixedRankPoint) -> TensorTrain:
        return x.train * self.scale

    def judge(self, rank: int, x: FixedRankPoint, ridge: float) -> RankFit:
        """The errors of a fit, by weight."""
        train = self.train(x)

        def error(data: Data[FunctionSamples]) -> tuple[float, float]:
            return relative_error(values_of(train, data.samples), data.values, self.typical, data.weights)

        test: tuple[float | None, float | None] = error(self.test) if self.test is not None else (None, None)
        seconds = time.perf_counter() - self.begin
        errors = error(self.fitted)[0], error(self.kept)[0]
        return RankFit(rank, x.ranks, *errors, *test, self.sweeps, seconds, 0.0, ridge)

    def state(self, growth: Growth) -> IterationState:
        fit = growth.fits[-1]
        return IterationState(
            0,
            f"rank {fit.rank}",
            growth.last.max_rank,
            0.0,
            residuals=np.array([fit.validation_error]),
            fraction=min(fit.rank / self.largest, 1.0),
            extra={"sweeps": self.sweeps},
        )

    def content(self) -> Content:
        """The growth at work and the best one of the attempts before."""
        before = None if self.best is self.growth else self.best
        named = {name: one for name, one in (("best", before), ("growth", self.growth)) if one is not None}
        arrays = {key: core for name, one in named.items() for key, core in one.arrays(name).items()}
        growths = {name: one.entry for name, one in named.items()}
        data = {"attempt": self.attempt, "origin": self.origin, "growths": growths, "random": random_state(self.rng)}
        return arrays, data | {"sweeps": self.sweeps, "fits": self.fits}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        found = {key: stored_growth(arrays, key, entry, len(self.shape)) for key, entry in data["growths"].items()}
        self.attempt, self.best, self.growth = data["attempt"], found.get("best"), found["growth"]
        self.origin, self.sweeps, self.fits = data["origin"], data["sweeps"], data["fits"]
        restore(self.rng, data["random"])
        self.begin = time.perf_counter() - self.growth.fits[-1].seconds

    def solution(self) -> Solution:
        """The fit that predicts best, with the looks at it; ``value`` in orthonormal functions."""
        assert self.best is not None
        best, train = self.best.chosen, self.train(self.best.point)
        error = best.error
        text = f"relative error {amount(best.validation_error)}"
        how = "set aside to choose rank and ridge"
        looks = [Checked("points not fitted", how, text, best.validation_error <= self.accuracy)]
        extra: dict[str, Any] = {"by_rank": tuple(self.best.fits), "best": best, "ridge": best.ridge}
        extra |= {"fitted": len(self.fitted), "validation": len(self.kept)} | self.repeated.told
        left = undetermined(self.fitted, self.best.point)
        text = f"a share of {amount(left**2)} of a core is open" if left else "all of every core is determined"
        looks.append(Checked("samples of each part", "what the points see of each core", text, not left))
        looks += [*weighed(self.kept), *self.repeated.looks(self.accuracy)]
        work = float(len(self.given)) * sum(float(core.size) ** 2 for core in train.cores)
        if self.twice and work <= MOST_WORK:
            crossed, apart = self.crossed(best, train, FOLDS if work <= SECOND_LOOK else 1)
            error = max(error, crossed)
            text, passed = f"relative error {amount(crossed)}", crossed <= self.accuracy
            looks.append(Checked("points set aside in turn", "fits of the same rank and ridge", text, passed))
            text, passed = f"differ by {amount(apart)}", apart <= min(APART * max(error, self.accuracy), 1.0)
            looks.append(Checked("function", "those fits, where coordinates are drawn apart", text, passed))
        status = Status.CONVERGED
        if error > self.accuracy:
            last = self.best.fits[-1].rank
            capped = last == self.method.max_rank and last - self.best.progress < PATIENCE
            status = Status.RANK_LIMIT if capped else Status.STAGNATED
        elif not all(look.passed for look in looks):
            status, error = Status.CONTRADICTED, max(error, left)
        counts = {"sweeps": self.sweeps, "fits": self.fits}
        found = int(status is Status.CONVERGED)
        return Solution(train, status, found, np.array([error]), (), counts, {}, extra, tuple(looks))

    def crossed(self, best: RankFit, train: TensorTrain, folds: int) -> tuple[float, float]:
        """The relative error of points by fits without them, and the largest difference of those from ``train``."""
        method = replace(self.method, max_rank=best.rank, ridge=best.ridge)
        found, apart, aside = [], 0.0, folded(self.given, FOLDS, np.random.default_rng(1))
        for fold in range(folds):
            parts = self.given.only(aside != fold), self.given.only(aside == fold)
            rng = np.random.default_rng(2 + fold)
            other = RegressionGrowth(self.given, parts, None, method, self.accuracy, rng, twice=False)
            other.attempt = self.origin
            fitted = drive(other, throw=False)
            found.append((parts[1], values_of(fitted.value, parts[1].samples)))
            apart = max(apart, self.apart(train, fitted.value))
        values, weights = (np.concatenate([getattr(part, name) for part, _ in found]) for name in ("values", "weights"))
        return relative_error(np.concatenate([at for _, at in found]), values, self.typical, weights)[0], apart

    def apart(self, one: TensorTrain, other: TensorTrain) -> float:
        """The relative difference of two trains at points whose coordinates are each those of some given point."""
        rng, count = np.random.default_rng(3), min(DRAWN, len(self.given))
        functions = tuple(phi[rng.integers(0, len(phi), count)] for phi in self.given.samples.functions)
        samples = FunctionSamples(np.zeros((count, len(functions))), functions)
        difference = values_of(one, samples) - values_of(other, samples)
        return float(np.sqrt(np.mean(np.abs(difference) ** 2))) / self.typical


def divided(
    data: Data[FunctionSamples], share: float, rng: np.random.Generator
) -> tuple[Data[FunctionSamples], Data[FunctionSamples]]:
    """Points to fit and points set aside. Raises ValueError where there are too few."""
    count = len(np.unique(data.samples.points, axis=0))
    return parted(data, None, max(share, min(LEAST_JUDGES / count, 0.2)), rng)


def folded(data: Data[FunctionSamples], count: int, rng: np.random.Generator) -> np.ndarray:
    """To which of ``count`` parts of equal size a point belongs (m,); those at one place to the same."""
    _, place = np.unique(data.samples.points, axis=0, return_inverse=True)
    place = place.ravel()
    return (rng.permutation(int(place.max()) + 1) % count)[place]
