"""The state of a many-state calculation: every state with its train and what is known of it, symmetry sector by sector.

Knows no method. Inverse iteration (solvers.eigen.inverse_iteration) and block DMRG of every sector
(solvers.eigen.shared_basis) are functions on it; Rayleigh-Ritz, the errors, the search for missing states and the
checkpoints know nothing else.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, beside
from solvers.eigen.explicit import space_of
from solvers.methods import InverseIteration
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import SectorTrain
from solvers.solution import Callback, IterationState, Status

SAFETY = (1.5, 1.25)  # factor on the calibrated estimates, and the least factor on the bare ones
LARGEST_SAFETY = 50.0
FEWEST_RATIOS = 3  # of gain to fall, from which the estimates are calibrated
LEVEL_EPS = 1e-9  # of the scale: energies this close are one level


@dataclass
class State:
    """One state: its ``train`` of norm one, its Ritz value ``energy``, and what is known of both.

    ``error``: estimate of the energy still to be gained, infinite where the train has changed since. ``residual``: norm
    ||H x - E x||, NaN where unknown. ``rank``: of the train (of the shared cores, where states share them);
    ``next_rank``: of the next solve. ``mixed``: whether the last Rayleigh-Ritz made the train of several.
    ``quotient``: <x|H|x>. ``before``: estimate and quotient before the last solve. ``name``: a number that the train
    keeps while it does not change.
    """

    train: SectorTrain
    energy: float
    rank: int
    next_rank: int = 1
    error: float = np.inf
    residual: float = np.nan
    mixed: bool = False
    quotient: float = np.nan
    before: tuple[float, float] = (np.nan, np.nan)
    name: int = -1


@dataclass
class Ritz:
    """How the last Rayleigh-Ritz of a sector made its states.

    State i is the sum of ``weights[i]`` times the trains ``basis[sources[i]]``, its largest part first. ``elements``:
    (<i|H|j>, <i|j>) by the names of two trains, kept while these do not change.
    """

    basis: list[SectorTrain] = field(default_factory=list)
    sources: list[list[int]] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)
    elements: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)

    def reset(self, trains: Sequence[SectorTrain]) -> None:
        """Every state is its own train."""
        self.basis = list(trains)
        self.sources = [[i] for i in range(len(trains))]
        self.weights = [[1.0] for _ in trains]


@dataclass
class Sector:
    """The states of one symmetry sector, wanted and buffer, ascending in energy."""

    charge: int
    states: list[State]
    ritz: Ritz = field(default_factory=Ritz)

    @classmethod
    def of(cls, charge: int, trains: Sequence[SectorTrain], energies: Sequence[float] | np.ndarray) -> Sector:
        """Approximate states, of which no more is known."""
        return cls(charge, [State(x, float(e), x.max_rank) for x, e in zip(trains, energies)])

    @property
    def trains(self) -> list[SectorTrain]:
        return [state.train for state in self.states]

    def numbers(self, name: str) -> np.ndarray:
        """That attribute of every state."""
        return np.array([getattr(state, name) for state in self.states])

    @property
    def energies(self) -> np.ndarray:
        return self.numbers("energy")


@dataclass
class Outcome:
    """How a many-state calculation ended: ``probe``, what the last search saw; ``safety``, factor on the estimates."""

    status: Status
    probe: dict[str, Any]
    safety: float


@dataclass
class ManyStates:
    """A many-state calculation: the ``wanted`` lowest states of ``operator``, and more, in its symmetry ``sectors``.

    With an ``interval`` the states wanted are those whose energies lie in it, whatever their number, and the others of
    the sectors lie next to it, above and below.

    ``scale``: the lowest excitation energy; ``goal``: error asked of a wanted energy, both in the operator's unit.
    ``method``: how single states are solved for, by passes over all of them and by the search for missing ones.
    Independent states go to the ``executor``. ``counts``: work by name. ``ratios``: gained energy over fall of the
    estimate, one a state and pass. ``warm``: whether states of an earlier calculation, or proved ones, are in the
    start. ``truncation``: at which a block DMRG ended, for one that goes on from it.
    """

    operator: SectorOperator
    sectors: list[Sector]
    wanted: int
    scale: float
    goal: float
    method: InverseIteration
    rng: np.random.Generator
    executor: Executor | None = None
    callback: Callback | None = None
    checkpoint: Checkpoint = field(default_factory=lambda: Checkpoint(None))
    counts: dict[str, int] = field(default_factory=dict)
    ratios: list[float] = field(default_factory=list)
    names: Iterator[int] = field(default_factory=itertools.count)
    warm: bool = False
    truncation: float | None = None
    begin: float = field(default_factory=time.perf_counter)
    interval: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for sector in self.sectors:
            for state in sector.states:
                state.name = next(self.names)
                state.next_rank = min(self.method.first_rank, self.method.max_rank)
            sector.ritz.reset(sector.trains)

    @property
    def delta(self) -> float:
        """How far below a state it is solved for."""
        return self.method.shift * self.scale

    @property
    def window(self) -> float:
        """Trains farther apart in energy count as uncoupled."""
        return self.method.window * self.scale

    @property
    def safety(self) -> float:
        """Factor on the second-order estimates: they see two neighbouring cores at a time, so they are calibrated.

        Between two passes the energy should fall by as much as the estimate does; the upper quartile of the ratio of
        the two over all states and passes is taken.
        """
        ratio = float(np.quantile(self.ratios, 0.75)) if len(self.ratios) >= FEWEST_RATIOS else 1.0
        return float(np.clip(SAFETY[0] * ratio, SAFETY[1], LARGEST_SAFETY))

    def numbers(self, name: str) -> np.ndarray:
        """That attribute of every state, sector by sector."""
        return np.concatenate([sector.numbers(name) for sector in self.sectors])

    def lowest(self) -> np.ndarray:
        """The energies of the wanted states, ascending."""
        energies = self.numbers("energy")
        return energies[self._order(energies)]

    def threshold(self) -> float:
        """Energy of the last wanted state."""
        return float(self.lowest()[-1])

    def is_wanted(self, energies: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Which states (n,) are wanted; in an interval those too that their error may bring into it."""
        if self.interval is None:
            return energies <= self.threshold() + LEVEL_EPS * self.scale
        reach = np.clip(self.safety * errors, self.goal, self.delta)
        return (energies >= self.interval[0] - reach) & (energies <= self.interval[1] + reach)

    def shift_for(self, energy: float) -> float:
        """The shift of a solve: next to the state, below it; within an interval towards its middle, as what lies
        outside of the interval is not in the span that tells the states apart."""
        if self.interval is not None and energy < 0.5 * sum(self.interval):
            return energy + self.delta
        return energy - self.delta

    def _order(self, energies: np.ndarray) -> np.ndarray:
        order = np.argsort(energies, kind="stable")
        if self.interval is None:
            return order[: self.wanted]
        lower, upper = self.interval
        return order[(energies[order] >= lower - self.goal) & (energies[order] <= upper + self.goal)]

    def space_of(self, sector: Sector) -> int:
        """Dimension of the space of a sector."""
        return space_of(self.operator.modes, sector.charge)

    def part(self, name: str) -> Checkpoint:
        """The checkpoint of a part of the calculation."""
        return Checkpoint(beside(self.checkpoint.path, name), self.checkpoint.question)

    def seen(self, label: str, fraction: float | None, finished: bool = True) -> IterationState:
        """The states as they are."""
        energies = self.numbers("energy")
        order = self._order(energies)
        return IterationState(
            step=self.counts.get("passes", 0) + 1,
            label=label,
            max_rank=int(self.numbers("rank").max()),
            seconds=time.perf_counter() - self.begin,
            energies=energies[order],
            residuals=self.numbers("residual")[order],
            fraction=fraction,
            finished=finished,
            extra={"error_estimates": self.safety * self.numbers("error")[order]},
        )

    def report(self, label: str, fraction: float | None) -> None:
        """Tell of the states from within a pass."""
        if self.callback is not None:
            self.callback(self.seen(label, fraction, finished=False))

    def progress(self, label: str, low: float, high: float) -> Callable[[int, int], None]:
        """A report for every task that is done."""
        return lambda done, total: self.report(label, low + (high - low) * done / total)
