"""What a Fokker-Planck calculation returns; the report is made from this alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from problems.fokker_planck.gaussian import Gaussian
from solvers.solution import Checked, IterationState, Status
from solvers.trains.tensor_train import TensorTrain


@dataclass(frozen=True, eq=False)
class FokkerPlanckResult:
    """Everything over the T times of the report.

    ``mean`` (T, d), ``covariance`` (T, d, d) of the normalised density, ``mass`` (T,), ``density_at_origin`` (T,);
    ``mean_error``, ``covariance_error`` (T,): estimates, the largest over the entries; ``state_error`` (T,): relative
    error of the density in its frame, as bounded by the stepper; ``density_error``, ``min_density`` (T,): on sampled
    grid points, relative to the peak; ``ranks`` (T, d+1); ``marginals``: d arrays (T, n), ``pairs``: d-1 arrays
    (T, n, m); ``grids``: d arrays (n,); ``lengths`` (d,): the largest standard deviation of each coordinate, to which
    the accuracy is relative; ``exact``: the exact solution; ``density``: the train at the last time.
    """

    times: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    mass: np.ndarray
    density_at_origin: np.ndarray
    mean_error: np.ndarray
    covariance_error: np.ndarray
    state_error: np.ndarray
    density_error: np.ndarray
    min_density: np.ndarray
    ranks: np.ndarray
    marginals: list[np.ndarray]
    pairs: list[np.ndarray]
    grids: list[np.ndarray]
    exact: Gaussian
    density: TensorTrain
    operator_ranks: list[int]
    step_sizes: np.ndarray
    status: Status
    history: list[IterationState]
    counts: dict[str, int]
    timing: dict[str, float]
    warnings: list[str] = field(default_factory=list)
    checked: tuple[Checked, ...] = ()
    lengths: np.ndarray = field(default_factory=lambda: np.ones(1))

    @property
    def max_rank(self) -> int:
        return int(self.ranks.max())

    @property
    def density_floor(self) -> np.ndarray:
        """(T,) of the peak: values of the density and of its marginals below are noise."""
        return np.maximum(self.density_error, -self.min_density)

    @property
    def megabytes(self) -> float:
        """Memory of the density at the last time."""
        return sum(core.nbytes for core in self.density.cores) / 1e6


RESULTS = (FokkerPlanckResult,)
