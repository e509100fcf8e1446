"""Figures of a decomposition. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from problems.decomposition.model import DecompositionProblem, DecompositionSolver
from problems.decomposition.result import Approximation, DecompositionResult
from problems.drawing import (
    COLOURS,
    DASHES,
    MARKERS,
    ROUNDING,
    SMALL,
    Style,
    accuracy_line,
    colour,
    floored,
    grid,
    log_line,
    panel,
    whole_ticks,
)
from problems.legends import legend_outside
from problems.report_parts import Picture
from solvers.formats.hierarchical.tree import Tree, modes_of
from solvers.measured import amount

NAMES = {"tt": "train", "ht": "tree", "tucker": "Tucker", "cp": "sum of terms"}
MOST_LINES = 14  # spectra in one figure
MOST_DRAWN = 4  # arrays with figures of their own
MOST_LEAVES = 16  # of a tree that is drawn
FLOOR = 1e-16
SHOWN = 1e-15  # of the norm: singular values below are rounding errors


def figures(problem: DecompositionProblem, solver: DecompositionSolver, result: DecompositionResult) -> list[Picture]:
    """All figures of a decomposition, in the order of the report."""
    found = []
    several = len(result.names) > 1
    for number, name in enumerate(result.names[:MOST_DRAWN]):
        after = f"_{number + 1}" if several else ""
        of = f" of {name}" if several else ""
        best = [one for one in result.approximations if one.tensor == name]
        said = "; ".join(f"{NAMES[one.format]} {one.numbers} numbers, error {amount(one.error)}" for one in best)
        found.append(
            Picture(
                f"errors{after}",
                f"Relative error{of} against the numbers that each format keeps, and the size of the array (dotted).",
                partial(errors, result, number, solver.accuracy),
                f"{said}.",
            )
        )
        found.append(
            Picture(
                f"singular_values{after}",
                f"Singular values{of} of the unfoldings, over the norm; the legend has the modes of the rows.",
                partial(spectra, result, name),
                f"{sum(one.tensor == name for one in result.spectra)} unfoldings.",
            )
        )
        trees = [one for one in best if one.format == "ht"]
        d = len(result.shapes[number])
        if trees and d > MOST_LEAVES:
            found.append(Picture.sentence(f"tree{after}", f"The tree {result.trees[number]} is not drawn."))
        elif trees:
            found.append(
                Picture(
                    f"tree{after}",
                    f"The dimension tree{of} with the rank of each node; the leaves are the modes and their sizes.",
                    partial(tree, result, number, trees[0]),
                    f"Tree {result.trees[number]}, ranks {', '.join(map(str, trees[0].ranks))}.",
                )
            )
        sums = [one for one in best if one.format == "cp" and one.starts]
        if sums:
            found.append(
                Picture(
                    f"starts{after}",
                    f"Sums of terms{of}: error of every start against the largest term over the norm; terms that are "
                    "far larger than the sum cancel.",
                    partial(starts, sums),
                    "; ".join(f"{one.ranks[0]} terms: {one.verdict}, error {amount(one.error)}" for one in sums) + ".",
                )
            )
    return found


def errors(result: DecompositionResult, number: int, accuracy: float) -> Figure:
    """Errors over numbers kept, a line a format."""
    figure, axes = panel(2.9)
    axes.set(xscale="log", yscale="log", xlabel="numbers kept", ylabel="relative error (2-norm)")
    own = [curve for curve in result.curves if curve.tensor == result.names[number]]
    for place, curve in enumerate(own):
        kept = np.array(curve.errors, dtype=float)
        look: Style = {"color": colour(place), "marker": MARKERS[place], "ls": DASHES[place % len(DASHES)]}
        log_line(axes, np.array(curve.numbers, dtype=float), kept, FLOOR, label=NAMES[curve.format], **look)
    entries = float(np.prod(result.shapes[number]))
    axes.axvline(entries, color="0.4", lw=0.9, ls=":", label="entries of the array")
    accuracy_line(axes, accuracy)
    grid(axes)
    legend_outside(figure, axes)
    return figure


def spectra(result: DecompositionResult, name: str) -> Figure:
    """Singular values, a line an unfolding."""
    figure, axes = panel(2.9)
    axes.set_yscale("log")
    own = [one for one in result.spectra if one.tensor == name]
    for place, one in enumerate(own[:MOST_LINES]):
        look: Style = {
            "color": colour(place),
            "marker": MARKERS[place % len(MARKERS)],
            "ms": max(5.0 - 0.3 * place, 2.0),
        }
        look["ls"] = DASHES[(place // len(COLOURS)) % len(DASHES)]
        shown = one.values[: int(np.count_nonzero(one.values > SHOWN)) + 1]  # rounding errors are one point
        log_line(axes, np.arange(1, len(shown) + 1), shown, ROUNDING, label=one.modes, **look)
    axes.set(xlabel="number of the singular value", ylabel="singular value / norm")
    whole_ticks(axes)
    grid(axes)
    legend_outside(figure, axes)
    return figure


def parsed(text: str) -> Tree:
    """The tree of a text such as ((1 2) 3)."""
    words = text.replace("(", " ( ").replace(")", " ) ").split()

    def read() -> Tree:
        word = words.pop(0)
        if word != "(":
            return int(word) - 1
        left, right = read(), read()
        words.pop(0)
        return left, right

    return read()


def tree(result: DecompositionResult, number: int, one: Approximation) -> Figure:
    """The nodes, each with its rank; the root on top."""
    figure, axes = panel(2.9)
    whole, shape = parsed(result.trees[number]), result.shapes[number]
    ranks = iter(one.ranks)
    places: dict[Tree, tuple[float, float]] = {}
    order = {mode: float(k) for k, mode in enumerate(modes_of(whole))}
    box: Style = {"ha": "center", "va": "center", "fontsize": SMALL, "zorder": 3}

    def draw(node: Tree) -> tuple[float, float]:
        if isinstance(node, int):
            places[node] = (order[node], 0.0)
            axes.text(order[node], -0.55, f"{node + 1}: {shape[node]}", **box)
        else:
            left, right = draw(node[0]), draw(node[1])
            x, y = 0.5 * (left[0] + right[0]), max(left[1], right[1]) + 1.0
            places[node] = (x, y)
            for end in (left, right):
                axes.plot([x, end[0]], [y, end[1]], color="0.6", lw=1.0, zorder=1)
        x, y = places[node]
        said = "1" if node == whole else str(next(ranks))
        face = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": COLOURS[0], "linewidth": 0.9}
        axes.text(x, y, said, bbox=face, **box)
        return x, y

    top = draw(whole)[1]
    axes.set(xlim=(-0.7, len(shape) - 0.3), ylim=(-0.95, top + 0.5))
    axes.set_axis_off()
    return figure


def starts(sums: list[Approximation]) -> Figure:
    """A point a start: error over the largest term."""
    figure, axes = panel(2.9)
    axes.set(xscale="log", yscale="log", xlabel="largest term / norm", ylabel="relative error (2-norm)")
    for place, one in enumerate(sums[-MOST_LINES:]):
        x = np.array([start.largest_term for start in one.starts])
        y = floored([start.error for start in one.starts], FLOOR)
        look: Style = {"color": colour(place), "marker": MARKERS[place % len(MARKERS)], "ls": "none", "ms": 5}
        axes.plot(x, y, label=f"{one.ranks[0]} terms", fillstyle="none", **look)
    grid(axes)
    legend_outside(figure, axes)
    return figure
