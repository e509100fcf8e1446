"""What steps an evolution: everything that the driver relies on, and how the stepper of a method is found.

An integrator is one file: its options (an Integrator, solvers.method_base), and a Stepper whose name they hold. Where
the state of a method is one train and nothing else, a TrainStepper lacks ``advance`` alone.
"""

from __future__ import annotations

import math
import pkgutil
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from solvers.dynamics.invariants import Invariants
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.method_base import Integrator

LOOSEST = 0.1  # of a train is rounded away at most


class Stepper(ABC):
    """A method for one step of exp(h s (A - m)) x; everything that a driver knows of it.

    ``factor`` s, a real number where the state stays real; ``shift`` m; ``order`` steers the step size; ``tol``:
    relative error a unit of time that truncations and local problems may make. Accumulated since the start, absolute
    2-norms: ``truncation``, what truncations discarded; ``residual``, the estimated errors of local exponentials or
    solves; ``step_error``, an estimate of the error of finite steps, by those for which ``estimates_steps``. Others are
    compared with two steps of half the length, and leave it zero; a method that truncates should estimate its steps,
    for in a comparison a cap on the ranks looks like steps that are too long. ``rounding``: relative error of
    ``train()`` beside the state that is kept. ``work``: counts by name.

    ``divides``: whether a step is divided within ``advance`` as its error asks for, so that the
    driver asks for whole intervals; ``solves``: whether ``residual`` is that of systems which ranks may be too low for.
    """

    order: int = 2
    estimates_steps: bool = False
    divides: bool = False
    solves: bool = False

    def __init__(
        self,
        operator: TTOperator,
        start: TensorTrain,
        method: Integrator,
        factor: complex,
        tol: float,
        *,
        hermitian: bool,
        conserve: Sequence[TensorTrain] = (),
    ) -> None:
        self.dtype = np.result_type(operator.dtype, start.dtype, complex if complex(factor).imag else float)
        self.operator, self.hermitian, self.tol = operator, hermitian, tol
        self.factor = complex(factor) if self.dtype.kind == "c" else complex(factor).real
        self.shift = 0.0
        self.invariants = Invariants(conserve, start)
        self.truncation = self.residual = self.step_error = self.rounding = 0.0
        self.work: Counter[str] = Counter()

    @abstractmethod
    def advance(self, h: float) -> None:
        """One step of length ``h``. Raises LinAlgError where a number overflows."""

    @abstractmethod
    def train(self) -> TensorTrain:
        """The present state."""

    @abstractmethod
    def load(self, x: TensorTrain) -> None:
        """Replace the state; the invariants keep the values they had."""

    @abstractmethod
    def rescale(self, factor: float) -> None:
        """Multiply the state by a number; the invariants follow."""

    @abstractmethod
    def snapshot(self) -> Any:
        """All that a step changes, except the counts of work."""

    @abstractmethod
    def restore(self, saved: Any) -> None:
        """Back to a snapshot."""

    def kept(self) -> TensorTrain:
        """The present state for a checkpoint, where ``train`` is a rounded view of it."""
        return self.train()

    def memory(self) -> dict[str, Any]:
        """What else a checkpoint needs, JSON data."""
        return {}

    def remember(self, data: Mapping[str, Any]) -> None:
        """Take what ``memory`` gave."""
        return

    @property
    def grows(self) -> bool:
        """Whether ``grow`` could enlarge a rank."""
        return False

    def grow(self, tol: float) -> bool:
        """Larger ranks by directions whose loss would cost more than ``tol`` ||x|| a unit of time; whether any were."""
        return False

    def defect(self) -> float:
        """||(1 - P) A x||, what the ranks leave out in a unit of time; zero where ranks follow the solution."""
        return 0.0


class TrainStepper(Stepper):
    """A stepper whose state is the train ``x``, which ``advance`` replaces, and nothing else."""

    def __init__(
        self,
        operator: TTOperator,
        start: TensorTrain,
        method: Integrator,
        factor: complex,
        tol: float,
        *,
        hermitian: bool,
        conserve: Sequence[TensorTrain] = (),
    ) -> None:
        super().__init__(operator, start, method, factor, tol, hermitian=hermitian, conserve=conserve)
        self.x, self.method = start, method

    def rounded(self, y: TensorTrain, h: float) -> TensorTrain:
        """``y`` within the tolerance of a step of length ``h``, of the norm of the state; ``truncation`` grows."""
        size = y.norm()
        if not 0.0 < size < math.inf:
            return y
        allowed = self.method.tol if self.method.tol is not None else self.tol * abs(h)
        y, cut = y.round_with_error(min(allowed * self.x.norm() / size, LOOSEST), self.method.max_rank)
        self.truncation += cut * size
        return y

    def train(self) -> TensorTrain:
        return self.x

    def load(self, x: TensorTrain) -> None:
        self.x = x

    def rescale(self, factor: float) -> None:
        self.x = self.x * factor
        self.invariants.values = self.invariants.values * factor

    def snapshot(self) -> Any:
        return self.x, self.truncation, self.residual, self.step_error

    def restore(self, saved: Any) -> None:
        self.x, self.truncation, self.residual, self.step_error = saved


def make_stepper(
    operator: TTOperator,
    start: TensorTrain,
    method: Integrator,
    factor: complex,
    tol: float,
    hermitian: bool,
    conserve: Sequence[TensorTrain] = (),
) -> Stepper:
    """The stepper of a method; ``tol``: relative error a unit of time that its local problems may make."""
    kind: type[Stepper] = pkgutil.resolve_name(method.stepper)
    return kind(operator, start, method, factor, tol, hermitian=hermitian, conserve=conserve)
