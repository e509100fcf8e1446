"""Figures of a completion. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from problems.report_parts import Picture

if TYPE_CHECKING:
    from problems.completion.model import CompletionProblem, CompletionSolver
    from problems.completion.result import CompletionResult

# Okabe and Ito's palette: told apart by colour-blind readers too
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
WIDTH = 9.0
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
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    axes = figure.subplots()
    fits = result.by_rank
    x = np.array([fit.rank for fit in fits])
    fitted = _floor([fit.train_error for fit in fits])
    aside = _floor([fit.validation_error for fit in fits])
    test = _floor([fit.test_error for fit in fits])
    spread = np.array([fit.uncertainty for fit in fits], dtype=float)
    axes.semilogy(x, fitted, "o-", color=COLOURS[0], markersize=5, label="fitted")
    axes.semilogy(x, aside, "s--", color=COLOURS[4], markersize=5, label="set aside")
    bars = np.stack([np.minimum(spread, 0.9 * test), spread])
    axes.errorbar(x, test, yerr=bars, fmt="^-", color=COLOURS[1], markersize=6, capsize=3, label="test")
    axes.plot(
        [result.best.rank],
        _floor([result.test_error]),
        "o",
        markersize=14,
        fillstyle="none",
        color="black",
        label="chosen",
    )
    axes.axhline(accuracy, color="black", linewidth=0.8, linestyle=":", label="accuracy asked")
    axes.set(xlabel="rank", ylabel="relative error (2-norm)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(x[0] - 0.5, x[-1] + 0.5)
    axes.grid(alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    order = [labels.index(name) for name in ("fitted", "set aside", "test", "chosen", "accuracy asked")]
    figure.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        fontsize=9,
        frameon=False,
        ncols=5,
        loc="outside upper left",
    )
    return figure


def predictions(result: CompletionResult) -> Figure:
    """Left values, right deviations over the true value."""
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    true, predicted = result.true, result.predicted
    deviation = np.abs(predicted - true)
    # the worst are always shown
    chosen = np.unique(np.concatenate([np.arange(min(len(true), SHOWN)), np.argsort(-deviation)[: SHOWN // 10]]))
    ends = [float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))]
    left.plot(ends, ends, color="black", linewidth=0.8, label="equal")
    left.plot(true[chosen], predicted[chosen], ".", color=COLOURS[0], markersize=3, alpha=0.5, rasterized=True)
    left.set(xlabel="true value", ylabel="predicted value")
    left.legend(frameon=False, fontsize=9)
    right.semilogy(
        true[chosen],
        np.maximum(deviation[chosen], 1e-17 * max(np.abs(true).max(), 1e-290)),
        ".",
        color=COLOURS[1],
        markersize=3,
        alpha=0.5,
        rasterized=True,
    )
    typical = float(np.sqrt(np.mean(deviation**2)))
    if typical > 0.0:
        right.axhline(typical, color="black", linewidth=0.8, linestyle=":", label="root mean square of all")
        right.legend(frameon=False, fontsize=9, loc="lower right")
    right.set(xlabel="true value", ylabel="|predicted - true|")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def ranks(result: CompletionResult) -> Figure:
    """Left TT-ranks after each mode, right singular values of each unfolding."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    after = np.arange(1, len(result.ranks) - 1)
    left.plot(after, result.ranks[1:-1], "o-", color=COLOURS[0])
    left.set(xlabel="after mode", ylabel="TT-rank", ylim=(0, 1.15 * max(result.ranks)))
    _whole(left)
    for k, values in enumerate(result.singular_values):
        colour = COLOURS[k % len(COLOURS)]
        label = f"after mode {k + 1}" if len(result.singular_values) <= len(COLOURS) else None
        # unfoldings of a symmetric tensor coincide: later lines and markers are smaller
        size = max(9.0 - 2.0 * k, 3.0)
        right.semilogy(
            np.arange(1, len(values) + 1),
            _floor(values),
            "o-",
            color=colour,
            markersize=size,
            linewidth=size / 3.0,
            label=label,
        )
    right.set(xlabel="number of the singular value", ylabel="singular value / norm")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(result.singular_values) <= len(COLOURS):
        right.legend(frameon=False, fontsize=9)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def _whole(axes: Axes) -> None:
    """Ticks at whole numbers only."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _floor(values: Sequence[float | None] | np.ndarray) -> np.ndarray:
    """Zeros cannot be drawn on a logarithmic axis: rounding errors stand for them."""
    return np.maximum(np.asarray(values, dtype=float), 1e-17)
