"""Figures of a completion. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from problems.completion.model import CompletionProblem, CompletionSolver
from problems.completion.result import CompletionResult
from problems.drawing import (
    COLOURS,
    THIS_RUN,
    Style,
    accuracy_line,
    colour,
    floored,
    grid,
    legend_above,
    legend_outside,
    panel,
    panels,
    rank_panel,
    whole_ticks,
)
from problems.report_parts import Picture

SHOWN = 4000  # points of a scatter plot


def figures(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> list[Picture]:
    """All figures of a completion, in the order of the report."""
    return [
        Picture(
            "error_by_rank",
            "Relative error (2-norm) of the fit of every rank: over the samples fitted, over those set aside, by which "
            "the rank is chosen (ring), and over the test entries, with one standard deviation.",
            partial(error_by_rank, result, solver.accuracy),
        ),
        Picture(
            "predictions",
            "Test entries: predicted against true value, and the size of the deviation.",
            partial(predictions, result),
        ),
        Picture(
            "ranks",
            "TT-ranks of the completed tensor along the train, and the singular values of its unfoldings.",
            partial(ranks, result),
        ),
    ]


def error_by_rank(result: CompletionResult, accuracy: float) -> Figure:
    """Errors over the rank."""
    figure, axes = panel(3.8)
    fits = result.by_rank
    x = np.array([fit.rank for fit in fits])
    test = floored([fit.test_error for fit in fits])
    spread = np.array([fit.uncertainty for fit in fits], dtype=float)
    axes.plot(x, floored([fit.train_error for fit in fits]), "o-", color=COLOURS[0], ms=5, label="fitted")
    axes.plot(x, floored([fit.validation_error for fit in fits]), "s--", color=COLOURS[4], ms=5, label="set aside")
    bars = np.stack([np.minimum(spread, 0.9 * test), spread])
    axes.errorbar(x, test, yerr=bars, fmt="^-", color=COLOURS[1], ms=6, capsize=3, label="test")
    ring: Style = {"ms": 14, "fillstyle": "none", "color": THIS_RUN}
    axes.plot([result.best.rank], floored([result.test_error]), "o", label="chosen", **ring)
    accuracy_line(axes, accuracy)
    axes.set(xlabel="rank", ylabel="relative error (2-norm)", yscale="log", xlim=(x[0] - 0.5, x[-1] + 0.5))
    whole_ticks(axes)
    grid(axes)
    legend_outside(figure, axes, columns=5, order=["fitted", "set aside", "test", "chosen"])
    return figure


def predictions(result: CompletionResult) -> Figure:
    """Left values, right deviations over the true value."""
    figure, (left, right) = panels(3.8, 1, 2)
    true, predicted = result.true, result.predicted
    deviation = np.abs(predicted - true)
    # the worst are always shown
    chosen = np.unique(np.concatenate([np.arange(min(len(true), SHOWN)), np.argsort(-deviation)[: SHOWN // 10]]))
    ends = [float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))]
    dots: Style = {"ms": 3, "alpha": 0.5, "rasterized": True}
    left.plot(ends, ends, color=THIS_RUN, lw=0.8, label="equal")
    left.plot(true[chosen], predicted[chosen], ".", color=COLOURS[0], **dots)
    left.set(xlabel="true value", ylabel="predicted value")
    legend_above(left, 1)
    lowest = 1e-17 * max(float(np.abs(true).max()), 1e-290)
    right.plot(true[chosen], floored(deviation[chosen], lowest), ".", color=COLOURS[1], **dots)
    typical = float(np.sqrt(np.mean(deviation**2)))
    if typical > 0.0:
        right.axhline(typical, color=THIS_RUN, lw=0.8, ls=":", label="root mean square of all")
        legend_above(right, 1)
    right.set(xlabel="true value", ylabel="|predicted - true|", yscale="log")
    grid(left, right)
    return figure


def ranks(result: CompletionResult) -> Figure:
    """Left TT-ranks after each mode, right singular values of each unfolding."""
    figure, (left, right) = panels(3.4, 1, 2)
    rank_panel(left, [("", result.ranks)])
    few = len(result.singular_values) <= len(COLOURS)
    for k, values in enumerate(result.singular_values):
        # unfoldings of a symmetric tensor coincide: later lines and markers are smaller
        size = max(9.0 - 2.0 * k, 3.0)
        label = f"after mode {k + 1}" if few else None
        style: Style = {"color": colour(k), "ms": size, "lw": size / 3.0}
        right.plot(np.arange(1, len(values) + 1), floored(values), "o-", label=label, **style)
    right.set(xlabel="number of the singular value", ylabel="singular value / norm", yscale="log")
    whole_ticks(right)
    grid(right)
    legend_above(right, 3)
    return figure
