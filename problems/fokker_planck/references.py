"""What a Fokker-Planck run is compared with: the exact solution of a linear drift, which is Gaussian at all times."""

from __future__ import annotations

import numpy as np

from problems.agreement import Agreement, Deviation
from problems.fokker_planck.model import FokkerPlanckProblem, FokkerPlanckSolver
from problems.fokker_planck.result import FokkerPlanckResult
from problems.report_parts import Table
from problems.result import Columns
from solvers.measured import Measured, bound

SOURCE = "closed form (Gaussian with moments by matrix exponentials)"
_LABELS = {"mean": "exact means", "covariance": "exact covariances", "density_at_origin": "exact density at the origin"}


def agreements(problem: FokkerPlanckProblem, result: FokkerPlanckResult) -> list[Agreement]:
    """The exact solution, one entry a quantity; relative as the accuracy is, to the widths of the coordinates."""
    widths = {"mean": result.lengths, "covariance": np.multiply.outer(result.lengths, result.lengths)}
    found = []
    for name, values in result.deviations.items():
        summary = Deviation.of(_distinct(values))
        relative = Deviation.of(values / widths[name]) if name in widths else None
        if summary is not None:
            counted = None if relative is None else relative.max_abs
            found.append(Agreement(name, _LABELS[name], SOURCE, summary, relative=counted))
    return found


def _distinct(values: np.ndarray) -> np.ndarray:
    """Each entry of symmetric matrices once."""
    if values.ndim == 3:
        return values[:, *np.triu_indices(values.shape[1])]
    return values


def comparison_table(
    problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, result: FokkerPlanckResult
) -> Table | None:
    """Deviations from the exact solution at every time, beside the estimates made without it."""
    count = len(result.times)
    found = {name: np.abs(values).reshape(count, -1).max(axis=1) for name, values in result.deviations.items()}
    beside = (
        found["mean"],
        result.mean_error,
        found["covariance"],
        result.covariance_error,
        found["density_at_origin"],
    )
    rows = [[Measured(t), *(bound(values[i]) for values in beside)] for i, t in enumerate(result.times)]
    columns = ["time", "means", "their estimate", "covariances", "their estimate", "density at the origin"]
    note = "Largest absolute deviation from the exact Gaussian, and the error estimates made without it."
    return Table(columns, rows, note=note)


def columns(problem: FokkerPlanckProblem, result: FokkerPlanckResult) -> Columns:
    """The exact value of every number of the CSV file, and how far the run is from it."""
    exact = {
        "mean": result.exact.means,
        "covariance": result.exact.covariances,
        "mass": np.ones(len(result.times)),
        "density_at_origin": result.exact.at_origin(),
    }
    pairs = [(getattr(result, name)[index], exact[name][index]) for name, index in result.entries()]
    return [
        ("exact", [repr(float(true)) for _, true in pairs]),
        ("deviation", [f"{value - true:.3e}" for value, true in pairs]),
    ]
