"""The figure of measured lines beside the levels of this run and of VPT2."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from problems.drawing import COLOURS, SMALLEST, THIS_RUN, grid, panel
from problems.legends import legend_above
from problems.quantum.tasks.spectrum.assigned_tables import deviation
from problems.quantum.tasks.spectrum.labels import Labels, written
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Picture
from solvers.measured import unit_text

NAMED = 16  # lines, at most, that are named in the figure


def measured_picture(result: SpectrumResult) -> list[Picture]:
    """Measured minus computed over the level; nothing where no line was matched."""
    labels = result.labels
    if labels is None or labels.measured is None or not labels.matched:
        return []
    unit = unit_text(result.unit)
    said = deviation(labels.measured, unit)
    text = f"Measured lines ({labels.measured.file}) minus computed levels: {said}."
    if len(labels.matched) < 2:
        return [Picture.sentence("measured", text)]
    caption = f"{text} Bars: the uncertainty of a line and the error estimate of the level together."
    return [Picture("measured", caption, lambda: measured_minus_computed(result, labels), alt=text)]


def measured_minus_computed(result: SpectrumResult, labels: Labels) -> Figure:
    """Differences of the lines to this run, with bars, and to VPT2."""
    unit = unit_text(result.unit)
    figure, axes = panel(3.1)
    states = sorted(labels.matched)
    lines = [labels.matched[i] for i in states]
    at = np.array([line.measured for line in lines])
    own = at - result.excitations[states]
    errors = np.asarray(result.error_estimates)
    bars = np.array([(line.uncertainty or 0.0) for line in lines]) + errors[states] + errors[0]
    axes.axhline(0.0, color="0.6", lw=0.7)
    second = at - labels.vpt2[states]
    if np.isfinite(second).any():
        axes.plot(at, second, "D", mfc="white", mec=COLOURS[1], ms=4, label="VPT2")
    axes.errorbar(at, own, bars, fmt="o", color=THIS_RUN, ms=4, lw=0.9, capsize=2, label="this run", zorder=5)
    if len(states) <= NAMED:
        for x, y, i in zip(at, own, states, strict=True):
            axes.annotate(
                written(labels.names[i]),
                (x, y),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=SMALLEST,
            )
    axes.margins(0.08, 0.15)
    axes.set(xlabel=f"measured level ({unit})", ylabel=f"measured − computed ({unit})")
    grid(axes)
    legend_above(axes)
    return figure
