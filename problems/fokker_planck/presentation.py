"""What a report says about a Fokker-Planck equation: headline, tables, sections."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from problems.effort import megabytes
from problems.fokker_planck.model import FokkerPlanckProblem, FokkerPlanckSolver
from problems.fokker_planck.result import FokkerPlanckResult
from problems.report_parts import Section, Table, error_contents, work
from problems.words import cut_short
from solvers.measured import Measured, bound, numeral

SHOWN = 8  # coordinates of a table


def headline(
    problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, result: FokkerPlanckResult
) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    grid = " x ".join(map(str, dict.fromkeys(problem.points)))
    found = {name: bound(float(np.abs(values).max())) for name, values in result.deviations.items()}
    return [
        ("problem", f"{problem.dimension} coordinates, {grid} points an axis, to t = {result.times[-1]:g}"),
        ("method", f"{solver.method}, {len(result.step_sizes)} steps, TT-ranks up to {result.max_rank}"),
        (
            "largest error estimate",
            f"means {bound(result.mean_error.max())}, covariances {bound(result.covariance_error.max())} "
            f"(asked: {solver.accuracy:g} of the widths, up to {Measured(result.lengths.max(), digits=3)})",
        ),
        ("deviation from the exact means", str(found["mean"])),
        ("deviation from the exact covariances", str(found["covariance"])),
        ("deviation from the exact density at the origin", str(found["density_at_origin"])),
        ("mass kept to", str(bound(np.abs(result.mass - 1.0).max()))),
        ("density stored in", megabytes(result.megabytes)),
    ]


def tables(problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, result: FokkerPlanckResult) -> list[Table]:
    """Moments at every time, of up to eight coordinates, and the checks of the density."""
    d = result.mean.shape[1]
    shown = range(min(d, SHOWN))
    pairs = [k for k in shown if k + 1 < d]
    more = f" The first {SHOWN} of {d} coordinates; moments.csv has all." if d > SHOWN else ""

    def row(t: float, values: Iterable[float], error: float) -> list[Measured]:
        return [Measured(t), *(Measured(value, error) for value in values)]

    means = [row(t, m[: len(shown)], e) for t, m, e in zip(result.times, result.mean, result.mean_error)]
    spread = [
        row(t, [*(matrix[k, k] for k in shown), *(matrix[k, k + 1] for k in pairs)], error)
        for t, matrix, error in zip(result.times, result.covariance, result.covariance_error)
    ]
    checks = [
        [
            Measured(t),
            bound(result.mass[i] - 1.0),
            Measured(result.density_at_origin[i]),
            bound(result.min_density[i]),
            bound(result.density_error[i]),
            Measured(int(result.ranks[i].max())),
            bound(result.state_error[i]),
        ]
        for i, t in enumerate(result.times)
    ]
    contents = {found.name: error_contents(found) for found in result.quantities(result.results())}
    return [
        Table(
            ["time", *(f"mean {k + 1}" for k in shown)],
            means,
            note=f"Means of the coordinates, which are numbered from 1; {contents['mean']}.{more}",
            title="Means",
        ),
        Table(
            ["time", *(f"var {k + 1}" for k in shown), *(f"cov({k + 1}, {k + 2})" for k in pairs)],
            spread,
            note=f"Variances, and covariances of neighbouring coordinates; {contents['covariance']}.{more}",
            title="Covariances",
        ),
        Table(
            [
                "time",
                "mass − 1",
                "density at the origin",
                "smallest density, of the peak",
                "largest deviation, of the peak",
                "largest rank",
                "bound of the state",
            ],
            checks,
            note="No error of the density at the origin is estimated. Smallest density, and largest deviation from the "
            "exact one: on sampled grid points, relative to the peak; values of the density and "
            f"of its marginals below {bound(result.density_floor.max())} of the peak are noise. Bound of the state: "
            "relative error of the density, weighted so that it bounds moments.",
            title="Density",
        ),
    ]


def sections(problem: FokkerPlanckProblem, result: FokkerPlanckResult) -> list[Section]:
    """The drift, the discretisation and the work, as short lists of facts."""
    rates = sorted(np.linalg.eigvals(problem.matrix), key=lambda value: (value.real, value.imag))
    process = [
        ("eigenvalues of the drift", cut_short([_complex(value) for value in rates], SHOWN)),
        (
            "the process is",
            "stable: the density settles" if problem.stable else "not stable: the density does not settle",
        ),
        ("diffusion", f"{problem.diffusion:g}"),
    ]
    discretisation = [
        ("points of each axis", ", ".join(map(str, problem.points))),
        ("spacing", ", ".join(numeral(2 * w / n) for w, n in zip(problem.half_widths, problem.points))),
        ("grid points in all", str(Measured(math.prod(problem.points)))),
        ("TT-ranks of the operator", ", ".join(map(str, result.operator_ranks))),
        ("TT-ranks of the density at the last time", ", ".join(str(int(r)) for r in result.ranks[-1])),
    ]
    return [
        Section("Process", process),
        Section("Discretisation", discretisation),
        work(result.counts, "Work, all runs"),
    ]


def _complex(value: complex) -> str:
    return str(Measured(value.real if abs(value.imag) < 1e-12 else value, digits=4))
