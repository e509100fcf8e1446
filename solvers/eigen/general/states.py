"""What ``eig`` returns: eigenvalues with right and left trains, and what each is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.cards import Card, Fact, ends, size, values
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import Status


@dataclass(frozen=True)
class EigenPairs(Card):
    """Eigenvalues (n,) in the order asked for, each with a right and a left train of norm one: A r = w r, l^H A = w
    l^H.

    The phase of a left train makes <l, r> positive. ``conditions`` (n,): 1 / <l, r>, which says how much farther than
    a change of A an eigenvalue can move (one for a normal operator, infinite for a defective eigenvalue); ``errors``
    (n,): residual and rounding errors times that (Wilkinson, The Algebraic Eigenvalue Problem, chapter 2);
    ``residuals`` (n, 2): ||A r - w r|| and ||l^H A - w l^H||; ``statuses``: of each; ``completeness``: what says that
    none is missing, "proved", "searched N times" (no start found another), or "not searched": nothing says it,
    each pair is right for itself.
    """

    eigenvalues: np.ndarray
    right: list[TensorTrain]
    left: list[TensorTrain]
    errors: np.ndarray
    conditions: np.ndarray
    residuals: np.ndarray
    statuses: list[Status]
    completeness: str

    def worded(self) -> list[Fact]:
        """The first eigenvalues with their errors, their conditions, the ranks, and what says that none is missing."""
        met = sum(status is Status.CONVERGED for status in self.statuses)
        return [
            ("eigenvalues", values(self.eigenvalues, self.errors)),
            ("converged", f"{met} of {len(self.statuses)}"),
            ("largest error", size(np.max(self.errors)) if len(self.errors) else ""),
            ("largest condition", size(np.max(self.conditions)) if len(self.conditions) else ""),
            ("largest TT-ranks", ends([max(train.max_rank, other.max_rank) for train, other in self.pairs()])),
            ("none missing", self.completeness),
        ]

    def pairs(self) -> list[tuple[TensorTrain, TensorTrain]]:
        """Right and left train of each eigenvalue."""
        return list(zip(self.right, self.left))
