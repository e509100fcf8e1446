"""Figures of learning from rows. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from problems.drawing import COLOURS, DASHES, MARKERS, THIS_RUN, Style, colour, grid, panel, whole_ticks
from problems.legends import legend_outside
from problems.report_parts import Picture
from problems.supervised.model import SupervisedProblem, SupervisedSolver
from problems.supervised.result import SupervisedResult, standard_error
from problems.words import capital

SHOWN = 1e-4  # the smallest share of an order that is drawn
FEW = 3  # levels of noise from which on there is a curve


def figures(problem: SupervisedProblem, solver: SupervisedSolver, result: SupervisedResult) -> list[Picture]:
    """All figures, in the order of the report."""
    found = []
    best = result.names[int(np.argmax(result.means[:, 0]))]
    if len(result.levels) >= FEW:
        text = (
            f"{capital(result.metric)} on rows with true labels over the share of training labels drawn anew, with "
            "errors; dashed: the nearest neighbour's, (1 - p) acc0 + p / classes."
        )
        found.append(Picture("label_noise", text, partial(label_noise, result), f"Without noise {best} is the best."))
    else:
        metric = capital(result.metric)
        text = f"{metric} of every learner on every split (dots), mean with one standard deviation (bars)."
        found.append(Picture("scores", text, partial(scores, result), f"The best mean is that of {best}."))
    if result.orders.size and len(result.shares) > 2:
        text = (
            "Share of the variance of the model's scores by how many fields act together, with one standard deviation."
        )
        mean = ", ".join(
            f"{share:.1%} of {order}" for order, share in enumerate(result.shares) if order and share > 0.01
        )
        found.append(Picture("shares_by_order", text, partial(shares_by_order, result), f"Shares: {mean} fields."))
    return found


def scores(result: SupervisedResult) -> Figure:
    """A row a learner, the best on top."""
    figure, axes = panel(0.7 + 0.28 * len(result.names))
    order = np.argsort(result.means[:, 0])
    for place, i in enumerate(order):
        paint = THIS_RUN if i == 0 else COLOURS[0]
        own = result.scores[i, 0]
        axes.plot(own, np.full(len(own), place), ".", color=paint, alpha=0.4, ms=5)
        look: Style = {"fmt": "o", "color": paint, "ms": 4, "capsize": 3}
        axes.errorbar([result.means[i, 0]], [place], xerr=[result.errors[i, 0]], **look)
    axes.set_yticks(range(len(order)), [result.names[i] for i in order])
    axes.set(xlabel=result.metric, ylim=(-0.6, len(order) - 0.4))
    grid(axes)
    return figure


def label_noise(result: SupervisedResult) -> Figure:
    """A curve a learner."""
    figure, axes = panel(3.2)
    x = np.array(result.levels)
    for i, name in enumerate(result.names):
        look: Style = {"color": THIS_RUN if i == 0 else colour(i - 1), "marker": MARKERS[i], "ls": DASHES[0]}
        axes.errorbar(x, result.means[i], yerr=result.errors[i], label=name, capsize=2, ms=3.5, **look)
    if np.isfinite(result.line).all():
        axes.plot(x, result.line, "--", color=colour(result.names.index("nearest") - 1), label="nearest, exactly")
    axes.set(xlabel="share of labels drawn anew", ylabel=result.metric, ylim=(0.0, 1.03))
    grid(axes)
    legend_outside(figure, axes)
    return figure


def shares_by_order(result: SupervisedResult) -> Figure:
    """Bars of the orders that have a share."""
    figure, axes = panel(2.4)
    mean, error = result.orders.mean(axis=0), standard_error(result.orders.T, result.ratio)
    last = max([order for order in range(1, len(mean)) if mean[order] > SHOWN], default=1)
    x = np.arange(1, last + 1)
    axes.bar(x, mean[1 : last + 1], 0.6, yerr=error[1 : last + 1], color=COLOURS[0], capsize=3)
    axes.set(xlabel="fields together", ylabel="share of the variance", xlim=(0.4, last + 0.6), ylim=(0.0, None))
    whole_ticks(axes)
    grid(axes)
    return figure
