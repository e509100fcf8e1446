"""Figures of a spectrum. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure

from problems.drawing import (
    ABSENT,
    COLOURS,
    SMALLEST,
    THIS_RUN,
    Style,
    accuracy_line,
    blank,
    colour,
    grid,
    in_column,
    log_line,
    page_width,
    panel,
    panels,
    whole_ticks,
)
from problems.legends import legend_above, legend_outside, text_width
from problems.levels import Reference
from problems.quantum.tasks.spectrum.beside import known_beside
from problems.quantum.tasks.spectrum.compared import measured_picture
from problems.quantum.tasks.spectrum.infrared_figures import infrared_pictures
from problems.quantum.tasks.spectrum.keys import ZERO_POINT, Asked, HasLevels
from problems.quantum.tasks.spectrum.lists import comparison_of_lists
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.quantum.tasks.spectrum.stick_labels import LABEL, grouped, spread_out
from problems.quantum.tasks.spectrum.stick_names import leading_of
from problems.report_parts import Picture
from solvers.measured import Measured, bound, unit_text

SIDES = 0.75  # inches of a figure beside its panel
BOND = 0.33  # inches of the name of a bond
MOST_PASSES = 12  # that are named
LANES = 4  # symmetry blocks, at most, that get a lane each
FEW = 3  # values that a sentence says as well as a figure
FLOOR = 1e-6  # of the accuracy: smaller changes are below the axis


def figures(problem: HasLevels, solver: Asked, result: SpectrumResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    references, accuracy = known_beside(problem, result), solver.accuracy
    unit, span = unit_text(result.unit), float(result.excitations[-1])
    count, first = len(result.energies), float(result.excitations[0])
    pictures = []
    if count > 1:
        pictures.append(
            Picture(
                "spectrum",
                f"Levels above the {_lowest(problem)}; the height of a stick is the weight of its leading product,"
                " the label names that of the purest state of a group and, in parentheses, the group's size.",
                partial(spectrum, result),
                alt=f"Stick spectrum of {count} levels from {Measured(first)} to {Measured(span)} {unit} above the "
                f"{_lowest(problem)}.",
            )
        )
    pictures += measured_picture(result)
    pictures += infrared_pictures(result, [name for _, name in leading_of(result)])
    judge = next((reference for reference in references if reference.judge), None)
    if judge is not None:
        pictures.append(_deviations(result, references, judge, accuracy))
    pictures.append(_errors(result, accuracy))
    if len(result.mode_order) > 1:
        pictures.append(_ranks(result))
    if sum(state.energies is not None for state in result.history) > 1:  # vectors over the whole space have no passes
        criterion = (
            "The error estimates decide: all that are below the dashed line makes a run converged. The change of an"
            " energy in a pass is what the pass gained, not what is left; the error of an energy is of second order in"
            " the residual norm, so that norms far above the accuracy are compatible with it."
        )
        text = f"Change of the energies, error estimates (ranks) and residual norms of the {count} states asked for"
        pictures.append(
            Picture("passes", f"{text}, from pass to pass. {criterion}", partial(convergence, result, accuracy))
        )
    return pictures


def _deviations(result: SpectrumResult, references: Sequence[Reference], judge: Reference, accuracy: float) -> Picture:
    """This run, and the lists, against the judging column."""
    own = np.abs(judge.deviations(result.energies))
    unit, most = unit_text(result.unit), float(np.nanmax(own, initial=0.0))
    if np.isfinite(own).sum() < FEW or most < FLOOR * accuracy:
        return Picture.sentence("deviations", f"Deviation from {judge.label}: at most {bound(most)} {unit}.")
    alt = f"Deviations of this run from {judge.label}: median {bound(np.nanmedian(own))}, at most {bound(most)} {unit}."
    if len(references) == 1:
        caption = f"Deviation of this run from {judge.label}, over the state number."
        return Picture("deviations", caption, partial(deviations, result, judge, accuracy), alt)
    caption = (
        f"How far the lists of levels are from {judge.label}, the closest (by their median) above: each level a tick,"
        " the middle half a bar, the median a dot. Shaded: what the reference itself is good to. Below, the levels of"
        " this run one by one. The lowest state is compared absolutely, the others relative to their list's lowest."
    )
    return Picture("deviations", caption, partial(comparison_of_lists, result, references, judge, accuracy), alt)


def _errors(result: SpectrumResult, accuracy: float) -> Picture:
    estimates, unit = result.error_estimates, unit_text(result.unit)
    if len(estimates) < FEW:
        said = ", ".join(str(bound(value)) for value in estimates)
        return Picture.sentence("errors", f"Error estimates of the levels: {said} {unit}.")
    if np.max(estimates) < FLOOR * accuracy:
        said = f"at most {bound(np.max(estimates))} {unit}, far below the {accuracy:g} asked for"
        return Picture.sentence("errors", f"Error estimates of the levels: {said}.")
    text = "Error estimates of this run: what the finite ranks and what the finite basis leave out."
    if not _estimated(result.basis_errors):
        text = "Error estimates of this run: what the finite ranks leave out. That of the basis was not estimated."
    alt = f"Error estimates of {len(estimates)} states: at most {bound(np.max(estimates))} {unit}, asked {accuracy:g}."
    return Picture("errors", text, partial(error_estimates, result, accuracy), alt)


def _estimated(errors: np.ndarray | None) -> bool:
    """Whether an error was estimated at all: zero for every state is no estimate."""
    return errors is not None and bool(np.any(np.nan_to_num(np.asarray(errors, dtype=float)) > 0.0))


def _ranks(result: SpectrumResult) -> Picture:
    largest = [max(along) for along in zip(*(state[1:-1] for state in result.ranks))]
    if len(largest) < FEW:
        names = "one cut" if len(largest) == 1 else "two cuts"
        own, operator = (", ".join(map(str, ranks)) for ranks in (largest, result.operator_ranks[1:-1]))
        return Picture.sentence(
            "ranks", f"TT-ranks at the {names}: of the states at most {own}; of the operator {operator}."
        )
    text = "TT-ranks along the train. The band spans all states; the operator's ranks are exact."
    alt = f"TT-ranks of the states at most {max(largest)}, of the operator {max(result.operator_ranks)}."
    return Picture("ranks", text, partial(ranks_along_train, result), alt)


def _lowest(problem: HasLevels) -> str:
    return "zero-point level" if problem.lowest == ZERO_POINT else "lowest"


def spectrum(result: SpectrumResult) -> Figure:
    """Stick spectrum, coloured by symmetry block; up to four blocks get a lane each, labels a strip above."""
    levels = result.excitations
    leading = leading_of(result)
    symmetries = result.symmetry
    if result.labels is not None and all(result.labels.symmetry):
        symmetries = result.labels.symmetry
    blocks = sorted(set(symmetries))
    lanes = len(blocks) if len(blocks) <= LANES else 1
    first = float(levels[0])  # zero but for a window
    span = max(float(levels[-1]) - first, 1e-12)
    room = page_width() - SIDES
    groups = grouped(levels, 0.5 * LABEL / room * span, int(room / LABEL) - 1)
    texts = []
    for group in groups:
        best = max(group, key=lambda i: leading[i][0])
        texts.append(leading[best][1] + (f"  ({len(group)})" if len(group) > 1 else ""))
    # room for the texts, and for the lines that lead to moved ones
    strip = 0.3 + max(text_width(text, SMALLEST) for text in texts)
    sticks_height = 0.5 + 0.65 * lanes
    figure = blank(strip + sticks_height + 0.75)
    strip_axes, axes = figure.subplots(2, 1, sharex=True, height_ratios=[strip, sticks_height])
    for number, block in enumerate(blocks):
        mine = [i for i, symmetry in enumerate(symmetries) if symmetry == block]
        base = 1.2 * (lanes - 1 - number) if lanes > 1 else 0.0
        tops = base + np.array([leading[i][0] for i in mine])
        of = "block " if symmetries is result.symmetry else ""
        label = f"{of}{block.replace('-', '−')} ({len(mine)} state{'s' if len(mine) > 1 else ''})"
        axes.vlines(levels[mine], base, tops, color=colour(number), lw=1.2, label=label)
        axes.axhline(base, color="0.8", lw=0.6, zorder=0)
    middles = np.array([float(np.mean(levels[group])) for group in groups])
    gap = LABEL / room * 1.04 * span
    for text, middle, place in zip(texts, middles, first + spread_out(middles - first, gap, span), strict=True):
        strip_axes.plot([middle, place], [0.0, 0.2 / strip], color="0.6", lw=0.5)
        strip_axes.annotate(text, (place, 0.23 / strip), rotation=90, ha="center", va="bottom", fontsize=SMALLEST)
    strip_axes.set_ylim(0, 1)
    strip_axes.axis("off")
    axes.set_xlim(first - 0.02 * span, first + 1.02 * span)
    axes.set_ylim(0, 1.2 * (lanes - 1) + 1.05)
    ticks = [1.2 * lane + height for lane in range(lanes) for height in (0.0, 0.5, 1.0)]
    axes.set_yticks(ticks, ["0", "0.5", "1"] * lanes)
    axes.set_xlabel(f"energy above the lowest level ({unit_text(result.unit)})")
    axes.set_ylabel("leading weight")
    if len(blocks) > 1:
        legend_outside(figure, axes, "lower center")
    return figure


def deviations(result: SpectrumResult, judge: Reference, accuracy: float) -> Figure:
    """Absolute deviations from one list over the state number, and what they are judged by."""
    figure, axes = panel(2.9)
    run = np.abs(judge.deviations(result.energies))
    floor = min(1e-3 * accuracy, 0.5 * float(np.nanmin(np.where(run > 0.0, run, np.nan), initial=accuracy)))
    floor = max(floor, 1e-8 * accuracy)
    axes.set_yscale("log")
    axes.set_ylim(0.5 * floor, 3.0 * max(accuracy, float(np.nanmax(run))))
    states = np.arange(len(run))
    accuracy_line(axes, accuracy, unit_text(result.unit))
    estimates = np.maximum(result.error_estimates[: len(run)], 0.5 * floor)
    axes.fill_between(states, 0.5 * floor, estimates, color=ABSENT, lw=0, label="error estimate of this run", zorder=0)
    log_line(axes, states, run, floor, color=THIS_RUN, marker="o", label="this run", zorder=5)
    axes.set(xlabel="state", ylabel=f"|deviation from {judge.label}|\n({unit_text(result.unit)})")
    whole_ticks(axes)
    grid(axes)
    legend_above(axes)
    return figure


def error_estimates(result: SpectrumResult, accuracy: float) -> Figure:
    """Rank and basis part of every state's error estimate, and their sum; what was not estimated is not drawn."""
    figure, axes = panel(2.7)
    states = np.arange(len(result.energies))
    floor = FLOOR * accuracy
    axes.set_yscale("log")
    parts = [(result.rank_errors, "rank part", 0, "o"), (result.basis_errors, "basis part", 1, "s")]
    for values, label, number, marker in parts:
        if _estimated(values):
            log_line(axes, states, np.abs(values), floor, marker=marker, ls="", color=colour(number), label=label)
    total = np.where(result.error_estimates >= floor, result.error_estimates, np.nan)
    axes.plot(states, total, color=THIS_RUN, lw=1.0, drawstyle="steps-mid", label="error estimate")
    accuracy_line(axes, accuracy, unit_text(result.unit))
    axes.set(xlabel="state", ylabel=f"error estimate ({unit_text(result.unit)})")
    whole_ticks(axes)
    grid(axes)
    legend_above(axes)
    return figure


