"""What is said of the splits on their way."""

from __future__ import annotations

from problems.keys import Keys
from problems.progress import Told, number
from solvers.solution import IterationState

DIGITS = 4


def told(problem: Keys, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """How many splits are done, and the largest fooling rate of the last one."""
    if "tasks" not in state.extra:
        return []
    done = f"{state.extra['done']} of {state.extra['tasks']}"
    return [Told("splits", done), Told("fooled", number(float(state.extra["score"]), digits=DIGITS))]
