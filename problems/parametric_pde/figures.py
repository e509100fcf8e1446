"""Figures of a parametric PDE. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from problems.drawing import (
    COLOURS,
    LIMIT,
    THIS_RUN,
    accuracy_line,
    colour,
    grid,
    label_rows,
    legend_above,
    map_panel,
    panel,
    panels,
    rank_panel,
    several,
    whole_ticks,
)
from problems.parametric_pde.model import ParametricProblem, ParametricSolver
from problems.parametric_pde.result import ParametricResult
from problems.report_parts import Picture

MOST_BARS = 40
TITLE = 10  # points


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
        figure, axes = panel(3.6)
        x, mean, deviation = result.nodes[:, 0], result.mean_field, result.deviation_field
        axes.fill_between(x, mean - deviation, mean + deviation, color=COLOURS[0], alpha=0.25, label="+- one deviation")
        axes.plot(x, mean, color=COLOURS[0], label="mean")
        axes.plot(x, deviation, color=COLOURS[1], ls="--", label="standard deviation")
        axes.set(xlabel="x", ylabel="u", xlim=(0, 1))
        legend_above(axes, 3)
        grid(axes)
        return figure
    figure, (left, right) = panels(3.7, 1, 2, layout="compressed")
    _square(figure, left, result.mean_field, "mean of u")
    _square(figure, right, result.deviation_field, "standard deviation of u")
    return figure


def _square(figure: Figure, axes: Axes, values: np.ndarray, label: str, cells: bool = False) -> None:
    """Values at the nodes, or in the cells, of the unit square."""
    side = round(np.sqrt(values.size))
    style = {"cmap": "cividis", "interpolation": "nearest"} if cells else {"interpolation": "bilinear"}
    map_panel(figure, axes, values.reshape(side, side), (0.0, 1.0, 0.0, 1.0), label, aspect="equal", **style)
    axes.set(xlabel="$x_1$", ylabel="$x_2$")


def realisations(problem: ParametricProblem, result: ParametricResult) -> Figure:
    """Coefficient above, solution below, for a few random parameters."""
    _, coefficients, solutions = result.realisations
    if problem.domain == "interval":
        figure, (upper, lower) = panels(4.6, 2, 1, sharex=True)
        for k, (a, u) in enumerate(zip(coefficients, solutions)):
            upper.step(result.midpoints[:, 0], a, where="mid", color=colour(k), lw=1.2)
            lower.plot(result.nodes[:, 0], u, color=colour(k), lw=1.2)
        upper.set(ylabel="a")
        lower.set(xlabel="x", ylabel="u", xlim=(0, 1))
        grid(upper, lower)
        return figure
    count = len(coefficients)
    figure, found = panels(5.0, 2, count, layout="compressed")
    for k, (a, u) in enumerate(zip(coefficients, solutions)):
        _square(figure, found[k], a, f"coefficient {k + 1}", cells=True)
        _square(figure, found[count + k], u, f"solution {k + 1}")
    return figure


def sobol_bars(result: ParametricResult) -> Figure:
    """First-order and total indices of every quantity, a panel each."""
    figure, found = several(len(result.statistics), 2, 2.4, sharey=True)
    for k, (axes, q) in enumerate(zip(found, result.statistics)):
        shown = np.arange(min(len(q.moments.first), MOST_BARS))
        axes.bar(shown + 1, q.moments.total[shown], color="none", edgecolor=colour(k), lw=1.2)
        axes.bar(shown + 1, q.moments.first[shown], color=colour(k), alpha=0.8)
        axes.set_title(q.name, fontsize=TITLE)
        axes.set(xlabel="parameter", ylim=(0, 1.02))
        whole_ticks(axes)
    label_rows(found, "share of the variance")
    return figure


def density(result: ParametricResult) -> Figure:
    """Density of every quantity, a panel each."""
    figure, found = several(len(result.statistics), 2, 2.6)
    for k, (axes, q) in enumerate(zip(found, result.statistics)):
        d = q.distribution
        axes.stairs(d.heights, d.edges, fill=True, color=colour(k), alpha=0.6)
        axes.axvline(q.moments.mean, color=THIS_RUN, lw=1.0, label="mean")
        for level, label in ((0.05, "5 %, 95 %"), (0.95, None)):
            axes.axvline(d.quantiles[level][0], color=THIS_RUN, lw=0.8, ls=":", label=label)
        if d.exceedance is not None:
            threshold, probability, _ = d.exceedance
            label = f"P(> {threshold:g}) = {probability:.4f}"
            axes.axvline(threshold, color=LIMIT, lw=1.2, ls="--", label=label)
        axes.locator_params(axis="x", nbins=6)
        axes.set(xlabel=q.name, yticks=[], ylim=(0.0, 1.05 * d.heights.max()))
        legend_above(axes, 3)
    label_rows(found, "density")
    return figure


def convergence(result: ParametricResult, accuracy: float) -> Figure:
    """Residual of the reduced solution over the number of solves."""
    states = [s for s in result.history if s.label == "basis" and s.residuals is not None]
    solves = [s.extra["solves"] for s in states]
    residuals = np.array([s.residuals for s in states])
    figure, axes = panel(3.6)
    axes.plot(solves, residuals[:, 1], "s--", color=COLOURS[1], ms=3.5, label="largest")
    axes.plot(solves, residuals[:, 0], "o-", color=COLOURS[0], ms=3.5, label="root mean square")
    accuracy_line(axes, accuracy)
    axes.set(xlabel="PDE solves", ylabel="relative residual", yscale="log")
    whole_ticks(axes)
    legend_above(axes, 3)
    grid(axes)
    return figure


def ranks_along_train(result: ParametricResult) -> Figure:
    """TT-ranks along the train."""
    figure, axes = panel(2.8)
    rank_panel(axes, [("", result.ranks)], "parameter (0: after the space)", first_mode=0)
    return figure
