"""How often a state of a run is told, and how long the run goes on: what all its displays share."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from ttsuite.runs.spent import step_left
from ttsuite.study.config import Study
from ttsuite.words import duration, soon

if TYPE_CHECKING:
    from problems.progress import Told
    from solvers.solution import IterationState

LAST = 5  # steps that the time of the next is told by


class Progress:
    """What both displays know: the last states, when one is worth a line, and how long it goes on.

    A state gets a line where it begins or ends a pass, and otherwise every ``PAUSE`` seconds, more seldom the longer
    the run is: an evolution of thousands of steps has some tens of lines.
    """

    PAUSE = 2.0
    SHARE = 0.1  # of the time so far, between two lines

    def __init__(self) -> None:
        self._begun = self._told_at = time.perf_counter()
        self._study: Study | None = None
        self._before: IterationState | None = None
        self._told: tuple[int, str] = (-1, "")  # step and label of the last state with a line
        self._told_label = ""
        self._ends: deque[float] = deque(maxlen=LAST + 1)  # of steps

    def _due(self, state: IterationState) -> bool:
        """Whether ``state`` gets a line of its own, which it then has."""
        now = time.perf_counter()
        begun = state.finished and self._told == (state.step, state.label)  # its beginning had a line
        waited = now - self._told_at >= max(self.PAUSE, self.SHARE * (now - self._begun))
        if state.label == self._told_label and not begun and not waited:
            return False
        self._told, self._told_label, self._told_at = (state.step, state.label), state.label, now
        if state.finished:
            self._told = (-1, "")
        return True

    def _numbers(self, state: IterationState) -> list[Told]:
        """The family's words for it."""
        if self._study is None:
            from problems.progress import rank

            return rank(state)
        study = self._study
        return study.family.progress.told(study.problem, study.solver, state, self._before)

    def _seen(self, state: IterationState) -> None:
        """Keep what the next state is told by."""
        if state.finished:
            self._before = state
            self._ends.append(time.perf_counter())

    def _left(self, state: IterationState) -> str:
        """Time to go, from the share of the work done so far."""
        if not state.fraction:
            return ""
        elapsed = time.perf_counter() - self._begun
        return duration(elapsed * (1.0 - state.fraction) / state.fraction)

    def _stopping(self) -> str:
        """What an interrupt is answered: how long the present step still takes, as those before it took."""
        when = soon(step_left(self._ends, time.perf_counter()))
        return f"stopping after this step ({when}); interrupt again to stop at once"
