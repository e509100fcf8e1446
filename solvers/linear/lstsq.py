"""``lstsq``: the x of least norm among those of least ||b - A x||, A of any shape and rank.

    1. Kronecker products of matrices: their pseudo-inverses, factor by factor, on any number of modes; small operators:
       singular values of the full matrix (solvers.linear.full_least_squares). Both exact.
    2. Others: iterated Tikhonov regularisation. The correction c of least ||r - A c||^2 + t ||c||^2, r = b - A x, is
       found by the steps of ``solve`` (solvers.linear.task) from
           (A^H A + t) c = A^H r,   or, with more columns than rows,   (A A^H + t) y = r, c = A^H y,
       Hermitian and definite whatever A is. Each c lies in the range of A^H, so x tends to the solution of least norm,
       a part along singular value s falling by t / (s^2 + t) a step; t shrinks from step to step. With a ridge of the
       caller's own, t is that, and the steps are iterative refinement.
    3. It ends where ||b - A x|| <= accuracy ||b||, or where a correction changes A x by less than that: A c is then,
       up to what the correction itself misses, the distance of A x from its best.
Riley, Math. Tables Aids Comput. 9, 96 (1955); Golub and Van Loan, Matrix Computations, 4th ed., section 6.1.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question, random_state, restore, stored_train, train_arrays
from solvers.formats.trains.construct import identity_operator
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.linear.full_least_squares import decompose, inverse_of_product, is_small, train_of_vector
from solvers.linear.iterate import Work
from solvers.linear.scaling import balanced, moderate_scale, times_power
from solvers.linear.second_look import look
from solvers.linear.system import EPSILON, System
from solvers.linear.task import Task
from solvers.method_base import LinearMethod
from solvers.methods import AMEn
from solvers.solution import Callback, Checked, IterationState, Solution, Status
from solvers.threads import one_blas_thread

TIKHONOV = (1e-7, 1e-9, 1e-11, 1e-12, 1e-13)  # t over the square of the norm of A; the last one from there on
STEPS = 12
INNER = 0.1  # of the accuracy, for the first correction; the later ones are asked for DIGITS
DIGITS, FINEST = 1e-3, 1e-10
CLEAN = 1e-14  # relative rounding of operators and right-hand sides
SHARE = 0.1  # of the accuracy, for the rounding of x
SAFETY = 2.0  # times what a correction changed: what may be left
PROGRESS = 0.5  # a correction that is not below this share of the one before is the last
ROUNDING = 500.0  # times the rounding errors of A^H A x: what two routes to them may differ by


@one_blas_thread
def lstsq(
    operator: TTOperator,
    b: TensorTrain,
    *,
    ridge: float = 0.0,
    method: LinearMethod | None = None,
    accuracy: float = 1e-6,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The train x of least norm among those of least ||b - A x||^2 + ``ridge`` ||x||^2, A tall, wide or rank deficient.

    A x is right to ``accuracy`` ||b||: the distance from its best, the projection of b on the range of A. ``ridge``:
    Tikhonov's term, in units of A squared. ``method``: of the sweeps for the normal equations (default AMEn).
    ``checkpoint``: a file written after sweeps; where it exists the same call goes on from it.

    ``value``: x; ``residual``: (1,) ||b - A x|| / ||b||, which need not be small; ``extra``: ``excess``, what A x is
    off its best, over ||b||, computed or, of large operators, estimated by the last correction; ``orthogonality``,
    ||A^H (b - A x) - ridge x|| / ||A^H b||; of small operators ``rank`` and ``condition``, the ratio of their
    singular values that are not zero. ``counts``: corrections, sweeps, local_solves, matvecs. ``checked``: entries of
    the normal equations formed apart. Status: CONVERGED, RANK_LIMIT, ITERATION_LIMIT, STAGNATED. Of large
    operators that are rank deficient x has the least norm to fewer digits than A x is right: four at 1e-6, measured.

    Raises ValueError for shapes that do not fit, a negative ridge, an accuracy out of (0, 1), and a solution outside
    the range of double precision; NotConverged, with the solution so far, when ``throw``; CheckpointError, a
    ValueError, for a file that is damaged or of another problem. Cost: of small operators 14 m n min(m, n); of others
    as ``solve`` with the square of the ranks of A.
    """
    if operator.row_shape != b.shape:
        raise ValueError(f"the right-hand side has shape {b.shape}, the rows of the operator {operator.row_shape}")
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    if not (math.isfinite(ridge) and ridge >= 0.0):
        raise ValueError(f"ridge must be zero or a positive number, not {ridge!r}")
    method = method or AMEn()
    task = LeastSquares(operator, b, ridge, method, accuracy, rng or np.random.default_rng(0))
    asked = None
    if checkpoint is not None:
        asked = Question([*operator.cores, *b.cores], [repr((ridge, method, accuracy))])
    return drive(task, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


class LeastSquares:
    """One problem brought to scale one, its x so far, and the correction at work."""

    def __init__(
        self,
        operator: TTOperator,
        b: TensorTrain,
        ridge: float,
        method: LinearMethod,
        accuracy: float,
        rng: np.random.Generator,
    ) -> None:
        self.method, self.accuracy, self.rng = method, accuracy, rng
        self.operator, exponent_a = moderate_scale(operator)
        sides, exponent_b = balanced(b.cores)
        side = TensorTrain(sides)
        self.adjoint = self.operator.adjoint()
        self.size = side.norm()
        self.b = side * (1.0 / self.size) if self.size > 0.0 else side
        self.exponent = exponent_b - exponent_a
        self.ridge = math.ldexp(ridge, -2 * exponent_a) if abs(exponent_a) < 500 else 0.0
        self.dtype = np.result_type(operator.dtype, b.dtype)
        self.wide = ridge == 0.0 and math.prod(operator.column_shape) > math.prod(operator.row_shape)
        self.small = is_small(operator)
        self.image = (self.adjoint @ self.b).round(CLEAN)
        self.target = self.image.norm()  # ||A^H b||
        self.x = self.image * 0.0
        self.work = Work()
        self.done, self.over = 0, False
        self.excess, self.last = np.inf, np.inf
        self.status = Status.ITERATION_LIMIT
        self.extra: dict[str, Any] = {}
        self.begun: dict[str, Any] = random_state(rng)
        self.inner: Task | None = None
        self.resumed: Content | None = None

    def steps(self) -> Iterator[IterationState]:
        """States of the sweeps of the corrections, until one changes little."""
        if self.size == 0.0 or self.target <= CLEAN * self._norm:
            self.excess, self.over = 0.0, True  # b has nothing of the range
        elif self.operator.max_rank == 1 and self.ridge == 0.0 and not self.over:
            self._by_factors()
        elif self.small and not self.over:
            self._directly()
        while not self.over and self.done < STEPS:
            self.begun = random_state(self.rng)
            yield from self._corrected()

    @cached_property
    def _norm(self) -> float:
        """Of A, a lower bound that is seldom far off."""
        system = System.of(self.adjoint @ self.operator, self.x, self.dtype, True)
        return max(math.sqrt(system.size), self.target)

    def _by_factors(self) -> None:
        """Step 1, of a product."""
        inverse, rank, condition = inverse_of_product(self.operator)
        x = inverse @ self.b
        self.x = x.round(CLEAN, self.method.cap)
        again = inverse @ (self.b - self.operator @ self.x)  # what is left of the range: rounding errors, or a cap
        self.excess = (self.operator @ again).norm()
        self.extra |= {"rank": rank, "condition": condition}
        capped = self.x.max_rank >= self.method.cap
        self.status, self.over = (Status.RANK_LIMIT if capped else Status.PRECISION), True

    def _directly(self) -> None:
        """Step 1, of a small operator."""
        parts = decompose(self.operator)
        b = self.b.full().reshape(-1)
        x = parts.solve(b, self.ridge)
        self.x, capped = train_of_vector(self.operator, x, 1.0, self.accuracy, self.method.cap)
        off = self.operator @ (self.x.full() - x.reshape(self.x.shape))
        self.excess = float(np.linalg.norm(off))
        self.extra |= {"rank": parts.rank, "condition": parts.spread}
        self.status, self.over = (Status.RANK_LIMIT if capped else Status.PRECISION), True

    def _corrected(self) -> Iterator[IterationState]:
        """Steps 2 and 3, once."""
        small = TIKHONOV[min(self.done, len(TIKHONOV) - 1)] * self._norm**2
        shift = self.ridge if self.ridge > 0.0 else small
        rest = (self.b - self.operator @ self.x).round(CLEAN) if self.done else self.b
        if self.wide:
            normal, side = self.operator @ self.adjoint, rest
        else:
            normal = self.adjoint @ self.operator
            side = self.adjoint @ rest - self.x * self.ridge
        normal = (normal.round(CLEAN) + identity_operator(normal.row_shape) * shift).round(CLEAN)
        wanted = max(INNER * self.accuracy, FINEST) if self.done == 0 else DIGITS
        self.inner = Task(normal, side.round(CLEAN), self.method, None, wanted, self.dtype, self.rng)
        if self.resumed is not None:
            self.inner.restore(*self.resumed)
            self.resumed = None
        yield from self.inner.steps()
        found = self.inner.solution()
        self.work.add(self.inner.work)
        self.status, self.inner = found.status, None
        self.done += 1
        self._add(found.value)

    def _add(self, found: TensorTrain) -> None:
        """x with a correction, and what that says of x."""
        change = self.adjoint @ found if self.wide else found
        moved = (self.operator @ change).norm()
        if not math.isfinite(moved) or (self.done > 1 and moved > PROGRESS * self.last):
            self.over = True
            self.status = Status.STAGNATED if self.status is Status.CONVERGED else self.status
            return
        total = self.x + change
        own = total.norm()
        tol = SHARE * self.accuracy / max(self._norm * own, 1.0) if own > 0.0 else CLEAN
        self.x = total.round(max(min(tol, 0.1 * SHARE), CLEAN), self.method.cap)
        self.last = moved
        if self.done > 1:
            self.excess = SAFETY * moved
        left = self._residual()
        if self.ridge == 0.0 and left <= self.accuracy:
            self.excess = min(self.excess, left)
        self.over = self.excess <= self.accuracy

    def _residual(self) -> float:
        """||b - A x|| of norm one."""
        return (self.b - self.operator @ self.x).norm()

    def content(self) -> Content:
        """x, and the correction at work."""
        arrays, train = train_arrays("x", self.x)
        data: dict[str, Any] = {
            "train": train,
            "work": vars(self.work),
            "status": self.status.name,
            "extra": self.extra,
            "generator": self.begun,
            "inner": None,
            **{name: getattr(self, name) for name in _PLACE},
        }
        if self.inner is not None:
            own, data["inner"] = self.inner.content()
            arrays |= {f"inner.{name}": array for name, array in own.items()}
        return arrays, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on with the correction that was at work."""
        self.x = stored_train(arrays, "x", data["train"])
        self.work, self.status, self.extra = Work(**data["work"]), Status[data["status"]], dict(data["extra"])
        for name in _PLACE:
            setattr(self, name, data[name])
        restore(self.rng, data["generator"])
        if data["inner"] is not None:
            inner = {n.removeprefix("inner."): array for n, array in arrays.items() if n.startswith("inner.")}
            self.resumed = inner, data["inner"]

    def solution(self) -> Solution:
        """x in the scale given, with what was computed of it."""
        counts = {"corrections": self.done, "sweeps": self.work.sweeps}
        counts |= {"local_solves": self.work.local_solves, "matvecs": self.work.products}
        residual = self._residual() if self.size > 0.0 else 0.0
        rest = self.adjoint @ (self.b - self.operator @ self.x) - self.x * self.ridge
        orthogonality = rest.norm() / self.target if self.target > 0.0 else 0.0
        status = Status.CONVERGED if self.excess <= self.accuracy else self.status
        if status is Status.CONVERGED and not self.excess <= self.accuracy:
            status = Status.STAGNATED
        checked: tuple[Checked, ...] = ()
        if self.target > 0.0 and self.x.norm() > 0.0:
            normal = self.adjoint @ self.operator + identity_operator(self.x.shape) * self.ridge
            rounding = ROUNDING * EPSILON * max(self._norm**2 * self.x.norm() / self.target, 1.0)
            unit = 1.0 / self.target
            seen = look(normal, self.x * unit, self.image * unit, orthogonality, rounding, self.rng)
            checked = (seen,)
            status = status if seen.passed else Status.CONTRADICTED
        x = times_power(self.x * (self.size or 1.0), self.exponent)
        found = {"max_rank": x.max_rank, "excess": self.excess, "orthogonality": orthogonality, **self.extra}
        return Solution(
            x, status, int(status is Status.CONVERGED), np.array([residual]), (), counts, {}, found, checked
        )


_PLACE = ("done", "over", "excess", "last")  # plain data that say where the corrections are
