"""Operators as a Krylov method knows them: a function x -> A x of trains, which is looked at before it is believed.

    1. What it returns is a train of the right shape; a norm that is not finite is refused where it appears.
    2. That it is linear is tried once: f(u + 2 v) beside f(u) + 2 f(v) on trains of rank one, of the norm of b.
A TTOperator is applied through compressed products (solvers.linear.product) where exact ones have large ranks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from solvers.formats.trains.construct import random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.product import multiply
from solvers.measured import amount
from solvers.solution import Checked

Operation: TypeAlias = Callable[[TensorTrain], TensorTrain]
LARGE = 120  # ranks of an exact product: beyond, one with a sketch costs less
LEAST = 1e-13  # relative accuracy of a rounding
NONLINEAR = 1e-3  # relative deviation: functions that round what they return stay below by far
COMPLAINT = 1e-6  # from here on the deviation is told as a look that failed


class GivenOperator:
    """``operation`` on trains of ``shape``; ``name``: what it is called in a refusal; ``calls``: how often it was."""

    def __init__(
        self, operation: TTOperator | Operation, shape: tuple[int, ...], name: str, rng: np.random.Generator
    ) -> None:
        self.operation, self.shape, self.name, self.rng = operation, shape, name, rng
        self.calls = 0
        if isinstance(operation, TTOperator):
            if operation.shape != (shape, shape):
                rows, columns = operation.shape
                raise ValueError(f"{name} has rows {rows} and columns {columns}, the right-hand side {shape}")
        elif not callable(operation):
            raise ValueError(
                f"{name} must be a TTOperator or a function of a train, not {type(operation).__name__}: x -> A x"
            )

    def __call__(self, x: TensorTrain, tol: float = 0.0) -> TensorTrain:
        """A x, within ``tol`` of its norm; 0: as it is returned."""
        self.calls += 1
        if isinstance(self.operation, TTOperator):
            if tol >= LEAST and self.operation.max_rank * x.max_rank > LARGE:
                return multiply(self.operation, x, tol=tol, rng=self.rng).value
            y = self.operation @ x
        else:
            y = self._returned(x)
        return y if tol == 0.0 else y.round(max(tol, LEAST))

    def _returned(self, x: TensorTrain) -> TensorTrain:
        """What the function makes of x."""
        assert not isinstance(self.operation, TTOperator)
        y = self.operation(x)
        if not isinstance(y, TensorTrain):
            raise ValueError(f"{self.name} must return a TensorTrain of shape {self.shape}, not {_named(y)}")
        if y.shape != self.shape:
            raise ValueError(f"{self.name} returned a train of shape {y.shape}, not {self.shape}")
        return y

    def looked_at(self, size: float, dtype: np.dtype) -> Checked:
        """Whether it is linear on two random trains of norm ``size``.  Raises ValueError where it is not at all."""
        rng = np.random.default_rng(self.rng.integers(2**32))
        u, v = (random_train(self.shape, 1, rng, dtype) for _ in range(2))
        u, v = u * (size / u.norm()), v * (size / v.norm())
        both, first, second = self(u + v * 2.0), self(u), self(v)
        scale = max(first.norm(), second.norm(), both.norm())
        off = (both - first - second * 2.0).norm() / scale if scale > 0.0 else 0.0
        if not math.isfinite(off) or off > NONLINEAR:
            raise ValueError(
                f"{self.name} is not linear: f(u + 2 v) and f(u) + 2 f(v) differ by {amount(off)} of their norm"
            )
        how = "f(u + 2 v) beside f(u) + 2 f(v), u and v random trains of rank one"
        return Checked(f"that {self.name} is linear", how, f"they differ by {amount(off)}", off <= COMPLAINT)


def _named(y: object) -> str:
    return f"an array of shape {y.shape}" if isinstance(y, np.ndarray) else type(y).__name__
