"""An integrator in one file: the classical Runge-Kutta method of order 4, on trains.

    x(t + h) = x + z_1 + z_2 + z_3 + z_4,   z_0 = x,   z_j = h s (A - m) z_{j-1} / j

which is what its four stages add up to where the system is linear: Hairer, Norsett, Wanner, Solving ODEs I, section
II.1. Each term is rounded; z_5, the first one left out, is the error of the step. Stable for h ||s (A - m)|| < 2.8.
Cost a step O(d n (R r)^3) for the roundings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from solvers.dynamics.enlarge import shifted
from solvers.dynamics.stepper import TrainStepper
from solvers.method_base import Integrator


@dataclass(frozen=True)
class RungeKutta(Integrator):
    """Its options are those of every integrator."""

    time_step: float | None = None
    max_rank: int = 100
    tol: float | None = None
    stepper: ClassVar[str] = f"{__name__}:RungeKuttaStepper"


class RungeKuttaStepper(TrainStepper):
    """Steps of Taylor's polynomial of degree four."""

    order, estimates_steps = 4, True

    def advance(self, h: float) -> None:
        """One step of length ``h``."""
        x = term = self.x
        generator = shifted(self.operator, self.shift) * (h * self.factor)
        for j in range(1, 5):
            term = self.rounded((generator @ term) * (1.0 / j), h)
            x = x + term
        self.step_error += (generator @ term).norm() / 5
        self.work["products"] += 5
        self.x = self.invariants.restore(self.rounded(x, h))[0]
