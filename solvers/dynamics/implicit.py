"""Implicit steps for stiff linear systems: one block of time as one linear system of trains, solved by AMEn.

    dx/dt = c A x on a block of length h,   x(t0 + h s) ~ sum_j phi_j(s) X_j,   s in [0, 1], j < q

with the orthonormal Legendre polynomials phi_j. Tested with the same polynomials, the jump at the block's start
weighted in, the system is  (T x 1 - h c 1 x A) X = phi(0) x x0,  T_ij = integral phi_i phi_j' + phi_i(0) phi_j(0):
collocation at q Gauss-Radau points, end point included, in another basis. The unknown is one train whose last mode is
the time; its end value sum_j phi_j(1) X_j is of order 2 q - 1 in h and damps what is stiff. This is the block scheme
of Dolgov, Comput. Methods Appl. Math. 19, 23 (2019), section 3, with polynomials for which the Hermitian part of T is
positive: for dissipative A the end value errs by at most the residual of the block times a constant near one, so
``residual`` is a bound. Stages as Hairer and Wanner, Solving ODEs II, section IV.5 (Radau IIA).
Linear invariants <v, x> (the mass) are put right after every step (``Invariants``).
Cost a block: AMEn with d + 1 cores, O(s d (R r^3 n + nnz r^2)) a sweep.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from solvers.dynamics.stepper import Stepper
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.solve import solve
from solvers.methods import AMEn, Implicit
from solvers.solution import Status

TIGHTEST, LOOSEST = 1e-13, 0.1  # relative residuals asked of AMEn
ENRICHMENT = 4
BLOCK_RANKS = 2  # times the cap on the ranks of the state, for those of a block of time
SHARE = 4.0  # times the tolerance: each of residual, truncation and polynomials, which are the only errors made here
MARGIN = 3.0
SAFETY, SLOWEST, FASTEST = 0.85, 0.2, 2.5  # of the block length
SHORTEST = 1e-6  # of a step: blocks below are taken as they are


class ImplicitStepper(Stepper):
    """Blocks of time, each one linear system (see the module's text).

    ``tol``: relative error a unit of time. ``conserve``: trains v whose <v, x> is kept. Without a ``time_step`` of the
    method a step is divided into blocks as long as the estimate of their own error allows.

    Accumulated, absolute 2-norms: ``residual``, a bound of the error by the residuals of the linear systems;
    ``truncation``; ``step_error``, an estimate of what the polynomials in time leave out.
    """

    estimates_steps = divides = solves = True

    def __init__(
        self,
        operator: TTOperator,
        start: TensorTrain,
        method: Implicit,
        factor: complex,
        tol: float,
        *,
        hermitian: bool,
        conserve: Sequence[TensorTrain] = (),
    ) -> None:
        super().__init__(operator, start, method, factor, tol, hermitian=hermitian, conserve=conserve)
        # a real operator stays real beside a complex state
        self.factor = complex(factor) if complex(factor).imag else complex(factor).real
        self.method, self.order = method, method.degree
        self.x, self.size = start, start.norm()
        self.block: float | None = None

    def train(self) -> TensorTrain:
        """The present state."""
        return self.x

    def load(self, x: TensorTrain) -> None:
        """Replace the state; the invariants keep the values they had."""
        self.x, self.size = x, x.norm()

    def rescale(self, factor: float) -> None:
        """Multiply the state by a number; the invariants follow."""
        self.x, self.size = self.x * factor, self.size * abs(factor)
        self.invariants.values = self.invariants.values * factor

    def snapshot(self) -> Any:
        """All that a step changes, except the counts of work and the block length found good."""
        return self.x, self.size, self.truncation, self.residual, self.step_error

    def restore(self, saved: Any) -> None:
        """Back to a snapshot."""
        self.x, self.size, self.truncation, self.residual, self.step_error = saved

    def memory(self) -> dict[str, Any]:
        """The block length found good."""
        return {"block": self.block}

    def remember(self, data: Mapping[str, Any]) -> None:
        """Take it from a checkpoint."""
        self.block = data["block"]

    def advance(self, h: float) -> None:
        """The state a time ``h`` later."""
        if self.method.time_step is not None:
            self._block(h)
            return
        rest = h
        while rest > 1e-12 * h:
            length = rest / math.ceil(rest / min(self.block or h, h) - 1e-9)
            saved = self.snapshot()
            error = self._block(length)
            ratio = SHARE * self.tol * length * self.size / max(error, 1e-300)
            wanted = length * min(max(SAFETY * ratio ** (1.0 / (1.5 * self.order)), SLOWEST), FASTEST)
            if ratio >= 1.0 or (length < SHORTEST * h and math.isfinite(error)):
                rest -= length
                self.block = max(wanted, self.block or 0.0) if rest <= 1e-12 * h else wanted
            else:
                if length < SHORTEST * h:  # unsolved: the residual says so
                    self.step_error = math.inf
                    return
                self.restore(saved)
                self.block = wanted
                self.work["rejected_blocks"] += 1

    def _block(self, h: float) -> float:
        """One block; returns the estimate of the error by its polynomial in time, absolute."""
        q = self.method.degree
        matrix, first, last = _time_matrices(q)
        scale = h * self.factor
        system = space_time(self.operator, scale, matrix + scale * self.shift * np.eye(q))
        b = TensorTrain((*self.x.cores, first[None, :, None]))
        constant = TensorTrain((*self.x.cores, np.eye(1, q).T[None]))
        allowed = self.method.tol if self.method.tol is not None else SHARE * self.tol * abs(h)
        known = self.size * math.sqrt(float(first @ first))
        accuracy = min(max(allowed * self.size / known, TIGHTEST), LOOSEST)
        # a block holds more than its end, to which the cap of the state is applied below
        method = AMEn(enrichment=ENRICHMENT, max_rank=BLOCK_RANKS * self.method.max_rank)
        try:
            solution = solve(system, b, method=method, start=constant, accuracy=accuracy, condition=False, throw=False)
        except ValueError:
            # T x 1 - h c A is regular, but a projection of it need not be: a shorter block is nearer to T x 1
            self.residual += known
            self.work["blocks"] += 1
            return math.inf
        for name, count in solution.counts.items():
            self.work[name] += count
        self.work["blocks"] += 1
        self.residual += float(solution.residual[0]) * known
        block = solution.value.orthogonalise(solution.value.d - 1)
        time_core = block.cores[-1][:, :, 0]
        end = block.cores[-2] @ (time_core @ last)
        x = TensorTrain((*block.cores[:-2], end[:, :, None]), self.x.d - 1)
        x, cut = x.round_with_error(min(allowed, LOOSEST), self.method.max_rank)
        self.truncation += cut * x.norm()
        self.x, _ = self.invariants.restore(x)
        error = _left_out(np.linalg.norm(time_core, axis=0), self.size)
        self.step_error += error
        self.size = self.x.norm()
        # what a cap on the ranks leaves of the system is no error in time: shorter blocks would add up to more of it
        return error if solution.status is not Status.RANK_LIMIT else 0.0


def space_time(operator: TTOperator, scale: complex, matrix: np.ndarray) -> TTOperator:
    """T x 1 - scale 1 x A with the time as the last mode; TT-ranks one above those of A."""
    q, dtype = len(matrix), np.result_type(operator.dtype, type(scale))
    cores = []
    for k, core in enumerate(operator.cores):
        p, n, _, r = core.shape
        joined = np.zeros((p + (k > 0), n, n, r + 1), dtype=dtype)
        joined[:p, :, :, :r] = core * (-scale if k == 0 else 1.0)
        joined[-1, :, :, -1] = np.eye(n)
        if k == 0:
            joined[0, :, :, -1] = np.eye(n)
        cores.append(joined)
    last = np.stack([np.eye(q), matrix])[:, :, :, None]
    return TTOperator((*cores, last))


def _left_out(sizes: np.ndarray, norm: float) -> float:
    """Error of the end value for terms of ``sizes`` (q,) in the orthonormal polynomials.

    The next term (at the end point) follows from the decay of the last ones. The error is the product of that term
    with the like of the adjoint problem, which is rougher where the system is stiff: between the first power, the
    error inside the block, and the square; measured on stiff and smooth systems it is the power 3/2 within a factor 3.
    """
    q = len(sizes)
    ratio = 1.0 if q < 3 or sizes[-3] == 0.0 else min(1.0, math.sqrt(float(sizes[-1] / sizes[-3])))
    following = math.sqrt(2 * q + 1) * float(sizes[-1]) * ratio / norm
    return norm * min(following, MARGIN * following**1.5)


@lru_cache(16)
def _time_matrices(q: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """T (q, q), phi(0) and phi(1) (q,) of the orthonormal Legendre polynomials on [0, 1]."""
    scale = np.sqrt(2.0 * np.arange(q) + 1.0)
    first, last = scale * (-1.0) ** np.arange(q), scale.copy()
    points, weights = legendre.leggauss(q)
    values = legendre.legvander(points, q - 1) * scale
    slopes = np.stack([legendre.legval(points, legendre.legder(np.eye(q)[j])) for j in range(q)], axis=1) * scale
    # points of [-1, 1]: half the weight, twice the slope
    matrix = values.T @ (weights[:, None] * slopes) + np.outer(first, first)
    return matrix, first, last
