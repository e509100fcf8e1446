"""A train in motion: its cores, oriented, and the environments of <x|A|x> on both sides of its centre.

Everything is seen from the left; ``turn`` mirrors the train, so that a sweep back is a sweep forth. The centre is the
first core after ``turn`` and the last after a sweep. Core arrays are replaced, never written to, so a snapshot is two
lists. Environments: solvers.sweeping.local_operator.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.formats.trains.factorisations import qr_factors
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sweeping.local_operator import OperatorCore, advance, half, mirrored, to_right


@dataclass(frozen=True)
class Snapshot:
    """A state to come back to."""

    x: list[np.ndarray]
    environments: list[np.ndarray]
    side: int


@dataclass
class Chain:
    """Oriented cores ``x`` with their centre first, and environments: [k + 1] belongs to the bond behind core k.

    ``operators``: the operator's cores and those of its mirror; ``side`` says which are in use.
    """

    operators: tuple[list[OperatorCore], list[OperatorCore]]
    x: list[np.ndarray]
    side: int = 0
    environments: list[np.ndarray] = field(default_factory=list)

    @classmethod
    def of(cls, operator: TTOperator, start: TensorTrain, dtype: np.dtype) -> Chain:
        """With the centre at the first core."""
        cores = [OperatorCore.of(core, dtype) for core in operator.cores]
        chain = cls((cores, [core.mirrored() for core in reversed(cores)]), [])
        chain.load(start)
        return chain

    @property
    def dtype(self) -> np.dtype:
        return self.operators[0][0].values.dtype

    @property
    def ranks(self) -> list[int]:
        """The d+1 TT-ranks in the train's own order."""
        ranks = [1, *(core.shape[2] for core in self.x)]
        return ranks if self.side == 0 else ranks[::-1]

    def core(self, k: int) -> OperatorCore:
        return self.operators[self.side][k]

    def load(self, x: TensorTrain) -> None:
        """Replace the train."""
        self.side = 0
        self.x = [np.ascontiguousarray(core, dtype=self.dtype) for core in x.orthogonalise(0).cores]
        one = np.ones((1, 1, 1), dtype=self.dtype)
        self.environments = [one] * (len(self.x) + 1)
        self.turn()
        for k in range(len(self.x) - 1):
            self.advance(k, self.x[k])
        self.turn()

    def turn(self) -> None:
        """Mirror everything: what was the last core becomes the first."""
        self.side = 1 - self.side
        self.x = mirrored(self.x)
        self.environments = [to_right(e) for e in reversed(self.environments)]

    def advance(self, k: int, core: np.ndarray) -> None:
        """The environment behind core k, ``core`` (left-orthogonal) in its place."""
        h = half(self.environments[k], self.core(k), core)
        self.environments[k + 1] = advance(h, core, self.core(k).dims[3])

    def move(self, k: int) -> np.ndarray:
        """Orthogonalise core k, bring the environment behind it up to date; returns what the next core is to take."""
        a, n, b = self.x[k].shape
        q, rest = qr_factors(self.x[k].reshape(a * n, b))
        self.x[k] = np.ascontiguousarray(q).reshape(a, n, -1)
        self.advance(k, self.x[k])
        return rest

    def take(self, k: int, rest: np.ndarray) -> None:
        """Multiply a bond matrix into core k from the left."""
        core = self.x[k]
        self.x[k] = (rest @ core.reshape(core.shape[0], -1)).reshape(-1, *core.shape[1:])

    def train(self) -> TensorTrain:
        """The train in its own order; the centre is the first of the oriented cores."""
        if self.side == 0:
            return TensorTrain(tuple(self.x), 0)
        return TensorTrain(tuple(mirrored(self.x)), len(self.x) - 1)

    def norm(self) -> float:
        return float(np.linalg.norm(self.x[0]))

    def snapshot(self) -> Snapshot:
        return Snapshot(list(self.x), list(self.environments), self.side)

    def restore(self, snapshot: Snapshot) -> None:
        self.x, self.environments = list(snapshot.x), list(snapshot.environments)
        self.side = snapshot.side
