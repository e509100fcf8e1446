"""What is said of a computation on its way: words that families share, the most important first.

A family that has more to say than ``told`` has a module ``progress`` with a function of that name; where the room is
small the last of its entries are left out, whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from problems.keys import Keys
from solvers.measured import Measured, numeral
from solvers.solution import IterationState

ENERGY_DIGITS = 10  # of an energy whose error is not known yet
NORM_DIGITS = 8


@dataclass(frozen=True)
class Told:
    """One number of a state, as a text in ASCII; the ``unit`` stands in the head of a column."""

    name: str
    value: str
    unit: str = ""

    @property
    def head(self) -> str:
        """Of a column."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def __str__(self) -> str:
        return f"{self.name} {self.value}{f' {self.unit}' if self.unit else ''}"


def told(problem: Keys, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """What every state has: levels where it has energies, the residual, the rank; ``before``: the last finished one."""
    return [*levels(state, before), *residual(state), *rank(state)]


def levels(state: IterationState, before: IterationState | None, unit: str = "") -> list[Told]:
    """Of states: the lowest and the highest energy, the largest error, and what the last step changed."""
    if state.energies is None or not len(state.energies):
        return []
    energies = np.asarray(state.energies)
    errors = _errors(state, len(energies))
    shown = [Told("lowest", number(energies[0], errors[0]), unit)]
    if len(energies) > 1:
        shown.append(Told("highest", number(energies[-1], errors[-1]), unit))
    if np.isfinite(errors).any():
        shown.append(Told("largest error", size(np.nanmax(errors[np.isfinite(errors)])), unit))
    return [*shown, *change(state, before, unit)]


def change(state: IterationState, before: IterationState | None, unit: str = "") -> list[Told]:
    """The largest change of an energy since the last finished state."""
    if before is None or before.energies is None or state.energies is None or not state.finished:
        return []
    count = min(len(state.energies), len(before.energies))
    moved = np.abs(np.asarray(state.energies[:count]) - np.asarray(before.energies[:count]))
    return [Told("change", size(moved.max()), unit)] if count else []


def residual(state: IterationState, name: str = "residual") -> list[Told]:
    """The largest residual, or what stands for it."""
    if state.residuals is None or not np.any(np.isfinite(state.residuals)):
        return []
    return [Told(name, size(np.nanmax(state.residuals)))]


def rank(state: IterationState) -> list[Told]:
    """The largest TT-rank."""
    return [Told("rank", str(state.max_rank))]


def counted(state: IterationState, key: str, name: str = "") -> list[Told]:
    """Work that the state counts under ``key``."""
    return [Told(name or key, str(state.extra[key]))] if key in state.extra else []


def motion(state: IterationState, t_final: float, unit: str = "") -> list[Told]:
    """Of an evolution to ``t_final``: how far it is, the norm and the error estimate; nothing of other states."""
    now, end = state.extra.get("time"), state.extra.get("end")
    if now is None or not end:
        return []
    shown = [Told("t", f"{numeral(t_final * now / end)} of {t_final:g}", unit)]
    if "norm" in state.extra:
        shown.append(Told("norm", number(state.extra["norm"], digits=NORM_DIGITS)))
    return [*shown, Told("error", size(state.extra["error"]))]


def number(value: float, error: float = math.nan, digits: int = ENERGY_DIGITS) -> str:
    """A value with its error, where that is known."""
    return Measured(float(value), error=float(error), digits=digits).plain


def size(value: float) -> str:
    """An error, a change, a residual: two digits."""
    return Measured(float(value), bound=True).plain


def _errors(state: IterationState, count: int) -> np.ndarray:
    """The error estimate of each energy; NaN where there is none."""
    found = state.extra.get("error_estimates")
    errors = np.full(count, math.nan) if found is None else np.asarray(found, dtype=float)
    return np.where(np.isfinite(errors), errors, math.nan)
