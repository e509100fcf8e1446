"""The figure that compares this run and published lists of levels with the one they are judged by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from problems.drawing import (
    ABSENT,
    ASKED,
    COLOURS,
    SMALL,
    THIS_RUN,
    Style,
    accuracy_line,
    blank,
    decades,
    grid,
    in_column,
    log_line,
    page_width,
    whole_ticks,
)
from problems.legends import legend_above, legend_columns
from problems.levels import Reference
from problems.quantum.tasks.spectrum.result import SpectrumResult
from solvers.measured import unit_text

ROW = 0.165  # inches of a list
LOWEST = 0.05  # of the reference's uncertainty: smaller deviations mean nothing, and are drawn at the edge


def comparison_of_lists(
    result: SpectrumResult, references: Sequence[Reference], judge: Reference, accuracy: float
) -> Figure:
    """Above, a row a list, the closest first; below, the deviations of this run over the states."""
    own = np.abs(judge.deviations(result.energies))
    rows = {
        reference.label: np.abs(judge.deviations(reference.absolute()[: len(own)]))
        for reference in references
        if reference is not judge
    }
    rows = {label: values for label, values in rows.items() if np.isfinite(values).any()}
    ordered = sorted([*rows.items(), ("this run", own)], key=lambda row: float(np.nanmedian(row[1])))
    good_to = judge.uncertainty or 0.0
    floor = LOWEST * (good_to or 0.1 * accuracy)
    high = 2.0 * max(accuracy, *(float(np.nanmax(values)) for _, values in ordered))
    upper_height = 0.55 + ROW * len(ordered)
    lower_height = 1.7 if in_column() else 1.9
    figure = blank(upper_height + lower_height)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[upper_height, lower_height])[:, 0]
    upper, lower = above.subplots(), below.subplots()
    unit = unit_text(result.unit)
    what = f"|deviation| ({unit})" if in_column() else f"|deviation from {judge.label}| ({unit})"
    _lists(upper, ordered, floor, high, good_to, accuracy, what)
    handles, labels = upper.get_legend_handles_labels()
    above.legend(
        handles, labels, ncols=legend_columns(labels, page_width() - 0.3), loc="outside upper left", borderaxespad=0.1
    )
    states = np.arange(len(own))
    lower.set_yscale("log")
    log_line(lower, states, own, floor, color=THIS_RUN, lw=0.8, ms=2.5, marker="o", label="this run", zorder=5)
    estimates = np.maximum(result.error_estimates[: len(own)], floor)
    lower.step(states, estimates, where="mid", color=COLOURS[0], lw=0.9, label="its error estimate")
    if good_to:
        lower.axhspan(0.5 * floor, good_to, color=ABSENT, lw=0, zorder=0)
    accuracy_line(lower, accuracy, unit_text(result.unit))
    top = 3.0 * max(accuracy, float(np.nanmax(own)), float(estimates.max()))
    lower.set(
        ylim=(0.5 * floor, top), xlim=(-1, len(own)), xlabel="state", ylabel=f"this run ({unit_text(result.unit)})"
    )
    whole_ticks(lower)
    grid(lower)
    legend_above(lower)
    return figure


def _lists(
    axes: Axes,
    ordered: Sequence[tuple[str, np.ndarray]],
    floor: float,
    high: float,
    good_to: float,
    accuracy: float,
    what: str,
) -> None:
    """Rows of dots along a logarithmic axis."""
    axes.set_xscale("log")
    for place, (label, values) in enumerate(ordered):
        paint = THIS_RUN if label == "this run" else COLOURS[0]
        given = values[np.isfinite(values)]
        if np.any(given < floor):
            open_: Style = {"marker": "<", "mfc": "white", "mec": paint, "ms": 4, "mew": 0.8}
            axes.plot([floor], [place], zorder=4, **open_)
        shown = given[given >= floor]
        axes.plot(shown, np.full(len(shown), place), "|", color=paint, ms=5, mew=0.5, alpha=0.45)
        low, middle, upper = np.percentile(np.maximum(given, floor), [25, 50, 75])
        axes.plot([low, upper], [place, place], color=paint, lw=4, alpha=0.55, solid_capstyle="butt")
        axes.plot([middle], [place], "o", color=paint, mec="white", mew=0.6, ms=4.5, zorder=5)
        if label == "this run":
            axes.axhspan(place - 0.5, place + 0.5, color=COLOURS[4], alpha=0.18, lw=0, zorder=0)
    if good_to:
        axes.axvspan(
            0.5 * floor, good_to, color=ABSENT, lw=0, zorder=0, label=f"uncertainty of the reference: {good_to:g}"
        )
    axes.axvline(accuracy, color=ASKED, lw=0.9, ls="--", label=f"asked of this run: {accuracy:g}")
    axes.set_yticks(range(len(ordered)), [label for label, _ in ordered], fontsize=SMALL)
    for text in axes.get_yticklabels():
        text.set_fontweight("bold" if text.get_text() == "this run" else "normal")
    axes.set(xlim=(0.9 * floor, high), ylim=(len(ordered) - 0.4, -0.6), xlabel=what)
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x", color="0.9", lw=0.5)
    axes.set_axisbelow(True)
    decades(axes, "x")
