"""Independent fits, each a task of its own, whose outcomes are kept so that a stopped run goes on with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import fields
from typing import Any, Generic, TypeVar

import numpy as np

from solvers.checkpoint import Content
from solvers.solution import IterationState, Solution, Status

T = TypeVar("T")  # a task
O = TypeVar("O")  # its outcome, a dataclass


class Fits(Generic[T, O]):
    """All tasks, those already known apart; an iteration of ``solvers.iteration.drive`` whose value is the list of
    outcomes.

    ``evaluate``: (task) -> outcome, a function that worker processes run; ``kind``: the class of the outcomes: numbers,
    texts, arrays and tuples of these; ``said``: (task, outcome) -> label, rank and the score that is told of it.
    """

    def __init__(
        self,
        tasks: Sequence[T],
        evaluate: Callable[[T], O],
        kind: type[O],
        said: Callable[[T, O], tuple[str, int, float]],
        executor: Executor | None,
    ) -> None:
        self.tasks, self.evaluate, self.kind, self.said, self.executor = tasks, evaluate, kind, said, executor
        self.known: dict[int, O] = {}

    def steps(self) -> Iterator[IterationState]:
        """A state each time that a task is done."""
        missing = [number for number in range(len(self.tasks)) if number not in self.known]
        if self.executor is None:
            for number in missing:
                self.known[number] = self.evaluate(self.tasks[number])
                yield self._state(number)
            return
        futures = {self.executor.submit(self.evaluate, self.tasks[number]): number for number in missing}
        try:
            for future in as_completed(futures):
                number = futures[future]
                self.known[number] = future.result()
                yield self._state(number)
        finally:
            for future in futures:
                future.cancel()

    def _state(self, number: int) -> IterationState:
        label, rank, score = self.said(self.tasks[number], self.known[number])
        told = {"score": score, "done": len(self.known), "tasks": len(self.tasks)}
        return IterationState(0, label, rank, 0.0, fraction=len(self.known) / len(self.tasks), extra=told)

    def content(self) -> Content:
        """The outcomes known: numbers and texts in JSON, arrays by name."""
        arrays: dict[str, np.ndarray] = {}
        entries: dict[str, dict[str, Any]] = {}
        for number, outcome in self.known.items():
            entry: dict[str, Any] = {}
            for part in fields(outcome):  # type: ignore[arg-type]
                value, name = getattr(outcome, part.name), f"{number}.{part.name}"
                if isinstance(value, np.ndarray):
                    arrays[name] = value
                elif isinstance(value, tuple) and value and isinstance(value[0], np.ndarray):
                    entry[part.name] = {"arrays": len(value)}
                    arrays |= {f"{name}.{k}": array for k, array in enumerate(value)}
                else:
                    entry[part.name] = value
            entries[str(number)] = entry
        return arrays, {"outcomes": entries}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """The outcomes of an earlier call."""
        for number, entry in data["outcomes"].items():
            own: dict[str, Any] = {}
            for part in fields(self.kind):  # type: ignore[arg-type]
                name, value = f"{number}.{part.name}", entry.get(part.name)
                if name in arrays:
                    own[part.name] = arrays[name]
                elif isinstance(value, dict):
                    own[part.name] = tuple(arrays[f"{name}.{k}"] for k in range(value["arrays"]))
                else:
                    own[part.name] = tuple(value) if isinstance(value, list) else entry[part.name]
            self.known[int(number)] = self.kind(**own)

    def solution(self) -> Solution:
        outcomes = [self.known[number] for number in range(len(self.tasks))]
        return Solution(
            value=outcomes,
            status=Status.CONVERGED,
            n_converged=len(outcomes),
            residual=np.zeros(0),
            history=(),
            counts={"fits": len(outcomes)},
            timing={},
        )
