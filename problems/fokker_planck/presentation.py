"""What a report says about a Fokker-Planck equation: results, comparison, tables, headline numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from problems.effort import megabytes
from problems.levels import Deviation
from problems.report_parts import Quantity, Section, Table

if TYPE_CHECKING:
    from problems.fokker_planck.model import FokkerPlanckProblem, FokkerPlanckSolver
    from problems.fokker_planck.result import FokkerPlanckResult

SOURCE = "closed form (Gaussian with moments by matrix exponentials)"
_LABELS = {"mean": "exact means", "covariance": "exact covariances", "density_at_origin": "exact density at the origin"}
SHOWN = 8  # coordinates of a table


def results(result: FokkerPlanckResult) -> dict[str, Any]:
    """The ``results`` of report.json; arrays run over ``times`` first; errors absolute, the largest over entries."""
    return {
        "times": result.times,
        "mean": result.mean,
        "covariance": result.covariance,
        "mass": result.mass,
        "density_at_origin": result.density_at_origin,
        "max_rank": result.max_rank,
        "mean_error": result.mean_error,
        "covariance_error": result.covariance_error,
        "state_error": result.state_error,
        "density_error": result.density_error,
        "min_density": result.min_density,
        "density_floor": result.density_floor,
        "lengths": result.lengths,
        "ranks_over_time": result.ranks,
        "operator_ranks": result.operator_ranks,
        "density_megabytes": result.megabytes,
        "step_sizes": result.step_sizes,
        "counts": result.counts,
    }


def deviations(result: FokkerPlanckResult) -> dict[str, np.ndarray]:
    """Signed deviations from the exact solution: name -> (T, ...)."""
    return {
        "mean": result.mean - result.exact.means,
        "covariance": result.covariance - result.exact.covariances,
        "density_at_origin": result.density_at_origin - result.exact.at_origin(),
    }


def quantities(results: Mapping[str, Any]) -> list[Quantity]:
    """What two runs are compared by, from the ``results`` of report.json: moments, and the density at the origin."""
    times = results["times"]
    found = []
    for name in ("mean", "covariance"):
        values, errors = (np.array(results[key], dtype=float) for key in (name, f"{name}_error"))
        found.append(Quantity(name, "", "t", times, values, errors))
    density = np.array(results["density_at_origin"], dtype=float)
    return [*found, Quantity("density at the origin", "", "t", times, density)]


def references(problem: FokkerPlanckProblem, result: FokkerPlanckResult) -> list[dict[str, Any]]:
    """The ``references`` of report.json: the exact solution, one entry a quantity."""
    entries = []
    for name, values in deviations(result).items():
        summary = Deviation.of(_distinct(values))
        if summary is not None:
            entries.append(
                {
                    "name": name,
                    "label": _LABELS[name],
                    "source": SOURCE,
                    "count": summary.count,
                    "max_abs_deviation": summary.max_abs,
                    "mean_abs_deviation": summary.mean_abs,
                }
            )
    return entries


def _distinct(values: np.ndarray) -> np.ndarray:
    """Each entry of symmetric matrices once."""
    if values.ndim == 3:
        return values[:, *np.triu_indices(values.shape[1])]
    return values


def comparison_table(
    problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, result: FokkerPlanckResult
) -> Table | None:
    """Deviations from the exact solution at every time, beside the estimates made without it."""
    found = {name: np.abs(v).reshape(len(result.times), -1).max(axis=1) for name, v in deviations(result).items()}
    rows = []
    for i, t in enumerate(result.times):
        rows.append(
            [
                f"{t:g}",
                f"{found['mean'][i]:.1e}",
                f"{result.mean_error[i]:.1e}",
                f"{found['covariance'][i]:.1e}",
                f"{result.covariance_error[i]:.1e}",
                f"{found['density_at_origin'][i]:.1e}",
                f"{result.density_error[i]:.1e}",
            ]
        )
    columns = ["time", "means", "estimate", "covariances", "estimate", "density at the origin", "density, sampled"]
    note = (
        "Largest absolute deviation from the exact Gaussian, and the error estimates made without it. "
        "Density, sampled: largest deviation on grid points drawn from the exact density, relative to its peak."
    )
    return Table(columns, rows, note=note)


def tables(problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, result: FokkerPlanckResult) -> list[Table]:
    """Moments at every time, of up to eight coordinates, and the checks of the density."""
    d = result.mean.shape[1]
    shown = range(min(d, SHOWN))
    digits = min(12, max(4, int(np.ceil(-np.log10(solver.accuracy))) + 2))
    more = f" The first {SHOWN} of {d} coordinates; moments.csv has all." if d > SHOWN else ""
    # fixed digits suit lengths of order one; metres and nanometres want an exponent
    form = "f" if 0.01 <= result.lengths.max() <= 1e4 else "e"
    means = [[f"{t:g}", *(f"{row[k]:.{digits}{form}}" for k in shown)] for t, row in zip(result.times, result.mean)]
    spread = []
    for t, matrix in zip(result.times, result.covariance):
        spread.append(
            [
                f"{t:g}",
                *(f"{matrix[k, k]:.{digits}{form}}" for k in shown),
                *(f"{matrix[k, k + 1]:.{digits}{form}}" for k in shown if k + 1 < d),
            ]
        )
    checks = []
    for i, t in enumerate(result.times):
        checks.append(
            [
                f"{t:g}",
                f"{result.mass[i] - 1.0:.1e}",
                f"{result.density_at_origin[i]:.8g}",
                f"{result.min_density[i]:.1e}",
                str(int(result.ranks[i].max())),
                f"{result.state_error[i]:.1e}",
            ]
        )
    pairs = [f"cov({k + 1}, {k + 2})" for k in shown if k + 1 < d]
    return [
        Table(
            ["time", *(f"mean {k + 1}" for k in shown)], means, note=f"Means of the coordinates.{more}", title="Means"
        ),
        Table(
            ["time", *(f"var {k + 1}" for k in shown), *pairs],
            spread,
            note=f"Variances, and covariances of neighbouring coordinates.{more}",
            title="Covariances",
        ),
        Table(
            ["time", "mass - 1", "density at the origin", "smallest density", "largest rank", "bound of the state"],
            checks,
            note="Smallest density: on sampled grid points, relative to the peak; values of the density and "
            f"of its marginals below {result.density_floor.max():.0e} of the peak are noise. Bound of the state: "
            "relative error of the density, weighted so that it bounds moments.",
            title="Density",
        ),
    ]


def csv_table(problem: FokkerPlanckProblem, result: FokkerPlanckResult) -> tuple[str, list[str], list[list[Any]]]:
    """Name, header and rows of moments.csv, at full precision: one row a time and entry, indices from 1."""
    exact = result.exact
    found = deviations(result)
    rows: list[list[Any]] = []

    def add(t: float, name: str, at: tuple, value: float, error: float | None, true: float, deviation: float) -> None:
        i, j = (*at, "", "")[:2]
        estimate = "" if error is None else f"{error:.3e}"
        rows.append([repr(float(t)), name, i, j, repr(float(value)), estimate, repr(float(true)), f"{deviation:.3e}"])

    for n, t in enumerate(result.times):
        d = result.mean.shape[1]
        for k in range(d):
            add(t, "mean", (k + 1,), result.mean[n, k], result.mean_error[n], exact.means[n, k], found["mean"][n, k])
        for k in range(d):
            for m in range(k, d):
                add(
                    t,
                    "covariance",
                    (k + 1, m + 1),
                    result.covariance[n, k, m],
                    result.covariance_error[n],
                    exact.covariances[n, k, m],
                    found["covariance"][n, k, m],
                )
        add(t, "mass", (), result.mass[n], None, 1.0, result.mass[n] - 1.0)
        add(
            t,
            "density_at_origin",
            (),
            result.density_at_origin[n],
            None,
            exact.at_origin()[n],
            found["density_at_origin"][n],
        )
    header = ["time", "quantity", "i", "j", "value", "error_estimate", "exact", "deviation"]
    return "moments.csv", header, rows


def headline(
    problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, result: FokkerPlanckResult
) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    grid = " x ".join(map(str, dict.fromkeys(problem.points)))
    found = {name: float(np.abs(values).max()) for name, values in deviations(result).items()}
    return [
        ("problem", f"{problem.dimension} coordinates, {grid} points an axis, to t = {result.times[-1]:g}"),
        ("method", f"{solver.method}, {len(result.step_sizes)} steps, TT-ranks up to {result.max_rank}"),
        (
            "largest error estimate",
            f"means {result.mean_error.max():.1e}, covariances "
            f"{result.covariance_error.max():.1e} (asked: {solver.accuracy:g} of the widths, "
            f"up to {result.lengths.max():.3g})",
        ),
        ("deviation from the exact means", f"{found['mean']:.1e}"),
        ("deviation from the exact covariances", f"{found['covariance']:.1e}"),
        ("deviation from the exact density at the origin", f"{found['density_at_origin']:.1e}"),
        ("mass kept to", f"{np.abs(result.mass - 1.0).max():.1e}"),
        ("density stored in", megabytes(result.megabytes)),
    ]


def sections(problem: FokkerPlanckProblem, result: FokkerPlanckResult) -> list[Section]:
    """The drift, the discretisation and the work, as short lists of facts."""
    eigenvalues = np.linalg.eigvals(problem.matrix)
    rates = ", ".join(_complex(value) for value in sorted(eigenvalues, key=lambda v: (v.real, v.imag))[:SHOWN])
    stable = "stable: the density settles" if problem.stable else "not stable: the density does not settle"
    process = [
        ("eigenvalues of the drift", rates + (", ..." if problem.dimension > SHOWN else "")),
        ("the process is", stable),
        ("diffusion", f"{problem.diffusion:g}"),
    ]
    discretisation = [
        ("points of each axis", ", ".join(map(str, problem.points))),
        ("spacing", ", ".join(f"{2 * w / n:.4g}" for w, n in zip(problem.half_widths, problem.points))),
        ("grid points in all", f"{np.prod(np.array(problem.points, dtype=float)):.3g}"),
        ("TT-ranks of the operator", ", ".join(map(str, result.operator_ranks))),
        ("TT-ranks of the density at the last time", ", ".join(str(int(r)) for r in result.ranks[-1])),
    ]
    work = [(name.replace("_", " "), str(count)) for name, count in result.counts.items()]
    return [Section("Process", process), Section("Discretisation", discretisation), Section("Work, all runs", work)]


def _complex(value: complex) -> str:
    return f"{value.real:.4g}" if abs(value.imag) < 1e-12 else f"{value.real:.4g}{value.imag:+.4g}i"


def trains(result: FokkerPlanckResult) -> dict[str, Any]:
    """Name -> train, as stored in states.npz: the density on the grid (n_1, ..., n_d) at the last time."""
    return {"density": result.density}


def loading(folder: str) -> tuple[str, str]:
    """How to load the density: a heading and three lines of Python."""
    code = f'import ttsuite\nreport, (density,) = ttsuite.load("{folder}")\n'
    return "Loading the density", code + 'print(report["results"]["mean"][-1], density.shape, density.ranks)'
