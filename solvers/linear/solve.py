"""``solve``: A x = b in tensor-train form by ALS, two-site DMRG or AMEn.

The sweeps (solvers.linear.alternating) are steered by cheap residuals, local ones or that of the enrichment; whether
the system is solved is decided by the true residual ||b - A x|| alone (solvers.linear.residual).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from solvers.linear.alternating import Alternating, Options
from solvers.linear.local import SingularOperator
from solvers.linear.residual import bounded_residual
from solvers.local_operator import OperatorCore, mirrored
from solvers.methods import ALS, DMRG, AMEn, LocalSolver
from solvers.solution import IterationState, NotConverged, Solution, Status
from solvers.trains.construct import random_train
from solvers.trains.operator import TTOperator
from solvers.trains.rounding import round_cores
from solvers.trains.tensor_train import TensorTrain

Method = ALS | DMRG | AMEn

TIGHTEN = 0.02  # a sweep aims at this share of the residual before it
LOOSEST = 0.1
START_RANK = 8
PATIENCE = 6  # sweeps without progress before giving up
PROGRESS = 0.7
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

    ``value``: x; ``residual``: (1,) the true relative residual, by QR of the residual as a train (where its rank
    passes 500 a random sketch raised by a half); ``counts``: sweeps (one direction), local_solves, matvecs of the
    local operators; ``extra``: the largest rank and whether the operator is Hermitian. Status: CONVERGED, RANK_LIMIT
    (a cap on the ranks bound), ITERATION_LIMIT or STAGNATED.

    Raises ValueError for shapes that do not fit, an accuracy out of (0, 1) and a singular operator where a projection
    shows it (otherwise it ends as STAGNATED); NotConverged, with the solution so far, when ``throw``.
    """
    method = method or AMEn()
    _check(operator, b, start, accuracy)
    rng = rng or np.random.default_rng(0)
    dtype = np.result_type(operator.dtype, b.dtype, *([start.dtype] if start is not None else []))
    compile_s = _compile(dtype)
    begin = time.perf_counter()
    size = b.norm()
    hermitian = is_hermitian(operator)
    if size == 0.0:
        return _solution(b, Status.CONVERGED, 0.0, [], {}, {"compile_s": compile_s, "solve_s": 0.0}, hermitian, throw)
    unit = b / size
    iteration = _begin(operator, unit, method, start, size, dtype, hermitian, rng)
    history: list[IterationState] = []
    status, best = Status.ITERATION_LIMIT, {"projected": np.inf, "local": np.inf, "true": np.inf}
    waited, floor = 0, accuracy / np.sqrt(operator.d)
    estimate = true = _residual(iteration, rng, accuracy) if start is not None else 1.0
    if start is not None and true <= accuracy:
        timing = {"compile_s": compile_s, "solve_s": time.perf_counter() - begin}
        return _solution(start, Status.CONVERGED, true, [], {"sweeps": 0}, timing, hermitian, throw)
    for sweep in range(1, method.sweeps + 1):
        budget = min(max(TIGHTEN * estimate, floor), LOOSEST)
        try:
            met = iteration.sweep(budget)
        except SingularOperator as error:
            raise ValueError(f"the operator is singular: {error}; there is no unique solution") from error
        estimate = met.projected if iteration.z else met.local
        true = np.nan
        final = sweep == method.sweeps or waited == PATIENCE - 1
        if estimate <= accuracy or final:
            true = _residual(iteration, rng, np.inf if final else accuracy)
            if true > accuracy >= estimate:
                floor *= 0.5
            estimate = true
        rank = max(core.shape[2] for core in iteration.x)
        history.append(
            IterationState(
                sweep, "sweep", rank, time.perf_counter() - begin, residuals=np.array([estimate]),
                extra={"local": met.local, "true": true, "products": iteration.work.products},
            )
        )  # fmt: skip
        if callback is not None:
            callback(history[-1])
        if true <= accuracy:
            status = Status.CONVERGED
            break
        # each measured against its own last progress, so that slow but steady progress counts; any of them may be
        # small by chance once, the projected one because the rank of z is small
        seen = {"projected": met.projected if iteration.z else np.inf, "local": met.local, "true": true}
        better = {name for name, value in seen.items() if value < PROGRESS * best[name]}
        best.update({name: seen[name] for name in better})
        waited = 0 if better else waited + 1
        if waited >= PATIENCE:
            status = Status.STAGNATED
            break
    if status is not Status.CONVERGED and (iteration.work.capped or isinstance(method, ALS)):
        status = Status.RANK_LIMIT
    counts = {"sweeps": len(history), "local_solves": iteration.work.local_solves, "matvecs": iteration.work.products}
    timing = {"compile_s": compile_s, "solve_s": time.perf_counter() - begin}
    return _solution(_train(iteration) * size, status, true, history, counts, timing, hermitian, throw)


