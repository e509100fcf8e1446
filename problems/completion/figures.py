"""Figures of a completion. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from problems.completion.model import CompletionProblem, CompletionSolver
from problems.completion.result import CompletionResult
from problems.drawing import (
    COLOURS,
    ROUNDING,
    THIS_RUN,
    Style,
    accuracy_line,
    colour,
    floored,
    grid,
    log_line,
    panel,
    panels,
    rank_panel,
    whole_ticks,
)
from problems.legends import legend_above, legend_outside
from problems.report_parts import Picture
from solvers.measured import Measured, bound

SHOWN = 4000  # points of a scatter plot
FEW = 2  # ranks that a sentence says as well as a figure


def figures(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> list[Picture]:
    """All figures of a completion, in the order of the report."""
    ranks_text = "TT-ranks of the completed tensor along the train, and the singular values of its unfoldings."
    inner = list(result.ranks)[1:-1]
    if len(inner) <= FEW:
        ranks_text = f"Singular values of the unfoldings; the TT-ranks of the tensor are {', '.join(map(str, inner))}."
    best = f"rank {result.best.rank} is chosen, with a test error of {Measured(result.test_error, result.uncertainty)}"
    error = Picture.sentence("error_by_rank", f"One rank was fitted: {best}.")
    if len(result.by_rank) > 1:
        error = Picture(
            "error_by_rank",
            "Relative error (2-norm) of the fit of every rank: over the samples fitted, over those set aside, by which "
            "the rank is chosen (ring), and over the test entries, with one standard deviation.",
            partial(error_by_rank, result, solver.accuracy),
            f"Of {len(result.by_rank)} ranks {best}.",
        )
    worst = float(np.abs(result.predicted - result.true)[result.judging].max(initial=0.0))
    out = int(np.count_nonzero(~result.judging))
    crosses, more = ("; crosses: rejected", f"; {out} rejected") if out else ("", "")
    return [
        error,
        Picture(
            "predictions",
            f"Test entries: predicted against true value, and the size of the deviation{crosses}.",
            partial(predictions, result),
            f"{len(result.true) - out} test entries, predicted to {bound(worst)} at worst{more}.",
        ),
        Picture("ranks", ranks_text, partial(ranks, result), f"TT-ranks {', '.join(map(str, inner[:12]))}."),
    ]


def error_by_rank(result: CompletionResult, accuracy: float) -> Figure:
    """Errors over the rank."""
    figure, axes = panel(2.8)
    fits = result.by_rank
    x = np.array([fit.rank for fit in fits])
    test = floored([fit.test_error for fit in fits])
    spread = np.array([fit.uncertainty for fit in fits], dtype=float)
    axes.plot(x, floored([fit.train_error for fit in fits]), "o-", color=COLOURS[0], label="fitted")
    axes.plot(x, floored([fit.validation_error for fit in fits]), "s--", color=COLOURS[4], label="set aside")
    bars = np.stack([np.minimum(spread, 0.9 * test), spread])
    axes.errorbar(x, test, yerr=bars, fmt="^-", color=COLOURS[1], ms=4, capsize=2, label="test")
    ring: Style = {"ms": 9, "fillstyle": "none", "color": THIS_RUN}
    axes.plot([result.best.rank], floored([result.test_error]), "o", label="chosen", **ring)
    accuracy_line(axes, accuracy)
    axes.set(xlabel="rank", ylabel="relative error (2-norm)", yscale="log", xlim=(x[0] - 0.5, x[-1] + 0.5))
    whole_ticks(axes)
    grid(axes)
    legend_outside(figure, axes, order=["fitted", "set aside", "test", "chosen"])
    return figure


def predictions(result: CompletionResult) -> Figure:
    """Left values, right deviations over the true value."""
    figure, (left, right) = panels(2.9, 1, 2)
    true, predicted = result.true, result.predicted
    deviation = np.abs(predicted - true)
    # the worst are always shown
    chosen = np.unique(np.concatenate([np.arange(min(len(true), SHOWN)), np.argsort(-deviation)[: SHOWN // 10]]))
    ends = [float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))]
    dots: Style = {"ms": 3, "alpha": 0.5, "rasterized": True}
    out = ~result.judging
    chosen = chosen[~out[chosen]]
    cross: Style = {"ms": 5, "mew": 1.0, "color": COLOURS[2], "ls": "none", "marker": "x"}
    left.plot(ends, ends, color=THIS_RUN, lw=0.8, label="equal")
    left.plot(true[chosen], predicted[chosen], ".", color=COLOURS[0], **dots)
    if out.any():
        left.plot(true[out], predicted[out], label="rejected", **cross)
    left.set(xlabel="true value", ylabel="predicted value")
    legend_above(left)
    lowest = 1e-17 * max(float(np.abs(true).max()), 1e-290)
    right.plot(true[chosen], floored(deviation[chosen], lowest), ".", color=COLOURS[1], **dots)
    if out.any():
        right.plot(true[out], floored(deviation[out], lowest), **cross)
    typical = float(np.sqrt(np.mean(deviation[~out] ** 2))) if not out.all() else 0.0
    if typical > 0.0:
        right.axhline(
            typical, color=THIS_RUN, lw=0.8, ls=":", label=f"root mean square of {'the others' if out.any() else 'all'}"
        )
        legend_above(right)
    right.set(xlabel="true value", ylabel="|predicted − true|", yscale="log")
    grid(left, right)
    return figure


def ranks(result: CompletionResult) -> Figure:
    """Left TT-ranks after each mode, where they are more than a few, right singular values of each unfolding."""
    if len(result.ranks) - 2 > FEW:
        figure, (left, right) = panels(2.6, 1, 2)
        rank_panel(left, [("", result.ranks)])
    else:
        figure, right = panel(2.6)
    few = len(result.singular_values) <= len(COLOURS)
    right.set_yscale("log")
    for k, values in enumerate(result.singular_values):
        # unfoldings of a symmetric tensor coincide: later lines and markers are smaller
        size = max(6.0 - 1.5 * k, 2.0)
        label = f"after mode {k + 1}" if few else None
        look: Style = {"color": colour(k), "marker": "o", "ms": size, "lw": size / 3.0}
        log_line(right, np.arange(1, len(values) + 1), values, ROUNDING, label=label, **look)
    right.set(xlabel="number of the singular value", ylabel="singular value / norm")
    whole_ticks(right)
    grid(right)
    legend_above(right)
    return figure
