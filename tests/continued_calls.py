"""Calls that are stopped after one of their states and go on from their file, beside one that was left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import option_cases as cases
import pytest

from solvers.solution import IterationState, Solution


def stopped_and_continued(
    call: Callable[..., Solution], file: Path, after: int
) -> tuple[Solution, list[IterationState]]:
    """What ``call`` says that was stopped after a state, and what it tells of from there on."""

    def leave(state: IterationState) -> None:
        if state.finished and state.step == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(callback=leave, checkpoint=file)
    told: list[IterationState] = []
    return call(callback=told.append, checkpoint=file), [state for state in told if state.finished]


def check_that_it_goes_on(call: Callable[..., Solution], folder: Path, least: int = 2, stops: int = 3) -> Solution:
    """Stopped it is the call left alone, to the last digit, and nothing is told twice: returns what that says.

    ``call`` takes callback and checkpoint, and makes everything else anew. ``least``: states that there must be;
    ``stops``: how many of them it is stopped after, beside the first of each label.
    """
    whole = call()
    steps = len(whole.history)
    assert steps >= least
    labels = [state.label for state in whole.history]
    afters = {1 + labels.index(label) for label in labels} | {1 + k * (steps - 1) // (stops - 1) for k in range(stops)}
    for after in sorted(afters):
        again, told = stopped_and_continued(call, folder / f"{after}.npz", after)
        assert (again.status, again.counts) == (whole.status, whole.counts)
        assert [state.step for state in again.history] == list(range(1, steps + 1))
        assert [state.step for state in told] == list(range(after + 1, steps + 1))
        assert cases.digest(again) == cases.digest(whole)
    return whole
