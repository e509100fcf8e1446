"""What a spectrum needs to know of a problem: the operator in a basis, and what that basis costs.

A source of Hamiltonians gives a ``Space``, and the task (problems.quantum.tasks.spectrum) computes in it. Where the
basis is part of the question (a sum of products), nothing lies outside of it: these are the defaults here. Where it is
chosen for the accuracy (a force field), the space widens itself before, and while, states are computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import ClassVar, overload

import numpy as np

from problems.quantum.hamiltonians.force_field.one_mode import OneModeFunctions
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.start import Start
from solvers.eigen.states import EigenStates
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.train import ModeCharges, SectorTrain
from solvers.solution import Callback, Checked, Solution, Status


@dataclass(frozen=True)
class Judged:
    """What the basis means for states found in it.

    ``errors``: basis part of each state's error (n,); ``edge``: states (n,) that the end of the basis shapes, or that
    live beyond a barrier: never converged; ``short``: modes (0-based) that want more functions; ``checked``: the second
    looks; ``warnings``: what a user must know.
    """

    errors: np.ndarray
    edge: np.ndarray
    short: frozenset[int]
    checked: tuple[Checked, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Space(ABC):
    """A Hamiltonian in one-mode functions, its modes in ``order`` (0-based) along the train.

    ``terms``: the table of products with the charges of its functions, of the real form where H is complex; ``modes``:
    functions of every mode by their charges, those of a complex H too; ``starts``: whether configuration interaction
    can tell which products are low; ``charges``: the parities of each mode of the source; ``labels``: quantum number of
    each function of the modes along the train; ``turns``: for each of them the functions that a user knows (rows) in
    those of the operator; ``unit``: of energies; ``first_mode``: the number that the source gives
    its first mode; ``products``: the source's distinct terms; ``operator_error``: how far a level may move by what was
    left out or rounded off; ``warnings``: what a user must know beforehand.
    """

    operator: TTOperator
    terms: ProductTerms
    modes: ModeCharges
    starts: bool
    order: tuple[int, ...]
    charges: np.ndarray
    labels: tuple[np.ndarray, ...]
    turns: tuple[np.ndarray, ...]
    unit: str
    first_mode: int
    products: int
    operator_error: float
    warnings: tuple[str, ...]

    basis_share: ClassVar[float] = 0.0  # of the accuracy, left to the one-mode functions outside the basis
    lacking: ClassVar[Status] = Status.BASIS_LIMIT  # where the basis is what keeps states from the accuracy

    @property
    def automatic(self) -> bool:
        """Whether the basis grows with what the states want."""
        return False

    @property
    def sizes(self) -> list[int]:
        """Functions of each mode along the train."""
        return [len(labels) for labels in self.labels]

    @property
    def mode_numbers(self) -> list[int]:
        """The source's number of each mode along the train."""
        return [k + self.first_mode for k in self.order]

    @property
    def complex(self) -> bool:
        """Whether H is complex: its states are then found through its real form."""
        return self.operator.dtype.kind == "c"

    @property
    def limits(self) -> dict[str, object]:
        """What the source itself leaves open, whatever the basis: empty where that is nothing."""
        return {}

    @property
    def functions(self) -> tuple[OneModeFunctions, ...]:
        """The functions of each mode along the train, as states are shown in them; empty where modes are no
        coordinates."""
        return ()

    @abstractmethod
    def looks(self) -> tuple[Checked, ...]:
        """The operator against what it was built from."""

    @abstractmethod
    def judge(self, states: EigenStates, executor: Executor | None) -> Judged:
        """What the basis costs these states, and what they say about it."""

    def shown(self, states: EigenStates) -> Sequence[TensorTrain]:
        """The states as dense trains in the functions that a user knows, each made when it is asked for."""
        return ShownStates(states.trains, self.turns)

    def found(self, n_states: int, max_rank: int | None, callback: Callback | None) -> tuple[Space, Solution] | None:
        """The states by the space's own way and the space that holds them; None where the solvers' methods do."""
        return None

    def refined(self) -> Space:
        """With the functions that the states of a wider space ask for."""
        return self

    def enlarged(self, start: Start, executor: Executor | None) -> Space:
        """With the functions that approximate states want more of; the trains of ``start`` are padded."""
        return self

    def grown(self, short: Collection[int]) -> Space | None:
        """With more functions of these modes; None where there are none to be had."""
        return None

    def remarks(self, judged: Judged, lacking: bool) -> list[str]:
        """What is said of the basis in the end; ``lacking``: it is what kept states from the accuracy."""
        return list(judged.warnings)


class ShownStates(Sequence[TensorTrain]):
    """Dense trains in the functions ``turns`` (n, n) of each mode, made when asked for: the memory of one state."""

    def __init__(self, trains: Sequence[SectorTrain | TensorTrain], turns: Sequence[np.ndarray]) -> None:
        self._trains, self._turns = trains, turns

    def __len__(self) -> int:
        return len(self._trains)

    @overload
    def __getitem__(self, i: int) -> TensorTrain: ...

    @overload
    def __getitem__(self, i: slice) -> list[TensorTrain]: ...

    def __getitem__(self, i: int | slice) -> TensorTrain | list[TensorTrain]:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        x = self._trains[i]
        dense = x.to_train() if isinstance(x, SectorTrain) else x
        cores = [np.einsum("vn,anb->avb", turn, core) for turn, core in zip(self._turns, dense.cores)]
        return TensorTrain(tuple(cores))
