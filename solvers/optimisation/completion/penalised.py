"""Noisy samples: effects first, then trains of growing ranks with a ridge, both chosen by entries set aside.

    1. A constant and the effects of every index (completion.alternating), their ridge by the entries set aside: rank 0.
    2. Ranks 1, 2, ..: from the fit of the rank before and small random entries, for a ridge that is made stronger and
       weaker while that predicts better. A larger rank is chosen where it predicts better by more than one standard
       deviation of the paired differences (Breiman, Friedman, Olshen, Stone, Classification and Regression Trees
       (1984), section 3.4.3); none did twice: the growth ends.
    3. The rank and ridge chosen are fitted to all samples, those set aside too.
The errors told are relative ones in the 2-norm, of a logistic loss those of the probabilities.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from solvers.checkpoint import Content, random_state, restore
from solvers.fit_methods import Completion, Losses
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.optimisation.completion.alternating import Additive, AlternatingFit
from solvers.optimisation.completion.dimension import feasible
from solvers.optimisation.completion.given import Data, Repeated, checked, split
from solvers.optimisation.completion.growth import PATIENCE, RankFit
from solvers.optimisation.completion.judges import excess, relative_error, weighed, whole_size
from solvers.optimisation.completion.middle import median, spread, start_of
from solvers.optimisation.completion.robust import FAR
from solvers.optimisation.completion.suspects import looks_at
from solvers.optimisation.losses import EFFICIENT, Huber, Logistic, Loss, Squares, probability, robust_scale
from solvers.optimisation.samples import Samples
from solvers.solution import Checked, IterationState, Solution, Status

EFFECTS_RIDGES = (0.0, 0.3, 1.0, 2.0, 5.0, 10.0, 20.0)  # samples that an effect counts less than it has
STRONGEST, WEAKEST = 3, -14  # steps of the ridge, each a factor STEP, around that of noise alone
STEP = np.sqrt(10.0)
SMALL = 0.3  # of the size that the noise has: random entries of a new rank
TINY = 1e-300
RENEWED = 6  # times that Huber's turning point is found again from the effects' residuals


@dataclass(frozen=True)
class Chosen:
    """A fit, the step of its ridge, and what it says of itself."""

    model: Additive
    step: int
    fit: RankFit


class PenalisedGrowth:
    """The steps above, for an Iteration; values scaled to residuals of about one."""

    def __init__(
        self,
        parts: tuple[Data[Samples], Data[Samples]],
        test: Data[Samples] | None,
        method: Completion,
        accuracy: float,
        rng: np.random.Generator,
        repeated: Repeated | None = None,
    ) -> None:
        self.parts, self.test, self.shape = parts, test, parts[0].samples.shape
        self.method, self.accuracy, self.rng, self.repeated = method, accuracy, rng, repeated or Repeated()
        fitted, kept = parts
        self.logistic = method.loss == "logistic"
        self.scale = 1.0 if self.logistic else spread(fitted.values, method.loss == "huber")
        self.values, self.kept = fitted.values / self.scale, replace(kept, values=kept.values / self.scale)
        self.fit = AlternatingFit(fitted.samples, self.values, fitted.weights)
        self.loss: Loss = Logistic() if self.logistic else Squares()
        self.typical = fitted.joined(kept).size
        self.begin = time.perf_counter()
        self.effects_ridge = 0.0
        self.unit = 1.0  # the ridge of step 0
        self.fits = 0
        self.ranks: list[Chosen] = []
        self.best: Chosen | None = None
        self.progress = 0
        self.final: Additive | None = None

    def steps(self) -> Iterator[IterationState]:
        if not self.ranks:
            self.add(self.effects())
            yield self.state()
        while self.rising and len(self.ranks) <= self.method.max_rank:
            self.add(self.next_rank())
            yield self.state()

    @property
    def rising(self) -> bool:
        return len(self.ranks) - 1 - self.progress < PATIENCE

    def effects(self) -> Chosen:
        """Rank 0: what needs no train."""
        first = Additive()
        if self.method.effects:
            nothing = tuple(np.zeros(n, dtype=self.values.dtype) for n in self.shape)
            first = Additive(start_of(self.values, self.method.loss), nothing)
        ridges = EFFECTS_RIDGES if self.method.ridge is None else (self.method.ridge,)
        if not self.method.effects:
            ridges = (0.0,)
        if self.method.loss == "huber":
            self.loss = Huber(EFFICIENT)
            for _ in range(RENEWED):
                trial = self.fit.minimise(first, self.loss, 5.0, 0.0)
                off = robust_scale(self.found(trial, self.fit.samples) - self.values)
                self.loss = Huber(EFFICIENT * max(off, 1e-3 * self.accuracy))
        best, least = first, np.inf
        for ridge in ridges:
            model = self.fit.minimise(first, self.loss, ridge, 0.0)
            self.fits += 1
            judged = self.judged(model)
            if judged < least:
                best, least, self.effects_ridge = model, judged, ridge
        d, noise = len(self.shape), self.noise(best)
        rows = sum(np.sqrt(len(self.values) / n) for n in self.shape) / d
        self.unit = float(max(noise, 1e-9) ** (2.0 - 2.0 / d) * rows)
        return Chosen(best, 0, self.judge(best, 0, 0.0))

    def noise(self, model: Additive) -> float:
        """The size of what the model leaves of the fitted values; of a logistic loss that of its derivative."""
        off = self.loss.derivative(self.found(model, self.fit.samples), self.values)
        return float(np.sqrt(np.mean(np.abs(off) ** 2)))

    def next_rank(self) -> Chosen:
        """One rank more, with the ridge that predicts best."""
        before = self.ranks[-1]
        rank, d = len(self.ranks), len(self.shape)
        size = SMALL * max(self.noise(before.model), 1e-9) ** (1.0 / d)
        start = before.model.grown(self.shape, feasible(self.shape, rank), size, self.rng)
        if self.method.ridge is not None:
            # lambda (|u|^2 + |v|^2) in the unit of the values: cores of scaled values are smaller by scale^(1/d)
            ridge = self.method.ridge * (1.0 if self.logistic else self.scale ** (2.0 / d - 2.0))
            model = self.fit.minimise(start, self.loss, self.effects_ridge, ridge)
            self.fits += 1
            return Chosen(model, 0, self.judge(model, rank, self.method.ridge))
        found: dict[int, tuple[float, Additive]] = {}

        def tried(step: int) -> float:
            if step not in found:
                model = self.fit.minimise(start, self.loss, self.effects_ridge, self.unit * STEP**step)
                self.fits += 1
                found[step] = self.judged(model), model
            return found[step][0]

        at = before.step
        while True:
            least = min((step for step in (at, at - 1, at + 1) if WEAKEST <= step <= STRONGEST), key=tried)
            if least == at:
                break
            at = least
        model = found[at][1]
        return Chosen(model, at, self.judge(model, rank, self.told_ridge(at)))

    def told_ridge(self, step: int) -> float:
        """In the unit of the values."""
        back = 1.0 if self.logistic else self.scale ** (2.0 - 2.0 / len(self.shape))
        return float(self.unit * STEP**step * back)

    def add(self, new: Chosen) -> None:
        """Chosen where it predicts better than the best before, by more than chance."""
        self.ranks.append(new)
        if self.best is None:
            self.best = new
            return
        gain = self.losses(self.best.model) - self.losses(new.model)
        if float(gain.mean()) > float(gain.std()) / np.sqrt(len(gain)):
            self.best, self.progress = new, len(self.ranks) - 1

    def found(self, model: Additive, samples: Samples) -> np.ndarray:
        return model.train(self.shape, 1.0).entries(samples.indices)

    def losses(self, model: Additive) -> np.ndarray:
        """Of the entries set aside, by weight."""
        return self.kept.weights * self.loss.each(self.found(model, self.kept.samples), self.kept.values)

    def judged(self, model: Additive) -> float:
        """The mean of these."""
        return float(self.losses(model).mean())

    def predicted(self, model: Additive, indices: np.ndarray) -> np.ndarray:
        """In the unit of the values; of a logistic loss, probabilities."""
        odds = model.train(self.shape, self.scale).entries(indices)
        return probability(odds) if self.logistic else odds

    def limit(self, model: Additive) -> float:
        """How far an entry may be off that is not rejected: Huber's loss rejects, others do not."""
        if self.method.loss != "huber":
            return np.inf
        off = self.found(model, self.fit.samples) - self.values
        return max(FAR * robust_scale(off) * self.scale, self.accuracy * self.typical_of())

    def typical_of(self) -> float:
        if self.method.loss != "huber":
            return self.typical
        values = self.parts[0].values
        middle = median(values)
        return float(np.hypot(abs(middle), robust_scale(values - middle)))

    def judge(self, model: Additive, rank: int, ridge: float) -> RankFit:
        limit = self.limit(model)

        def error(data: Data[Samples]) -> tuple[float, float]:
            found, true = self.predicted(model, data.samples.indices), data.values
            near = np.abs(found - true) <= limit
            if not near.any():
                return np.inf, 0.0
            return relative_error(found[near], true[near], self.typical_of(), data.weights[near])

        test: tuple[float | None, float | None] = error(self.test) if self.test is not None else (None, None)
        fitted, kept = error(self.parts[0])[0], error(self.parts[1])[0]
        seconds = time.perf_counter() - self.begin
        ranks = tuple(model.train(self.shape, 1.0).ranks)
        return RankFit(rank, ranks, fitted, kept, *test, self.fit.sweeps, seconds, 0.0, ridge)

    def state(self) -> IterationState:
        fit = self.ranks[-1].fit
        return IterationState(
            0,
            f"rank {fit.rank}",
            max(fit.ranks),
            0.0,
            residuals=np.array([fit.validation_error]),
            fraction=min((fit.rank + 1) / (self.method.max_rank + 1), 1.0),
            extra={"evaluations": self.fit.sweeps},
        )

    def content(self) -> Content:
        arrays: dict[str, np.ndarray] = {}
        for number, chosen in enumerate(self.ranks):
            arrays |= {f"effect.{number}.{k}": effect for k, effect in enumerate(chosen.model.effects)}
            arrays |= {f"core.{number}.{k}": core for k, core in enumerate(chosen.model.cores)}
        ranks = [[plain(chosen.model.constant), chosen.step, asdict(chosen.fit)] for chosen in self.ranks]
        data = {
            "ranks": ranks,
            "best": next(k for k, chosen in enumerate(self.ranks) if chosen is self.best),
            "progress": self.progress,
            "unit": self.unit,
            "effects_ridge": self.effects_ridge,
            "delta": self.loss.delta if isinstance(self.loss, Huber) else None,
            "sweeps": self.fit.sweeps,
            "fits": self.fits,
            "random": random_state(self.rng),
        }
        return arrays, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        d = len(self.shape)

        def several(name: str) -> tuple[np.ndarray, ...]:
            return tuple(arrays[f"{name}.{k}"] for k in range(d)) if f"{name}.0" in arrays else ()

        self.ranks = []
        for number, (constant, step, fit) in enumerate(data["ranks"]):
            whole = complex(*constant) if isinstance(constant, list) else constant
            model = Additive(whole, several(f"effect.{number}"), several(f"core.{number}"))
            self.ranks.append(Chosen(model, step, RankFit(**{**fit, "ranks": tuple(fit["ranks"])})))
        self.best, self.progress, self.unit = self.ranks[data["best"]], data["progress"], data["unit"]
        self.effects_ridge, self.fit.sweeps, self.fits = data["effects_ridge"], data["sweeps"], data["fits"]
        if data["delta"] is not None:
            self.loss = Huber(data["delta"])
        restore(self.rng, data["random"])
        self.begin = time.perf_counter() - self.ranks[-1].fit.seconds

    def solution(self) -> Solution:
        """The rank and ridge chosen, fitted to everything, and how far that may be trusted."""
        assert self.best is not None
        best = self.best
        known = self.parts[0].joined(self.parts[1])
        whole = AlternatingFit(known.samples, known.values / self.scale, known.weights)
        back = 1.0 if self.logistic else self.scale ** (2.0 / len(self.shape) - 2.0)
        model = whole.minimise(best.model, self.loss, self.effects_ridge, best.fit.ridge * back)
        baseline = model.without_train()
        if best.fit.rank:
            baseline = whole.minimise(self.ranks[0].model, self.loss, self.effects_ridge, 0.0)
        self.fit.sweeps += whole.sweeps
        judged = self.judge(model, best.fit.rank, best.fit.ridge)
        # fitted to all of them, it may put other and large values where no sample is
        train, over, apart = model.train(self.shape, self.scale), 0.0, 0.0
        if not self.logistic:
            over = excess(train, known.values, known.weights)
            apart = (train - best.model.train(self.shape, self.scale)).norm() / max(train.norm(), TINY)
        fit = replace(judged, validation_error=best.fit.validation_error, excess=over)
        by_rank = tuple(fit if chosen is best else chosen.fit for chosen in self.ranks)
        # what is known of it
        limit = self.limit(model)
        parts = [*self.parts, known.only(np.arange(0)) if self.test is None else self.test]
        rejected = [np.abs(self.predicted(model, part.samples.indices) - part.values) > limit for part in parts]
        looks = [
            Checked(
                "entries not fitted",
                "set aside to choose rank and ridge",
                f"relative error {amount(fit.validation_error)}",
                fit.validation_error <= self.accuracy,
            )
        ]
        if not self.logistic:
            looks.append(whole_size(over, self.accuracy))
            text = f"differs by {amount(apart)} over all entries"
            looks.append(Checked("tensor", "the fit that was judged, to fewer samples", text, apart <= self.accuracy))
        if any(mask.any() for mask in rejected):
            looks += looks_at(parts, rejected)
        cold = sum(int(np.sum(np.bincount(c, minlength=n) == 0)) for c, n in zip(known.samples.columns, self.shape))
        looks += [*weighed(self.parts[1]), *self.repeated.looks(self.accuracy)]
        if cold:
            looks.append(Checked("indices without a sample", "how many there are", f"{cold}, of no effect", False))
        error = max(fit.error, apart)
        if error > self.accuracy:
            status = Status.RANK_LIMIT if self.rising and best.fit.rank == self.method.max_rank else Status.STAGNATED
        else:
            status = Status.CONVERGED if all(look.passed for look in looks) else Status.CONTRADICTED
        extra: dict[str, Any] = {"by_rank": by_rank, "best": fit, "fitted": len(self.values)}
        extra |= {"validation": len(self.kept), "ridge": fit.ridge, "effects_ridge": self.effects_ridge}
        extra |= {"baseline": baseline.train(self.shape, self.scale), "cold": cold}
        if self.method.loss == "huber":
            extra["rejected"] = tuple(part.samples.indices[mask] for part, mask in zip(parts, rejected))
        return Solution(
            train,
            status,
            int(status is Status.CONVERGED),
            np.array([error]),
            (),
            {"sweeps": self.fit.sweeps, "fits": self.fits},
            {},
            extra | self.repeated.told,
            tuple(looks),
        )


def plain(number: complex) -> float | list[float]:
    """A number of a JSON text; of a complex one both parts."""
    return [number.real, number.imag] if isinstance(number, complex) else float(number)


def effects_alone(indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...], loss: Losses) -> TensorTrain:
    """A constant and effects fitted to all samples, their ridge by some set aside: what a train must improve on."""
    method = Completion(loss=loss, effects=True)
    data, _ = checked(indices, values, shape, "samples", zeros=True)
    parts = split(data, method.validation, np.random.default_rng(1), cold=True)
    growth = PenalisedGrowth(parts, None, method, 1e-4, np.random.default_rng(2))
    growth.add(growth.effects())
    found: TensorTrain = growth.solution().value
    return found
