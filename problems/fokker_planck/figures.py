"""Figures of a Fokker-Planck equation. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from problems.report_parts import Picture

if TYPE_CHECKING:
    from problems.fokker_planck.gaussian import Gaussian
    from problems.fokker_planck.model import FokkerPlanckProblem, FokkerPlanckSolver
    from problems.fokker_planck.result import FokkerPlanckResult

# Okabe and Ito's palette: told apart by colour-blind readers too
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
WIDTH = 9.0
SHOWN = 6  # coordinates
PAIRS = 3
FINE = 200  # points of the exact curves
DEVIATIONS = 4.5  # around the mean, of a picture's window


def figures(problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, result: FokkerPlanckResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    exact = problem.exact(np.linspace(0.0, solver.t_final, FINE))
    limit = "" if problem.dimension <= SHOWN else f" The first {SHOWN} coordinates."
    pictures = [
        Picture(
            "marginals",
            f"Marginal densities of the coordinates at the output times: computed (dots), exact (lines). Values below "
            f"{result.density_floor.max():.0e} of the peak are noise.{limit}",
            partial(marginals, result),
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
    pictures += [
        Picture(
            "moments",
            f"Means, variances and neighbouring covariances: computed (dots), exact (lines).{limit}",
            partial(moments, result, exact),
        ),
        Picture(
            "errors",
            "Deviation of the moments from the exact ones and the error estimates, in units of the largest standard "
            "deviations of the coordinates, and the deviation of the mass from one.",
            partial(errors, result, solver.accuracy),
        ),
        Picture("ranks", "TT-ranks of the density along the train, at the output times.", partial(ranks, result)),
    ]
    return pictures


def marginals(result: FokkerPlanckResult) -> Figure:
    """A panel a coordinate, a line an output time."""
    count = min(len(result.marginals), SHOWN)
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDTH, 2.5 * rows + 0.4), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    window = _window(result, range(count))
    for k, axes in zip(range(count), grid.flat):
        x = result.grids[k]
        for i, (t, colour) in enumerate(_times(result)):
            fine = np.linspace(*window, FINE)
            axes.plot(fine, result.exact.marginal(i, k, fine), color=colour, linewidth=1.2)
            axes.plot(x, result.marginals[k][i], "o", color=colour, markersize=3, label=f"t = {t:g}")
        axes.set(xlim=window, xlabel=f"$x_{{{k + 1}}}$")
    for axes in grid[:, 0]:
        axes.set_ylabel("density")
    grid[0, 0].legend(frameon=False, fontsize=8)
    for axes in list(grid.flat)[count:]:
        axes.set_visible(False)
    return figure


def pairs(result: FokkerPlanckResult) -> Figure:
    """A row a pair of neighbours, a column an output time."""
    chosen = range(min(len(result.pairs), PAIRS))
    times = _chosen_times(result)
    figure = Figure(figsize=(2.3 * len(times) + 0.3, 2.3 * len(chosen) + 0.3), layout="constrained")
    grid = figure.subplots(len(chosen), len(times), squeeze=False, sharex=True, sharey=True)
    window = _window(result, range(min(len(result.marginals), PAIRS + 1)))
    for row, k in zip(grid, chosen):
        for axes, i in zip(row, times):
            density = result.pairs[k][i]
            # what truncation left below zero is no larger than a line is wide
            shown, levels = np.maximum(density.T, 0.0), np.linspace(0.0, float(density.max()), 25)
            axes.contourf(result.grids[k], result.grids[k + 1], shown, levels=levels, cmap="viridis")
            for size in (1.0, 2.0):
                axes.plot(*_ellipse(result.exact, i, k, size), color="white", linewidth=1.0, linestyle="--")
            axes.set(xlim=window, ylim=window, aspect="equal")
            if k == 0:
                axes.set_title(f"t = {result.times[i]:g}", fontsize=10)
            axes.set_xlabel(f"$x_{{{k + 1}}}$")
        row[0].set_ylabel(f"$x_{{{k + 2}}}$")
    return figure


def moments(result: FokkerPlanckResult, exact: Gaussian) -> Figure:
    """Three panels over time: means, variances, neighbouring covariances."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    panels = figure.subplots(1, 3)
    d = result.mean.shape[1]
    for k in range(min(d, SHOWN)):
        colour = COLOURS[k % len(COLOURS)]
        _curve(panels[0], exact.times, exact.means[:, k], result.times, result.mean[:, k], colour, f"{k + 1}")
        variance = exact.covariances[:, k, k]
        _curve(panels[1], exact.times, variance, result.times, result.covariance[:, k, k], colour, f"{k + 1}")
        if k + 1 < d:
            mixed = exact.covariances[:, k, k + 1]
            label = f"{k + 1}, {k + 2}"
            _curve(panels[2], exact.times, mixed, result.times, result.covariance[:, k, k + 1], colour, label)
    for axes, title in zip(panels, ("mean", "variance", "covariance of neighbours")):
        axes.set(title=title, xlabel="t")
        axes.title.set_fontsize(10)
        if axes.lines:
            axes.legend(frameon=False, fontsize=7, ncols=2, title="coordinate", title_fontsize=7)
        else:
            axes.set_visible(False)
    return figure


