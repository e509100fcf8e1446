"""What an eigensolver returns as its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.cards import Card, Fact, ends, size, values
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.train import SectorTrain


@dataclass(frozen=True)
class EigenStates(Card):
    """Ascending energies (n,), a train and its symmetry charge for each, and the buffer energies above them.

    ``trains``: SectorTrain (``to_train()`` gives dense cores), or complex TensorTrain of a complex operator.
    ``errors``: estimated energy still to be gained by larger ranks, (n,); ``probe``: what says that no state is
    missing; its ``completeness`` is "proved" (all levels of a small space were counted), "searched N times" (by N
    random starts in the complement, the last round of which found nothing) or "unknown".
    ``first``: how many levels lie below the first of these, None where that is not known; ``ground``: the lowest level
    of all with its error, where it is not the first of these.
    """

    energies: np.ndarray
    trains: list[SectorTrain] | list[TensorTrain]
    charges: list[int]
    errors: np.ndarray
    buffer: np.ndarray
    probe: dict[str, Any]
    first: int | None = 0
    ground: tuple[float, float] | None = None

    def worded(self) -> list[Fact]:
        """The first energies with their errors, the ranks, and what says that none is missing."""
        return [
            ("energies", values(self.energies, self.errors)),
            ("largest error", size(np.max(self.errors)) if len(self.errors) else ""),
            ("largest TT-ranks", ends([max(train.ranks) for train in self.trains])),
            ("none missing", str(self.probe.get("completeness", "unknown"))),
        ]
