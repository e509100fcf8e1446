"""Figures of a spectrum. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure

from problems.drawing import (
    COLOURS,
    DASHES,
    MARKERS,
    SMALL,
    THIS_RUN,
    WIDTH,
    Style,
    accuracy_line,
    colour,
    floored,
    grid,
    legend_above,
    legend_outside,
    panel,
    panels,
    whole_ticks,
)
from problems.levels import Reference
from problems.quantum.tasks.spectrum.keys import Asked, HasLevels
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Picture

MAX_LABELS = 55
MOST_NAMED = 20  # bonds that are named by their modes
MOST_PASSES = 12  # that are named
LANES = 4  # symmetry blocks, at most, that get a lane each
_LEADING = re.compile(r"\s*([-+]?[0-9.]+)\s*\[([^\]]*)\]")


def figures(problem: HasLevels, solver: Asked, result: SpectrumResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    references, accuracy = problem.references, solver.accuracy
    pictures = [
        Picture(
            "spectrum",
            "Levels above the lowest state; the height of a stick is the weight of its leading configuration,"
            " the label names that of the purest state of a group and, in parentheses, the group's size.",
            partial(spectrum, result),
        )
    ]
    if any(reference.judge for reference in references):
        caption = "Deviation of this run from the exact energies, over the state number."
        if references[0].relative:
            caption = (
                "Deviation of this run and of the published methods from the reference over the state number;"
                " the lowest state is compared absolutely, the others relative to their list's lowest state."
            )
        pictures.append(Picture("deviations", caption, partial(deviations, result, references, accuracy)))
    estimates = "Error estimates of this run: what the finite ranks and what the finite basis leave out."
    pictures.append(Picture("errors", estimates, partial(error_estimates, result, accuracy)))
    if len(result.mode_order) > 1:
        ranks = "TT-ranks along the train. The band spans all states; the operator's ranks are exact."
        pictures.append(Picture("ranks", ranks, partial(ranks_along_train, result)))
    if sum(state.energies is not None for state in result.history) > 1:  # vectors over the whole space have no passes
        passes = "Change of the energies from pass to pass, and residual norms, over the states."
        pictures.append(Picture("passes", passes, partial(convergence, result, accuracy)))
    return pictures


def spectrum(result: SpectrumResult) -> Figure:
    """Stick spectrum, coloured by symmetry block; up to four blocks get a lane each, labels a strip above."""
    levels = result.excitations
    leading = [_leading(text) for text in result.assignments]
    blocks = sorted(set(result.symmetry))
    lanes = len(blocks) if len(blocks) <= LANES else 1
    span = max(float(levels[-1]), 1e-12)
    groups = _groups(levels, 0.008 * span)
    texts = []
    for group in groups:
        best = max(group, key=lambda i: leading[i][0])
        texts.append(leading[best][1] + (f"  ({len(group)})" if len(group) > 1 else ""))
    # 0.065 inch a character at 7 points, and room for the lines that lead to moved labels
    strip = 0.35 + 0.065 * max(map(len, texts))
    sticks_height = 0.6 + 0.9 * lanes
    figure = Figure(figsize=(WIDTH, strip + sticks_height + 0.9), layout="constrained")
    strip_axes, axes = figure.subplots(2, 1, sharex=True, height_ratios=[strip, sticks_height])
    for number, block in enumerate(blocks):
        mine = [i for i, symmetry in enumerate(result.symmetry) if symmetry == block]
        base = 1.2 * (lanes - 1 - number) if lanes > 1 else 0.0
        tops = base + np.array([leading[i][0] for i in mine])
        label = f"block {block} ({len(mine)} states)"
        axes.vlines(levels[mine], base, tops, color=colour(number), lw=1.5, label=label)
        axes.axhline(base, color="0.8", lw=0.6, zorder=0)
    middles = np.array([float(np.mean(levels[group])) for group in groups])
    for text, middle, place in zip(texts, middles, _spread(middles, 0.016 * span, span), strict=True):
        strip_axes.plot([middle, place], [0.0, 0.25 / strip], color="0.6", lw=0.6)
        strip_axes.annotate(text, (place, 0.28 / strip), rotation=90, ha="center", va="bottom", fontsize=7)
    strip_axes.set_ylim(0, 1)
    strip_axes.axis("off")
    axes.set_xlim(-0.02 * span, 1.02 * span)
    axes.set_ylim(0, 1.2 * (lanes - 1) + 1.05)
    ticks = [1.2 * lane + height for lane in range(lanes) for height in (0.0, 0.5, 1.0)]
    axes.set_yticks(ticks, ["0", "0.5", "1"] * lanes)
    axes.set_xlabel(f"energy above the lowest state ({result.unit})")
    axes.set_ylabel("leading weight")
    legend_outside(figure, axes, "lower center", columns=LANES)
    return figure


def deviations(result: SpectrumResult, references: Sequence[Reference], accuracy: float) -> Figure:
    """Absolute deviations from the judging column on a logarithmic scale, this run emphasised."""
    judge = next(reference for reference in references if reference.judge)
    figure, axes = panel(4.8)
    run = np.abs(judge.deviations(result.energies))
    count = len(run)
    floor = 1e-3 * accuracy if not judge.relative else min(1e-4, 1e-2 * accuracy)
    for reference, style in zip(references, _styles(references), strict=True):
        values = np.abs(judge.deviations(reference.absolute()[:count]))
        if reference is not judge and np.any(np.isfinite(values)):
            axes.plot(floored(values, floor), lw=0.6, ms=3.2, alpha=0.75, label=reference.label, **style)
    estimates = floored(result.error_estimates[:count], floor)
    axes.fill_between(np.arange(count), floor, estimates, color="0.85", label="error estimate\nof this run", zorder=0)
    axes.plot(floored(run, floor), color=THIS_RUN, lw=2, marker="o", ms=4, label="this run", zorder=5)
    accuracy_line(axes, accuracy, result.unit)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7 * floor)
    axes.set_xlim(-1, count)
    axes.set_xlabel("state number")
    axes.set_ylabel(f"|deviation from {judge.label}|\n({result.unit}; below {floor:.0e} shown there)")
    whole_ticks(axes)
    grid(axes)
    legend_outside(figure, axes, "right upper", order=["this run", "error estimate\nof this run"])
    return figure


def error_estimates(result: SpectrumResult, accuracy: float) -> Figure:
    """Rank and basis part of every state's error estimate, and their sum."""
    figure, axes = panel(3.4)
    states = np.arange(len(result.energies))
    floor = 1e-4 * accuracy
    for values, label, number, marker in (
        (result.rank_errors, "rank part", 0, "o"),
        (result.basis_errors, "basis part", 1, "s"),
    ):
        axes.plot(states, floored(np.abs(values), floor), marker, color=colour(number), ms=3.5, label=label)
    total = floored(result.error_estimates, floor)
    axes.plot(states, total, color=THIS_RUN, lw=1.2, drawstyle="steps-mid", label="error estimate")
    accuracy_line(axes, accuracy, result.unit)
    axes.set_yscale("log")
    axes.set_xlabel("state number")
    axes.set_ylabel(f"error estimate ({result.unit})")
    whole_ticks(axes)
    grid(axes)
    legend_above(axes, 4)
    return figure


