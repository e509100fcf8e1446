"""``pinv``: the pseudo-inverse of an operator as an operator, where it has one of moderate ranks.

    1. A Kronecker product of matrices: the product of their pseudo-inverses, exact, of any size.
    2. Small operators: by singular values of the full matrix.
    3. Others: the X of least norm among those of least ||A X - 1||, which is the pseudo-inverse, by least squares with
       A acting on the rows of X alone (solvers.linear.lstsq): ranks of X are found, not chosen.
What comes of any way is judged by the four conditions that are true of the pseudo-inverse alone,
    A X A = A,   X A X = X,   A X and X A Hermitian.
Penrose, Proc. Camb. Phil. Soc. 51, 406 (1955).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question
from solvers.formats.trains.construct import identity_operator, operator_tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.linear.full_least_squares import decompose, inverse_of_product, is_small
from solvers.linear.lstsq import LeastSquares
from solvers.measured import amount
from solvers.method_base import LinearMethod
from solvers.methods import AMEn
from solvers.solution import Callback, Checked, IterationState, Solution, Status
from solvers.threads import one_blas_thread

LARGEST_FULL = 2**22  # entries of a full pseudo-inverse
CLEAN = 1e-14
INNER, FINEST = 1e-2, 1e-12  # of the accuracy, for the least squares: the conditions see errors times the condition


@one_blas_thread
def pinv(
    operator: TTOperator,
    *,
    method: LinearMethod | None = None,
    accuracy: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The pseudo-inverse X of ``operator``, columns by rows, as an operator.

    ``accuracy``: of the four conditions A X A = A, X A X = X, (A X)^H = A X, (X A)^H = X A, each over the norm of its
    right-hand side. ``method``: of sweeps, where the operator is neither a product of matrices nor small.
    ``checkpoint``: a file written after sweeps.

    ``value``: X; ``residual``: (4,) what is off of the conditions, in this order, computed; ``extra``: the largest
    rank, ``route``, and of small operators ``rank`` and ``condition``. Where X has large ranks, as most inverses have,
    ``lstsq`` gives X b for one b. Status: CONVERGED, RANK_LIMIT, ITERATION_LIMIT, STAGNATED.

    Raises ValueError for an accuracy out of (0, 1); NotConverged, with the solution, when ``throw``; CheckpointError, a
    ValueError, for a file that is damaged or of another operator.
    """
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    task = _PseudoInverse(operator, method or AMEn(), accuracy, rng or np.random.default_rng(0))
    asked = None
    if checkpoint is not None:
        asked = Question(operator.cores, [repr((task.method, accuracy))])
    return drive(task, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


class _PseudoInverse:
    """One operator, and the least squares that its pseudo-inverse is found by."""

    def __init__(self, operator: TTOperator, method: LinearMethod, accuracy: float, rng: np.random.Generator) -> None:
        self.operator, self.method, self.accuracy = operator, method, accuracy
        size = math.prod(operator.row_shape) * math.prod(operator.column_shape)
        self.route = "least squares"
        if operator.max_rank == 1:
            self.route = "product"
        elif is_small(operator) and size <= LARGEST_FULL:
            self.route = "full matrix"
        self.task: LeastSquares | None = None
        if self.route == "least squares":
            rows = identity_operator(operator.row_shape)
            side = TensorTrain(tuple(core.reshape(len(core), -1, core.shape[3]) for core in rows.cores))
            self.task = LeastSquares(_beside(operator), side, 0.0, method, max(INNER * accuracy, FINEST), rng)

    def steps(self) -> Iterator[IterationState]:
        """Those of the least squares; none where a formula gives it."""
        if self.task is not None:
            yield from self.task.steps()

    def content(self) -> Content:
        return self.task.content() if self.task is not None else ({}, {})

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        if self.task is not None:
            self.task.restore(arrays, data)

    def solution(self) -> Solution:
        """X, held against its four conditions."""
        if self.task is not None:
            found = self.task.solution()
            x, extra = _as_operator(found.value, self.operator), found.extra
        else:
            x, extra = self._product() if self.route == "product" else self._full()
            found = Solution(x, Status.PRECISION, 0, np.zeros(4), (), {"sweeps": 0}, {})
        off = np.array(_conditions(self.operator, x))
        met = bool(np.all(off <= self.accuracy))
        status = Status.CONVERGED if met else found.status
        if not met and status is Status.CONVERGED:
            status = Status.STAGNATED
        if not met and x.max_rank >= self.method.cap:
            status = Status.RANK_LIMIT
        seen = Checked("the four conditions", "products of trains", f"at most {amount(off.max())} off", met)
        extra = {**extra, "max_rank": x.max_rank, "route": self.route}
        return replace(found, value=x, status=status, n_converged=int(met), residual=off, extra=extra, checked=(seen,))

    def _product(self) -> tuple[TTOperator, dict[str, Any]]:
        """Step 1."""
        x, rank, condition = inverse_of_product(self.operator)
        return x, {"rank": rank, "condition": condition}

    def _full(self) -> tuple[TTOperator, dict[str, Any]]:
        """Step 2; the ranks by what the conditions allow."""
        parts = decompose(self.operator)
        modes = self.operator.column_shape, self.operator.row_shape
        exact = operator_tt_svd(parts.inverse().reshape(*modes[0], *modes[1]), 0.0)
        x = exact
        for digit in range(2, 16):
            x = exact.round(10.0**-digit, self.method.cap)
            if max(_conditions(self.operator, x)) <= self.accuracy or x.max_rank == exact.max_rank:
                break
        return x, {"rank": parts.rank, "condition": parts.spread}


def _conditions(a: TTOperator, x: TTOperator) -> tuple[float, float, float, float]:
    """What is off of the four conditions, each over the norm of its right-hand side."""
    ax, xa = (a @ x).round(CLEAN), (x @ a).round(CLEAN)
    pairs = ((ax @ a, a), (x @ ax, x), (ax.adjoint(), ax), (xa.adjoint(), xa))
    return tuple((left - right).norm() / (right.norm() or 1.0) for left, right in pairs)  # type: ignore[return-value]


def _beside(operator: TTOperator) -> TTOperator:
    """A x 1, acting on the first index of modes (column, row) taken as one."""
    cores = []
    for core in operator.cores:
        a, m, n, b = core.shape
        cores.append(np.einsum("aijb,kl->aikjlb", core, np.eye(m)).reshape(a, m * m, n * m, b))
    return TTOperator(tuple(cores))


def _as_operator(x: TensorTrain, operator: TTOperator) -> TTOperator:
    """The train with modes (column, row) as an operator."""
    modes = zip(x.cores, operator.column_shape, operator.row_shape)
    return TTOperator(tuple(core.reshape(len(core), n, m, core.shape[2]) for core, n, m in modes))
