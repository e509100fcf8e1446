"""What sweeps for a linear system, as ``solve`` knows it (solvers.linear.sweeps).

A linear method is one file: its options (a LinearMethod, solvers.method_base), and an Iterate whose name they hold.
Where the state of a method is one train and nothing else, a TrainIterate lacks ``sweep`` alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from solvers.checkpoint import Content, stored_train, train_arrays
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.system import System
from solvers.method_base import LinearMethod


@dataclass
class Work:
    """Counts over all sweeps; ``ends``: the least and the largest Rayleigh quotient seen on the way, zero for none."""

    sweeps: int = 0
    local_solves: int = 0
    products: int = 0
    capped: bool = False
    definite: bool = True
    ends: tuple[float, float] = (0.0, 0.0)

    def saw(self, ends: tuple[float, float]) -> None:
        """Rayleigh quotients of one core."""
        least, most = self.ends
        self.ends = (min(least, ends[0]), max(most, ends[1])) if most != 0.0 else ends

    def add(self, other: Work) -> None:
        """The counts of another iteration."""
        self.sweeps += other.sweeps
        self.local_solves += other.local_solves
        self.products += other.products
        self.capped |= other.capped


@dataclass
class Residuals:
    """Of one sweep, relative to ||b||, for its control only: the true residual is formed where these are small.

    ``local``: the largest one met at a core, or that of the whole where the method knows it; ``projected``: the norm
    of the residual projected on a train of small rank, a lower bound of the true one where it was taken, for methods
    that have one; of a sweep the largest in its second half, as a single one may be small by chance.
    """

    local: float = 0.0
    projected: float | None = None

    @property
    def estimate(self) -> float:
        """The best guess at the true residual."""
        return self.local if self.projected is None else self.projected


class Iterate(ABC):
    """A method at work on one system; ``work``: its counts, ``capped`` where a cap on the ranks cut something."""

    work: Work

    @abstractmethod
    def sweep(self, budget: float) -> Residuals:
        """Improve x once; a residual of ``budget`` ||b|| is small enough for now."""

    @abstractmethod
    def train(self) -> TensorTrain:
        """The present x."""

    @property
    @abstractmethod
    def definite(self) -> bool:
        """Whether the operator may be Hermitian positive definite, as far as was seen."""

    @abstractmethod
    def content(self) -> Content:
        """What ``restore`` needs to go on after a sweep; the generator is the caller's."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""


class TrainIterate(Iterate):
    """An iterate that is the train ``x``, which ``sweep`` replaces, and nothing else; zero at first, or the start."""

    def __init__(
        self, system: System, method: LinearMethod, start: TensorTrain | None, rng: np.random.Generator
    ) -> None:
        self.system, self.method, self.rng = system, method, rng
        self.x = system.b * 0.0 if start is None else start
        self.work = Work()

    def train(self) -> TensorTrain:
        return self.x

    @property
    def definite(self) -> bool:
        return self.system.definite

    def content(self) -> Content:
        arrays, data = train_arrays("x", self.x)
        return arrays, {"train": data, "work": asdict(self.work)}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        self.x, self.work = stored_train(arrays, "x", data["train"]), Work(**data["work"])
