"""Alternating Newton steps: the rows of the words, then those of the contexts, as an iteration of ``drive``.

A sweep:

    1. One damped Newton step of every word, the contexts held (solvers.optimisation.skip_gram.row_newton).
    2. The same of every context, the words held.
    3. Both factors into the balanced gauge, in which the ridge on them is the least: it is then 'ridge' times the sum
       of the singular values of X.

It ends where the increase that is still expected is below ``accuracy`` times the value: the last increase d with the
worst ratio q of two increases of late, d q / (1 - q). Cost 2 n m d (d + 1) flops a sweep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.fit_methods import AlternatingNewton
from solvers.optimisation.skip_gram.embedding import Embedding
from solvers.optimisation.skip_gram.problem import SkipGram
from solvers.optimisation.skip_gram.row_newton import newton_step
from solvers.solution import IterationState, Solution, Status

LATE = 2  # ratios of increases that are looked at
SLOWEST = 0.98  # ratio of two increases, beyond which it only tells that the end is far
ROUNDING = 1e-15  # relative, of the value: an increase below is none


class AlternatingSweeps:
    """An embedding on its way."""

    def __init__(self, problem: SkipGram, start: Embedding, method: AlternatingNewton, accuracy: float) -> None:
        self.problem, self.method, self.accuracy = problem, method, accuracy
        self.embedding = Embedding.balanced(start.words, start.contexts)
        self.values = [self.penalised()]
        self.status = Status.ITERATION_LIMIT

    def penalised(self) -> float:
        """F minus the ridge."""
        e = self.embedding
        return self.problem.value(e.words, e.contexts) - self.method.ridge * float(e.singular_values.sum())

    @property
    def remaining(self) -> float:
        """The increase still expected, relative; infinite before two sweeps say how they shrink."""
        gains = np.diff(self.values)
        size = abs(self.values[-1])
        if len(gains) < LATE:
            return np.inf
        if gains[-1] <= ROUNDING * size:
            return max(0.0, float(gains[-1])) / size
        late = gains[-LATE - 1 :]
        ratio = float(np.max(late[1:] / np.maximum(late[:-1], np.finfo(float).tiny)))
        ratio = min(max(ratio, 0.0), SLOWEST)
        return float(gains[-1]) * ratio / (1.0 - ratio) / size

    def steps(self) -> Iterator[IterationState]:
        """A state a sweep."""
        problem, ridge = self.problem, self.method.ridge
        while not self.over():
            words, contexts = self.embedding.words, self.embedding.contexts
            words, _ = newton_step(problem, words, contexts, ridge)
            contexts, _ = newton_step(problem.transposed, contexts, words, ridge)
            self.embedding = Embedding.balanced(words, contexts)
            self.values.append(self.penalised())
            yield IterationState(
                0,
                "sweep",
                self.embedding.rank,
                0.0,
                energies=np.array([self.values[-1] / problem.pairs]),
                residuals=np.array([self.remaining]),
                fraction=(len(self.values) - 1) / self.method.sweeps,
            )

    def over(self) -> bool:
        """Whether it is done, or has no sweep left; the status then says which."""
        if self.remaining <= self.accuracy:
            self.status = Status.CONVERGED
            return True
        return len(self.values) > self.method.sweeps

    def content(self) -> Content:
        e = self.embedding
        return {"words": e.words, "contexts": e.contexts}, {"values": list(self.values)}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        self.embedding = Embedding(arrays["words"], arrays["contexts"])
        self.values = [float(value) for value in data["values"]]

    def solution(self) -> Solution:
        sweeps = len(self.values) - 1
        return Solution(
            self.embedding,
            self.status,
            int(self.status is Status.CONVERGED),
            np.array([self.remaining]),
            (),
            {"sweeps": sweeps, "row_solves": sweeps * sum(self.problem.shape)},
            {},
        )
