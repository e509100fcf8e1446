"""Independent values beside a run, at the times that both have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from problems.agreement import Deviation
from problems.quantum.hamiltonians.known_motion import SAME, Series
from problems.quantum.tasks.evolution.result import EvolutionResult


class Moving(Protocol):
    """A problem in time: what its report says of it."""

    @property
    def description(self) -> list[tuple[str, str]]:
        """The problem in words, as (what, value)."""

    def known_motion(self, t: np.ndarray, times: np.ndarray) -> Sequence[Series]:
        """Independent values: a at ``t``, the rest at ``times``, or at times of their own; empty where none are."""


@dataclass(frozen=True)
class Compared:
    """A series beside a run: the common times, and the largest deviation at each of them."""

    series: Series
    times: np.ndarray
    deviations: np.ndarray

    @property
    def summary(self) -> Deviation:
        return Deviation(len(self.times), float(self.deviations.max()), float(self.deviations.mean()))


def compare(problem: Moving, result: EvolutionResult) -> list[Compared]:
    """Everything of a run that has independent values, at the times both have."""
    found = []
    for series in problem.known_motion(result.t, result.times):
        own = _own(series, result)
        if own is None:
            continue
        times, values = own
        places = np.searchsorted(times, series.times - SAME * max(1.0, times[-1]))
        places = np.minimum(places, len(times) - 1)
        common = np.abs(times[places] - series.times) <= 1e-6
        if not common.any():
            continue
        difference = np.abs(values[places[common]] - series.values[common])
        deviations = difference.reshape(len(difference), -1).max(axis=1)
        found.append(Compared(series, series.times[common], deviations))
    return found


def _own(series: Series, result: EvolutionResult) -> tuple[np.ndarray, np.ndarray] | None:
    """The run's own times and values of a series, where it has them."""
    if series.quantity == "autocorrelation":
        return result.t, result.autocorrelation
    if series.quantity == "entropy":
        return result.times, result.entropies[:, (result.entropies.shape[1] - 1) // 2]
    values = result.observables.get(series.quantity)
    return None if values is None else (result.times, values)
