"""What steps an evolution: the protocol that the driver relies on, and the stepper of each method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from solvers.methods import BUG, TDVP, Implicit
from solvers.trains.operator import TTOperator
from solvers.trains.tensor_train import TensorTrain

Method = TDVP | BUG | Implicit


class Stepper(Protocol):
    """A method for one step of exp(h s (A - m)) x; everything that a driver knows of it.

    ``order`` steers the step size, ``shift`` is m. Accumulated since the start, absolute 2-norms: ``truncation``, what
    truncations discarded; ``residual``, the estimated errors of local exponentials or solves; ``step_error``, an
    estimate of the error of finite steps, by those for which ``estimates_steps`` (others are compared with two steps
    of half the length, and leave it zero). ``rounding``: relative error of ``train()`` beside the state that is kept.
    ``work``: counts by name. ``grows``: whether ``grow`` can enlarge the ranks.
    """

    order: int
    estimates_steps: bool
    truncation: float
    residual: float
    step_error: float
    rounding: float
    shift: float
    work: Counter[str]

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
