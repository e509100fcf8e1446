"""What a completion returns; the report is made from this alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.riemannian.growth import RankFit
from solvers.solution import Checked, IterationState, Status
from solvers.trains.tensor_train import TensorTrain


@dataclass(frozen=True, eq=False)
class CompletionResult:
    """The completed tensor and how well it predicts.

    ``train``: the tensor; ``best``: its rank's fit, one of ``by_rank``; ``test_indices`` (t, d), ``true`` and
    ``predicted`` (t,): the entries that measure the error; ``singular_values``: d-1 arrays, of the unfoldings;
    ``fitted``, ``validation``: numbers of samples fitted, and set aside to choose the rank; ``parameters``: of the
    manifold of trains of that rank.
    """

    train: TensorTrain
    best: RankFit
    by_rank: tuple[RankFit, ...]
    test_indices: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    singular_values: list[np.ndarray]
    fitted: int
    validation: int
    parameters: int
    status: Status
    history: list[IterationState]
    counts: dict[str, int]
    timing: dict[str, float]
    warnings: list[str] = field(default_factory=list)
    checked: tuple[Checked, ...] = ()

    @property
    def test_error(self) -> float:
        """Relative error in the 2-norm over the test entries."""
        assert self.best.test_error is not None
        return self.best.test_error

    @property
    def uncertainty(self) -> float:
        """Standard deviation of ``test_error`` over the choice of the test entries."""
        assert self.best.uncertainty is not None
        return self.best.uncertainty

    @property
    def ranks(self) -> list[int]:
        """The d+1 TT-ranks."""
        return [int(rank) for rank in self.train.ranks]
