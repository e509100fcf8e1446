"""What a parametric PDE returns; the report is made from this alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from problems.parametric_pde.statistics import Moments
from problems.parametric_pde.surrogate import Distribution
from solvers.solution import Checked, IterationState, Status
from solvers.trains.tensor_train import TensorTrain


@dataclass(frozen=True)
class QuantityResult:
    """One quantity: moments, their errors (absolute), and its sampled distribution."""

    name: str
    moments: Moments
    mean_error: float
    variance_error: float
    distribution: Distribution


@dataclass(frozen=True)
class ParametricResult:
    """Statistics of the quantities and of the whole field, the surrogate's errors, and the solution as a train.

    ``solution``: (N, n_1, ..., n_d), nodal values at Gauss points, all nodes; ``nodes`` (N, dimensions); ``mean_field``
    and ``deviation_field`` (N,); ``realisations``: parameters (s, d), cell coefficients (s, cells) and nodal solutions
    (s, N); ``held_out_errors``: (points, Q) relative, at parameters the surrogate has not seen, and ``check_errors``
    the same at random grid points; ``tails``: (d,) what higher polynomial degrees would add, relative to the size of
    the quantities, the largest of them; ``solve_errors``: (solves, error) pairs of the history.
    """

    quantities: list[QuantityResult]
    distribution: str
    points: list[int]
    pde_solves: int
    held_out_errors: np.ndarray
    check_errors: np.ndarray
    ranks: list[int]
    tails: np.ndarray
    separation_terms: int
    separation_error: float
    nodes: np.ndarray
    midpoints: np.ndarray
    mean_field: np.ndarray
    deviation_field: np.ndarray
    realisations: tuple[np.ndarray, np.ndarray, np.ndarray]
    solution: TensorTrain
    status: Status
    history: list[IterationState]
    counts: dict[str, int]
    timing: dict[str, float]
    warnings: list[str] = field(default_factory=list)
    checked: tuple[Checked, ...] = ()
    unseen_share: float | None = None  # probability of parameters where the solution can be worse unseen

    @property
    def solution_megabytes(self) -> float:
        """Memory of the solution train."""
        return sum(core.nbytes for core in self.solution.cores) / 1e6


RESULTS = (ParametricResult,)
