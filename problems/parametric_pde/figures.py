"""Figures of a parametric PDE. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from problems.report_parts import Picture

if TYPE_CHECKING:
    from problems.parametric_pde.model import ParametricProblem, ParametricSolver
    from problems.parametric_pde.result import ParametricResult

# Okabe and Ito's palette: told apart by colour-blind readers too
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
WIDTH = 9.0
MOST_BARS = 40


def figures(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    fields = "Mean of the solution over all parameters, and its standard deviation."
    drawn = "Coefficient at random parameters, and the solution there."
    sobol = (
        "Sobol indices: share of the variance by one parameter alone (first-order, full colour) and with all its"
        " interactions (total, outline)."
    )
    densities = "Density of each quantity, sampled from the surrogate: mean, 5 % and 95 % quantiles, and the threshold."
    pictures = [
        Picture("fields", fields, partial(mean_and_deviation, problem, result)),
        Picture("realisations", drawn, partial(realisations, problem, result)),
        Picture("sobol", sobol, partial(sobol_bars, result)),
        Picture("densities", densities, partial(density, result)),
    ]
    if any("solves" in state.extra for state in result.history):
        caption = (
            "Relative residual of the Galerkin solution in the span of the solves, over the number of PDE solves: root"
            " mean square and largest over random parameter points."
        )
        pictures.append(Picture("convergence", caption, partial(convergence, result, solver.accuracy)))
    ranks = "TT-ranks of the solution after the space and each parameter."
    pictures.append(Picture("ranks", ranks, partial(ranks_along_train, result)))
    return pictures


def mean_and_deviation(problem: ParametricProblem, result: ParametricResult) -> Figure:
    """Both fields: a band on the interval, two maps on the square."""
    if problem.domain == "interval":
        figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
        axes = figure.subplots()
        x, mean, deviation = result.nodes[:, 0], result.mean_field, result.deviation_field
        axes.fill_between(x, mean - deviation, mean + deviation, color=COLOURS[0], alpha=0.25, label="+- one deviation")
        axes.plot(x, mean, color=COLOURS[0], label="mean")
        axes.plot(x, deviation, color=COLOURS[1], linestyle="--", label="standard deviation")
        axes.set(xlabel="x", ylabel="u", xlim=(0, 1))
        axes.legend(frameon=False)
        return figure
    figure = Figure(figsize=(WIDTH, 4.1), layout="constrained")
    for axes, values, title in zip(
        figure.subplots(1, 2), (result.mean_field, result.deviation_field), ("mean of u", "standard deviation of u")
    ):
        _map(figure, axes, values, title)
    return figure


def _map(figure: Figure, axes: Axes, values: np.ndarray, title: str, cells: bool = False) -> None:
    side = round(np.sqrt(values.size))
    image = axes.imshow(
        values.reshape(side, side).T,
        origin="lower",
        extent=(0, 1, 0, 1),
        cmap="cividis" if cells else "viridis",
        interpolation="nearest" if cells else "bilinear",
    )
    axes.set(title=title, xlabel="$x_1$", ylabel="$x_2$")
    axes.title.set_fontsize(10)
    figure.colorbar(image, ax=axes, shrink=0.85)


def realisations(problem: ParametricProblem, result: ParametricResult) -> Figure:
    """Coefficient above, solution below, for a few random parameters."""
    _, coefficients, solutions = result.realisations
    if problem.domain == "interval":
        figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True)
        for a, u, colour in zip(coefficients, solutions, COLOURS):
            upper.step(result.midpoints[:, 0], a, where="mid", color=colour, linewidth=1.2)
            lower.plot(result.nodes[:, 0], u, color=colour, linewidth=1.2)
        upper.set(ylabel="a")
        lower.set(xlabel="x", ylabel="u", xlim=(0, 1))
        return figure
    count = len(coefficients)
    figure = Figure(figsize=(WIDTH, 6.0), layout="constrained")
    grid = figure.subplots(2, count, squeeze=False)
    for k, (a, u) in enumerate(zip(coefficients, solutions)):
        _map(figure, grid[0, k], a, f"coefficient {k + 1}", cells=True)
        _map(figure, grid[1, k], u, f"solution {k + 1}")
    return figure


def sobol_bars(result: ParametricResult) -> Figure:
    """First-order and total indices of every quantity, a panel each."""
    count = len(result.quantities)
    columns = 2 if count > 1 else 1
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDTH, 2.4 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes, q, colour in zip(grid.flat, result.quantities, COLOURS * count):
        shown = np.arange(min(len(q.moments.first), MOST_BARS))
        axes.bar(shown + 1, q.moments.total[shown], color="none", edgecolor=colour, linewidth=1.2)
        axes.bar(shown + 1, q.moments.first[shown], color=colour, alpha=0.8)
        axes.set(title=q.name, xlabel="parameter", ylim=(0, 1.02))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in grid[:, 0]:
        axes.set_ylabel("share of the variance")
    for axes in list(grid.flat)[count:]:
        axes.set_visible(False)
    return figure


def density(result: ParametricResult) -> Figure:
    """Density of every quantity, a panel each."""
    count = len(result.quantities)
    columns = 2 if count > 1 else 1
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDTH, 2.5 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, q, colour in zip(grid.flat, result.quantities, COLOURS * count):
        d = q.distribution
        axes.stairs(d.heights, d.edges, fill=True, color=colour, alpha=0.6)
        axes.axvline(q.moments.mean, color="black", linewidth=1.0, label="mean")
        for k, level in enumerate((0.05, 0.95)):
            label = "5 %, 95 %" if k == 0 else None
            axes.axvline(d.quantiles[level][0], color="black", linewidth=0.8, linestyle=":", label=label)
        if d.exceedance is not None:
            label = f"P(> {d.exceedance[0]:g}) = {d.exceedance[1]:.4f}"
            axes.axvline(d.exceedance[0], color="#B00020", linewidth=1.2, linestyle="--", label=label)
        axes.set(title=q.name, yticks=[], ylim=(0.0, 1.55 * d.heights.max()))
        axes.legend(fontsize=8, loc="upper right", facecolor="white", framealpha=0.9, edgecolor="none")
    for axes in list(grid.flat)[count:]:
        axes.set_visible(False)
    return figure


def convergence(result: ParametricResult, accuracy: float) -> Figure:
    """Residual of the reduced solution over the number of solves."""
    states = [s for s in result.history if s.label == "basis" and s.residuals is not None]
    solves = [s.extra["solves"] for s in states]
    residuals = np.array([s.residuals for s in states])
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.semilogy(solves, residuals[:, 1], "s--", color=COLOURS[1], markersize=3.5, label="largest")
    axes.semilogy(solves, residuals[:, 0], "o-", color=COLOURS[0], markersize=3.5, label="root mean square")
    axes.axhline(accuracy, color="black", linewidth=0.8, linestyle=":", label="accuracy asked")
    axes.set(xlabel="PDE solves", ylabel="relative residual")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    return figure


def ranks_along_train(result: ParametricResult) -> Figure:
    """TT-ranks along the train."""
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    axes = figure.subplots()
    inner = result.ranks[1:-1]
    axes.plot(np.arange(len(inner)), inner, "o-", color=COLOURS[0])
    axes.set(xlabel="after parameter (0: after the space)", ylabel="TT-rank", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    return figure
