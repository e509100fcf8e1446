"""The infrared spectrum as a figure: profile, sticks, and the names of the main bands above."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from problems.drawing import COLOURS, SMALLEST, blank, grid, in_column, page_width
from problems.legends import text_width
from problems.quantum.tasks.spectrum.profile import MOLAR
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.quantum.tasks.spectrum.stick_labels import LABEL, spread_out
from problems.report_parts import Picture
from solvers.measured import Measured, unit_text

NAMED, NAMED_IN_COLUMN = 14, 9  # bands, at most, that have a label
WEAK = 3e-3  # of the strongest band: weaker ones have none
SIDES = 1.2  # inches of the figure beside its panel
HEIGHT = 2.3  # inches of the panel


def infrared_pictures(result: SpectrumResult, names: Sequence[str]) -> list[Picture]:
    """The spectrum, its bands by the ``names`` of the states, where the dipole is known and a line is in the range."""
    found = result.intensities
    if found is None:
        return []
    drawn, lines = found.drawn, found.lines
    seen = _within(result)
    if not len(seen):
        said = f"No line lies between {drawn.wavenumbers[0]:g} and {drawn.wavenumbers[-1]:g} cm-1."
        return [Picture.sentence("infrared", said)]
    strongest = seen[0]
    caption = (
        f"Infrared spectrum at {found.temperature:g} K. Line: decadic molar absorption coefficient, every transition a "
        f"{drawn.shape.capitalize()} of {drawn.fwhm:g} cm-1 full width at half maximum, without rotational structure. "
        "Sticks: integrated intensities, grey those of hot bands. The main bands are named by the leading configuration"
        " of their upper state."
    )
    alt = (
        f"{len(seen)} lines from {drawn.wavenumbers[0]:.0f} to {drawn.wavenumbers[-1]:.0f} cm-1; the strongest at "
        f"{Measured(lines.positions[strongest])} cm-1 with {Measured(lines.strengths[strongest], digits=3)} km/mol."
    )
    return [Picture("infrared", caption, partial(infrared, result, names), alt)]


def _within(result: SpectrumResult) -> np.ndarray:
    """The lines in the range drawn, by falling intensity."""
    assert result.intensities is not None
    positions, x = result.intensities.lines.positions, result.intensities.drawn.wavenumbers
    return np.flatnonzero((positions >= x[0]) & (positions <= x[-1]))


def infrared(result: SpectrumResult, states: Sequence[str]) -> Figure:
    """Wavenumbers fall to the right, as spectra are drawn; sticks have an ordinate of their own at the right."""
    found = result.intensities
    assert found is not None
    drawn, lines, seen = found.drawn, found.lines, _within(result)
    x, low, high = drawn.wavenumbers, float(drawn.wavenumbers[0]), float(drawn.wavenumbers[-1])
    places, names = _named(result, states, seen)
    strip = 0.3 + max(text_width(name, SMALLEST) for name in names)
    figure = blank(strip + HEIGHT + 0.5)
    above, axes = figure.subplots(2, 1, sharex=True, height_ratios=[strip, HEIGHT])
    span, room = high - low, page_width() - SIDES
    moved = spread_out(places, 1.04 * LABEL / room * span, high)
    for name, place, at in zip(names, places, moved, strict=True):
        above.plot([place, at], [0.0, 0.2 / strip], color="0.6", lw=0.5)
        above.annotate(name, (at, 0.23 / strip), rotation=90, ha="center", va="bottom", fontsize=SMALLEST)
    above.set_ylim(0, 1)
    above.axis("off")
    axes.plot(x, MOLAR * drawn.values, color=COLOURS[0], lw=1.0)
    axes.set_ylim(0.0, 1.08 * MOLAR * float(drawn.values.max()))
    axes.set_xlim(high + 0.01 * span, low - 0.01 * span)
    axes.set_xlabel(f"wavenumber ({unit_text('cm-1')})")
    axes.set_ylabel("molar absorption coefficient (L/(mol cm))", color=COLOURS[0])
    grid(axes)
    sticks = axes.twinx()
    hot = lines.lower[seen] > 0
    for mine, paint in ((seen[hot], "0.55"), (seen[~hot], COLOURS[1])):
        sticks.vlines(lines.positions[mine], 0.0, lines.strengths[mine], color=paint, lw=1.1)
    sticks.set_ylim(0.0, 1.08 * float(lines.strengths[seen].max()))
    sticks.set_ylabel("intensity (km/mol)", color=COLOURS[1])
    return figure


def _named(result: SpectrumResult, states: Sequence[str], seen: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Wavenumbers, ascending, and names of the strongest bands; lines of one band, or of one place, have one name."""
    assert result.intensities is not None
    lines, drawn = result.intensities.lines, result.intensities.drawn
    apart = LABEL / (page_width() - SIDES) * float(drawn.wavenumbers[-1] - drawn.wavenumbers[0]) / 3.0
    chosen: list[int] = []
    for line in seen:  # the strongest first
        weak = lines.strengths[line] < WEAK * lines.strengths[seen[0]]
        if len(chosen) >= (NAMED_IN_COLUMN if in_column() else NAMED) or weak:
            break
        if all(abs(lines.positions[line] - lines.positions[other]) > apart for other in chosen):
            chosen.append(int(line))
    chosen.sort(key=lambda line: float(lines.positions[line]))
    names = []
    for line in chosen:
        upper, lower = states[lines.upper[line]], states[lines.lower[line]]
        names.append(upper if not lines.lower[line] else f"{upper} ← {lower}")
    return lines.positions[chosen], names
