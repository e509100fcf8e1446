"""Residual minimisation for A x = b where Galerkin projection fails: sweeps for A^H A x = A^H b, and corrections.

    1. AMEn sweeps on the normal equations, from the best x known. Their operator is Hermitian and not negative, so
       the residual falls from core to core whatever A is; a projection of A itself may be singular though A is not.
    2. The condition number is squared, so the residual may stall above the accuracy. Then the correction A c = b - A x
       is found in the same way, to a few digits only, and x + c rounded within the residual; again while it pays.

The price: the operator's ranks are squared, O(s d (R^2 r^3 n + nnz r^2)) a sweep of s local products.
Residual-minimising alternating schemes: Holtz, Rohwedder, Schneider, SIAM J. Sci. Comput. 34, A683 (2012), section 4.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.iterate import Work
from solvers.linear.sweeps import Sweeping, Swept
from solvers.linear.system import System
from solvers.method_base import LinearMethod
from solvers.methods import AMEn
from solvers.solution import IterationState, Status

CLEAN = 1e-14  # relative rounding of A^H A and of the right-hand sides
LARGEST_RANK = 120  # of A^H A: beyond, a sweep costs more than it can give
CORRECTIONS = 12
DIGITS = 1e-2  # a correction is asked to lower the residual to this share
WORTH = 0.5  # a correction that leaves more than this of the residual is the last
SHARE = 0.2  # of the residual or the accuracy, for rounding x
TIGHTEST = 1e-15
ROUTE = "residual minimisation"


@dataclass
class Minimiser:
    """Normal equations of one system, and the work they took."""

    system: System
    method: AMEn
    rng: np.random.Generator
    work: Work = field(default_factory=Work)

    def __post_init__(self) -> None:
        self.adjoint = self.system.operator.adjoint()
        self.normal = (self.adjoint @ self.system.operator).round(CLEAN)

    def minimise(
        self, b: TensorTrain, x: TensorTrain | None, accuracy: float, first: float
    ) -> Generator[IterationState, None, Swept]:
        """Sweeps for min ||b - A x||, ||b|| = 1, from x of residual ``first``."""
        image = (self.adjoint @ b).round(CLEAN)
        size = image.norm()
        judge = System(self.system.operator, b, self.system.dtype, False, self.system.cores, self.system.mirror)
        if size == 0.0:
            return Swept(b * 0.0, 1.0, Status.STAGNATED, ROUTE)
        # the multiple of A^H b of smallest residual is the step of steepest descent
        descent, least = judge.scaled(image, self.rng)
        start = descent if x is None or least < first else x
        system = System.of(self.normal * (1.0 / size), image / size, self.system.dtype, True)
        sweeping = Sweeping.of(system, judge, self.method, start, accuracy, self.rng, first=min(least, first))
        yield from sweeping.run()
        self.work.add(sweeping.swept.work)
        return sweeping.swept


def minimise_residual(
    system: System,
    method: LinearMethod,
    best: TensorTrain,
    residual: float,
    accuracy: float,
    rng: np.random.Generator,
) -> Generator[IterationState, None, Swept | None]:
    """From ``best`` of residual ``residual``; None where A^H A has too large ranks."""
    cap = method.cap
    minimiser = Minimiser(system, AMEn(max_rank=cap, local=method.local), rng)
    if minimiser.normal.max_rank > LARGEST_RANK:
        return None
    swept = yield from minimiser.minimise(system.b, best if residual < 1.0 else None, accuracy, residual)
    x, least = (swept.x, swept.residual) if swept.residual < residual else (best, residual)
    status = swept.status
    for _ in range(CORRECTIONS):
        if least <= accuracy or least >= 1.0:
            break
        rest = (system.b - system.operator @ x).round(SHARE * DIGITS)
        size = rest.norm()
        found = yield from minimiser.minimise(rest / size, None, max(DIGITS, SHARE * accuracy / size), 1.0)
        better, remaining = _within(system, x + found.x * size, least, accuracy, cap, rng)
        if not remaining < WORTH * least:
            if remaining < least:
                x, least = better, remaining
            break
        x, least = better, remaining
    if least <= accuracy:
        status = Status.CONVERGED
    elif status is Status.CONVERGED:
        status = Status.STAGNATED
    return Swept(x, least, status, ROUTE, minimiser.work)


def _within(
    system: System, x: TensorTrain, residual: float, accuracy: float, cap: int, rng: np.random.Generator
) -> tuple[TensorTrain, float]:
    """x rounded as far as its residual allows, and that residual."""
    exact = system.residual(x, rng)
    allowed = max(exact * (1.0 + SHARE), min(accuracy, exact + SHARE * accuracy))
    tol = min(SHARE * exact, 1e-2)
    while tol > TIGHTEST:
        y = x.round(tol, cap)
        left = system.residual(y, rng)
        if left <= allowed or y.max_rank == x.max_rank:
            return y, left
        tol *= 0.1
    y = x.round(TIGHTEST, cap)
    return y, system.residual(y, rng)
