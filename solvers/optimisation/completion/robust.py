"""Samples of which some are wrong: those that do not fit are found, told, and the rest is completed by squares.

    1. Ranks grow under Huber's loss (completion.huber_growth). What is off by more than ``FAR`` robust standard
       deviations of the residuals, and by more than the accuracy, is rejected.
    2. The growth of squares (completion.rank_growth) on what is not. Every sample, those rejected too, is judged again
       by the new fit, until the set of the rejected stays the same. Those that are off by not much more than the limit
       are then fitted once on trial, and stay where that makes the fit of the others no worse: so a peak that was not
       seen by the fit without it comes back. Those that nothing else checks (completion.leverage) are left out once:
       a fit without them tells whether they are true.
    3. Where something is rejected: whether a fit of all samples by squares meets the accuracy, which then is the
       answer; whether entries are left that nothing checks; whether entries that were not fitted are rejected more
       often than those that were (a fit that rejects what it does not explain), and whether the rejected lie on the
       same indices (a peak, not errors by chance).
What is told as errors is of entries that were not rejected. Measured on 1 / (1 + x1 + .. + x4), 20^4 points, 4,000
samples of which some are off by normal numbers of a hundred times the scale: of 1 to 20 % all are found, and the
error is that without them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.fit_methods import Completion
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.completion.dimension import LEAST_VALIDATION, parameters
from solvers.optimisation.completion.given import Data
from solvers.optimisation.completion.growth import LEARNED, PATIENCE
from solvers.optimisation.completion.huber_growth import HuberGrowth, typical_size
from solvers.optimisation.completion.leverage import leverages
from solvers.optimisation.completion.rank_growth import RankGrowth
from solvers.optimisation.completion.suspects import looks_at
from solvers.optimisation.losses import robust_scale
from solvers.optimisation.samples import Samples, values_of
from solvers.solution import Checked, IterationState, Solution, Status

FAR = 8.0  # robust standard deviations, beyond which an entry is rejected: 1e-15 of normal ones are
NEAR = 30.0  # times that, within which a rejected entry is tried once
WORSE = 1.5  # times the robust residual of the others before, by which a trial may raise it
STARTS = 1  # random ones of a growth without the rejected, after those of Huber's loss
RISK = 0.05  # of a wrong entry among those that nothing checks, beyond which they are left out once
PASSES = 10  # growths of squares, before a set that still changes is told as it is


@dataclass
class Masks:
    """Which entries are rejected: of those fitted, set aside, and of the test entries."""

    fitted: np.ndarray
    kept: np.ndarray
    test: np.ndarray

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Masks) and all(np.array_equal(a, b) for a, b in zip(self.all, other.all))

    @property
    def all(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.fitted, self.kept, self.test

    @property
    def count(self) -> int:
        return sum(int(mask.sum()) for mask in self.all)


class RobustCompletion:
    """The steps above, for an Iteration: growths one after the other, ``phase`` 0 that of Huber's loss."""

    def __init__(
        self,
        parts: tuple[Data[Samples], Data[Samples]],
        test: Data[Samples] | None,
        method: Completion,
        accuracy: float,
        rng: np.random.Generator,
    ) -> None:
        self.parts, self.method, self.accuracy, self.rng = parts, method, accuracy, rng
        self.shape = parts[0].samples.shape
        self.test = test
        nothing = parts[0].only(np.arange(0))
        self.all: tuple[Data[Samples], Data[Samples], Data[Samples]] = (*parts, nothing if test is None else test)
        self.masks = self.none()
        self.typical = typical_size(np.concatenate([part.values for part in parts]))
        self.counts = {"evaluations": 0, "fits": 0}  # of the growths before the present one
        self.phase, self.settled = 0, False
        self.tried = self.none()  # entries that have been on trial, and stay rejected if they are
        self.alone = self.none()  # entries that nothing checked, and that have been left out once
        self.before: Masks | None = None  # of a trial that is on: who was rejected before it
        self.scale_before = 0.0  # the robust residual of the others then
        self.growth: RankGrowth = self.huber()

    def none(self) -> Masks:
        return Masks(*(np.zeros(len(part), dtype=bool) for part in self.all))

    def huber(self) -> HuberGrowth:
        both = self.parts[0].joined(self.parts[1])
        return HuberGrowth(both, self.parts, self.method, self.accuracy, np.random.default_rng(3))

    def squares(self) -> RankGrowth:
        """The growth on what is not rejected, from where the generator stood; a rank for which too little is left is
        not tried."""
        fitted, kept, test = (part.only(~mask) for part, mask in zip(self.all, self.masks.all))
        most = self.method.max_rank
        while most > 1 and parameters(self.shape, most) > len(fitted):
            most -= 1
        rng = np.random.Generator(type(self.rng.bit_generator)())
        rng.bit_generator.state = self.rng.bit_generator.state
        judges = None if self.test is None or not len(test) else test
        method = replace(self.method, max_rank=most)
        if self.masks.count:
            method = replace(method, starts=min(method.starts, STARTS))
        return RankGrowth(fitted.joined(kept), (fitted, kept), judges, method, self.accuracy, rng, twice=False)

    def steps(self) -> Iterator[IterationState]:
        """The states of all growths."""
        while not self.settled:
            yield from self.growth.steps()
            masks = self.judged()
            if masks is None or self.phase >= PASSES:
                self.settled = True
                return
            self.counts = self.work()
            self.phase, self.masks = self.phase + 1, masks
            self.growth = self.squares()

    def judged(self) -> Masks | None:
        """Who is to be rejected next; None: as it is."""
        assert self.growth.best is not None
        if self.growth.best.chosen.judged > LEARNED:  # nothing was learned, and nothing is told apart by it
            return self.none() if self.phase == 0 else None
        found, near, scale = self.rejected(self.growth)
        before, self.before = self.before, None
        if before is not None and scale > WORSE * self.scale_before:
            return before
        if self.phase == 0 or found != self.masks:
            return found
        near = Masks(*(n & ~t for n, t in zip(near.all, self.tried.all)))
        if near.count == 0:
            unchecked = self.unchecked()
            if not unchecked.any():
                return None
            self.alone = replace(self.alone, fitted=self.alone.fitted | unchecked)
            return replace(found, fitted=found.fitted | unchecked)
        self.tried = Masks(*(n | t for n, t in zip(near.all, self.tried.all)))
        self.before, self.scale_before = found, scale
        return Masks(*(f & ~n for f, n in zip(found.all, near.all)))

    def rejected(self, growth: RankGrowth) -> tuple[Masks, Masks, float]:
        """Entries too far from the best fit, which of them are not much too far, and the robust residual of the others.

        An index whose samples are all rejected keeps the nearest of them.
        """
        assert growth.best is not None
        train = growth.train(growth.best.point)
        off = [self.off(train, part) for part in self.all]
        others = self.masks if self.before is None else self.before
        scale = max(
            robust_scale(np.concatenate([o[~mask] for o, mask in zip(off[:2], others.all)])),
            self.accuracy * self.typical / FAR,
        )
        masks = Masks(*(o > FAR * scale for o in off))
        for column, n in zip(*self.parts[0].samples.cells):
            for i in np.flatnonzero(np.bincount(column[~masks.fitted], minlength=n) == 0):
                own = np.flatnonzero(column == i)
                masks.fitted[own[np.argmin(off[0][own])]] = False
        if np.count_nonzero(~masks.kept) < LEAST_VALIDATION:
            masks.kept[np.argsort(off[1])[:LEAST_VALIDATION]] = False
        near = Masks(*(mask & (o <= NEAR * FAR * scale) for mask, o in zip(masks.all, off)))
        return masks, near, scale

    def off(self, train: TensorTrain, part: Data[Samples]) -> np.ndarray:
        """How far the train is from the values (m,), in units of the deviation that their weights say."""
        return np.sqrt(part.weights) * np.abs(values_of(train, part.samples) - part.values)

    def unchecked(self) -> np.ndarray:
        """Fitted entries whose errors, as large as those of the rejected, no residual would show (m,), those apart that
        were left out once; none where they hardly hold a wrong one, or where that is too much work to know."""
        none = np.zeros(len(self.parts[0]), dtype=bool)
        assert self.growth.best is not None
        point = self.growth.best.point
        found = leverages(self.growth.samples, point, self.growth.weights) if self.masks.count else None
        if found is None:
            return none
        train = self.growth.train(point)
        off = np.concatenate([self.off(train, part)[m] for part, m in zip(self.all, self.masks.all)])
        _, _, scale = self.rejected(self.growth)
        hidden = none.copy()
        hidden[~self.masks.fitted] = (1.0 - found) * float(np.median(off)) < FAR * scale
        hidden &= ~self.alone.fitted
        share = self.masks.count / sum(len(mask) for mask in self.masks.all)
        return hidden if share * hidden.sum() > RISK else none

    def work(self) -> dict[str, int]:
        now = {"evaluations": self.growth.evaluations, "fits": self.growth.fits}
        return {name: self.counts[name] + now[name] for name in now}

    def content(self) -> Content:
        arrays, data = self.growth.content()
        for name in ("masks", "tried", "alone", "before"):
            masks: Masks | None = getattr(self, name)
            if masks is not None:
                arrays |= {f"{name}.{k}": mask for k, mask in enumerate(masks.all)}
        own = {"phase": self.phase, "settled": self.settled, "done": self.counts, "scale_before": self.scale_before}
        return arrays, {**data, **own}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        for name in ("masks", "tried", "alone", "before"):
            if f"{name}.0" in arrays:
                setattr(self, name, Masks(*(np.asarray(arrays[f"{name}.{k}"], dtype=bool) for k in range(3))))
        self.phase, self.settled, self.counts = data["phase"], data["settled"], dict(data["done"])
        self.scale_before = data["scale_before"]
        self.growth = self.squares() if self.phase else self.huber()
        self.growth.restore(arrays, data)
        if self.settled:  # that growth is over, and its best is asked for
            self.growth.best = self.growth.best or self.growth.growth

    def solution(self) -> Solution:
        """What the last growth found, with the looks at what was rejected."""
        if self.masks.count == 0:
            self.growth.twice = True
            return self.told(self.growth.solution(), self.work())
        plain = self.of_all()
        if plain is not None:
            return plain
        self.growth.twice = True
        solution = self.growth.solution()
        chosen = [*looks_at(self.all, self.masks.all)]
        looks = list(chosen)
        found, near, _ = self.rejected(self.growth)
        if found != self.masks:
            looks.append(Checked("entries rejected", "judged again by the last fit", "others would be", False))
        unchecked = int(self.unchecked().sum())
        if unchecked:
            looks.append(
                Checked("entries fitted", "others that would show their errors", f"{unchecked} of none", False)
            )
        # those that are not far off may be true
        error = max(float(solution.residual[0]), self.error(solution.value, self.masks, near))
        solution = replace(solution, checked=(*solution.checked, *looks), residual=np.array([error]))
        doubted = not all(look.passed for look in (looks if solution.converged else chosen))
        if doubted:  # the rejected may be true
            error = max(error, self.error(solution.value, None, near))
            status = Status.CONTRADICTED if solution.converged else solution.status
            solution = replace(solution, status=status, n_converged=0, residual=np.array([error]))
        elif solution.converged and error > self.accuracy:
            solution = replace(solution, status=Status.STAGNATED, n_converged=0)
        return self.told(solution, self.work())

    def of_all(self) -> Solution | None:
        """A fit of all samples by squares, where it meets the accuracy: then nothing is wrong with them."""
        masks, self.masks = self.masks, self.none()
        growth = self.squares()
        growth.method = replace(growth.method, starts=0)
        for _ in growth.steps():
            grown = growth.growth
            if grown is not None and grown.fits[-1].rank - grown.progress >= PATIENCE:
                break
        growth.best = growth.best or growth.growth
        growth.twice = True
        counts = {name: count + getattr(growth, name) for name, count in self.work().items()}
        found = growth.solution()
        if found.converged:
            return self.told(found, counts)
        self.masks = masks
        self.counts = {name: counts[name] - getattr(self.growth, name) for name in counts}
        return None

    def error(self, train: TensorTrain, without: Masks | None, near: Masks) -> float:
        """Relative error in the 2-norm of all entries known, ``without`` those rejected unless they are ``near``."""
        off = np.concatenate([self.off(train, part) for part in self.all]) / self.typical
        weights = np.concatenate([part.weights for part in self.all])
        if without is not None:
            told = ~np.concatenate(without.all) | np.concatenate(near.all)
            off, weights = off[told], weights[told]
        return float(np.sqrt((off @ off) / weights.sum()))

    def told(self, solution: Solution, counts: dict[str, int]) -> Solution:
        rejected = tuple(part.samples.places[mask] for part, mask in zip(self.all, self.masks.all))
        return replace(solution, counts=counts, extra={**solution.extra, "rejected": rejected})
