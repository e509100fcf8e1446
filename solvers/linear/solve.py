"""``solve``: A x = b in tensor-train form, on full vectors where they are small, else by sweeps of a method.

The steps are those of solvers.linear.task; a Laplacian of ``quantics`` is solved as what it is (solvers.linear.forms).
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.linear.forms import solve_form
from solvers.linear.given_operator import Operation
from solvers.linear.gmres import gmres
from solvers.linear.sweeps import Sweeping
from solvers.linear.system import System
from solvers.linear.task import Task
from solvers.method_base import LinearMethod, LocalSolver
from solvers.methods import GMRES, AMEn
from solvers.solution import Callback, Solution
from solvers.threads import one_blas_thread

_COMPILED: dict[str, float] = {}


@one_blas_thread
def solve(
    operator: TTOperator | Operation,
    b: TensorTrain,
    *,
    method: LinearMethod | GMRES | None = None,
    start: TensorTrain | None = None,
    accuracy: float = 1e-6,
    condition: bool = True,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The train x with ||b - A x|| <= ``accuracy`` ||b||, A real or complex, Hermitian or not.

    ``method``: AMEn (default), DMRG, ALS, or a LinearMethod of your own. ``start``: a train to begin with (default: a
    rough x of the sum over modes nearest to A, or b, of a small rank; for ALS of the rank asked). ``condition``:
    whether to look at the condition too, a fifth more time where A is not definite. ``rng``: for the random start of
    the enrichment (default: seed 0).
    ``checkpoint``: a file written after sweeps; where it exists the same call goes on from it, to the same x.

    A function x -> A x of trains in place of the operator, or GMRES as the method, goes to ``gmres``. An operator that
    is not square: ``lstsq``.

    A Hermitian definite A that is a sum over groups of neighbouring modes, each of at most 1024 indices together, is
    found to be that by its cores; without a method asked for it is inverted by a sum of exponentials, and its
    condition is exact.

    Of a Laplacian or ``divergence_form`` of ``quantics``, one to three axes, sums of these, shifted ones and products,
    without a method asked for, x is found by what the operator is (solvers.linear.forms), on any number of levels;
    ``residual`` is then the relative error of x that was seen.

    ``value``: x, of all that was seen the one of smallest residual, at worst zero; ``residual``: (1,) the true relative
    residual, by QR of the residual as a train (where its rank passes 500 on full vectors or, of many unknowns, as a
    random sketch raised by a half);
    ``counts``: sweeps (one direction), local_solves, matvecs of the local operators; ``extra``: the largest rank,
    whether the operator is Hermitian, ``route``: which of full vectors, exponential sum, sweeps and residual
    minimisation gave x, ``condition``: of the operator, estimated (of small systems from their factors, in the 1-norm,
    of others as far as it was seen: a lower bound), ``forward_error``: the relative error of x that it and the residual
    allow.
    ``checked``: entries of b - A x formed apart. Status: CONVERGED, RANK_LIMIT (a cap on the ranks bound),
    ITERATION_LIMIT, STAGNATED, PRECISION (rounding errors of A x alone exceed the accuracy), SINGULAR (a vector w with
    A^H w = 0 and <w, b> != 0 is in hand; x is a least-squares solution). A singular operator with b in its range is
    solved like any other.

    Raises ValueError for shapes that do not fit, an accuracy out of (0, 1) and a solution outside the range of double
    precision; NotConverged, with the solution so far, when ``throw``; CheckpointError, a ValueError, for a file that is
    damaged or of another system.
    """
    if isinstance(method, GMRES) or not isinstance(operator, TTOperator):
        if isinstance(method, LinearMethod):
            raise ValueError(f"{type(method).__name__} needs an operator in tensor-train form: give GMRES, or none")
        return gmres(
            operator,
            b,
            method=method,
            start=start,
            accuracy=accuracy,
            rng=rng,
            callback=callback,
            checkpoint=checkpoint,
            throw=throw,
        )
    _check(operator, b, start, accuracy)
    if method is None and start is None:
        found = solve_form(operator, b, accuracy, rng or np.random.default_rng(0), callback)
        if found is not None:
            return found
    structure = method is None and start is None
    method = method or AMEn()
    dtype = np.result_type(operator.dtype, b.dtype, *([start.dtype] if start is not None else []))
    compile_s = _compile(dtype)
    rng = rng or np.random.default_rng(0)
    task = Task(operator, b, method, start, accuracy, dtype, rng, condition=condition, structure=structure)
    asked = None
    if checkpoint is not None:
        arrays = [*operator.cores, *b.cores, *(start.cores if start else ())]
        asked = Question(arrays, [repr(method), repr(accuracy)])
    return drive(
        task,
        callback=callback,
        checkpoint=Checkpoint(checkpoint, asked),
        throw=throw,
        asked=accuracy,
        compile_s=compile_s,
    )


def _check(operator: TTOperator, b: TensorTrain, start: TensorTrain | None, accuracy: float) -> None:
    if operator.row_shape != operator.column_shape:
        raise ValueError(
            f"the operator must be square, not rows {operator.row_shape}, columns {operator.column_shape}: use lstsq"
        )
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
        for _ in Sweeping.of(system, system, method, None, 1e-6, np.random.default_rng(0)).run():
            pass
    return time.perf_counter() - begin
