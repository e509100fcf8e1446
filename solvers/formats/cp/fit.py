"""One fit of a CP tensor from one start: what both methods share, and the verdict on how it ended.

The tensor fitted has norm one. Every fit runs to its end, whatever the accuracy: to rounding errors, to a point that no
step improves, or to the last step. Only then can be told apart

    exact        the error is within the accuracy, and the terms have stopped to grow
    minimum      no step improves it: a least-squares fit, of more error than was asked
    degenerate   the error falls only while terms grow against each other: there is no best approximation of this rank
                 (its border rank is smaller; de Silva and Lim, SIAM J. Matrix Anal. Appl. 30, 1084 (2008))
    swamp        steps improve it still, ever less, and no terms run away: more steps, or another start
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.formats.cp.tensor import CPTensor, khatri_rao

EXACT = 1e-13  # relative error, below which rounding errors alone are left
LARGE = 2.0  # norm of a term beside that of the tensor, from which on terms cancel: 0.6 to 1.8 where they do not
GROWN = 1.15  # of that norm over the second half of the steps: sqrt(2) for alternating least squares at the W tensor
FALLEN = 0.95  # of the error over the second half of the steps
LONE = 0.9  # norm of a column of a random start: 23 random terms are then 3.5 times the tensor


class Verdict(Enum):
    """How a fit ended; the value is the word in reports."""

    CONVERGED = "converged"
    MINIMUM = "minimum"
    DEGENERATE = "degenerate"
    SWAMP = "swamp"


@dataclass(frozen=True)
class StartFit:
    """How the fit from one start ended: relative ``error``; norm of the largest term beside that of the tensor; the
    smallest congruence of two terms; steps taken."""

    verdict: Verdict
    error: float
    largest_term: float
    congruence: float
    steps: int


class Fit:
    """Factors on their way: what is known of them after each step; a method adds ``step``.

    ``errors``, ``terms``: relative error and norm of the largest term after each step; ``still``: whether no step
    improves it any more.
    """

    def __init__(self, target: np.ndarray, factors: list[np.ndarray], most: int) -> None:
        self.target, self.factors, self.most = target, factors, most
        self.unfoldings = [np.moveaxis(target, k, 0).reshape(target.shape[k], -1) for k in range(target.ndim)]
        self.errors: list[float] = []
        self.terms: list[float] = []
        self.still = False

    def step(self) -> None:
        """One step; every method has its own."""
        raise NotImplementedError

    def plain(self) -> dict[str, Any]:
        """What a method keeps beside the factors, as JSON data."""
        raise NotImplementedError

    def advance(self) -> None:
        """One step, and what is known after it."""
        self.step()
        self.terms.append(float(CPTensor(tuple(self.factors)).term_norms().max()))

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.still or len(self.errors) >= self.most or (bool(self.errors) and self.errors[-1] < EXACT)

    def misfit(self, factors: list[np.ndarray]) -> np.ndarray:
        """The tensor of the factors less the target, as its first unfolding."""
        return factors[0] @ khatri_rao(factors[1:]).T - self.unfoldings[0]

    def judged(self, accuracy: float) -> StartFit:
        """The verdict."""
        error, largest = self.errors[-1], self.terms[-1]
        middle = len(self.errors) // 2
        growing = largest > LARGE and largest > GROWN * self.terms[middle]
        falling = error < FALLEN * self.errors[middle]
        if error > EXACT and growing and falling:
            verdict = Verdict.DEGENERATE
        elif error <= accuracy:
            verdict = Verdict.CONVERGED
        else:
            verdict = Verdict.MINIMUM if self.still else Verdict.SWAMP
        congruence = CPTensor(tuple(self.factors)).least_congruence()
        return StartFit(verdict, error, largest, congruence, len(self.errors))

    def content(self) -> Content:
        """The factors, and all that the next step depends on."""
        arrays = {f"factor.{k}": u for k, u in enumerate(self.factors)}
        arrays |= {"errors": np.array(self.errors), "terms": np.array(self.terms)}
        return arrays, {"still": self.still, **self.plain()}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.factors = [arrays[f"factor.{k}"] for k in range(len(self.factors))]
        self.errors, self.terms = arrays["errors"].tolist(), arrays["terms"].tolist()
        for name in ("still", *self.plain()):
            setattr(self, name, data[name])


@dataclass
class Starts:
    """Random factors of columns of about the same norm, drawn one start after the other."""

    shape: tuple[int, ...]
    rank: int
    rng: np.random.Generator
    drawn: list[list[np.ndarray]] = field(default_factory=list)

    def draw(self, count: int) -> list[list[np.ndarray]]:
        """The factors of ``count`` starts."""
        while len(self.drawn) < count:
            sizes = [(n, LONE / np.sqrt(n)) for n in self.shape]
            self.drawn.append([scale * self.rng.standard_normal((n, self.rank)) for n, scale in sizes])
        return self.drawn[:count]