def ranks_along_train(result: SpectrumResult) -> Figure:
    """TT-ranks of the states (median, quartiles, extremes) and of the operator at every bond."""
    ranks = np.array([state[1:-1] for state in result.ranks])
    operator = np.array(result.operator_ranks)[1:-1]
    bonds = np.arange(1, ranks.shape[1] + 1)
    figure, axes = panel(2.8)
    low, lower, middle, upper, high = np.percentile(ranks, [0, 25, 50, 75, 100], axis=0)
    if np.any(low < high):
        axes.fill_between(bonds, low, high, color=COLOURS[5], alpha=0.25, lw=0, label="states: all")
        axes.fill_between(bonds, lower, upper, color=COLOURS[0], alpha=0.35, lw=0, label="states: middle half")
        axes.plot(bonds, high, color=COLOURS[0], lw=0.8, ls=":", label="states: largest")
    axes.plot(bonds, middle, color=COLOURS[0], marker="o", label="states: median")
    axes.plot(bonds, operator, color=COLOURS[1], marker="s", label="operator")
    if len(bonds) * BOND <= page_width() - SIDES:
        modes = result.mode_order
        axes.set_xticks(bonds, [f"{modes[k - 1]}|{modes[k]}" for k in bonds], fontsize=SMALLEST)
        axes.set_xlabel("bond, named by the modes on its two sides")
        whole_ticks(axes, "y")
    else:
        axes.set_xlabel("bond")
        whole_ticks(axes, "xy")
    axes.set_ylabel("TT-rank")
    axes.set_ylim(0, 1.08 * max(float(high.max()), float(operator.max())))
    grid(axes)
    legend_above(axes)
    return figure


