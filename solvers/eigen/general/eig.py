"""``eig``: eigenvalues of a TT operator that need not be Hermitian, with right and left trains.

1. A small space by vectors over all of it (solvers.eigen.general.vectors).
2. A sum over groups of modes: the eigenvalues of the groups are added up (solvers.eigen.general.sums).
3. Any other large space by subspaces of trains and searches (solvers.eigen.general.trains).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question
from solvers.eigen.general.order import Order, Which
from solvers.eigen.general.pairs import solution_of
from solvers.eigen.general.states import EigenPairs
from solvers.eigen.general.sums import by_sums
from solvers.eigen.general.trains import Trains
from solvers.eigen.general.vectors import by_vectors
from solvers.formats.trains.operator import TTOperator
from solvers.iteration import drive
from solvers.solution import Callback, IterationState, Solution
from solvers.threads import one_blas_thread

EXACT_SHARE = 0.1  # of the accuracy, for the groups of a sum: their errors add up


@one_blas_thread
def eig(
    operator: TTOperator,
    n: int,
    *,
    which: Which = "LR",
    target: complex | None = None,
    accuracy: float = 1e-8,
    max_rank: int = 200,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """``n`` eigenvalues of a TT operator, Hermitian or not, with right and left trains.

    ``which``: "LR" largest real part (first in a generator of a master equation, whose slowest rates these are), "SR"
    smallest, "LM" largest modulus, "SM" smallest; ``target``: those nearest to this number instead. Of a real operator
    a conjugate pair is not cut: there is one eigenvalue more where its second half would be missing. ``accuracy``:
    error asked of each eigenvalue, in the operator's unit. ``max_rank``: cap of the trains (alias rmax).
    ``checkpoint``: a file written after every pass; where it exists the same call goes on from it.

    ``value``: EigenPairs; ``residual`` (n,): the larger of ||A r - w r|| and ||l^H A - w l^H||. An eigenvalue is
    CONVERGED by its error, the residual times its condition, never by its residual alone; PRECISION: rounding errors
    of A move it by more than the accuracy (a defective eigenvalue, or nearly so); ITERATION_LIMIT: each is right for
    itself, and the search for one that is missing did not end.
    Raises ValueError for an operator that is not square, n out of range, NaN, or "LM" in a space too large for
    vectors; NotConverged, with the solution, when ``throw``; CheckpointError, a ValueError, for a file that is damaged
    or of another question.
    Cost: up to 600 functions 25 N^3; above, a sparse factorisation or Arnoldi; a sum over groups of modes that of its
    groups; other operators beyond 100,000 functions two linear systems in trains an eigenvalue and pass, and as much
    again for the search.
    """
    order = Order(which, target)
    if operator.row_shape != operator.column_shape:
        raise ValueError(f"eig needs a square operator, not one of {operator.row_shape} by {operator.column_shape}")
    size = math.prod(float(m) for m in operator.row_shape)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= size:
        raise ValueError(f"n is {n}; give a whole number from 1 to {size:.0f}, the dimension of the space")
    if not 0.0 < accuracy < np.inf:
        raise ValueError(f"accuracy is {accuracy}; give an error above zero, such as 1e-8")
    if not all(np.all(np.isfinite(core)) for core in operator.cores):
        raise ValueError("the operator's cores hold NaN or infinity: give finite elements")
    task = _Task(operator, int(n), order, accuracy, max_rank, rng or np.random.default_rng(0))
    asked = None
    if checkpoint is not None:
        asked = Question(operator.cores, [repr((int(n), which, target, accuracy, max_rank))])
    return drive(task, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


class _Task:
    """The way to these eigenvalues, found out at the first step."""

    def __init__(
        self, operator: TTOperator, n: int, order: Order, accuracy: float, max_rank: int, rng: np.random.Generator
    ) -> None:
        self.operator, self.n, self.order = operator, n, order
        self.accuracy, self.max_rank, self.rng = accuracy, max_rank, rng
        self.found: tuple[EigenPairs, dict[str, int]] | None = None
        self.trains: Trains | None = None

    def steps(self) -> Iterator[IterationState]:
        """One state of what needs no iteration, else a state a pass."""
        if self.found is not None:
            return
        if self.trains is None:
            found = by_vectors(self.operator, self.n, self.order, self.accuracy, self.max_rank, self.rng)
            label = "full vectors"
            if found is None:
                found = by_sums(self.operator, self.n, self.order, self.accuracy, self._of_group)
                label = "sums over groups"
            if found is not None:
                self.found = found
                value = found[0]
                rank = max(x.max_rank for x in (*value.right, *value.left))
                yield IterationState(1, label, rank, 0.0, value.eigenvalues, value.residuals.max(axis=1), 1.0)
                return
            self.trains = self._by_trains(self.operator, self.n, self.accuracy)
        yield from self.trains.steps()

    def _by_trains(self, operator: TTOperator, n: int, accuracy: float) -> Trains:
        return Trains(operator, n, self.order, accuracy, self.max_rank, self.rng)

    def _of_group(self, operator: TTOperator, n: int) -> tuple[EigenPairs, dict[str, int]]:
        """The first ``n`` pairs of a group."""
        accuracy = EXACT_SHARE * self.accuracy
        found = by_vectors(operator, n, self.order, accuracy, self.max_rank, self.rng)
        if found is not None:
            return found
        trains = self._by_trains(operator, n, accuracy)
        for _ in trains.steps():
            pass
        solution = trains.solution()
        return solution.value, solution.counts

    def content(self) -> Content:
        """The pairs, or where the subspaces are."""
        if self.found is not None:
            arrays, data = self.found[0].content()
            return arrays, {"pairs": data, "counts": self.found[1]}
        assert self.trains is not None
        return self.trains.content()

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        if "pairs" in data:
            self.found = EigenPairs.stored(arrays, data["pairs"]), dict(data["counts"])
            return
        self.trains = self._by_trains(self.operator, self.n, self.accuracy)
        self.trains.restore(arrays, data)

    def solution(self) -> Solution:
        """With its second looks."""
        if self.found is not None:
            return solution_of(self.operator, *self.found)
        assert self.trains is not None
        return self.trains.solution()
