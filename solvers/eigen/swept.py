"""One linear system of an outer iteration by a few sweeps of AMEn: roughly, and no more than that.

``solve`` goes to any length for the accuracy asked; an outer iteration that solves many systems is better served by
what a few sweeps reach, as the next system corrects the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.scaling import moderate_scale, times_power
from solvers.linear.sweeps import Sweeping
from solvers.linear.system import System
from solvers.methods import AMEn
from solvers.solution import Status


@dataclass(frozen=True)
class Rough:
    """``x``, its relative residual, the sweeps it took, and whether a cap on the ranks bound."""

    x: TensorTrain
    residual: float
    sweeps: int
    capped: bool


def swept(
    operator: TTOperator,
    b: TensorTrain,
    method: AMEn,
    start: TensorTrain | None,
    accuracy: float,
    hermitian: bool,
    rng: np.random.Generator,
) -> Rough:
    """x with ||b - A x|| of about ``accuracy`` ||b||, or the best x that the sweeps of ``method`` saw.

    Cost: at most its sweeps (solvers.linear.alternating).
    """
    moderate, exponent = moderate_scale(operator)
    size = b.norm()
    if not size > 0.0:
        return Rough(b, 0.0, 0, False)
    dtype = np.result_type(operator.dtype, b.dtype, *([] if start is None else [start.dtype]))
    system = System.of(moderate, b / size, dtype, hermitian)
    first = None if start is None else times_power(start / size, exponent)
    residual = 1.0 if first is None else system.residual(first, rng, np.inf)
    run = Sweeping.of(system, system, method, first, accuracy, rng, first=residual)
    for _ in run.run():
        pass
    found = run.swept
    x = times_power(found.x, -exponent) * size
    return Rough(x, found.residual, found.work.sweeps, found.status is Status.RANK_LIMIT)
