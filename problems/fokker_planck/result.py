"""What a Fokker-Planck calculation returns; the report is made from this alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from problems.fokker_planck.gaussian import Gaussian
from problems.published import derived, published
from problems.result import Columns, Result
from solvers.formats.trains.tensor_train import TensorTrain

INCLUDED, LEFT_OUT = "rank, time step", "mesh"  # of the errors; the closed form looks at the mesh


@dataclass(frozen=True, eq=False, kw_only=True)
class FokkerPlanckResult(Result):
    """Everything over the T times of the report; errors are absolute, the largest over the entries.

    ``mean`` (T, d), ``covariance`` (T, d, d) of the normalised density, ``mass`` (T,), ``density_at_origin`` (T,);
    ``mean_error``, ``covariance_error`` (T,): estimates; ``state_error`` (T,): relative error of the density in its
    frame, as bounded by the stepper; ``density_error``, ``min_density`` (T,): on sampled grid points, relative to the
    peak; ``ranks`` (T, d+1); ``marginals``: d arrays (T, n), ``pairs``: d-1 arrays (T, n, m); ``grids``: d arrays
    (n,); ``lengths`` (d,): the largest standard deviation of each coordinate, to which the accuracy is relative;
    ``exact``: the exact solution; ``density``: the train at the last time.
    """

    times: np.ndarray = published()
    mean: np.ndarray = published(
        axis="t", along="times", errors="mean_error", compared="mean", includes=INCLUDED, leaves_out=LEFT_OUT
    )
    covariance: np.ndarray = published(
        axis="t",
        along="times",
        errors="covariance_error",
        compared="covariance",
        includes=INCLUDED,
        leaves_out=LEFT_OUT,
    )
    mass: np.ndarray = published()
    density_at_origin: np.ndarray = published(
        axis="t", along="times", compared="density at the origin", leaves_out=f"{INCLUDED}, {LEFT_OUT}"
    )
    mean_error: np.ndarray = published()
    covariance_error: np.ndarray = published()
    state_error: np.ndarray = published()
    density_error: np.ndarray = published()
    min_density: np.ndarray = published()
    ranks: np.ndarray = published(key="ranks_over_time")
    marginals: list[np.ndarray]
    pairs: list[np.ndarray]
    grids: list[np.ndarray]
    exact: Gaussian
    density: TensorTrain
    operator_ranks: list[int] = published()
    step_sizes: np.ndarray = published()
    lengths: np.ndarray = published(factory=lambda: np.ones(1))

    csv_file = "moments.csv"

    @derived()
    def max_rank(self) -> int:
        """The largest TT-rank at any time."""
        return int(self.ranks.max())

    @derived()
    def density_floor(self) -> np.ndarray:
        """(T,) of the peak: values of the density and of its marginals below are noise."""
        return np.maximum(self.density_error, -self.min_density)

    @derived(key="density_megabytes")
    def megabytes(self) -> float:
        """Memory of the density at the last time."""
        return sum(core.nbytes for core in self.density.cores) / 1e6

    @property
    def deviations(self) -> dict[str, np.ndarray]:
        """Signed deviations from the exact solution: name -> (T, ...)."""
        return {
            "mean": self.mean - self.exact.means,
            "covariance": self.covariance - self.exact.covariances,
            "density_at_origin": self.density_at_origin - self.exact.at_origin(),
        }

    def entries(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and index of every number of the CSV file, the time first in the index; matrices by their upper half."""
        count, d = self.mean.shape
        for n in range(count):
            yield from (("mean", (n, k)) for k in range(d))
            yield from (("covariance", (n, k, m)) for k in range(d) for m in range(k, d))
            yield from (("mass", (n,)), ("density_at_origin", (n,)))

    def columns(self) -> Columns:
        """The moments, a row a time and entry, coordinates counted from 1."""
        errors = {"mean": self.mean_error, "covariance": self.covariance_error}
        rows = list(self.entries())
        places = [[k + 1 for k in index[1:]] + ["", ""] for _, index in rows]
        return [
            ("time", [repr(float(self.times[index[0]])) for _, index in rows]),
            ("quantity", [name for name, _ in rows]),
            ("i", [place[0] for place in places]),
            ("j", [place[1] for place in places]),
            ("value", [repr(float(getattr(self, name)[index])) for name, index in rows]),
            ("error_estimate", [f"{errors[name][index[0]]:.3e}" if name in errors else "" for name, index in rows]),
        ]


RESULTS = (FokkerPlanckResult,)