def is_hermitian(operator: TTOperator) -> bool:
    """Whether A equals its conjugate transpose to rounding errors; cores are scaled, so nothing overflows."""
    if all(np.array_equal(core, core.transpose(0, 2, 1, 3).conj()) for core in operator.cores):
        return True
    scaled = TTOperator(tuple(core / max(float(np.abs(core).max()), 1e-300) for core in operator.cores))
    return (scaled - scaled.adjoint()).norm() <= 1e-12 * scaled.norm()


def _check(operator: TTOperator, b: TensorTrain, start: TensorTrain | None, accuracy: float) -> None:
    if operator.row_shape != operator.column_shape:
        raise ValueError(f"the operator must be square, not rows {operator.row_shape}, columns {operator.column_shape}")
    if operator.row_shape != b.shape:
        raise ValueError(f"the right-hand side has shape {b.shape}, the operator {operator.row_shape}")
    if start is not None and start.shape != b.shape:
        raise ValueError(f"the start has shape {start.shape}, the right-hand side {b.shape}")
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")


def _begin(
    operator: TTOperator,
    b: TensorTrain,
    method: Method,
    start: TensorTrain | None,
    size: float,
    dtype: np.dtype,
    hermitian: bool,
    rng: np.random.Generator,
) -> Alternating:
    """Trains and environments before the first sweep."""
    enrichment = method.enrichment if isinstance(method, AMEn) else 0
    if start is not None:
        x = start / size
    else:
        x = b if b.max_rank <= START_RANK else TensorTrain(round_cores(b.cores, None, 0.0, START_RANK)[0])
    if isinstance(method, ALS):
        x = _of_rank(x, method.rank, rng)
    x = x.orthogonalise(0)
    z = random_train(b.shape, enrichment, rng).orthogonalise(0).cores if enrichment else ()
    known: dict[tuple, tuple[OperatorCore, OperatorCore]] = {}
    for core in operator.cores:
        if _key(core) not in known:
            sparse = OperatorCore.of(core, dtype)
            known[_key(core)] = sparse, sparse.mirrored()
    pairs = [known[_key(core)] for core in operator.cores]
    right = [core.astype(dtype) for core in b.cores]
    options = Options(
        sites=2 if isinstance(method, DMRG) else 1,
        enrichment=enrichment,
        max_rank=method.rank if isinstance(method, ALS) else method.max_rank,
        dense_size=method.local.dense_size,
        steps=method.local.steps,
        side=method.local.side,
        definite=hermitian,
    )
    return Alternating(
        ([pair[0] for pair in pairs], [pair[1] for pair in reversed(pairs)]), (right, mirrored(right)),
        [core.astype(dtype) for core in x.cores], [core.astype(dtype) for core in z], 1.0, options,
    )  # fmt: skip


def _key(core: np.ndarray) -> tuple:
    """Equal for equal cores."""
    return core.shape, core.tobytes()


def _of_rank(x: TensorTrain, rank: int, rng: np.random.Generator) -> TensorTrain:
    """The train filled up with a small random part to ``rank``, or cut to it."""
    if x.max_rank < rank:
        noise = random_train(x.shape, rank, rng)
        x = x + noise * (1e-2 * x.norm())
    return TensorTrain(round_cores(x.cores, None, 0.0, rank)[0])


def _residual(iteration: Alternating, rng: np.random.Generator, accuracy: float) -> float:
    """The true residual of the present x; only one that misses ``accuracy`` may be an estimate."""
    side = iteration.side
    return bounded_residual(iteration.operator[side], iteration.x, iteration.b[side], rng, accuracy)


def _train(iteration: Alternating) -> TensorTrain:
    """The present x in its own order, with its centre."""
    if iteration.side == 0:
        return TensorTrain(tuple(iteration.x), 0)
    return TensorTrain(tuple(mirrored(iteration.x)), len(iteration.x) - 1)


def _solution(x, status, residual, history, counts, timing, hermitian: bool, throw: bool) -> Solution:
    converged = status is Status.CONVERGED
    solution = Solution(
        x, status, int(converged), np.array([residual]), tuple(history), counts, timing,
        {"max_rank": x.max_rank, "hermitian": hermitian},
    )  # fmt: skip
    if throw and not converged:
        raise NotConverged(solution)
    return solution


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
    for a in (TTOperator(cores), TTOperator(twisted)):
        solve(a, b, method=AMEn(sweeps=4, local=LocalSolver(dense_size=0)), start=b * 0.5, throw=False)
    return time.perf_counter() - begin