def ranks_along_train(result: SpectrumResult) -> Figure:
    """TT-ranks of the states (median, quartiles, extremes) and of the operator at every bond."""
    ranks = np.array([state[1:-1] for state in result.ranks])
    operator = np.array(result.operator_ranks)[1:-1]
    bonds = np.arange(1, ranks.shape[1] + 1)
    figure, axes = panel(3.8)
    low, lower, middle, upper, high = np.percentile(ranks, [0, 25, 50, 75, 100], axis=0)
    axes.fill_between(bonds, low, high, color=COLOURS[5], alpha=0.25, lw=0, label="states: all")
    axes.fill_between(bonds, lower, upper, color=COLOURS[0], alpha=0.35, lw=0, label="states: middle half")
    axes.plot(bonds, middle, color=COLOURS[0], marker="o", ms=4, label="states: median")
    axes.plot(bonds, high, color=COLOURS[0], lw=0.8, ls=":", label="states: largest")
    axes.plot(bonds, operator, color=COLOURS[1], marker="s", ms=4, label="operator")
    if len(bonds) <= MOST_NAMED:
        modes = result.mode_order
        axes.set_xticks(bonds, [f"{modes[k - 1]}|{modes[k]}" for k in bonds], fontsize=SMALL)
        axes.set_xlabel("bond, named by the modes on its two sides")
    else:
        axes.set_xlabel("bond")
    axes.set_ylabel("TT-rank")
    axes.set_ylim(bottom=0)
    grid(axes)
    legend_above(axes, 5)
    return figure


