"""Figures of a Fokker-Planck equation. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from problems.drawing import (
    COLOURS,
    accuracy_line,
    blank,
    colour,
    colour_bar,
    grid,
    in_column,
    label_rows,
    log_line,
    page_width,
    panel,
    panels,
    rank_panel,
    several,
)
from problems.fokker_planck.gaussian import Gaussian
from problems.fokker_planck.model import FokkerPlanckProblem, FokkerPlanckSolver
from problems.fokker_planck.result import FokkerPlanckResult
from problems.legends import legend_above, legend_outside
from problems.report_parts import Picture
from solvers.measured import Measured, bound

SHOWN = 6  # coordinates
PAIRS = 3
FEW = 2  # values that a sentence says as well as a figure
PAIR = 2.0  # inches of a panel of a pair, at most
FINE = 200  # points of the exact curves
DEVIATIONS = 4.5  # around the mean, of a picture's window
ROUNDING = 1e-16  # smaller errors are zeros


def figures(problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, result: FokkerPlanckResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    d = len(result.marginals)
    last = result.times[-1]
    exact = problem.exact(np.linspace(0.0, solver.t_final, FINE))
    limit = "" if problem.dimension <= SHOWN else f" The first {SHOWN} coordinates."
    pictures = [
        Picture(
            "marginals",
            f"Marginal densities of the coordinates at the output times: computed (dots), exact (lines). Values below "
            f"{bound(result.density_floor.max())} of the peak are noise.{limit}",
            partial(marginals, result),
            f"Marginal densities of {min(d, SHOWN)} coordinates at {len(result.times)} times up to t = {last:g}.",
        )
    ]
    if result.pairs:
        pictures.append(
            Picture(
                "pairs",
                "Marginal densities of neighbouring coordinates over time (colours), and the exact ellipses of one and "
                "two deviations (dashed).",
                partial(pairs, result),
            )
        )
    means = ", ".join(str(Measured(value, result.mean_error[-1])) for value in result.mean[-1][:SHOWN])
    pictures.append(
        Picture(
            "moments",
            f"Means, variances and neighbouring covariances: computed (dots), exact (lines).{limit}",
            partial(moments, result, exact),
            f"Means at t = {last:g}: {means}.",
        )
    )
    mass = float(np.abs(result.mass - 1.0).max())
    if len(result.times) > FEW:
        pictures.append(
            Picture(
                "errors",
                "Deviation of the moments from the exact ones and the error estimates, in units of the largest "
                "standard deviations of the coordinates, and the deviation of the mass from one.",
                partial(errors, result, solver.accuracy),
                f"Errors of the moments; the mass differs from one by at most {bound(mass)}.",
            )
        )
    else:
        widest = float(result.lengths.max())
        parts = [
            f"t = {t:g}: means {bound(mean / widest)}, covariances {bound(covariance / widest**2)}"
            for t, mean, covariance in zip(result.times, result.mean_error, result.covariance_error)
        ]
        said = f"Error estimates of the moments, in widths of the density, at {'; '.join(parts)}."
        pictures.append(Picture.sentence("errors", f"{said} The mass differs from one by at most {bound(mass)}."))
    if d - 1 > FEW:
        text = "TT-ranks of the density along the train, at the output times."
        pictures.append(Picture("ranks", text, partial(ranks, result), f"TT-ranks at most {result.ranks.max()}."))
    else:
        along = "; ".join(
            f"t = {t:g}: {', '.join(map(str, row[1:-1]))}" for t, row in zip(result.times, result.ranks.tolist())
        )
        pictures.append(Picture.sentence("ranks", f"TT-ranks of the density along the train, at {along}."))
    return pictures


def marginals(result: FokkerPlanckResult) -> Figure:
    """A panel a coordinate, a line an output time."""
    count = min(len(result.marginals), SHOWN)
    figure, found = several(count, 3, 1.7, sharex=True, sharey=True)
    window = _window(result, range(count))
    fine = np.linspace(*window, FINE)
    for k, axes in enumerate(found):
        for i, t in enumerate(result.times):
            axes.plot(fine, result.exact.marginal(i, k, fine), color=colour(i), lw=1.2)
            axes.plot(result.grids[k], result.marginals[k][i], "o", color=colour(i), ms=2, label=f"t = {t:g}")
        axes.set(xlim=window, xlabel=f"$x_{{{k + 1}}}$")
    label_rows(found, "density")
    legend_outside(figure, found[0])
    return figure


def pairs(result: FokkerPlanckResult) -> Figure:
    """A row a pair of neighbours, a column an output time."""
    chosen = range(min(len(result.pairs), PAIRS))
    times = _chosen_times(result)
    side = min(PAIR, (page_width() - 0.9) / len(times))
    figure = blank(side * len(chosen) + 0.6, "compressed")
    rows = figure.subplots(len(chosen), len(times), squeeze=False, sharex=True, sharey=True)
    window = _window(result, range(min(len(result.marginals), PAIRS + 1)))
    high = max(float(result.pairs[k][i].max()) for k in chosen for i in times)
    levels = np.linspace(0.0, high, 25)  # the same in all panels
    for row, k in zip(rows, chosen):
        for axes, i in zip(row, times):
            # what truncation left below zero is no larger than a line is wide
            shown = np.maximum(result.pairs[k][i].T, 0.0)
            filled = axes.contourf(result.grids[k], result.grids[k + 1], shown, levels=levels, cmap="viridis")
            for size in (1.0, 2.0):
                axes.plot(*_ellipse(result.exact, i, k, size), color="white", lw=0.8, ls="--")
            axes.set(xlim=window, ylim=window, aspect="equal", box_aspect=1)
            axes.locator_params(nbins=4)
            if k == 0:
                axes.set_title(f"t = {result.times[i]:g}")
            axes.set_xlabel(f"$x_{{{k + 1}}}$")
        row[0].set_ylabel(f"$x_{{{k + 2}}}$")
        colour_bar(row[-1], filled, "density")
    return figure


def moments(result: FokkerPlanckResult, exact: Gaussian) -> Figure:
    """Three panels over time: means, variances, neighbouring covariances."""
    figure, found = panels(2.5, 1, 3)
    d = result.mean.shape[1]
    for k in range(min(d, SHOWN)):
        shown = [
            (f"$x_{{{k + 1}}}$", exact.means[:, k], result.mean[:, k]),
            (f"$x_{{{k + 1}}}$", exact.covariances[:, k, k], result.covariance[:, k, k]),
        ]
        if k + 1 < d:
            label = f"$x_{{{k + 1}}}, x_{{{k + 2}}}$"
            shown.append((label, exact.covariances[:, k, k + 1], result.covariance[:, k, k + 1]))
        for axes, (label, line, dots) in zip(found, shown):
            axes.plot(exact.times, line, color=colour(k), lw=1.1)
            axes.plot(result.times, dots, "o", color=colour(k), label=label)
    for axes, what in zip(found, ("mean", "variance", "covariance of neighbours")):
        axes.set(xlabel="t", ylabel=what)
        axes.set_visible(bool(axes.lines))
        legend_above(axes)
    grid(*found)
    return figure


def errors(result: FokkerPlanckResult, accuracy: float) -> Figure:
    """Left the moments, right the mass."""
    figure, (left, right) = panels(2.6, 1, 2, width_ratios=[2, 1])
    left.set_yscale("log")
    count, widest = len(result.times), float(result.lengths.max())
    deviations = result.deviations
    for k, (name, estimate, scale, unit) in enumerate(
        (
            ("mean", result.mean_error, result.lengths, widest),
            ("covariance", result.covariance_error, np.outer(result.lengths, result.lengths), widest**2),
        )
    ):
        deviation = np.abs(deviations[name] / scale).reshape(count, -1).max(axis=1)
        for values, mark, dash, what in (
            (deviation, "o", "-", "deviation"),
            (estimate / unit, "s", "--", "estimate"),
        ):
            label = f"{name}s: {what}"
            log_line(left, result.times, values, ROUNDING, marker=mark, ls=dash, color=colour(k), label=label)
    accuracy_line(left, accuracy)
    left.set(xlabel="t", ylabel="largest error,\nin widths of the density")
    legend_outside(figure, left)
    drift = np.abs(result.mass - 1.0)
    right.set(
        xlabel="t", ylabel="|mass − 1|", yscale="log", ylim=(0.1 * ROUNDING, max(1e-12, 10.0 * float(drift.max())))
    )
    log_line(right, result.times, drift, ROUNDING, marker="o", color=COLOURS[2])
    grid(left, right)
    return figure


def ranks(result: FokkerPlanckResult) -> Figure:
    """TT-ranks after each coordinate."""
    figure, axes = panel(2.3)
    rank_panel(axes, [(f"t = {t:g}", along) for t, along in zip(result.times, result.ranks.tolist())], "coordinate")
    legend_above(axes)
    return figure


def _chosen_times(result: FokkerPlanckResult) -> list[int]:
    """At most four of the output times, two in a column, the last among them."""
    count = len(result.times)
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, 2 if in_column() else 4))})


def _window(result: FokkerPlanckResult, axes: range) -> tuple[float, float]:
    """What all densities shown fill."""
    chosen = list(axes)
    means, widths = result.exact.means[:, chosen], result.exact.widths()[:, chosen]
    low = max(float((means - DEVIATIONS * widths).min()), min(float(result.grids[k][0]) for k in chosen))
    high = min(float((means + DEVIATIONS * widths).max()), max(float(result.grids[k][-1]) for k in chosen))
    return low, high


def _ellipse(exact: Gaussian, i: int, k: int, size: float) -> tuple[np.ndarray, np.ndarray]:
    angle = np.linspace(0.0, 2.0 * np.pi, 120)
    factor = np.linalg.cholesky(exact.covariances[i][k : k + 2, k : k + 2])
    points = exact.means[i, k : k + 2, None] + size * factor @ np.stack([np.cos(angle), np.sin(angle)])
    return points[0], points[1]
