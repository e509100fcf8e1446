"""Figures of perturbations. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from problems.drawing import (
    COLOURS,
    DASHES,
    MARKERS,
    SMALL,
    SMALLEST,
    Style,
    colour,
    grid,
    map_panel,
    panel,
    several,
)
from problems.legends import legend_outside
from problems.perturbation.model import PerturbationProblem, PerturbationSolver
from problems.perturbation.result import PerturbationResult
from problems.report_parts import Picture
from solvers.measured import numeral

MOST_DRAWN = 12  # perturbations as pictures
MOST_FIELDS = 40  # columns of a table whose signs are drawn
LONGEST, LETTER = 24, 0.075  # of their names, and inches of a letter


def figures(problem: PerturbationProblem, solver: PerturbationSolver, result: PerturbationResult) -> list[Picture]:
    """All figures, in the order of the report."""
    found = []
    if len(result.eps) > 1:
        text = "Share of held-out rows that each perturbation fools, over its size, with one standard deviation."
        rate = numeral(result.means[result.best, -1], result.errors[result.best, -1])
        best = f"At {result.eps[-1]:g} {result.names[result.best]} fools a share of {rate}."
        found.append(Picture("fooling", text, partial(fooling, result), best))
    if result.image is not None or len(result.fields) <= MOST_FIELDS:
        text = "The perturbations of the first split: blue lowers, red raises; DeepFool's over its size."
        count = f"{len(result.vector_names)} perturbations of {len(result.fields)} entries."
        found.append(Picture("perturbations", text, partial(perturbations, result), count))
    if len(result.exponents) > 1:
        text = "Largest q-norm of the Jacobians of each layer over changes of up to 1, with one standard deviation."
        each = [
            f"{entry.layer} (q = {entry.q:g}): {numeral(entry.norm, entry.norm_error)}" for entry in result.values_told
        ]
        told = ", ".join(each)
        found.append(Picture("singular_values", text, partial(singular_values, result), f"{told}."))
    return found


def fooling(result: PerturbationResult) -> Figure:
    """A line a perturbation; singular vectors are full, the others dashed."""
    figure, axes = panel(3.3)
    own = len(result.exponents)
    for i, name in enumerate(result.names):
        look: Style = {"color": colour(i), "marker": MARKERS[i % len(MARKERS)], "ls": DASHES[0 if i < own else 1]}
        if i >= own:
            look["mfc"] = "white"
        axes.errorbar(result.eps, result.means[i], yerr=result.errors[i], label=name, capsize=2, ms=3.5, **look)
    unit = "pixels in [0, 1]" if result.image else "deviations"
    axes.set(xlabel=f"largest change ({unit})", ylabel="fooling rate", ylim=(0.0, 1.03))
    grid(axes)
    legend_outside(figure, axes)
    return figure


def perturbations(result: PerturbationResult) -> Figure:
    """A panel a perturbation of images; a row of signs a perturbation of a table."""
    names, vectors = result.vector_names[:MOST_DRAWN], result.vectors[:MOST_DRAWN]
    paint: Style = {"cmap": "coolwarm", "vmin": -1.0, "vmax": 1.0}
    if result.image is None:
        fields = [name if len(name) <= LONGEST else f"{name[: LONGEST - 3]}..." for name in result.fields]
        figure, axes = panel(0.6 + 0.28 * len(names) + LETTER * max(len(name) for name in fields))
        extent = (0.0, float(len(result.fields)), 0.0, float(len(names)))
        map_panel(axes, vectors[::-1].T, extent, **paint)
        axes.set_yticks(np.arange(len(names)) + 0.5, list(names)[::-1])
        axes.set_xticks(np.arange(len(fields)) + 0.5, fields, rotation=90, fontsize=SMALLEST)
        return figure
    rows, columns = result.image
    figure, found = several(len(names), 4, 1.45, layout="compressed")
    for axes, name, vector in zip(found, names, vectors):
        picture = vector.reshape(rows, columns)[::-1].T
        map_panel(axes, picture, (0.0, float(columns), 0.0, float(rows)), aspect="equal", **paint)
        axes.set_title(name, fontsize=SMALL)
        axes.set(xticks=[], yticks=[])
    return figure


def singular_values(result: PerturbationResult) -> Figure:
    """A line an exponent, over the layers."""
    figure, axes = panel(2.4)
    layers = list(dict.fromkeys(result.layer_names))
    told = result.values_told
    for number, q in enumerate(dict.fromkeys(result.exponents)):
        own = [entry for entry in told if entry.q == q]
        places = [layers.index(entry.layer) for entry in own]
        look: Style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)], "capsize": 3}
        errors = [entry.norm_error for entry in own]
        axes.errorbar(places, [entry.norm for entry in own], yerr=errors, label=f"q = {q:g}", ms=4, **look)
    axes.set_yscale("log")
    axes.set_xticks(range(len(layers)), layers)
    axes.set(ylabel="singular value", xlim=(-0.4, len(layers) - 0.6))
    grid(axes)
    legend_outside(figure, axes)
    return figure
