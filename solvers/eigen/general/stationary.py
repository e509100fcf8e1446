"""``stationary``: the state p of a generator with A p = 0 and <l, p> = 1, where l^H A = 0 (mass is kept).

1. A small space: the null vector of a matrix (solvers.eigen.general.closed_classes); that no second state is
   stationary is proved by the graph of the transitions (one closed class) or seen by inverse iteration in the
   complement.
2. A larger one: implicit steps in time, (s - A) p' = s p, which keep mass and sign, ever longer ones (s falls).
   Coordinates: those of the marginals of p (solvers.eigen.general.local_equilibrium). A step whose system the sweeps
   do not solve was too long: the next is shorter.
3. Near the end the same system gives the correction of p, (s - A) d = A p, from a right-hand side that is small: a
   digit a step where s is small beside the slowest rate. What the steps to come would add up to is the error. At the
   end p is rounded to what the accuracy leaves.
4. A disturbance of p that holds no mass must decay by the same steps: where a part of it stays, several states are
   stationary (a conserved quantity), and that is said (solvers.eigen.general.another).
A Lindblad operator is taken in real numbers, in a basis of Hermitian matrices (solvers.eigen.general.hermitian_basis).
Stewart, Introduction to the Numerical Solution of Markov Chains (1994), 2.3 and 2.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
from solvers.eigen.general.local_equilibrium import LocalEquilibrium
from solvers.eigen.swept import Rough, swept
from solvers.formats.trains.construct import identity_operator, ones, tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.iteration import drive
from solvers.linear.residual import residual_norm
from solvers.measured import amount
from solvers.methods import AMEn
from solvers.solution import Callback, Checked, IterationState, Solution, Status
from solvers.threads import one_blas_thread

KEPT = 1e-10  # ||l^H A|| over ||l|| times the size of A: more is not a generator
LARGEST_FACTORS = 30_000  # states up to which A - s is factorised
ROUNDS = 60  # of steps and corrections
SWEEPS = 8
FIRST_SHIFT = 0.3  # of the mean size of A
FASTER = 0.3  # the next shift over this one
NEAR = 0.3  # relative change of p, from which on it is corrected
ROUGH = 2e-2  # accuracy of the steps before
SOLVED = 0.03  # of a correction
UNSOLVED = 0.1  # residual of its system, from which it is no correction
AGAIN = 0.8  # fall, a step that is solved, of the least shift, which an unsolved system has raised
SLOWEST = 0.9  # ratio of two corrections before there are two
LAST = 0.99  # and the largest that says what is to come
FAST_ENOUGH = 0.15  # ratio that no longer step would better
SHARE = 0.1  # of the accuracy, for roundings on the way
ROUNDED = 0.5  # of what the accuracy leaves, for the last one: noise of the corrections is no rank of the answer
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
    cap of the TT-ranks (alias rmax). ``checkpoint``: a file written after every correction.

    ``value``: the train p; ``residual`` (1,): ||A p|| / (||A|| ||p||) with the operator's mean size; ``extra``:
    ``error``, the last correction over ||p||; ``smallest_entry`` (of all in a small space, else of 2,000); ``unique``:
    how it is known that no other state is stationary. Entries are non-negative within the error: what is below zero by
    more makes it CONTRADICTED.
    Raises ValueError for an operator that is not square or does not keep <l, p>, and where several states are
    stationary; NotConverged, with the solution, when ``throw``. Cost: a sparse factorisation up to 30,000 states;
    above, two or three linear systems of AMEn.
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
    while not task.over and task.number < ROUNDS:
        task.corrected()
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
        self.shift, self.change, self.contracting = FIRST_SHIFT * (size or 1.0), np.inf, False
        self.least = 0.0  # shifts below had systems that were not solved
        self.status = Status.ITERATION_LIMIT
        self.unique = UNEXAMINED
        self.work = {"linear_systems": 0}

    def steps(self) -> Iterator[IterationState]:
        """One state in a small space, else one a correction."""
        if not self.over and self._by_vectors():
            self.over = True
            yield self._state("full vectors")
        while not self.over and self.number < ROUNDS:
            self.corrected()
            yield self._state("correction")
        if self.status is Status.CONVERGED and self.unique == UNEXAMINED:
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

    def corrected(self) -> None:
        """Steps 2 and 3: an implicit step of the length 1/s, or the correction of p by the same system."""
        system = identity_operator(self.operator.row_shape) * self.shift - self.operator
        before = self.p.norm()
        if self.change > NEAR:
            right = self.p * self.shift
            found = self._swept(system, right, self.p, ROUGH)
            p = found.x.round(0.05 * ROUGH, self.max_rank)
            p = p * (1.0 / dot(self.mass, p))
            self.change = float((p - self.p).norm() / before)
            self._moved(found.residual, FASTER * self.shift)
        else:
            image = (self.operator @ self.p).round(0.3 * SOLVED)
            image = image - self.p * dot(self.mass, image)  # the rounding's: 1/s times as large in the solution
            found = self._swept(system, image, None, SOLVED)
            kept = dot(self.mass, found.x)
            step = found.x - self.p * kept
            unsolved = found.residual + abs(kept)  # -p too solves the system where s is small, and is no correction
            change = float(step.norm() / before)
            fine = max(SHARE * self.accuracy, min(1e-2 * change, 1e-4))
            p, cut = (self.p + step).round_with_error(fine, self.max_rank)
            p = p * (1.0 / dot(self.mass, p))
            # the steps to come are shorter by this ratio each: their sum is what p still errs by
            ratio = change / self.change if self.contracting else SLOWEST
            self.contracting = True
            self.error = change * max(SOLVED, unsolved)
            self.error += change / (1.0 - LAST) if ratio > LAST else change * ratio / (1.0 - ratio)
            if unsolved > UNSOLVED:  # of what the system leaves, (s - A)^-1 makes 1/s times as much at most
                self.error += unsolved * image.norm() / (self.shift * before)
            # a cap on the ranks cuts the same from every correction: what does not move is not right for that
            self.error += max(SHARE * self.accuracy, cut if cut > 3.0 * fine else 0.0)
            self._moved(unsolved, FASTER * self.shift if ratio > FAST_ENOUGH else self.shift)
            self.change = change
        self.work["linear_systems"] += 1
        self.work["sweeps"] = self.work.get("sweeps", 0) + found.sweeps
        self.p = p
        self.number += 1
        if self.contracting and self.error <= self.accuracy:
            self._rounded()
            self.status, self.over = Status.CONVERGED, True
        elif self.number == ROUNDS or not np.isfinite(self.change):
            self.status = Status.RANK_LIMIT if self.p.max_rank >= self.max_rank else Status.STAGNATED
            self.over = True

    def _moved(self, unsolved: float, shift: float) -> None:
        """The next shift: ``shift``, or where a system was not solved a larger one, and none far below that soon."""
        if unsolved > UNSOLVED:
            self.least = min(self.shift / FASTER, FIRST_SHIFT * (self.size or 1.0))
        else:
            self.least *= AGAIN
        self.shift = max(shift, self.least)

    def _swept(self, system: TTOperator, right: TensorTrain, start: TensorTrain | None, accuracy: float) -> Rough:
        """One of these systems in the coordinates of the marginals of p; the residual is that of A itself."""
        method = AMEn(max_rank=self.max_rank, enrichment=4, sweeps=SWEEPS)
        local = LocalEquilibrium.of(self.p, self.mass)
        if local is None:
            return swept(system, right, method, start, accuracy, False, self.rng)
        first = None if start is None else local.into(start)
        found = swept(local.operator(system), local.into(right), method, first, accuracy, False, self.rng)
        x = local.out(found.x)
        size = right.norm()
        residual = residual_norm(system, x, right) / size if size > 0.0 else 0.0
        return replace(found, x=x, residual=residual)

    def _rounded(self) -> None:
        """p at the least ranks that the accuracy allows."""
        share = ROUNDED * (self.accuracy - self.error)
        if share > 0.0:
            self.p = self.p.round(share)
            self.p = self.p * (1.0 / dot(self.mass, self.p))
            self.error += 2.0 * share  # the mass is brought back to one

    def _looked_for_another(self) -> Iterator[IterationState]:
        """Step 4."""
        search = Another(self.operator, self.p, self.mass, self.shift, self.size, self.max_rank, self.rng)
        yield from search.steps()
        self.work["linear_systems"] += search.solves
        self.unique = search.verdict

    def content(self) -> Content:
        """The present p."""
        arrays, train = train_arrays("p", self.p)
        names = {
            name: getattr(self, name)
            for name in ("error", "number", "over", "unique", "work", "shift", "least", "change", "contracting")
        }
        return arrays, {"train": train, **names, "status": self.status.name, "generator": random_state(self.rng)}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.p = stored_train(arrays, "p", data["train"])
        for name in ("error", "number", "over", "unique", "work", "shift", "least", "change", "contracting"):
            setattr(self, name, data.get(name, getattr(self, name)))
        self.status = Status[data["status"]]
        restore(self.rng, data["generator"])

    def solution(self) -> Solution:
        """p with its second looks."""
        total = dot(self.mass, self.p)
        checked = [
            Checked("mass", "<l, p> by contraction", f"1 within {amount(abs(total - 1.0))}", abs(total - 1) < 1e-8)
        ]
        extra: dict[str, Any] = {"error": self.error, "unique": self.unique, "mass": total}
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
