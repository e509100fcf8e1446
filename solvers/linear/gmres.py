"""``gmres``: A x = b where A is only known by what it does to a train, by restarted, relaxed, flexible GMRES.

A cycle, from the residual r = b - A x of norm beta:

    1. Vectors v_1 = r / beta, z_k = M v_k (M the preconditioner), w = A z_k; w less its parts along the v_i, rounded,
       is v_{k+1} times a number. All that is rounded is rounded to ETA times the goal of the cycle over the present
       residual: late vectors count little in x, and may be coarse (the relaxation).
    2. y minimises ||beta e_1 - H y||; x + sum y_k z_k is rounded by what the largest ||A z|| / ||z|| seen allows.
    3. The true residual ||b - A x|| is formed. The best x seen is kept, and the next cycle begins from its residual.

A cycle aims at DIGITS of the residual it begins with, so its vectors never need the accuracy of x: their ranks stay
small. Dolgov, Russ. J. Numer. Anal. Math. Modelling 28, 149 (2013), algorithm 2 and equation (9); Saad, SIAM J. Sci.
Comput. 14, 461 (1993), for preconditioners that change. Cost a step d n (k r)^3 for k vectors of rank r.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question, random_state, restore, stored_train, train_arrays
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.iteration import drive
from solvers.linear.given_operator import GivenOperator, Operation
from solvers.methods import GMRES
from solvers.solution import Callback, Checked, IterationState, Solution, Status
from solvers.threads import one_blas_thread

DIGITS = 1e-3  # of its residual a cycle aims at: 1e-2 takes twice the products on a Laplacian, 1e-6 twice the ranks
ETA = 0.1  # of a cycle's goal, for each rounding
LOOSEST = 0.1  # relative, for a vector
SHARE = 0.3  # of a cycle's goal, for the rounding of x
CLEAN = 1e-13
NOTHING = 1e-14  # of ||A z||: what is left beside the vectors known is rounding errors, and x exact in their span
KEPT = 0.7  # of a vector beside the ones known: less, and roundings may have left parts along these
GROWTH, FEW = 2.0, 10  # of the ranks of a sum, before it is rounded on the way
PROGRESS = 0.95  # a cycle that leaves more of the residual is one without progress
PATIENCE = 3  # of these in a row end it


@one_blas_thread
def gmres(
    operator: TTOperator | Operation,
    b: TensorTrain,
    *,
    preconditioner: TTOperator | Operation | None = None,
    method: GMRES | None = None,
    start: TensorTrain | None = None,
    accuracy: float = 1e-6,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The train x with ||b - A x|| <= ``accuracy`` ||b||, A a function x -> A x of trains, or an operator.

    ``preconditioner``: M, close to the inverse of A, an operator or a function of a train too; it need not be exactly
    linear. ``method``: restarts and caps. ``start``: an x to begin with (default: zero). ``rng``: for the trains on
    which the function is tried, and for sketches (default: seed 0). ``checkpoint``: a file written after cycles; where
    it exists the same call goes on from it. The function is called once a step, once a cycle for the true residual,
    and three times before to see whether it is linear.

    ``value``: of all x after a cycle the one of smallest residual, at worst zero; ``residual``: (1,) the true one, by
    the function; ``counts``: cycles, products (calls of the function) and preconditioned; ``extra``: the largest rank.
    Status: CONVERGED, RANK_LIMIT (the cap on the ranks bound), ITERATION_LIMIT, STAGNATED. Matrices without a
    preconditioner take about the square root of their condition (definite) or more steps: ``solve`` with an operator
    needs none of that.

    Raises ValueError for shapes that do not fit, for a function that is not linear or returns anything but a train of
    the shape of b, and an accuracy out of (0, 1); NotConverged, with the solution so far, when ``throw``;
    CheckpointError, a ValueError, for a file that is damaged or of another system.
    """
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    if start is not None and start.shape != b.shape:
        raise ValueError(f"the start has shape {start.shape}, the right-hand side {b.shape}")
    method, rng = method or GMRES(), rng or np.random.default_rng(0)
    apply = GivenOperator(operator, b.shape, "the operator", rng)
    prepare = None if preconditioner is None else GivenOperator(preconditioner, b.shape, "the preconditioner", rng)
    task = _Cycles(apply, prepare, b, method, start, accuracy, rng)
    asked = None
    if checkpoint is not None:
        seen = task.fingerprint()
        arrays = [*b.cores, *(start.cores if start is not None else ()), *seen]
        asked = Question(arrays, [repr(method), repr(accuracy), str(prepare is not None)])
    return drive(task, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


class _Cycles:
    """Cycles of one system, from the best x so far."""

    def __init__(
        self,
        apply: GivenOperator,
        prepare: GivenOperator | None,
        b: TensorTrain,
        method: GMRES,
        start: TensorTrain | None,
        accuracy: float,
        rng: np.random.Generator,
    ) -> None:
        self.apply, self.prepare, self.b, self.method = apply, prepare, b, method
        self.accuracy, self.rng, self.start = accuracy, rng, start
        self.size = b.norm()
        self.x, self.residual = b * 0.0, 1.0
        self.cycles, self.waited = 0, 0
        self.gain = 0.0  # the largest ||A z|| / ||z|| seen
        self.capped = self.over = False
        self.checked: tuple[Checked, ...] = ()

    def fingerprint(self) -> list[np.ndarray]:
        """Entries that tell this operator from another one, from one product."""
        rng = np.random.default_rng(1)
        where = np.stack([rng.integers(n, size=8) for n in self.b.shape], axis=1)
        calls = self.apply.calls
        seen = self.apply(self.b).entries(where)
        self.apply.calls = calls
        return [seen]

    def steps(self) -> Iterator[IterationState]:
        """A state a vector, unfinished, and one a cycle."""
        if self.size == 0.0:
            return
        if not self.checked:
            self.checked = (self.apply.looked_at(self.size, self.b.dtype),)
            if self.start is not None and self.start.norm() > 0.0:
                self._take(self.start)
        while not self.over and self.residual > self.accuracy and self.cycles < self.method.cycles:
            before = self.residual
            yield from self._cycle()
            self.cycles += 1
            self.waited = 0 if self.residual <= PROGRESS * before else self.waited + 1
            self.over = self.over or self.waited >= PATIENCE
            yield IterationState(
                self.cycles,
                "cycle",
                self.x.max_rank,
                0.0,
                residuals=np.array([self.residual]),
                extra={"products": self.apply.calls},
            )

    def _take(self, x: TensorTrain) -> float:
        """The true residual of x, which is kept where it is the best so far."""
        residual = (self.b - self.apply(x)).norm() / self.size
        if residual < self.residual:
            self.x, self.residual = x, residual
        return residual

    def _rounded(self, x: TensorTrain, tol: float) -> TensorTrain:
        """x within ``tol``, unless the cap on the ranks binds."""
        y, error = x.round_with_error(min(max(tol, CLEAN), LOOSEST), self.method.max_rank)
        self.capped |= error > max(tol, 10.0 * CLEAN)
        return y

    def _cycle(self) -> Iterator[IterationState]:
        beta = self.residual * self.size
        goal = max(0.5 * self.accuracy * self.size, DIGITS * beta) / beta  # of a residual of norm one
        rest = (self.b - self.apply(self.x)) if self.residual < 1.0 or self.cycles else self.b
        vectors = [self._rounded(rest * (1.0 / beta), ETA * goal)]
        directions: list[TensorTrain] = []
        steps = self.method.restart
        hessenberg = np.zeros((steps + 1, steps), dtype=complex)
        left, weights = 1.0, np.zeros(0)
        for k in range(steps):
            tol = ETA * goal / left
            z = vectors[k] if self.prepare is None else self._rounded(self.prepare(vectors[k]), tol)
            w = self.apply(z, min(max(tol, CLEAN), LOOSEST))
            image, given = w.norm(), z.norm()
            if not (math.isfinite(image) and image > 0.0 and given > 0.0):
                break  # a vector that is sent to zero: the others decide
            self.gain = max(self.gain, image / given)
            for _ in range(2):  # again: roundings leave parts along the vectors known
                parts = [dot(v, w) for v in vectors]
                hessenberg[: k + 1, k] += parts
                w = self._sum([w, *vectors], [1.0, *(-part for part in parts)], tol * image)
                if w.norm() > KEPT * image:
                    break
            remaining = w.norm()
            hessenberg[k + 1, k] = remaining
            directions.append(z)
            weights, left = _least(hessenberg[: k + 2, : k + 1])
            yield IterationState(
                self.cycles + 1,
                "step",
                w.max_rank,
                0.0,
                residuals=np.array([left * self.residual]),
                finished=False,
                extra={"products": self.apply.calls, "tol": tol},
            )
            if left <= goal or remaining <= NOTHING * image:
                break
            vectors.append(w * (1.0 / remaining))
        if not directions:
            self.over = True
            return
        allowed = SHARE * max(goal, left) * beta / self.gain
        self._take(self._sum([self.x, *directions], [1.0, *(weight * beta for weight in weights)], allowed))

    def _sum(self, trains: list[TensorTrain], weights: Sequence[complex], allowed: float) -> TensorTrain:
        """A sum within ``allowed``, rounded now and then on the way: the cost goes with the cube of the rank."""
        share = allowed / math.sqrt(len(trains))
        total = trains[0] * _real(weights[0])
        reached = total.max_rank
        for k, (weight, train) in enumerate(zip(weights[1:], trains[1:]), start=2):
            total = total + train * _real(weight)
            if total.max_rank > GROWTH * max(reached, train.max_rank, FEW) or k == len(trains):
                size = total.norm()
                total = self._rounded(total, share / size) if size > 0.0 else total
                reached = total.max_rank
        return total

    def content(self) -> Content:
        """The best x and where the cycles are."""
        arrays, train = train_arrays("x", self.x)
        looks = [[look.what, look.how, look.result, look.passed] for look in self.checked]
        data: dict[str, Any] = {"train": train, "looks": looks, "generator": random_state(self.rng)}
        return arrays, data | {"calls": self._calls(), **{name: getattr(self, name) for name in _PLACE}}

    def _calls(self) -> list[int]:
        return [self.apply.calls, 0 if self.prepare is None else self.prepare.calls]

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on with the next cycle."""
        self.x = stored_train(arrays, "x", data["train"])
        self.checked = tuple(Checked(*look) for look in data["looks"])
        self.apply.calls, prepared = data["calls"]
        if self.prepare is not None:
            self.prepare.calls = prepared
        for name in _PLACE:
            setattr(self, name, data[name])
        restore(self.rng, data["generator"])

    def solution(self) -> Solution:
        """The best x."""
        products, prepared = self._calls()
        counts = {"cycles": self.cycles, "products": products, "preconditioned": prepared}
        residual = self.residual if self.size > 0.0 else 0.0
        if residual <= self.accuracy:
            status = Status.CONVERGED
        elif self.capped:
            status = Status.RANK_LIMIT
        else:
            status = Status.STAGNATED if self.over else Status.ITERATION_LIMIT
        return Solution(
            self.x,
            status,
            int(status is Status.CONVERGED),
            np.array([residual]),
            (),
            counts,
            {},
            {"max_rank": self.x.max_rank, "route": "GMRES"},
            self.checked,
        )


_PLACE = ("residual", "cycles", "waited", "gain", "capped", "over")  # plain data that say where the cycles are


def _least(hessenberg: np.ndarray) -> tuple[np.ndarray, float]:
    """y of least ||e_1 - H y||, and that norm."""
    scale = float(np.abs(hessenberg).max())
    first = np.zeros(len(hessenberg))
    first[0] = 1.0
    y = np.linalg.lstsq(hessenberg / scale, first, rcond=None)[0]
    return y / scale, float(np.linalg.norm(first - hessenberg / scale @ y))


def _real(number: complex) -> float | complex:
    """Without an imaginary part of zero."""
    value = complex(number)
    return value.real if value.imag == 0.0 else value
