"""What is said of the fits on their way."""

from __future__ import annotations

from problems.keys import Keys
from problems.progress import Told, number
from solvers.solution import IterationState

DIGITS = 4


def told(problem: Keys, solver: Keys, state: IterationState, before: IterationState | None) -> list[Told]:
    """How many fits are done, and the score of the last one."""
    if "tasks" not in state.extra:
        return []
    done = f"{state.extra['done']} of {state.extra['tasks']}"
    return [Told("fits", done), Told("score", number(float(state.extra["score"]), digits=DIGITS))]
