"""What steps an evolution: the protocol that the driver relies on, and the stepper of each method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from solvers.methods import BUG, TDVP, Implicit
from solvers.trains.operator import TTOperator
from solvers.trains.tensor_train import TensorTrain

Method = TDVP | BUG | Implicit


class Stepper(Protocol):
    """A method for one step; ``order`` steers the step size, the other members are described where they are made."""

    order: int
    truncation: float
    residual: float
    shift: float
    work: Any

    @property
    def grows(self) -> bool: ...

    def advance(self, h: float) -> None: ...

    def train(self) -> TensorTrain: ...

    def load(self, x: TensorTrain) -> None: ...

    def rescale(self, factor: float) -> None: ...

    def snapshot(self) -> Any: ...

    def restore(self, saved: Any) -> None: ...

    def defect(self) -> float: ...

    def grow(self, tol: float) -> bool: ...


def make_stepper(
    operator: TTOperator,
    start: TensorTrain,
    method: Method,
    factor: complex,
    tol: float,
    hermitian: bool,
    conserve: Sequence[TensorTrain] = (),
) -> Stepper:
    """The stepper of a method; ``tol``: relative error a unit of time that its local problems may make."""
    if isinstance(method, TDVP):
        from solvers.dynamics.tdvp import TDVPStepper

        return TDVPStepper(operator, start, method, factor, tol, hermitian=hermitian)
    if isinstance(method, BUG):
        from solvers.dynamics.bug import BUGStepper

        return BUGStepper(operator, start, method, factor, tol, hermitian=hermitian, conserve=conserve)
    from solvers.dynamics.implicit import ImplicitStepper

    return ImplicitStepper(operator, start, method, factor, tol, hermitian=hermitian, conserve=conserve)
