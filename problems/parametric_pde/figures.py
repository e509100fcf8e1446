"""Figures of a parametric PDE. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from problems.drawing import (
    COLOURS,
    LIMIT,
    THIS_RUN,
    Style,
    accuracy_line,
    colour,
    colour_bar,
    grid,
    label_below,
    label_rows,
    map_panel,
    page_width,
    panel,
    panels,
    rank_panel,
    several,
    whole_ticks,
)
from problems.legends import legend_above, legend_outside
from problems.parametric_pde.model import ParametricProblem, ParametricSolver
from problems.parametric_pde.result import ParametricResult
from problems.report_parts import Picture
from solvers.measured import Measured

MOST_BARS = 40
FEW = 2  # values that a sentence says as well as a figure


def figures(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    fields = "Mean of the solution over all parameters, and its standard deviation."
    drawn = "Coefficient at random parameters, and the solution there."
    sobol = (
        "Sobol indices: share of the variance by one parameter alone (first-order, full colour) and with all its"
        " interactions (total, outline)."
    )
    densities = "Density of each quantity, sampled from the surrogate: mean, 5 % and 95 % quantiles, and the threshold."
    mean, deviation = result.mean_field, result.deviation_field
    low, high, wide = (Measured(float(value), digits=3) for value in (mean.min(), mean.max(), deviation.max()))
    field = f"Mean of u from {low} to {high}; standard deviation at most {wide}."
    told = "; ".join(f"{q.name} has the mean {Measured(q.moments.mean, q.mean_error)}" for q in result.statistics)
    main = "; ".join(
        f"{q.name}: most by parameter {int(np.argmax(q.moments.total)) + 1}, {max(q.moments.total):.2f} of the variance"
        for q in result.statistics
    )
    pictures = [
        Picture("fields", fields, partial(mean_and_deviation, problem, result), field),
        Picture("realisations", drawn, partial(realisations, problem, result)),
        Picture("sobol", sobol, partial(sobol_bars, result), f"{main}."),
        Picture("densities", densities, partial(density, result), f"{told}."),
    ]
    if any("solves" in state.extra for state in result.history):
        caption = (
            "Relative residual of the Galerkin solution in the span of the solves, over the number of PDE solves: root"
            " mean square and largest over random parameter points."
        )
        pictures.append(Picture("convergence", caption, partial(convergence, result, solver.accuracy)))
    ranks, inner = "TT-ranks of the solution after the space and each parameter", list(result.ranks)[1:-1]
    if len(inner) > FEW:
        alt = f"TT-ranks from {inner[0]} to {inner[-1]}, at most {max(inner)}."
        pictures.append(Picture("ranks", f"{ranks}.", partial(ranks_along_train, result), alt))
    else:
        pictures.append(Picture.sentence("ranks", f"{ranks}: {', '.join(map(str, inner)) or 1}."))
    return pictures


def mean_and_deviation(problem: ParametricProblem, result: ParametricResult) -> Figure:
    """Both fields: a band on the interval, two maps on the square."""
    if problem.domain == "interval":
        figure, axes = panel(2.7)
        x, mean, deviation = result.nodes[:, 0], result.mean_field, result.deviation_field
        axes.fill_between(x, mean - deviation, mean + deviation, color=COLOURS[0], alpha=0.25, label="± one deviation")
        axes.plot(x, mean, color=COLOURS[0], label="mean")
        axes.plot(x, deviation, color=COLOURS[1], ls="--", label="standard deviation")
        axes.set(xlabel="x", ylabel="u", xlim=(0, 1))
        legend_above(axes)
        grid(axes)
        return figure
    figure, (left, right) = panels(2.5, 1, 2, layout="compressed")
    for axes, values, label in (
        (left, result.mean_field, "mean of u"),
        (right, result.deviation_field, "deviation of u"),
    ):
        colour_bar(axes, _square(axes, values), label)
        axes.set(xlabel="$x_1$", ylabel="$x_2$")
    return figure


def _square(axes: Axes, values: np.ndarray, cells: bool = False, **limits: Any) -> AxesImage:
    """Values at the nodes, or in the cells, of the unit square."""
    side = round(np.sqrt(values.size))
    how: Style = {"cmap": "cividis", "interpolation": "nearest"} if cells else {"interpolation": "bilinear"}
    return map_panel(axes, values.reshape(side, side), (0.0, 1.0, 0.0, 1.0), **how, **limits, aspect="equal")


def realisations(problem: ParametricProblem, result: ParametricResult) -> Figure:
    """Coefficient above, solution below, for a few random parameters."""
    _, coefficients, solutions = result.realisations
    if problem.domain == "interval":
        figure, (upper, lower) = panels(3.4, 2, 1, sharex=True)
        for k, (a, u) in enumerate(zip(coefficients, solutions)):
            upper.step(result.midpoints[:, 0], a, where="mid", color=colour(k), lw=1.2)
            lower.plot(result.nodes[:, 0], u, color=colour(k), lw=1.2)
        upper.set(ylabel="coefficient a")
        lower.set(xlabel="x", ylabel="solution u", xlim=(0, 1))
        grid(upper, lower)
        return figure
    count = len(coefficients)
    side = (page_width() - 1.2) / count
    figure, found = panels(2.0 * side + 0.7, 2, count, layout="compressed", stay=True, sharex=True, sharey=True)
    rows = ((coefficients, "coefficient", True), (solutions, "solution", False))
    for row, (fields, label, cells) in enumerate(rows):
        limits = {"vmin": float(np.min(fields)), "vmax": float(np.max(fields))}  # all of a row have one scale
        for k, values in enumerate(fields):
            axes = found[row * count + k]
            image = _square(axes, values, cells, **limits)
            axes.set(xticks=[0, 1], yticks=[0, 1])
        colour_bar(axes, image, label)
    label_below(found, "$x_1$")
    label_rows(found, "$x_2$")
    return figure


def sobol_bars(result: ParametricResult) -> Figure:
    """First-order and total indices of every quantity, a panel each."""
    figure, found = several(len(result.statistics), 3, 1.7, sharey=True)
    for k, (axes, q) in enumerate(zip(found, result.statistics)):
        shown = np.arange(min(len(q.moments.first), MOST_BARS))
        axes.bar(shown + 1, q.moments.total[shown], color="none", edgecolor=colour(k), lw=1.2)
        axes.bar(shown + 1, q.moments.first[shown], color=colour(k), alpha=0.8)
        axes.set_title(q.name)
        axes.set(xlabel="parameter", ylim=(0, 1.02))
        whole_ticks(axes)
    label_rows(found, "share of the variance")
    return figure


def density(result: ParametricResult) -> Figure:
    """Density of every quantity, a panel each."""
    figure, found = several(len(result.statistics), 3, 2.0)
    for k, (axes, q) in enumerate(zip(found, result.statistics)):
        d = q.distribution
        axes.stairs(d.heights, d.edges, fill=True, color=colour(k), alpha=0.6)
        axes.axvline(q.moments.mean, color=THIS_RUN, lw=1.0, label="mean")
        for level, label in ((0.05, "5 %, 95 %"), (0.95, None)):
            axes.axvline(d.quantiles[level][0], color=THIS_RUN, lw=0.8, ls=":", label=label)
        if d.exceedance is not None:
            threshold, probability, spread = d.exceedance
            label = f"P(> {threshold:g}) = {Measured(probability, spread)}"
            axes.axvline(threshold, color=LIMIT, lw=1.2, ls="--", label=label)
        axes.locator_params(axis="x", nbins=4)
        axes.set(xlabel=q.name, yticks=[], ylim=(0.0, 1.05 * d.heights.max()))
        if d.exceedance is not None:
            legend_above(axes)
    label_rows(found, "density")
    if all(q.distribution.exceedance is None for q in result.statistics):
        legend_outside(figure, found[0])
    return figure


def convergence(result: ParametricResult, accuracy: float) -> Figure:
    """Residual of the reduced solution over the number of solves."""
    states = [s for s in result.history if s.label == "basis" and s.residuals is not None]
    solves = [s.extra["solves"] for s in states]
    residuals = np.array([s.residuals for s in states])
    figure, axes = panel(2.7)
    axes.plot(solves, residuals[:, 1], "s--", color=COLOURS[1], label="largest")
    axes.plot(solves, residuals[:, 0], "o-", color=COLOURS[0], label="root mean square")
    accuracy_line(axes, accuracy)
    axes.set(xlabel="PDE solves", ylabel="relative residual", yscale="log")
    whole_ticks(axes)
    legend_above(axes)
    grid(axes)
    return figure


def ranks_along_train(result: ParametricResult) -> Figure:
    """TT-ranks along the train."""
    figure, axes = panel(2.2)
    rank_panel(axes, [("", result.ranks)], "parameter (0: after the space)", first_mode=0)
    return figure
