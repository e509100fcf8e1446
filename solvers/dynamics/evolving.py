"""What one evolution knows while it runs: the state and its scale, the errors made until now, the control of the steps.

The state is held as exp(l) x with x of a norm near one and the operator as A - m, m the mean energy now (Hermitian A),
so that neither an offset nor a long imaginary time takes digits or leaves the range of numbers. Errors are absolute, so
beside a state that decays they become larger: one made at t weighs exp(w (T - t)) ||x(t)||/||x(T)|| at T, w the
fastest growth known of any state (zero for a generator that is not Hermitian; for -A the lowest mean energy met).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from solvers.checkpoint import Question
from solvers.dynamics.full_vectors import full_vectors
from solvers.dynamics.stepper import Stepper, make_stepper
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.method_base import Integrator

Observer = Callable[[float, TensorTrain], Mapping[str, Any]]

VERSION = "2"  # of what a checkpoint holds
SHARES = {"steps": 0.4, "ranks": 0.4, "krylov": 1e-3}  # of the accuracy
FIRST_STEP = 1e-2  # of the whole time, the first adaptive step at most
TIGHTEST = 1e-14  # relative error that local problems are asked for, at least
LARGEST_LOG = 650.0  # of a norm, with room for its square root and for products with numbers of any usual size


class Evolving:
    """One evolution under way; errors are 2-norms relative to that of the state, accumulated."""

    def __init__(
        self,
        operator: TTOperator,
        start: TensorTrain,
        times: np.ndarray,
        method: Integrator,
        factor: complex,
        accuracy: float,
        hermitian: bool,
        conserve: Sequence[TensorTrain],
        observe: Observer | None = None,
    ) -> None:
        self.times, self.method, self.accuracy = times, method, accuracy
        self.span = float(times[-1] - times[0]) or 1.0
        tol = max(SHARES["krylov"] * accuracy / self.span, TIGHTEST)
        whole = full_vectors(operator, start, times, method, factor, tol, accuracy, hermitian, conserve)
        self.stepper: Stepper = whole or make_stepper(operator, start, method, factor, tol, hermitian, conserve)
        self.route = "method" if whole is None else "full vectors"
        self.operator, self.factor, self.start, self.hermitian = operator, factor, start, hermitian
        self.shifts = not conserve and (hermitian or factor.real == 0.0)  # <v, x> of a shifted A would change
        self.conserve, self.observe = conserve, observe
        self.h = self.first = method.time_step or (FIRST_STEP if whole is None else 1.0) * self.span
        self.lengths: list[float] = []  # of the steps made
        self.rows: dict[str, list[Any]] = {}
        self.log = 0j  # the state is exp(log) times that of the stepper
        self.extreme = -np.inf  # the fastest growth of any state known, Re(factor) E
        self.errors = np.zeros(4)  # made since the last row of the ledger, relative to the norm then
        self.ledger: list[np.ndarray] = []  # rows: time gone by, logarithm of the norm, errors made before
        self.rate = self.probed = self.probed_at = 0.0  # of the splitting error; the last probe's step and age
        self.defect = self.slope = self.pending = 0.0  # the latest, its change in time, the time since
        self.since = self.idle = self.waited = self.rejected = 0
        self.counted = np.zeros(2)  # truncations and local solves accounted for
        self.stuck = self.grown = False
        self.age = 0.0
        self.reached = 0  # the last output time behind
        self.rest = 0.0  # of the interval under way

    def question(self) -> Question:
        """What a checkpoint belongs to."""
        conserved = (core for train in self.conserve for core in train.cores)
        arrays = [*self.operator.cores, *self.start.cores, self.times, *conserved]
        return Question(arrays, [repr(self.method), repr(self.factor), repr(self.accuracy), VERSION])

    @property
    def unitary(self) -> bool:
        """Whether no norm changes, so that errors add up as they are."""
        return self.hermitian and self.factor.real == 0.0

    @property
    def log_norm(self) -> float:
        """Logarithm of the norm of the state."""
        return float(self.log.real) + float(np.log(self.norm))

    def carried(self) -> np.ndarray:
        """The errors (4,) made so far, relative to the norm now (see the module's text)."""
        if not self.ledger:
            return self.errors
        rows = np.array(self.ledger)
        fastest = self.extreme if self.hermitian else 0.0
        weights = fastest * (self.age - rows[:, 0]) - (self.log_norm - rows[:, 1])
        return self.errors + np.exp(np.clip(weights, 0.0, LARGEST_LOG)) @ rows[:, 2:]

    @property
    def norm(self) -> float:
        """Of the present state."""
        return self.stepper.train().norm()

    def state(self) -> TensorTrain:
        """The state; divided by its norm where that is beyond the range of double precision."""
        x = self.stepper.train()
        if self.in_range:
            return x if self.log == 0.0 else x * _number(np.exp(self.log))
        return x * _number(np.exp(1j * self.log.imag) / self.norm)

    @property
    def in_range(self) -> bool:
        return abs(self.log_norm) < LARGEST_LOG


def _number(value: complex) -> complex:
    """A real number where it is one, so that a real train stays real."""
    return float(value.real) if complex(value).imag == 0.0 else complex(value)
