"""``solve``: A x = b in tensor-train form, on full vectors where they are small, else by ALS, two-site DMRG or AMEn.

    1. A and b are brought to scale one by powers of two (solvers.linear.scaling).
    2. Up to ``DIRECT_FIRST`` unknowns: full vectors, exact to rounding errors (solvers.linear.full_vectors).
    3. Sweeps of the method asked for (solvers.linear.sweeps). Up to ``DIRECT_LAST`` unknowns they end where the train
       holds as many numbers as the vector, or where they lead nowhere, and step 2 follows.
    4. Where the sweeps failed, residual minimisation from the best x they saw (solvers.linear.least_squares).
Whether the system is solved is decided by the true residual ||b - A x|| alone (solvers.linear.residual), which is
then looked at again by another route (solvers.linear.second_look). What is returned is never worse than zero.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from solvers.linear.alternating import Work
from solvers.linear.full_vectors import residual_full, rounding_errors, solve_full, to_train
from solvers.linear.least_squares import minimise_residual
from solvers.linear.scaling import balanced, times_power
from solvers.linear.second_look import look
from solvers.linear.sweeps import Method, Swept, System, sweep_until
from solvers.methods import ALS, DMRG, AMEn, LocalSolver
from solvers.solution import Checked, IterationState, NotConverged, Solution, Status
from solvers.trains.operator import TTOperator
from solvers.trains.tensor_train import TensorTrain

DIRECT_FIRST = 1000  # unknowns: LU takes 50 ms, measured
DIRECT_LAST = 4096  # 2 s
FULL_SHARE = 0.5  # of the vector's entries in a train: from here on the train is no saving
PRECISION_SHARE = 0.1  # of the accuracy: rounding errors of A x above that are what stopped it
HIDDEN = 100.0  # times the accuracy: rounding errors at most, of which some per cent are seen, to look behind them
MEANINGLESS = 0.1  # of ||b||, for rounding errors of A x: no digit of the residual counts
ROUNDING = 500.0  # times the rounding errors of A x: what two routes to a residual may differ by
ALLOWED = 1.1  # times the least residual a vector can have: what its train may have
_COMPILED: dict[str, float] = {}


def solve(
    operator: TTOperator,
    b: TensorTrain,
    *,
    method: Method | None = None,
    start: TensorTrain | None = None,
    accuracy: float = 1e-6,
    rng: np.random.Generator | None = None,
    callback: Callable[[IterationState], None] | None = None,
    throw: bool = True,
) -> Solution:
    """The train x with ||b - A x|| <= ``accuracy`` ||b||, A real or complex, Hermitian or not.

    ``method``: AMEn (default), DMRG or ALS. ``start``: a train to begin with (default: b, of a small rank; for ALS of
    the rank asked). ``rng``: for the random start of the enrichment (default: seed 0).

    ``value``: x, of all that was seen the one of smallest residual, at worst zero; ``residual``: (1,) the true relative
    residual, by QR of the residual as a train (where its rank passes 500 on full vectors or, of many unknowns, as a
    random sketch raised by a half);
    ``counts``: sweeps (one direction), local_solves, matvecs of the local operators; ``extra``: the largest rank,
    whether the operator is Hermitian, ``route``: which of full vectors, sweeps and residual minimisation gave x.
    ``checked``: entries of b - A x formed apart. Status: CONVERGED, RANK_LIMIT (a cap on the ranks bound),
    ITERATION_LIMIT, STAGNATED, PRECISION (rounding errors of A x alone exceed the accuracy), SINGULAR (a vector w with
    A^H w = 0 and <w, b> != 0 is in hand; x is a least-squares solution). A singular operator with b in its range is
    solved like any other.

    Raises ValueError for shapes that do not fit, an accuracy out of (0, 1) and a solution outside the range of double
    precision; NotConverged, with the solution so far, when ``throw``.
    """
    method = method or AMEn()
    _check(operator, b, start, accuracy)
    dtype = np.result_type(operator.dtype, b.dtype, *([start.dtype] if start is not None else []))
    compile_s = _compile(dtype)
    task = _Task(operator, b, method, accuracy, dtype, rng or np.random.default_rng(0), callback)
    solution = replace(task.run(start), timing={"compile_s": compile_s, "solve_s": time.perf_counter() - task.begun})
    if throw and not solution.converged:
        raise NotConverged(solution)
    return solution


def is_hermitian(operator: TTOperator) -> bool:
    """Whether A equals its conjugate transpose to rounding errors; cores are scaled, so nothing overflows."""
    if all(np.array_equal(core, core.transpose(0, 2, 1, 3).conj()) for core in operator.cores):
        return True
    scaled = TTOperator(balanced(operator.cores)[0])
    return (scaled - scaled.adjoint()).norm() <= 1e-12 * scaled.norm()


class _Task:
    """One system brought to scale one, what was done on it, and the way back to the scale given."""

    def __init__(
        self,
        operator: TTOperator,
        b: TensorTrain,
        method: Method,
        accuracy: float,
        dtype: np.dtype,
        rng: np.random.Generator,
        callback: Callable[[IterationState], None] | None,
    ) -> None:
        self.begun = time.perf_counter()
        self.method, self.accuracy, self.rng, self.callback = method, accuracy, rng, callback
        self.hermitian = is_hermitian(operator)
        cores, exponent_a = balanced(operator.cores)
        sides, exponent_b = balanced(b.cores)
        side = TensorTrain(sides)
        self.size = side.norm()
        self.exponent = exponent_b - exponent_a  # x = 2^exponent size times the x of scale one
        self.unknowns, self.given = math.prod(b.shape), b
        self.system = System.of(TTOperator(cores), side / (self.size or 1.0), dtype, self.hermitian)
        self.history: list[IterationState] = []
        self.work = Work()
        self.extra: dict[str, Any] = {"hermitian": self.hermitian}
        self.singular = False

    def run(self, start: TensorTrain | None) -> Solution:
        """The steps of the module's text."""
        if self.size == 0.0:
            zero = Checked("right-hand side", "its norm", "zero, and so is x", True)
            return self._solution(self.given * 0.0, 0.0, Status.CONVERGED, (zero,))
        first = Swept(self.system.b * 0.0, 1.0, Status.STAGNATED, "zero")
        if start is not None and start.norm() > 0.0:
            x = times_power(start, -self.exponent) * (1.0 / self.size)
            first = Swept(x, self.system.residual(x, self.rng, self.accuracy), Status.STAGNATED, "start")
            self._discard_meaningless(first)
            if first.residual <= self.accuracy:
                return self._finish(first, start)
            if not first.residual < 1.0:
                first.x, first.residual = self.system.scaled(first.x, self.rng)
        return self._finish(self._improved(first))

    def _improved(self, best: Swept) -> Swept:
        """The best x of all steps, until one reaches the accuracy."""
        capped = False
        for step in (self._directly, self._by_sweeps, self._directly_after, self._by_enriched_sweeps, self._minimised):
            found = step(best)
            if found is None:
                continue
            self.work.add(found.work)
            self._discard_meaningless(found)
            capped |= found.status is Status.RANK_LIMIT
            if found.residual < best.residual or best.route == "zero":
                best = found
            else:
                best.status = found.status
            if best.residual <= self.accuracy:
                best.status = Status.CONVERGED
                return best
        best.status = self._why(best, capped)
        return best

    def _discard_meaningless(self, found: Swept) -> None:
        """Zero for an x so large that rounding errors of A x are of the order of b: its residual says nothing."""
        if self.system.rounding(found.x) > MEANINGLESS:
            found.x, found.residual, found.status = self.system.b * 0.0, 1.0, Status.PRECISION

    def _why(self, best: Swept, capped: bool) -> Status:
        """Why the accuracy was not reached."""
        if self.singular:
            return Status.SINGULAR
        if capped:
            return Status.RANK_LIMIT
        if self.system.rounding(best.x) > PRECISION_SHARE * self.accuracy:
            return Status.PRECISION
        return best.status

    def _directly(self, best: Swept) -> Swept | None:
        return self._full() if self.unknowns <= DIRECT_FIRST else None

    def _by_sweeps(self, best: Swept) -> Swept | None:
        if self._exact():
            return None
        small = self.unknowns <= DIRECT_LAST
        storage = FULL_SHARE * self.unknowns if small else np.inf
        start = best if best.route == "start" and best.residual < 1.0 else None
        return self._swept(self.method, start, storage)

    def _directly_after(self, best: Swept) -> Swept | None:
        """Not where a cap on the ranks ended sweeps that do converge: cut to it, the exact x is hardly better."""
        if best.status is Status.RANK_LIMIT and best.residual < 1.0:
            return None
        return self._full() if DIRECT_FIRST < self.unknowns <= DIRECT_LAST else None

    def _by_enriched_sweeps(self, best: Swept) -> Swept | None:
        """DMRG takes nothing into the basis that its two sites do not couple to, AMEn does."""
        if self._exact() or not isinstance(self.method, DMRG) or best.status is not Status.STAGNATED:
            return None
        method = AMEn(max_rank=self.method.max_rank, local=self.method.local)
        return self._swept(method, best if best.residual < 1.0 else None, np.inf)

    def _minimised(self, best: Swept) -> Swept | None:
        """Not where a limit that was asked for ended sweeps which do converge."""
        limited = best.status is Status.ITERATION_LIMIT or (best.status is Status.RANK_LIMIT and self.hermitian)
        if self._exact() or (limited and best.residual < 1.0):
            return None
        return minimise_residual(self.system, self.method, best.x, best.residual, self.accuracy, self.rng, self._report)

    def _exact(self) -> bool:
        """Whether full vectors have said all there is to say."""
        return "factorisation" in self.extra and not self.extra["capped"]

    def _swept(self, method: Method, start: Swept | None, storage: float) -> Swept:
        x, residual = (start.x, start.residual) if start is not None else (None, 1.0)
        return sweep_until(
            self.system, self.system, method, x, self.accuracy, self.rng, self._report, first=residual, storage=storage
        )

    def _full(self) -> Swept:
        operator, b = self.system.operator, self.system.b.full().reshape(-1).astype(self.system.dtype)
        found = solve_full(operator, b, self.accuracy, self.hermitian)
        cap = self.method.rank if isinstance(self.method, ALS) else self.method.max_rank
        goal = max(self.accuracy, ALLOWED * found.residual)
        x, capped = to_train(operator, found.x, b, goal, cap)
        capped &= found.residual <= self.accuracy
        self.singular = found.singular is not None
        self.extra |= {"factorisation": found.factorisation, "capped": capped}
        if np.isfinite(found.condition):
            self.extra["condition"] = found.condition
        if found.singular is not None:
            self.extra["left_null_vector"] = found.singular
        status = Status.RANK_LIMIT if capped else Status.PRECISION
        residual = self.system.residual(x, self.rng)
        blurred = residual > self.accuracy and HIDDEN * self.accuracy > rounding_errors(operator, found.x)
        if blurred:  # by rounding errors of A x, which are not x's fault
            residual = float(np.linalg.norm(residual_full(operator, x, b)))
        return Swept(x, residual, status, "full vectors")

    def _report(self, state: IterationState) -> None:
        state = replace(state, step=len(self.history) + 1, seconds=time.perf_counter() - self.begun)
        self.history.append(state)
        if self.callback is not None:
            self.callback(state)

    def _finish(self, best: Swept, given: TensorTrain | None = None) -> Solution:
        """The second look, and x in the scale given."""
        if not best.residual < 1.0:
            best.x, best.residual, best.route = self.system.b * 0.0, 1.0, "zero"
        rounding = ROUNDING * self.system.rounding(best.x)
        by_full = self.system.by_full(best.x)
        seen = look(self.system.operator, best.x, self.system.b, best.residual, rounding, self.rng, rows=by_full)
        status = best.status if seen.passed else Status.CONTRADICTED
        if status is Status.CONVERGED and not best.residual <= self.accuracy:
            status = Status.STAGNATED
        if best.residual <= self.accuracy and seen.passed:
            status = Status.CONVERGED
        x = given if given is not None else times_power(best.x * self.size, self.exponent)
        self.extra["route"] = best.route
        return self._solution(x, best.residual, status, (seen,))

    def _solution(self, x: TensorTrain, residual: float, status: Status, checked: tuple[Checked, ...]) -> Solution:
        counts = {"sweeps": len(self.history), "local_solves": self.work.local_solves, "matvecs": self.work.products}
        self.extra.pop("capped", None)
        return Solution(
            x,
            status,
            int(status is Status.CONVERGED),
            np.array([residual]),
            tuple(self.history),
            counts,
            {},
            {"max_rank": x.max_rank, **self.extra},
            checked,
        )


