"""A linear method in one file: restarted GMRES on trains, every vector rounded.

A sweep is a cycle: x + sum_j y_j v_j of least residual, v_j an orthonormal basis of r, A r, A^2 r, ... of at most
``vectors`` trains. They are rounded to a few digits only, which the next cycle makes up for. Dolgov, Russ. J. Numer.
Anal. Math. Modelling 28, 149 (2013), algorithm 2. Cost a cycle O(k d n (R r)^3 + k^2 d n r^3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.linear.iterate import Residuals, TrainIterate
from solvers.method_base import LinearMethod, at_least

DIGITS = 1e-4  # of a vector may be lost
SHARE = 0.1  # of the budget, for the rounding of x


@dataclass(frozen=True)
class GMRES(LinearMethod):
    """``vectors``: most vectors a cycle; ``sweeps``: most cycles. Raises ValueError where a value is impossible."""

    vectors: int = 8
    max_rank: int = 60
    sweeps: int = 40
    iterate: ClassVar[str] = f"{__name__}:Cycles"

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("GMRES", self, {"vectors": 1})


class Cycles(TrainIterate):
    """Cycles of GMRES."""

    method: GMRES

    def sweep(self, budget: float) -> Residuals:
        """One cycle."""
        a, cap = self.system.operator, self.method.max_rank
        rest = self.system.b - a @ self.x
        size = rest.norm()
        if size > 0.0:
            basis = [rest.round(DIGITS, cap) * (1.0 / size)]
            table = np.zeros((self.method.vectors + 1, self.method.vectors), dtype=self.system.dtype)
            for k in range(self.method.vectors):
                w = (a @ basis[k]).round(DIGITS, cap)
                for i, v in enumerate(basis):
                    table[i, k] = dot(v, w)
                    w = w - v * table[i, k]
                table[k + 1, k] = w.norm()
                first = size * np.eye(k + 2)[0]
                y = np.linalg.lstsq(table[: k + 2, : k + 1], first)[0]
                left = np.linalg.norm(first - table[: k + 2, : k + 1] @ y)
                self.work.products += 1
                if left <= budget or abs(table[k + 1, k]) <= DIGITS * np.linalg.norm(table[:, k]):
                    break
                basis.append(w.round(DIGITS, cap) * (1.0 / table[k + 1, k]))
            for v, weight in zip(basis, y):
                self.x = self.x + v * weight
            self.x = self._rounded(self.x, SHARE * min(budget, float(left)))
            size = (self.system.b - a @ self.x).norm()
        return Residuals(float(size))

    def _rounded(self, x: TensorTrain, allowed: float) -> TensorTrain:
        """x to a residual of about ``allowed``."""
        tol = allowed / max(self.system.size * x.norm(), 1e-300)
        free = x.round(min(tol, SHARE))
        self.work.capped |= free.max_rank > self.method.max_rank
        return free if free.max_rank <= self.method.max_rank else x.round(0.0, self.method.max_rank)
