"""States asked for by energy: all up to a limit, or those of a window, both above the ground state.

1. How many states to begin with: the sums of one-mode levels up to the limit, counted one by one, and a tenth more; in
   a basis that grows with the states asked for, until the count stands still. Without one-mode levels that tell
   products apart (spins), a few.
2. Once they are computed: a level above the limit, by more than its error, says that the list reaches beyond it. Where
   none does, more states are computed, from those that are known.
3. What lies outside is cut off. A level within the accuracy asked, or within its own error, of an end counts as inside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from problems.errors import ProblemError
from problems.quantum.hamiltonians.space import Space
from problems.quantum.tasks.spectrum.keys import SpectrumSolver, WithLevels
from problems.words import cut_short
from solvers.eigen.configuration_interaction import products_below
from solvers.eigen.states import EigenStates
from solvers.measured import Measured
from solvers.solution import Solution, Status

FEW = 8  # states to begin with, where nothing says how many
MOST = 20_000  # sums of one-mode levels: trains of so many states fill any memory
SPARE = 10  # the share of states beyond those counted is one over this: couplings lower levels
ROUNDS = 8  # of counts in growing bases
TRIES = 6  # lists of ever more states
NAMED = 12  # levels that a sentence names


@dataclass(frozen=True)
class EnergyRange:
    """From ``lower`` (zero: the ground state itself) to ``upper`` above the ground state; ``key``: where it was asked.

    ``accuracy``: of the levels, by which the ends are fuzzy.
    """

    lower: float
    upper: float
    key: str
    accuracy: float

    def sized(self, problem: WithLevels) -> tuple[Space, int]:
        """Step 1: a space and how many states to ask for. Raises ProblemError for too many, and what a space raises."""
        n = 1
        for _ in range(ROUNDS):
            space = problem.space(n, self.accuracy)
            wanted = min(self._first(space), functions(space))
            if wanted <= n:
                break
            n = wanted
        return space, n

    def counted(self, space: Space, top: float) -> int | None:
        """Sums of one-mode levels up to ``top`` above the lowest; None where they say nothing."""
        if not space.starts:
            return None
        found = products_below(space.terms, top, MOST * (2 if space.complex else 1))
        if found is None:
            raise ProblemError(f"more than {MOST} states lie up to {self.upper:g} {space.unit}: lower it", self.key)
        return -(-found // 2) if space.complex else found

    def _first(self, space: Space) -> int:
        count = self.counted(space, self.upper)
        return FEW if count is None else count + 2 + count // SPARE

    def reached(self, states: EigenStates) -> bool:
        """Whether the list has a level above the limit."""
        return bool(self._above(states)[-1] > self.upper + self._fuzzy(states)[-1])

    def more(self, space: Space, n: int, states: EigenStates) -> int:
        """Step 2: how many states to ask for instead of ``n``, whose highest is not above the limit."""
        now, all_of_them = self.counted(space, float(self._above(states)[-1])), self.counted(space, self.upper)
        if now is None or all_of_them is None:
            return min(2 * n, functions(space))
        guess = n * max(1.0, all_of_them / max(now, 1))
        return min(math.ceil(guess) + 2 + n // SPARE, functions(space))

    def cut(self, solution: Solution, space: Space) -> Solution:
        """Step 3. Raises ProblemError where no level is left."""
        states: EigenStates = solution.value
        above, fuzzy = self._above(states), self._fuzzy(states)
        inside = (above >= self.lower - fuzzy) & (above <= self.upper + fuzzy)
        below = int(np.sum(above < self.lower - fuzzy))
        if not inside.any():
            raise self.empty([float(above[i]) for i in (below - 1, below) if 0 <= i < len(above)], space.unit)
        kept = np.arange(np.flatnonzero(inside)[0], np.flatnonzero(inside)[-1] + 1)
        below = int(kept[0])
        over = states.energies[kept[-1] + 1 :]
        probe = dict(states.probe)
        if len(over):
            probe["lowest_energy_outside"] = float(over[0])
        trains: list[Any] = [states.trains[i] for i in kept]
        value = replace(
            states,
            energies=states.energies[kept],
            trains=trains,
            charges=[states.charges[i] for i in kept],
            errors=states.errors[kept],
            buffer=np.concatenate([over, states.buffer]),
            probe=probe,
            first=below,
            ground=None if below == 0 else (float(states.energies[0]), float(states.errors[0])),
        )
        met = int(np.sum(value.errors <= self.accuracy))
        return replace(solution, value=value, residual=np.asarray(solution.residual)[kept], n_converged=met)

    def _above(self, states: EigenStates) -> np.ndarray:
        return np.asarray(states.energies) - ground_of(states)[0]

    def _fuzzy(self, states: EigenStates) -> np.ndarray:
        return np.maximum(self.accuracy, np.asarray(states.errors) + ground_of(states)[1])

    def empty(self, nearest: Sequence[float], unit: str) -> ProblemError:
        """What is said of a range without a level; ``nearest``: levels beside it, where they are known."""
        said = " and ".join(str(Measured(x, self.accuracy)) for x in nearest)
        beside = f"; the nearest ones are at {said} {unit}" if nearest else ""
        return ProblemError(f"no level lies in it{beside}", self.key)

    def doubtful(self, above: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Which levels (n,), with their errors, may as well lie outside."""
        near = np.abs(above - self.upper) <= errors
        return near | (np.abs(above - self.lower) <= errors) if self.lower > 0.0 else near


