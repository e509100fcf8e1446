"""Sweeps of a method until the true residual is small enough, or until they get no further.

Sweeps are steered by cheap residuals, local ones or that of the enrichment; whether the system is solved is decided by
the true residual alone. Galerkin projection minimises an error only where the operator is Hermitian positive definite;
elsewhere an iterate may be far worse than one before it. So the best iterates by each measure are kept, and what comes
back is the one of smallest true residual, times the number that makes its residual smallest: never worse than zero.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solvers.checkpoint import Content, stored_train, train_arrays
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.iterate import Iterate, Work
from solvers.linear.residual import CLEARLY
from solvers.linear.system import System
from solvers.method_base import LinearMethod
from solvers.solution import IterationState, Status

TIGHTEN = 1e-3  # a sweep aims at this share of the residual before it: at 0.02 a sweep more, measured
NORMAL = 0.02  # of the accuracy, where the residual of the normal equations is what is met
LOOSEST = 0.1
FRESH = 1e-3  # taken for the residual of a start that the method makes: of small ranks, nothing of it is to be cut
PATIENCE = 6  # sweeps without progress before giving up
LOST = 3  # sweeps in a row with a residual above that of zero: a projection that is not definite leads nowhere
SLOW = 0.5  # of the least residual before leaves a sweep that is worth its time, where another way is open
PROGRESS = 0.7
SPARED = 0.3  # of the accuracy, for what x is shortened by in the end
FURTHER = (10.0, 1.0)  # times that: what is cut of x counts less than the norm of A allows for
LIKELY = 0.9  # of the accuracy: a sketch below that is worth the true residual
WORTH = 0.9  # of its entries: a train that is hardly shorter is not tried


@dataclass
class Swept:
    """A solution reached: x, its true residual, why no further, by which route, with how much work."""

    x: TensorTrain
    residual: float
    status: Status
    route: str
    work: Work = field(default_factory=Work)


@dataclass
class Kept:
    """The best iterate by one measure."""

    value: float = np.inf
    x: TensorTrain | None = None


@dataclass
class Sweeping:
    """Sweeps for ``system`` until the residual of ``judge`` is at most ``accuracy``; ``swept`` is what came of them.

    ``judge`` is ``system`` itself, or the one whose normal equations it holds. ``first``: the residual of the start.
    ``storage``: the sweeps end, not converged, when x holds more numbers than that. ``followed``: residual minimisation
    follows, for which sweeps that find the operator indefinite end as soon as they are slow.
    """

    system: System
    judge: System
    method: LinearMethod
    accuracy: float
    iteration: Iterate
    rng: np.random.Generator
    swept: Swept
    kept: dict[str, Kept]
    estimate: float
    floor: float
    storage: float = np.inf
    followed: bool = False
    least: float = np.inf  # estimate of the residual so far
    done: int = 0  # sweeps
    waited: int = 0
    lost: int = 0
    true: float = np.inf  # the true residual after the last sweep, NaN where it was not formed
    over: bool = False

    @classmethod
    def of(
        cls,
        system: System,
        judge: System,
        method: LinearMethod,
        start: TensorTrain | None,
        accuracy: float,
        rng: np.random.Generator,
        *,
        first: float = 1.0,
        storage: float = np.inf,
        followed: bool = False,
    ) -> Sweeping:
        """Before the first sweep."""
        iteration: Iterate = pkgutil.resolve_name(method.iterate)(system, method, start, rng)
        swept = Swept(iteration.train(), first, Status.ITERATION_LIMIT, "sweeps", iteration.work)
        kept = {"projected": Kept(), "local": Kept(), "true": Kept(first, start)}
        floor = accuracy / np.sqrt(len(system.cores)) * (1.0 if judge is system else NORMAL)
        estimate = first if start is not None else FRESH
        return cls(
            system, judge, method, accuracy, iteration, rng, swept, kept, estimate, floor, storage, followed, first
        )

    def run(self) -> Iterator[IterationState]:
        """A state a sweep, from wherever it is, until ``swept`` is known."""
        iteration, judge, accuracy = self.iteration, self.judge, self.accuracy
        same = judge is self.system
        while not self.over and self.done < self.method.sweeps:
            met = iteration.sweep(min(max(TIGHTEN * self.estimate, self.floor), LOOSEST))
            self.done += 1
            iteration.work.sweeps += 1
            if not np.isfinite(met.local + (met.projected or 0.0)):
                self.over = True
                break
            x = iteration.train()
            estimate = met.estimate
            true = np.nan
            final = self.done == self.method.sweeps or self.waited == PATIENCE - 1
            if estimate <= accuracy or final or not same:
                if same and estimate <= accuracy:
                    x, true = self._shortened(x)
                else:
                    true = judge.residual(x, self.rng, np.inf if final or not same else accuracy)
                if true > accuracy >= estimate:
                    self.floor *= 0.5
                if same:
                    estimate = true
            self.estimate, self.true = estimate, true
            # each measured against its own last progress, so that slow but steady progress counts; any of them may be
            # small by chance once, the projected one because the rank of z is small
            projected = np.inf if met.projected is None else met.projected
            seen = {"projected": projected, "local": met.local, "true": true}
            better = {name for name, value in seen.items() if value < PROGRESS * self.kept[name].value}
            better |= {"true"} if true <= accuracy else set()
            for name in better:
                self.kept[name] = Kept(seen[name], x)
            self.waited = 0 if better else self.waited + 1
            nowhere = estimate > (min(1.0, SLOW * self.least) if self.followed else 1.0)
            self.lost = self.lost + 1 if same and nowhere and not iteration.definite else 0
            self.least = min(self.least, estimate)
            full = sum(core.size for core in x.cores) > self.storage
            self.over = true <= accuracy or self.waited >= PATIENCE or self.lost >= LOST or full
            yield IterationState(
                self.done,
                "sweep",
                x.max_rank,
                0.0,
                residuals=np.array([estimate if same else true]),
                extra={"local": met.local, "true": true, "products": iteration.work.products},
            )
        swept = self.swept
        if self.true <= accuracy:
            found = self.kept["true"].x
            assert found is not None
            swept.x, swept.residual, swept.status = found, self.true, Status.CONVERGED
            return
        swept.status = Status.STAGNATED if self.over else Status.ITERATION_LIMIT
        if iteration.work.capped or self.method.fixed_ranks:
            swept.status = Status.RANK_LIMIT
        _take_best(swept, judge, [iteration.train(), *(one.x for one in self.kept.values())], self.rng)

    def _shortened(self, x: TensorTrain) -> tuple[TensorTrain, float]:
        """x without what the accuracy does not need, and its true residual, as ``System.residual`` says it.

        A sweep leaves the enrichment in x; how much less its train may be is tried, as the norm of A is not known.
        """
        judge, accuracy = self.judge, self.accuracy
        first, exact = judge.glance(x, self.rng)
        if first > (accuracy if exact else CLEARLY * accuracy):
            return x, first
        free = SPARED * accuracy / (judge.size * x.norm())
        for factor in FURTHER:
            shorter = x.round(min(factor * free, LOOSEST))
            if sum(core.size for core in shorter.cores) <= WORTH * sum(core.size for core in x.cores):
                residual, known = judge.glance(shorter, self.rng)
                if not known and residual <= LIKELY * accuracy:
                    residual, known = judge.residual(shorter, self.rng), True
                if known and residual <= accuracy:
                    return shorter, residual
        return x, first if exact else judge.residual(x, self.rng, accuracy)

    def content(self) -> Content:
        """What ``restore`` needs; the generator's state is the caller's."""
        arrays, data = self.iteration.content()
        kept: dict[str, dict[str, Any]] = {}
        for name, one in self.kept.items():
            kept[name] = {"value": one.value, "train": None}
            if one.x is not None:
                cores, kept[name]["train"] = train_arrays(f"kept.{name}", one.x)
                arrays |= cores
        return arrays, {**data, "kept": kept, **{name: getattr(self, name) for name in _PLACE}}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.iteration.restore(arrays, data)
        self.swept.work = self.iteration.work
        for name, one in data["kept"].items():
            train = one["train"]
            x_kept = None if train is None else stored_train(arrays, f"kept.{name}", train)
            self.kept[name] = Kept(one["value"], x_kept)
        for name in _PLACE:
            setattr(self, name, data.get(name, getattr(self, name)))  # files of earlier versions lack some


_PLACE = (
    "done",
    "waited",
    "lost",
    "least",
    "estimate",
    "true",
    "floor",
    "over",
)  # plain numbers that say where the sweeps are


def _take_best(swept: Swept, judge: System, candidates: list[TensorTrain | None], rng: np.random.Generator) -> None:
    """The candidate of smallest true residual, each times its best factor."""
    swept.x, swept.residual = judge.b * 0.0, 1.0
    for x in candidates:
        if x is not None and all(np.isfinite(core).all() for core in x.cores):
            scaled, residual = judge.scaled(x, rng)
            if residual + judge.rounding(scaled) < swept.residual:
                swept.x, swept.residual = scaled, residual
