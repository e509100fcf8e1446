"""The fits of growing ranks to samples: from the best start, from random ones where that learned nothing.

From rank one on, the ranks grow one bond after the other by the best direction of the residual, and each time all cores
are fitted by conjugate gradients on the manifold of fixed ranks (optimisation.least_squares), at first held to the fit
of the rank before, then less and less: with few samples a fit that is free at once fills entries that no sample shows
with large values (measured: up to ten times the error at 0.8 % of 20^4 entries). Entries set aside, never
fitted, tell which rank predicts best: a fit of larger ranks can be closer to the samples and further from the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from solvers.checkpoint import Content, random_state, restore
from solvers.fit_methods import Completion
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.measured import amount
from solvers.optimisation.completion.covariance import linearised
from solvers.optimisation.completion.dimension import feasible
from solvers.optimisation.completion.given import Data, Repeated, split
from solvers.optimisation.completion.growth import LEARNED, Growth, RankFit, stored_growth
from solvers.optimisation.completion.judges import (
    beside_second,
    by_few,
    everywhere,
    excess,
    relative_error,
    undetermined,
    weighed,
    whole_size,
)
from solvers.optimisation.completion.start import rank_one_start
from solvers.optimisation.descent import minimise
from solvers.optimisation.least_squares import MANIFOLD, LeastSquares
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRankPoint
from solvers.optimisation.samples import Samples, values_of
from solvers.solution import Checked, IterationState, Solution, Status

RELATIVE = 1e-4  # of the value: a decrease expected below ends a fit
FALL = 0.1  # a fit whose value fell below this share is fitted again, to its new value
ROUNDS = 6
BETWEEN = 40  # steps of a fit between two bonds that grow
HELD, LOOSENED = 1e-1, (1e-2, 1e-3, 1e-4)  # weights of the anchor while ranks grow, and after; none at the end
WILD = 0.1  # a fit held to the one before is kept where it is judged better than a free one by this
TINY = 1e-6  # of the size of a tensor: what is left of a fit that has nothing in common with other entries
SECOND_STARTS = 1  # random ones of a second fit, which says nothing where it learned nothing
RETRIES = 45_000  # evaluations times modes, 0.6 ms each (measured): no further random start beyond
SECOND_LOOK = 2e9  # multiplications of a first fit, up to which a second one is made; none: no such look is taken
FLOOR = 1e-3  # of the accuracy: a training error below is as good as none


class RankGrowth:
    """Fits to the samples ``given``, of which ``parts`` are fitted and set aside; scaled to a root mean square of one.

    ``twice``: whether what was found is looked at again, beside a second fit. ``earlier``: the content of another
    growth for the same samples, whose last rank comes first.
    """

    def __init__(
        self,
        given: Data[Samples],
        parts: tuple[Data[Samples], Data[Samples]],
        test: Data[Samples] | None,
        method: Completion,
        accuracy: float,
        rng: np.random.Generator,
        twice: bool = True,
        repeated: Repeated | None = None,
    ) -> None:
        self.given, self.test, self.twice, self.repeated = given, test, twice, repeated or Repeated()
        self.method, self.accuracy, self.rng = method, accuracy, rng
        self.fitted, self.kept = parts
        self.samples, self.weights = self.fitted.samples, self.fitted.weights
        self.rescale(self.fitted.size)
        self.known = self.fitted.joined(self.kept)
        self.typical = self.known.size
        self.begin = time.perf_counter()
        self.evaluations = self.fits = 0
        self.attempt = 0  # which start: 0 the best one, others are random
        self.best: Growth | None = None  # of the attempts before
        self.growth: Growth | None = None  # of this one
        self.earlier: Content | None = None
        self.everywhere = 0.0  # an error over all entries that those set aside do not show

    def rescale(self, scale: float) -> None:
        """Fit values in this unit."""
        self.scale, self.values = scale, self.fitted.values / scale
        self.objective = LeastSquares(self.samples, self.values, weights=self.weights)

    def steps(self) -> Iterator[IterationState]:
        """A state a rank, and within it one a bond, until an attempt has learned something or there were enough."""
        if self.earlier is not None:
            self.take_over(self.earlier)
        largest = max(feasible(self.samples.shape, self.method.max_rank))
        while True:
            # 1 rank one
            if self.growth is None:
                self.growth = self.start()
                yield self.rank_state(self.growth)
            # 2 one rank more, while larger ones may predict better
            while self.growth.fits[-1].rank < largest and self.growth.hopeful(self.accuracy):
                yield from self.enlarge(self.growth)
            # 3 the best so far, and whether another start is worth it
            if self.best is None or self.growth.chosen.judged < self.best.chosen.judged:
                self.best = self.growth
            spent = self.evaluations * len(self.samples.shape) > RETRIES
            if self.best.chosen.judged <= LEARNED or self.attempt >= self.method.starts or spent:
                return
            self.attempt += 1
            self.growth = None

    def start(self) -> Growth:
        """The fit of rank one, from the best start, or from a random one."""
        if self.attempt == 0:
            train = rank_one_start(self.samples, self.values, self.method.starts, self.rng, weights=self.weights)
        else:
            train = rank_one_start(self.samples, self.values, 0, self.rng, False, self.weights)
        x = self.fit(MANIFOLD.point(train), ROUNDS)
        return Growth([self.judge(1, x)], x)

    def enlarge(self, growth: Growth) -> Iterator[IterationState]:
        """The next rank: it grows bond by bond, held to the fit before, and is then let go."""
        shape, ranks = self.samples.shape, feasible(self.samples.shape, self.method.max_rank)
        x, last = growth.last, growth.fits[-1].rank + 1
        anchor = x.train
        for k in range(len(shape) - 1):
            # no more than the two cores at the bond can have, whose other bonds may not have grown yet
            most = min(ranks[k + 1], last, x.ranks[k] * shape[k], shape[k + 1] * x.ranks[k + 2])
            if x.ranks[k + 1] < most:
                x = self.fit(self.objective.grown(x, k, self.rng), 1, self.held(HELD, anchor), BETWEEN)
                yield self.state(f"rank {last}", x, last - 1 + (k + 1) / len(shape), None)
        for weight in LOOSENED:
            x = self.fit(x, 1, self.held(weight, anchor))
        held, x = x, self.fit(x, ROUNDS)
        fit, before = self.judge(last, x), self.judge(last, held)
        if before.judged < WILD * fit.judged:  # let go, it filled what no sample shows
            fit, x = before, held
        apart = (x.train - anchor).norm() / max(x.train.norm(), TINY * anchor.norm())
        growth.add(replace(fit, apart=float(apart)), x)
        yield self.rank_state(growth)

    def content(self) -> Content:
        """The growth at work and the best one of the attempts before."""
        before = None if self.best is self.growth else self.best
        named = {name: one for name, one in (("best", before), ("growth", self.growth)) if one is not None}
        arrays = {key: core for name, one in named.items() for key, core in one.arrays(name).items()}
        growths = {name: one.entry for name, one in named.items()}
        data = {"attempt": self.attempt, "growths": growths, "random": random_state(self.rng)}
        return arrays, data | {"evaluations": self.evaluations, "fits": self.fits}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there, whatever there was earlier."""
        d = len(self.samples.shape)
        found = {name: stored_growth(arrays, name, entry, d) for name, entry in data["growths"].items()}
        self.attempt, self.best, self.growth = data["attempt"], found.get("best"), found["growth"]
        self.evaluations, self.fits = data["evaluations"], data["fits"]
        restore(self.rng, data["random"])
        self.begin = time.perf_counter() - self.growth.fits[-1].seconds
        self.earlier = None

    def take_over(self, earlier: Content) -> None:
        """Go on from another growth, which was content with less: its last rank is fitted again."""
        begin = self.begin
        self.restore(*earlier)
        self.begin = begin
        assert self.growth is not None
        x = self.fit(self.growth.last, ROUNDS)
        self.growth.renew(self.judge(self.growth.fits[-1].rank, x), x)

    def held(self, weight: float, anchor: TensorTrain) -> LeastSquares:
        """The objective that keeps to the fit of the rank before where the samples say little."""
        ridge = weight * self.samples.share * self.objective.whole
        return LeastSquares(self.samples, self.values, weights=self.weights, ridge=ridge, anchor=anchor)

    def fit(
        self, x: FixedRankPoint, rounds: int, objective: LeastSquares | None = None, steps: int | None = None
    ) -> FixedRankPoint:
        """All cores fitted, again while the value falls by orders of magnitude."""
        objective, method = objective or self.objective, self.method.descent
        if steps is not None:
            method = replace(method, steps=min(steps, method.steps))
        floor = 0.5 * (FLOOR * self.accuracy) ** 2
        value = objective.evaluate(x).value
        for _ in range(rounds):
            target = max(RELATIVE * value, FLOOR * floor, 1e-28)
            found = minimise(objective, MANIFOLD, x, method=method, accuracy=target, throw=False)
            self.evaluations += found.counts["evaluations"]
            self.fits += 1
            x, before, value = found.value, value, found.extra["value"]
            if value <= floor or value > FALL * before:
                break
        return x

    def train(self, x: FixedRankPoint) -> TensorTrain:
        return x.train * self.scale

    def judge(self, rank: int, x: FixedRankPoint) -> RankFit:
        """The errors of a rank's fit, reported."""
        train = self.train(x)

        def error(data: Data[Samples]) -> tuple[float, float]:
            return relative_error(values_of(train, data.samples), data.values, self.typical, data.weights)

        fitted = float(np.sqrt(2.0 * self.objective.evaluate(x).value))
        kept = error(self.kept)[0]
        test: tuple[float | None, float | None] = error(self.test) if self.test is not None else (None, None)
        seconds = time.perf_counter() - self.begin
        return RankFit(rank, x.ranks, fitted, kept, *test, self.evaluations, seconds, self.excess(train))

    def excess(self, train: TensorTrain) -> float:
        """By how much the whole tensor is larger than its samples let expect."""
        return excess(train, self.known.values, self.known.weights)

    def rank_state(self, growth: Growth) -> IterationState:
        fit = growth.fits[-1]
        return self.state(f"rank {fit.rank}", growth.last, fit.rank, fit)

    def state(self, label: str, x: FixedRankPoint, done: float, fit: RankFit | None) -> IterationState:
        """Of a rank that is fitted, or None: of one on the way."""
        return IterationState(
            0,
            label,
            x.max_rank,
            0.0,
            residuals=None if fit is None else np.array([fit.validation_error]),
            fraction=min(done / self.method.max_rank, 1.0),
            finished=fit is not None,
            extra={"evaluations": self.evaluations},
        )

    def solution(self) -> Solution:
        """The rank that predicts best, beside a second fit where it seems good enough and that is not too dear."""
        assert self.best is not None
        solution = self.found(self.best)
        best: RankFit = solution.extra["best"]
        promising = solution.converged or (best.seen <= self.accuracy and solution.status is not Status.CONTRADICTED)
        work = float(self.evaluations) * len(self.given) * len(self.samples.shape) * best.rank**2
        if not (self.twice and promising and work <= SECOND_LOOK):
            return solution
        return beside_second(solution, self.second(best.rank), self.accuracy, self.everywhere)

    def second(self, rank: int) -> Solution:
        """Another fit up to the same rank, with other entries set aside."""
        parts = split(self.given, self.method.validation, np.random.default_rng(1))
        method = replace(self.method, max_rank=rank, starts=min(self.method.starts, SECOND_STARTS))
        rng = np.random.default_rng(2)
        return drive(RankGrowth(self.given, parts, None, method, self.accuracy, rng, twice=False), throw=False)

    def found(self, growth: Growth) -> Solution:
        """The rank that predicts best, with the looks at it that need no other fit."""
        if growth.chosen.error > 1.0:
            self.shrink(growth)
        fit = growth.chosen
        known = values_of(self.train(growth.point), self.kept.samples)
        error = by_few(fit.error, known, self.kept, self.typical)
        status = Status.RANK_LIMIT if growth.rising else Status.STAGNATED
        looks = [
            Checked(
                "entries not fitted",
                "set aside to choose the rank",
                f"relative error {amount(fit.validation_error)}",
                fit.validation_error <= self.accuracy,
            ),
            whole_size(fit.excess, self.accuracy),
        ]
        doubts = [*weighed(self.kept), *self.repeated.looks(self.accuracy)]
        noise = self.repeated.noise if doubts and not doubts[-1].passed else 0.0
        found = linearised(replace(self.fitted, values=self.values), growth.point)
        self.everywhere, seen = everywhere(max(fit.seen, error), fit, growth.shown, found, self.accuracy)
        doubts += seen
        looks += doubts
        if error <= self.accuracy:
            status = Status.CONVERGED
            work = self.samples.count * len(self.samples.shape) * float(fit.rank) ** 4
            left = 0.0
            if work <= SECOND_LOOK:
                left = undetermined(self.fitted, growth.point)
                text = f"a share of {amount(left**2)} of a core is open" if left else "all of every core is determined"
                looks.append(Checked("samples of each part", "what they see of each slice of a core", text, not left))
            error = max(error, noise)
            if left > self.accuracy or not all(look.passed for look in doubts):
                status, error = Status.CONTRADICTED, max(error, left)
        error = max(error, self.everywhere)
        extra = {"by_rank": tuple(growth.fits), "best": fit, "fitted": self.samples.count, "validation": len(self.kept)}
        return Solution(
            self.train(growth.point),
            status,
            int(status is Status.CONVERGED),
            np.array([error]),
            (),
            {"evaluations": self.evaluations, "fits": self.fits},
            {},
            extra | self.repeated.told,
            tuple(looks),
        )

    def shrink(self, growth: Growth) -> None:
        """Scale a fit that is worse than zeros to what it has in common with the entries known beside it."""
        fit, train = growth.chosen, self.train(growth.point)
        others = self.kept if self.test is None else self.kept.joined(self.test)
        true, found, weights = others.values, values_of(train, others.samples), others.weights
        size = float(weights.sum()) * self.typical**2
        whole = train.norm() ** 2 * self.samples.share * float(weights.sum())
        share = max(float((weights * found.conj() @ true).real), TINY * size)
        share /= max(float(weights @ np.abs(found) ** 2), whole, size)
        point = MANIFOLD.point(growth.point.train * min(share, 1.0))
        less = self.judge(fit.rank, point)
        if less.error < fit.error:
            growth.fits[growth.fits.index(fit)] = growth.chosen = less
            growth.point = point