def convergence(result: SpectrumResult, accuracy: float) -> Figure:
    """Energy changes and (from inverse iteration, two-site) residual norms over the passes."""
    history = [state for state in result.history if state.energies is not None]
    figure, (changes, residuals) = panels(4.2, 1, 2, sharex=True)
    steps = np.arange(1, len(history) + 1)
    moved = [np.abs(_difference(a.energies, b.energies)) for a, b in pairwise(history)]
    for summary, style, label in ((np.max, "o-", "largest"), (np.median, "s--", "median")):
        values = [_summary(summary, entry, 1e-6 * accuracy) for entry in moved]
        changes.plot(steps[1:], values, style, color=COLOURS[0], ms=4, label=label)
        values = [_summary(summary, state.residuals, 0.0) for state in history]
        residuals.plot(steps, values, style, color=COLOURS[1], ms=4, label=label)
    accuracy_line(changes, accuracy, result.unit)
    changes.set_ylabel(f"|change of energy| ({result.unit})")
    residuals.set_ylabel(f"residual norm ({result.unit})")
    for axes in (changes, residuals):
        axes.set_yscale("log")
        axes.set_xlim(0.5, len(history) + 0.5)
        grid(axes)
        if len(history) <= MOST_PASSES:
            names = [state.label.partition(":")[0] for state in history]
            axes.set_xticks(steps, names, rotation=35, ha="right", fontsize=SMALL)
            axes.set_xlabel("pass")
        else:
            axes.set_xlabel("pass number")
            whole_ticks(axes)
        legend_above(axes, 3)
    return figure


def _styles(references: Sequence[Reference]) -> list[Style]:
    """Line styles: a colour a method (the first word of the label), a marker a variant of it."""
    methods: dict[str, int] = {}
    styles: list[Style] = []
    for reference in references:
        method = reference.label.split()[0]
        number = list(dict.fromkeys(other.label.split()[0] for other in references)).index(method)
        variant = methods[method] = methods.get(method, -1) + 1
        marker = MARKERS[variant % len(MARKERS)]
        style: Style = {"color": colour(number), "marker": marker, "ls": DASHES[variant % len(DASHES)]}
        styles.append(style | {"mfc": "white" if variant % 2 else None})
    return styles


def _leading(assignment: str) -> tuple[float, str]:
    """Weight and name of the leading configuration of ``0.97[1v8a] ; ...``; a bare text has weight 1."""
    found = _LEADING.match(assignment)
    return (float(found[1]) ** 2, found[2]) if found else (1.0, assignment)


def _groups(levels: np.ndarray, gap: float) -> list[list[int]]:
    """Indices of ascending ``levels`` in groups no wider than ``gap``, widened until labels have room."""
    while True:
        groups: list[list[int]] = []
        for i, level in enumerate(levels):
            if groups and level - levels[groups[-1][0]] < gap:
                groups[-1].append(i)
            else:
                groups.append([i])
        if len(groups) <= MAX_LABELS:
            return groups
        gap *= 1.3


def _spread(places: np.ndarray, gap: float, end: float) -> np.ndarray:
    """Ascending places pushed apart to a distance ``gap``, by a pass to the right and one to the left."""
    moved = np.array(places)
    for i in range(1, moved.size):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    moved[-1] = min(moved[-1], max(end, places[-1]))
    for i in range(moved.size - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - gap)
    return moved


def _difference(before: np.ndarray | None, after: np.ndarray | None) -> np.ndarray:
    """After minus before over the states both passes had."""
    assert before is not None and after is not None
    count = min(len(before), len(after))
    return np.asarray(after)[:count] - np.asarray(before)[:count]


def _summary(summary: Callable[[np.ndarray], float], values: np.ndarray | None, floor: float) -> float:
    """Largest or median of the finite values, NaN (a gap in the line) where there is none."""
    if values is None:
        return np.nan
    finite = np.asarray(values)[np.isfinite(values)]
    return max(float(summary(finite)), floor) if finite.size else np.nan