def convergence(result: SpectrumResult, accuracy: float) -> Figure:
    """Energy changes, the error estimates, which decide, and (from inverse iteration, two-site) residual norms."""
    history = [state for state in result.history if state.energies is not None]
    steps = np.arange(len(history)) + (0 if history[0].label == "start" else 1)
    moved = [None, *(np.abs(_difference(a.energies, b.energies)) for a, b in pairwise(history))]
    unit = unit_text(result.unit)
    series = {
        f"error estimate ({unit})": [state.extra.get("error_estimates") for state in history],
        f"|change of energy| ({unit})": moved,
        f"residual norm ({unit})": [state.residuals for state in history],
    }
    there = {name: np.isfinite(_summaries(np.max, values)) for name, values in series.items()}
    known = {name: values for name, values in series.items() if there[name].any()}
    begin = int(np.argmax(np.any(list(there.values()), axis=0)))  # before that nothing is drawn: no place is kept
    figure, found = panels(2.6, 1, len(known), sharex=True)
    for number, (axes, (name, values)) in enumerate(zip(found, known.items())):
        axes.set_yscale("log")
        paint = colour(list(series).index(name))
        for summary, style, label in ((np.max, "o-", "largest"), (np.median, "s--", "median")):
            log_line(
                axes, steps, _summaries(summary, values), FLOOR * accuracy, color=paint, **_dashed(style), label=label
            )
        if name.startswith("error"):
            accuracy_line(axes, accuracy, unit)
            low, high = axes.get_ylim()
            axes.set_ylim(min(low, 0.3 * accuracy), max(high, 3.0 * accuracy))
        axes.set_ylabel(name)
        axes.set_xlim(steps[begin] - 0.5, steps[-1] + 0.5)
        if not in_column() or number == len(known) - 1:
            axes.set_xlabel("pass; 0: the start" if steps[begin] == 0 else "pass")
        if len(history) <= MOST_PASSES:
            axes.set_xticks(steps[begin:], [str(step) for step in steps[begin:]])
        else:
            whole_ticks(axes)
        grid(axes)
        legend_above(axes)
    return figure


def _dashed(style: str) -> Style:
    return {"marker": style[0], "ls": style[1:]}


def _summaries(summary: Callable[[np.ndarray], float], entries: Sequence[np.ndarray | None]) -> np.ndarray:
    """Largest or median of the finite values of every pass, NaN (a gap in the line) where there is none."""
    finite = [np.zeros(0) if entry is None else np.asarray(entry, dtype=float) for entry in entries]
    finite = [entry[np.isfinite(entry)] for entry in finite]
    return np.array([float(summary(entry)) if entry.size else np.nan for entry in finite])


def _difference(before: np.ndarray | None, after: np.ndarray | None) -> np.ndarray:
    """After minus before over the states both passes had."""
    assert before is not None and after is not None
    count = min(len(before), len(after))
    return np.asarray(after)[:count] - np.asarray(before)[:count]
