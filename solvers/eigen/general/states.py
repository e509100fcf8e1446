"""What ``eig`` returns: eigenvalues with right and left trains, and what each is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.cards import Card, Fact, ends, size, values
from solvers.checkpoint import Content, stored_train, train_arrays
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
    none is missing, "proved", "searched N times" (no search found another), or "not searched": nothing says it, each
    pair is right for itself, and the whole is not CONVERGED.
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

    def content(self) -> Content:
        """As arrays and JSON data, for a checkpoint."""
        arrays, entries = {}, []
        for k, pair in enumerate(self.pairs()):
            for side, train in zip(("right", "left"), pair):
                own, entry = train_arrays(f"{side}{k}", train)
                arrays.update(own)
                entries.append(entry)
        for name in ("eigenvalues", "errors", "conditions", "residuals"):
            arrays[name] = getattr(self, name)
        statuses = [status.name for status in self.statuses]
        return arrays, {"trains": entries, "statuses": statuses, "completeness": self.completeness}

    @classmethod
    def stored(cls, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> EigenPairs:
        """What ``content`` wrote."""
        entries = data["trains"]
        right = [stored_train(arrays, f"right{k}", entry) for k, entry in enumerate(entries[::2])]
        left = [stored_train(arrays, f"left{k}", entry) for k, entry in enumerate(entries[1::2])]
        w, errors, conditions = arrays["eigenvalues"], arrays["errors"], arrays["conditions"]
        statuses = [Status[name] for name in data["statuses"]]
        return cls(w, right, left, errors, conditions, arrays["residuals"], statuses, data["completeness"])


def conditions_of(overlaps: np.ndarray) -> np.ndarray:
    """1 / |<l, r>| of vectors of norm one."""
    with np.errstate(divide="ignore"):
        return 1.0 / np.abs(overlaps)
