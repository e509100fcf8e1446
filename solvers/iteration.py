"""``drive``: the one loop around every method.

A method is an ``Iteration``: a generator of its states, what it can be continued from, and what it has found. The loop
adds what all methods share:

    1. Where the checkpoint holds a file, the iteration is put where that was written, with its history.
    2. After each state: numbered and timed, kept in the history, the checkpoint written, the callback told. A callback
       may raise anything; what was written before stays. Where a stop is asked for, Stopped ends it after the writing.
       A state from within a step (``finished`` is False) is told, under the number of the step it is of, and no more.
    3. At the end the checkpoint is written whatever it costs, so that the same call again has nothing left to do; the
       solution gets history and seconds; one that is not converged is raised when ``throw``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from solvers.checkpoint import Checkpoint, CheckpointError, Content, Stopped
from solvers.solution import Callback, IterationState, NotConverged, Solution


class Iteration(Protocol):
    """A method at work on one question."""

    def steps(self) -> Iterator[IterationState | None]:
        """The states, a finished one each time that ``content`` is worth keeping; the loop sets step and seconds.

        None where ``content`` is worth keeping between two states, of which nobody is told.
        """

    def content(self) -> Content:
        """What ``restore`` needs to go on from here, or from the end of ``steps``: arrays and JSON data."""

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there: ``steps`` yields what follows."""

    def solution(self) -> Solution:
        """What was found, after the last step; history and seconds are the loop's."""


def drive(
    iteration: Iteration,
    *,
    callback: Callback | None = None,
    checkpoint: Checkpoint | None = None,
    throw: bool = True,
    asked: float | None = None,
    compile_s: float = 0.0,
    before: Sequence[IterationState] = (),
) -> Solution:
    """The solution of ``iteration``; see the module's steps.

    ``asked``: the accuracy, as the solution says it. ``compile_s``: seconds that compiling the kernels took before.
    ``before``: the history of an earlier computation that this one goes on from, where the checkpoint holds none.
    Raises NotConverged, with the solution, when ``throw``; CheckpointError for a file that is damaged, of another
    question or of another version; Stopped.
    """
    checkpoint = checkpoint or Checkpoint(None)
    history = list(before)
    spent = 0.0
    loaded = checkpoint.load()
    if loaded is not None:
        arrays, data = loaded
        try:
            history, spent = list(data.pop("history")), float(data.pop("seconds"))
            iteration.restore(arrays, data)
        except (KeyError, TypeError):  # whole and of this question: what it holds has changed since
            text = f"{checkpoint.path} was written by another version: remove it, or name another file"
            raise CheckpointError(text) from None
    begun = time.perf_counter()

    def content() -> Content:
        arrays, data = iteration.content()
        return arrays, {**data, "history": history, "seconds": spent + time.perf_counter() - begun}

    moved = False
    for state in iteration.steps():
        moved, worth_keeping = True, state is None or state.finished
        if state is not None:
            state = replace(state, step=len(history) + 1, seconds=spent + time.perf_counter() - begun)
            history += [state] if state.finished else []
        if worth_keeping:
            checkpoint.save(content)
        if state is not None and callback is not None:
            callback(state)
        if worth_keeping and checkpoint.stopping:
            raise Stopped
    if moved:
        checkpoint.save(content, last=True)
    found = iteration.solution()
    timing = {"compile_s": compile_s, "solve_s": spent + time.perf_counter() - begun}
    found = replace(found, history=tuple(history), timing={**found.timing, **timing}, asked=asked)
    if throw and not found.converged:
        raise NotConverged(found)
    return found