def within(
    status: Status, asked: EnergyRange, states: EigenStates, errors: np.ndarray, space: Space, whole: dict[str, object]
) -> tuple[Status, list[str]]:
    """The status of levels asked for by energy, with their ``errors`` (n,), and what is said of the ends.

    ``whole``: what is known of completeness; it gets the ground level of a window and the sums of one-mode levels.
    """
    said, unit = [], space.unit
    ground, ground_error = ground_of(states)
    above = np.asarray(states.energies) - ground
    whole["asked_up_to"] = asked.upper
    whole["asked_from"] = asked.lower
    count = asked.counted(space, asked.upper)
    if count is not None:
        below = asked.counted(space, asked.lower) if asked.lower > 0.0 else 0
        whole["sums_of_one_mode_levels"] = count - (below or 0)
    if states.ground is not None:
        whole["ground_level"], whole["ground_error"] = ground, ground_error
        whole["levels_below"] = states.first
    doubtful = np.flatnonzero(asked.doubtful(above, errors + ground_error))
    if len(doubtful):
        named = cut_short(doubtful.tolist(), NAMED)
        said.append(f"levels so near an end of the range that their errors reach over it: {named}")
    following = float(states.buffer[0]) - ground if len(states.buffer) else 0.0  # not computed, if it is in the range
    from_below = states.first is not None and len(above) + states.first < functions(space)
    if from_below and following <= asked.upper:
        said.append(f"the list ends at {Measured(float(above[-1]), float(errors[-1]))} {unit}, before the limit")
        if status is Status.CONVERGED:
            status = Status.ITERATION_LIMIT
    return status, said


def ground_of(states: EigenStates) -> tuple[float, float]:
    """The level that others are counted from, with its error."""
    return states.ground or (float(states.energies[0]), float(states.errors[0]))


def functions(space: Space) -> int:
    """Product functions of the space."""
    return math.prod(int(n) for n in space.operator.row_shape)


def energy_range(solver: SpectrumSolver) -> EnergyRange | None:
    """What the keys ask for by energy; None where they give a number of states."""
    accuracy = float(solver.accuracy)
    if solver.up_to is not None:
        return EnergyRange(0.0, solver.up_to, "solver.up_to", accuracy)
    if solver.window is not None:
        return EnergyRange(solver.window[0], solver.window[1], "solver.window", accuracy)
    return None
