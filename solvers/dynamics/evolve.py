"""``evolve``: dx/dt = s A x in tensor-train form, by TDVP, BUG, implicit or other steps (solvers.dynamics.driver)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solvers.checkpoint import Checkpoint
from solvers.dynamics.driver import Driver
from solvers.dynamics.evolving import Observer
from solvers.dynamics.stepper import make_stepper
from solvers.formats.trains.construct import kronecker_sum, rank_one
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.linear.scaling import is_hermitian
from solvers.method_base import Integrator
from solvers.methods import TDVP
from solvers.solution import Callback, Solution
from solvers.threads import one_blas_thread

_COMPILED: set[np.dtype] = set()


@one_blas_thread
def evolve(
    operator: TTOperator,
    start: TensorTrain,
    times: Sequence[float] | np.ndarray,
    *,
    method: Integrator | None = None,
    factor: complex = -1j,
    dissipative: bool = False,
    accuracy: float = 1e-6,
    observe: Observer | None = None,
    conserve: Sequence[TensorTrain] = (),
    checkpoint: str | Path | None = None,
    callback: Callback | None = None,
    throw: bool = True,
) -> Solution:
    """The solution of dx/dt = ``factor`` A x at ``times`` (T,), ascending, from x(times[0]) = ``start``.

    A small state is evolved as a full vector, whatever the method, unless that has a time_step or a tol of its own: the
    error is then that of the train shown, cut to the accuracy and to max_rank (solvers.dynamics.full_vectors).

    ``factor``: -1j for the Schroedinger equation, -1 for imaginary time, 1 for a generator such as Fokker-Planck's.
    ``method``: TDVP (default, order 2), BUG, Implicit, or an Integrator of your own. ``dissipative``: a non-Hermitian
    operator with an imaginary factor is meant (an absorber); otherwise it is refused. ``accuracy``: asked of the state
    at the last time, relative 2-norm; what the method leaves open (steps, ranks up to their cap, tolerances) follows
    from it. ``observe(t, x)``: called at every output time, returns name -> number or array. ``conserve``: trains c
    whose <c, x> Implicit and BUG keep exactly. ``callback``: told at every output time. ``checkpoint``: a file written
    between steps; where it exists the evolution goes on from it.

    ``value``: Evolution, up to the time reached where no step was short enough; ``residual``: (1,) the bound of the
    relative error at the last time; ``counts``: steps, rejected, matvecs, local_exponentials. Status: CONVERGED where
    the bound is within the accuracy, RANK_LIMIT or STEP_LIMIT by what prevents it (the bound is infinite where the
    last time was not reached). ``extra``: the largest rank and the ``route``, "method" or "full vectors".

    Raises ValueError for shapes that do not fit, times that do not ascend, an operator that is not Hermitian where
    that is not meant, steps back in time (order 4) for a factor that is not imaginary; CheckpointError, a ValueError,
    for a file that is damaged or of another evolution; NotConverged, with the solution, when ``throw``.
    """
    method = method or TDVP()
    moments = np.asarray(times, dtype=float)
    hermitian = is_hermitian(operator)
    _check(operator, start, moments, method, factor, dissipative, accuracy, hermitian)
    compile_s = _compile(np.result_type(operator.dtype, start.dtype, float if complex(factor).imag == 0.0 else complex))
    run = Driver(operator, start, moments, method, complex(factor), accuracy, hermitian, conserve, observe)
    asked = None if checkpoint is None else run.question()
    return drive(
        run,
        callback=callback,
        checkpoint=Checkpoint(checkpoint, asked),
        throw=throw,
        asked=accuracy,
        compile_s=compile_s,
    )


def _check(
    operator: TTOperator,
    start: TensorTrain,
    times: np.ndarray,
    method: Integrator,
    factor: complex,
    dissipative: bool,
    accuracy: float,
    hermitian: bool,
) -> None:
    if operator.row_shape != operator.column_shape or operator.row_shape != start.shape:
        shape = f"rows {operator.row_shape}, columns {operator.column_shape}"
        raise ValueError(f"the operator ({shape}) does not act on a start of shape {start.shape}")
    if times.ndim != 1 or len(times) < 1 or not np.isfinite(times).all() or not (np.diff(times) > 0.0).all():
        raise ValueError("times must be finite and ascend, the first one being that of the start")
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    if not np.isfinite(complex(factor)) or factor == 0:
        raise ValueError(f"factor must be a finite number other than zero, not {factor!r}")
    if not start.norm() > 0.0:
        raise ValueError("the start is zero")
    if complex(factor).real == 0.0 and not hermitian and not dissipative:
        raise ValueError(
            "the operator is not Hermitian, so its evolution is not unitary: correct it, or say dissipative=True "
            "where loss is meant (an absorber)"
        )
    method.check(complex(factor), hermitian)


def _compile(dtype: np.dtype) -> float:
    """Seconds spent to compile or load the kernels of one dtype; zero from the second call on in one process."""
    if dtype in _COMPILED:
        return 0.0
    _COMPILED.add(dtype)
    begin = time.perf_counter()
    turn = np.array([[0.3, 0.1], [0.1, -0.2]])
    h = kronecker_sum([turn] * 3)
    x = rank_one([np.array([1.0, 0.5], dtype=dtype)] * 3)
    factor = -1.0 if dtype.kind == "f" else -1j
    for a in (h, h + kronecker_sum([np.array([[0.0, 0.1], [0.0, 0.0]])] * 3)):
        stepper = make_stepper(a, x, TDVP(max_rank=2), factor, 1e-6, is_hermitian(a))
        stepper.grow(0.0)
        stepper.advance(0.1)
        stepper.defect()
    return time.perf_counter() - begin