def _check(operator: TTOperator, b: TensorTrain, start: TensorTrain | None, accuracy: float) -> None:
    if operator.row_shape != operator.column_shape:
        raise ValueError(f"the operator must be square, not rows {operator.row_shape}, columns {operator.column_shape}")
    if operator.row_shape != b.shape:
        raise ValueError(f"the right-hand side has shape {b.shape}, the operator {operator.row_shape}")
    if start is not None and start.shape != b.shape:
        raise ValueError(f"the start has shape {start.shape}, the right-hand side {b.shape}")
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")


def _compile(dtype: np.dtype) -> float:
    """Seconds spent to compile or load the kernels of one dtype; zero from the second call on in one process."""
    name = np.dtype(dtype).name
    if name in _COMPILED:
        return 0.0
    begin = time.perf_counter()
    _COMPILED[name] = 0.0
    cores = tuple(np.eye(3, dtype=dtype)[None, :, :, None] * k for k in (2.0, 3.0))
    twisted = tuple(core + (k == 0) * np.eye(3, k=1)[None, :, :, None] for k, core in enumerate(cores))
    b = TensorTrain(tuple(np.ones((1, 3, 1), dtype=dtype) for _ in range(2)))
    method = AMEn(sweeps=4, local=LocalSolver(dense_size=0))
    for definite, a in ((True, TTOperator(cores)), (False, TTOperator(twisted))):
        system = System.of(a, b / b.norm(), dtype, definite)
        sweep_until(system, system, method, None, 1e-6, np.random.default_rng(0), lambda state: None)
    return time.perf_counter() - begin