def errors(result: FokkerPlanckResult, accuracy: float) -> Figure:
    """Left the moments, right the mass."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    count = len(result.times)
    scales, widest = (result.lengths, np.outer(result.lengths, result.lengths)), float(result.lengths.max())
    for name, value, exact, estimate, scale, unit, colour in (
        ("means", result.mean, result.exact.means, result.mean_error, scales[0], widest, COLOURS[0]),
        (
            "covariances",
            result.covariance,
            result.exact.covariances,
            result.covariance_error,
            scales[1],
            widest**2,
            COLOURS[1],
        ),
    ):
        deviation, estimate = np.abs((value - exact) / scale).reshape(count, -1).max(axis=1), estimate / unit
        left.semilogy(result.times, _floor(deviation), "o-", color=colour, markersize=4, label=f"{name}: deviation")
        left.semilogy(result.times, _floor(estimate), "s--", color=colour, markersize=4, label=f"{name}: estimate")
    left.axhline(accuracy, color="black", linewidth=0.8, linestyle=":", label="accuracy asked")
    left.set(xlabel="t", ylabel="largest error, in widths of the density")
    figure.legend(fontsize=8, frameon=False, ncols=5, loc="outside upper left")
    drift = _floor(np.abs(result.mass - 1.0))
    right.semilogy(result.times, drift, "o-", color=COLOURS[2], markersize=4)
    right.set(xlabel="t", ylabel="|mass - 1|", ylim=(1e-17, max(1e-12, 10.0 * float(drift.max()))))
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def ranks(result: FokkerPlanckResult) -> Figure:
    """TT-ranks after each coordinate."""
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    axes = figure.subplots()
    after = np.arange(1, result.ranks.shape[1] - 1)
    if not len(after):
        after = np.array([0, 1])
    for i, (t, colour) in enumerate(_times(result)):
        axes.plot(after, result.ranks[i][after], "o-", color=colour, markersize=4, label=f"t = {t:g}")
    axes.set(xlabel="after coordinate", ylabel="TT-rank", ylim=(0, 1.15 * result.max_rank))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8, ncols=2)
    axes.grid(alpha=0.3)
    return figure


def _curve(
    axes: Axes, fine: np.ndarray, curve: np.ndarray, at: np.ndarray, values: np.ndarray, colour: str, label: str
) -> None:
    axes.plot(fine, curve, color=colour, linewidth=1.1)
    axes.plot(at, values, "o", color=colour, markersize=4, label=label)


def _floor(values: np.ndarray) -> np.ndarray:
    """Zeros cannot be drawn on a logarithmic axis: rounding errors stand for them."""
    return np.maximum(values, 1e-16)


def _chosen_times(result: FokkerPlanckResult) -> list[int]:
    """At most four of the output times, the last among them."""
    count = len(result.times)
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, 4))})


def _times(result: FokkerPlanckResult) -> list[tuple[float, str]]:
    return [(float(t), COLOURS[i % len(COLOURS)]) for i, t in enumerate(result.times)]


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
