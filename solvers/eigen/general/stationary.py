"""``stationary``: the state p of a generator with A p = 0 and <l, p> = 1, where l^H A = 0 (mass is kept).

1. A small space: the null vector of a matrix (solvers.eigen.general.closed_classes); that no second state is
   stationary is proved by the graph of the transitions (one closed class) or seen by inverse iteration in the
   complement.
2. A larger one: sweeps of implicit steps in time, x' = (s - A)^-1 s x, each within the bases of one core
   (solvers.eigen.general.projected_generator), ever longer ones: s falls with the residual, and rises where that does.
   Trains are cut at a share of the residual: ranks are those of the answer, not of what is still wrong with it.
3. The error of p is at most ||A p|| over the slowest rate. Its measure is the least ||A d|| / ||d|| of the changes d
   of p from sweep to sweep, and of the disturbance in 4. At the end p is rounded to what the accuracy leaves.
4. A disturbance of p that holds no mass must decay by the same sweeps: where a part of it stays, several states are
   stationary (a conserved quantity), and that is said (solvers.eigen.general.another).
A Lindblad operator is taken in real numbers, in a basis of Hermitian matrices (solvers.eigen.general.hermitian_basis).
Stewart, Introduction to the Numerical Solution of Markov Chains (1994), 2.3 and 2.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from solvers.checkpoint import Checkpoint, Content, Question, random_state, restore, stored_train, train_arrays
from solvers.eigen import explicit
from solvers.eigen.complex_hermitian import real_part
from solvers.eigen.general.another import UNEXAMINED, Another
from solvers.eigen.general.closed_classes import EPS, stationary_vector
from solvers.eigen.general.hermitian_basis import in_hermitian_basis, turned
from solvers.eigen.general.pace import Pace
from solvers.eigen.general.projected_generator import ProjectedGenerator
from solvers.formats.trains.construct import ones, tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.iteration import drive
from solvers.linear.residual import bounded_residual, sketched_residual
from solvers.measured import amount
from solvers.solution import Callback, Checked, IterationState, Solution, Status
from solvers.sweeping.local_operator import OperatorCore
from solvers.threads import one_blas_thread

KEPT = 1e-10  # ||l^H A|| over ||l|| times the size of A: more is not a generator
LARGEST_FACTORS = 30_000  # states up to which A - s is factorised
SWEEPS = 100
PATIENCE = 12  # sweeps without progress before giving up
PROGRESS = 0.7  # of the residual,
GROWN = 1.1  # or of the largest rank
WIDTH = 8  # of sketches of ||A d||
SAFE = 1.5  # times ||A p|| over the slowest rate seen: that is measured on changes of p, sketches spread by a third
SHARE = 0.1  # of the accuracy or of a cut, for roundings
ROUNDED = 0.5  # of what the accuracy leaves, for the last one
REAL = 1e-14  # relative size of an imaginary part that is rounding errors
SAMPLES = 2000  # entries looked at for a negative one


@one_blas_thread
def stationary(
    operator: TTOperator,
    *,
    left: TensorTrain | None = None,
    start: TensorTrain | None = None,
    accuracy: float = 1e-8,
    max_rank: int = 300,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The stationary state of a generator, dp/dt = A p, of mass one.

    ``left``: l with l^H A = 0, whose <l, p> is the mass (default: ones, the total probability; for a Lindblad operator
    on vec(rho) the vectorised identity). ``start``: a guess. ``accuracy``: asked of ||p - p*|| / ||p||; ``max_rank``:
    cap of the TT-ranks (alias rmax). ``checkpoint``: a file written after every sweep.

    ``value``: the train p; ``residual`` (1,): ||A p|| / (||A|| ||p||) with the operator's mean size; ``extra``:
    ``error``, an estimate of ||p - p*|| / ||p||; ``slowest_rate``, which it comes from, where steps were taken;
    ``smallest_entry`` (of all in a small space, else of 2,000); ``unique``: how it is known that no other state is
    stationary. Entries are non-negative within the error: what is below zero by more makes it CONTRADICTED.
    Raises ValueError for an operator that is not square or does not keep <l, p>, and where several states are
    stationary; NotConverged, with the solution, when ``throw``. Cost: a sparse factorisation up to 30,000 states;
    above, ten to forty sweeps of O(d n^3 r^3).
    """
    if operator.row_shape != operator.column_shape:
        raise ValueError(
            f"stationary needs a square operator, not one of {operator.row_shape} by {operator.column_shape}"
        )
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy is {accuracy}; give a relative error between 0 and 1, such as 1e-8")
    mass = left if left is not None else ones(operator.row_shape)
    if mass.shape != operator.row_shape:
        raise ValueError(f"left has the shape {mass.shape}, the operator's rows {operator.row_shape}")
    size = operator.norm() / math.sqrt(math.prod(float(n) for n in operator.row_shape))
    lost = (operator.adjoint() @ mass).norm()
    if not lost <= KEPT * max(size, 1e-300) * mass.norm():
        what = "its columns do not sum to zero" if left is None else "left is not a null vector of its adjoint"
        raise ValueError(
            f"the operator keeps no mass: {what} (||l^H A|| is {amount(lost / mass.norm())}, of {amount(size)})"
        )
    real = _real(operator, mass, start)
    task = _Task(*real, accuracy, max_rank, rng or np.random.default_rng(0), size, left is None)
    asked = None
    if checkpoint is not None:
        arrays = [*operator.cores, *mass.cores, *(start.cores if start else ())]
        asked = Question(arrays, [repr((accuracy, max_rank))])
    return drive(task, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


def _real(
    operator: TTOperator, mass: TensorTrain, start: TensorTrain | None
) -> tuple[TTOperator, TensorTrain, TensorTrain | None, list[np.ndarray] | None]:
    """The same in real cores where there are such, and the basis (of Hermitian matrices) where it takes one."""
    if operator.dtype.kind != "c":
        return operator, mass, start, None
    basis = None
    same = real_part(operator)
    if same is None:
        found = in_hermitian_basis(operator)
        if found is None:
            return operator, mass, start, None
        same, basis = found
        mass = turned(mass, basis, back=True)
        start = None if start is None else turned(start, basis, back=True)
    flat = mass.real.round(REAL)
    if (mass - flat).norm() > REAL * mass.norm():
        return operator, mass if basis is None else turned(mass, basis), start, None
    return same, flat, None if start is None else start.real.round(REAL), basis


def relaxed(operator: TTOperator, accuracy: float, max_rank: int, rng: np.random.Generator) -> TensorTrain:
    """Where steps 2 and 3 lead to from equal probabilities: a start for other methods, which nothing vouches for."""
    size = operator.norm() / math.sqrt(math.prod(float(n) for n in operator.row_shape))
    task = _Task(operator, ones(operator.row_shape), None, None, accuracy, max_rank, rng, size, False)
    while not task.over:
        task.swept()
    return task.p


class _Task:
    """One generator: the present p, its error, and how it went."""

    def __init__(
        self,
        operator: TTOperator,
        mass: TensorTrain,
        start: TensorTrain | None,
        basis: list[np.ndarray] | None,
        accuracy: float,
        max_rank: int,
        rng: np.random.Generator,
        size: float,
        counts: bool,
    ) -> None:
        self.operator, self.mass, self.accuracy, self.max_rank, self.rng = operator, mass, accuracy, max_rank, rng
        self.basis = basis
        self.size, self.probabilities = size, counts and operator.dtype.kind != "c"
        self.p = start if start is not None else mass
        total = dot(self.mass, self.p)
        self.p = self.p * (1.0 / total) if abs(total) > 0.0 else self.mass * (1.0 / self.mass.norm() ** 2)
        self.error, self.number, self.over = np.inf, 0, False
        self.pace = Pace(size or 1.0)
        self.rate, self.slowest = np.inf, np.inf  # ||A p|| / ||p||, and the least of changes of p
        self.best, self.waited, self.largest = np.inf, 0, 1
        self.present = self.p  # after the last sweep; p is the best so far
        self.generator: ProjectedGenerator | None = None
        self.cores = [OperatorCore.of(core, np.result_type(operator.dtype, self.p.dtype)) for core in operator.cores]
        self.status = Status.ITERATION_LIMIT
        self.unique = UNEXAMINED
        self.work = {"sweeps": 0, "products": 0}

    def steps(self) -> Iterator[IterationState]:
        """One state in a small space, else one a sweep."""
        if not self.over and self._by_vectors():
            self.over = True
            yield self._state("full vectors")
        while True:
            while not self.over:
                self.swept()
                yield self._state("sweep")
            if self.unique != UNEXAMINED:
                return
            yield from self._looked_for_another()

    def _state(self, label: str) -> IterationState:
        extra = {"error_estimates": np.array([self.error])}
        return IterationState(0, label, self.p.max_rank, 0.0, residuals=np.array([self._residual()]), extra=extra)

    def _residual(self) -> float:
        return float((self.operator @ self.p).norm() / ((self.size or 1.0) * self.p.norm()))

    def _by_vectors(self) -> bool:
        """Step 1; False where the space is not small."""
        if math.prod(float(n) for n in self.operator.row_shape) > LARGEST_FACTORS:
            return False
        a = explicit.matrix(self.operator)
        if a is None:
            return False
        a = sp.csc_matrix(a)
        if not np.all(np.isfinite(a.data)):
            raise ValueError("the operator's elements are not finite: scale it down")
        found = stationary_vector(a, self.p.full().ravel(), self.mass.full().ravel(), self.probabilities, self.rng)
        p, self.error, self.unique = found.p, found.error, found.unique
        self.p = tt_svd(p.reshape(self.operator.row_shape), max(SHARE * self.accuracy, 1e-14))
        if self.p.max_rank > self.max_rank:
            self.p = self.p.round(0.0, self.max_rank)
        self.p = self.p * (1.0 / dot(self.mass, self.p))
        self.error += float(np.linalg.norm(self.p.full().ravel() - p) / np.linalg.norm(p))
        capped = self.p.max_rank >= self.max_rank
        missed = Status.RANK_LIMIT if capped else Status.PRECISION
        self.status = Status.CONVERGED if self.error <= self.accuracy else missed
        return True

    def swept(self) -> None:
        """Steps 2 and 3: one sweep, and what it says of the error."""
        if self.generator is None:
            self.generator = ProjectedGenerator(self.operator, self.mass, self.p, self.max_rank, self.rng)
        products = self.generator.products
        self.generator.sweep(self.pace.shift, self.pace.cut)
        self.work["products"] += self.generator.products - products
        self.work["sweeps"] += 1
        self.number += 1
        p = self.generator.train().round(SHARE * self.pace.cut, self.max_rank)
        total = dot(self.mass, p)
        p = p * (1.0 / total) if abs(total) > 0.0 else p
        change = p - self.present
        moved = change.norm()
        if moved > EPS * p.norm():
            self.slowest = min(self.slowest, self._image_norm(change, WIDTH) / moved)
        size = p.norm()
        self.rate = self._image_norm(p, 0, self.accuracy * self.slowest / SAFE * size) / size
        self.present = p
        progress = self.rate < PROGRESS * self.best or p.max_rank > GROWN * self.largest
        self.waited = 0 if progress else self.waited + 1
        self.largest = max(self.largest, p.max_rank) if progress else self.largest
        if self.rate < self.best:
            self.p, self.best = p, self.rate
        self._judged()
        if not self.over and (self.number >= SWEEPS or self.waited >= PATIENCE or not np.isfinite(self.rate)):
            self.status = Status.RANK_LIMIT if self.p.max_rank >= self.max_rank else Status.STAGNATED
            self.over = True
        self.pace.moved(self.rate)

    def _judged(self) -> None:
        """Whether p, with its residual, is as good as asked."""
        self.error = SAFE * self.best / self.slowest if self.slowest > 0.0 else np.inf
        if self.error <= (1.0 - SHARE) * self.accuracy:
            self._rounded()
            self.status, self.over = Status.CONVERGED, True

    def _image_norm(self, x: TensorTrain, width: int, accuracy: float = np.inf) -> float:
        """||A x||, by a sketch of this width where there is one."""
        dtype = self.cores[0].values.dtype
        zero = [np.zeros((1, n, 1), dtype=dtype) for n in x.shape]
        cores = [core.astype(dtype) for core in x.cores]
        if width and x.max_rank > 2 * width:
            return sketched_residual(self.cores, cores, zero, self.rng, width)
        return bounded_residual(self.cores, cores, zero, self.rng, accuracy)

    def _rounded(self) -> None:
        """p at the least ranks that the accuracy allows."""
        share = ROUNDED * (self.accuracy - self.error)
        if share > 0.0:
            self.p = self.p.round(share)
            self.p = self.p * (1.0 / dot(self.mass, self.p))
            self.error += 2.0 * share  # the mass is brought back to one

    def _looked_for_another(self) -> Iterator[IterationState]:
        """Step 4, converged or not: errors are judged by that rate too. Sweeps go on where it is slower."""
        search = Another(self.operator, self.p, self.mass, self.size, self.max_rank, self.rng)
        yield from search.steps()
        self.work["sweeps"] += search.sweeps
        self.unique = search.verdict
        if search.rate < self.slowest:
            self.slowest = search.rate
            self.error = max(self.error, SAFE * self._residual() * (self.size or 1.0) / self.slowest)
            if self.status is Status.CONVERGED and self.error > self.accuracy:
                self.status, self.over, self.waited = Status.ITERATION_LIMIT, False, 0

    def content(self) -> Content:
        """The present p."""
        arrays, train = train_arrays("p", self.p)
        names = {name: getattr(self, name) for name in _PLACE}
        return arrays, {
            "train": train,
            **names,
            "pace": asdict(self.pace),
            "status": self.status.name,
            "generator": random_state(self.rng),
        }

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.p = stored_train(arrays, "p", data["train"])
        for name in _PLACE:
            setattr(self, name, data[name])
        self.pace, self.present, self.generator = Pace(**data["pace"]), self.p, None
        self.status = Status[data["status"]]
        restore(self.rng, data["generator"])

    def solution(self) -> Solution:
        """p with its second looks."""
        total = dot(self.mass, self.p)
        checked = [
            Checked("mass", "<l, p> by contraction", f"1 within {amount(abs(total - 1.0))}", abs(total - 1) < 1e-8)
        ]
        extra: dict[str, Any] = {"error": self.error, "unique": self.unique, "mass": total}
        if np.isfinite(self.slowest):
            extra["slowest_rate"] = self.slowest
        if self.probabilities:
            smallest, how = self._smallest()
            allowed = 3.0 * min(self.error, 1.0) * self.p.norm() + 100.0 * EPS * self.p.norm()
            passed = smallest >= -allowed
            checked.append(Checked("non-negative", how, f"smallest entry {amount(smallest)}", bool(passed)))
            extra["smallest_entry"] = smallest
        status = self.status
        if status is Status.CONVERGED and not all(look.passed for look in checked):
            status = Status.CONTRADICTED
        residual = np.array([self._residual()])
        done = int(status is Status.CONVERGED)
        p = self.p if self.basis is None else turned(self.p, self.basis)
        return Solution(p, status, done, residual, (), dict(self.work), {}, extra, tuple(checked))

    def _smallest(self) -> tuple[float, str]:
        if math.prod(float(n) for n in self.p.shape) <= LARGEST_FACTORS:
            return float(self.p.full().min()), "all entries"
        drawn = np.random.default_rng(1)
        indices = np.stack([drawn.integers(0, n, SAMPLES) for n in self.p.shape], axis=1)
        return float(self.p.entries(indices).min()), f"{SAMPLES} entries at random"


_PLACE = ("error", "number", "over", "unique", "work", "rate", "slowest", "best", "waited", "largest")
