"""What the figures of all families share: palette, sizes, legends, floors, and the panels that recur.

Figures are matplotlib figures that no global state knows. A value that cannot stand on a logarithmic axis is drawn at
the floor that the panel names, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

Style: TypeAlias = dict[str, Any]  # keywords of a matplotlib call

# Okabe and Ito's palette: told apart by colour-blind readers too; two more for many lines
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6BB1", "#7F7F7F"]
MARKERS = ["o", "s", "^", "v", "D", "P", "X", "<", ">", "*", "p", "h", "d", "8"]
DASHES = ["-", "--", ":", "-."]
THIS_RUN = "#000000"  # the computed numbers beside known ones
LIMIT = "#B00020"  # what is not to be passed
ASKED = "0.4"  # what was asked for
GRID: Style = {"color": "0.9", "lw": 0.6}
WIDTH = 9.0  # inches
SMALL = 8  # points: legends, labels of many ticks
ROUNDING = 1e-17  # what zeros are drawn as on a logarithmic axis


def panel(height: float) -> tuple[Figure, Axes]:
    """A figure of one panel, as wide as the page; ``height`` in inches."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def panels(
    height: float, rows: int, columns: int, layout: Literal["constrained", "compressed"] = "constrained", **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of several panels, row by row; ``layout``: compressed for maps whose aspect is given; ``options``: of
    ``Figure.subplots``."""
    figure = Figure(figsize=(WIDTH, height), layout=layout)
    return figure, list(figure.subplots(rows, columns, squeeze=False, **options).flat)


def several(count: int, most: int, height: float, **options: Any) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` panels, up to ``most`` in a row, ``height`` inches each; ``options``: as of ``panels``."""
    rows = -(-count // most)
    figure, found = panels(height * rows + 0.3, rows, -(-count // rows), **options)
    for left_over in found[count:]:
        left_over.set_visible(False)
    return figure, found[:count]


def label_rows(panels: Iterable[Axes], text: str) -> None:
    """The name of an ordinate that all panels share, at the first of each row."""
    for axes in panels:
        place = axes.get_subplotspec()
        if place is not None and place.is_first_col():
            axes.set_ylabel(text)


def colour(number: int) -> str:
    """Of the line of that number, from 0."""
    return COLOURS[number % len(COLOURS)]


def floored(values: Sequence[float | None] | np.ndarray, floor: float = ROUNDING) -> np.ndarray:
    """Values for a logarithmic axis, none below ``floor``; what is missing is a gap."""
    return np.maximum(np.asarray(values, dtype=float), floor)


def positive(values: np.ndarray) -> np.ndarray:
    """Values for a logarithmic axis, those that it cannot show as gaps."""
    return np.where(values > 0.0, values, np.nan)


def grid(*panels: Axes) -> None:
    """Lines at the large ticks, behind everything."""
    for axes in panels:
        axes.grid(True, which="major", **GRID)
        axes.set_axisbelow(True)


def whole_ticks(axes: Axes, which: str = "x") -> None:
    """Ticks at whole numbers only, of the axes in ``which``."""
    for name in which:
        getattr(axes, f"{name}axis").set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def legend_above(axes: Axes, columns: int) -> None:
    """A legend over the axes, where it covers no data."""
    if axes.get_legend_handles_labels()[0]:
        place: Style = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.2}
        axes.legend(ncols=min(columns, 5), fontsize=SMALL, frameon=False, **place)


def legend_outside(
    figure: Figure, axes: Axes, place: str = "upper left", columns: int = 1, order: Sequence[str] = ()
) -> None:
    """A legend of the figure beside its panels, ``place`` of it; ``order``: labels that come first."""
    handles, labels = axes.get_legend_handles_labels()
    ranked = sorted(range(len(labels)), key=lambda i: order.index(labels[i]) if labels[i] in order else len(order))
    chosen = [handles[i] for i in ranked], [labels[i] for i in ranked]
    style: Style = {"ncols": columns, "loc": f"outside {place}"}
    figure.legend(*chosen, fontsize=SMALL, frameon=False, **style)


def accuracy_line(axes: Axes, accuracy: float, unit: str = "", name: str = "asked") -> None:
    """A horizontal line at what was asked for."""
    label = f"{name}: {accuracy:g} {unit}".rstrip()
    axes.axhline(accuracy, color=ASKED, lw=0.9, ls="--", label=label)


def error_panel(axes: Axes, x: np.ndarray, parts: Mapping[str, np.ndarray], floor: float = ROUNDING) -> None:
    """Errors over ``x`` on a logarithmic axis: label -> values, a colour and a marker each."""
    for number, (label, values) in enumerate(parts.items()):
        style: Style = {"color": colour(number), "marker": MARKERS[number], "ls": DASHES[number % len(DASHES)]}
        axes.plot(x, floored(values, floor), ms=4, lw=1.1, label=label, **style)
    axes.set_yscale("log")
    grid(axes)


def rank_panel(
    axes: Axes, ranks: Iterable[tuple[str, Sequence[int]]], after: str = "mode", first_mode: int = 1
) -> None:
    """TT-ranks along the train: pairs of label and d+1 ranks; the ends, which are one, are left out.

    ``after``, ``first_mode``: what a mode is called, and its first number.
    """
    highest = 1
    for number, (label, along) in enumerate(ranks):
        inner = list(along)[1:-1] or list(along)
        first = first_mode if len(along) > 2 else 0
        style: Style = {"color": colour(number), "marker": MARKERS[number % len(MARKERS)]}
        axes.plot(np.arange(first, first + len(inner)), inner, ms=4, lw=1.1, label=label or None, **style)
        highest = max(highest, *inner)
    axes.set(xlabel=f"after {after}", ylabel="TT-rank", ylim=(0, 1.15 * highest))
    whole_ticks(axes, "xy")
    grid(axes)


def map_panel(
    figure: Figure,
    axes: Axes,
    values: np.ndarray,
    extent: tuple[float, float, float, float],
    label: str,
    **options: Any,
) -> None:
    """Values (columns, rows) as an image with a colour bar; ``extent``: left, right, bottom, top of it."""
    style: Style = {"origin": "lower", "aspect": "auto", "interpolation": "nearest"} | options
    figure.colorbar(axes.imshow(values.T, extent=extent, **style), ax=axes, label=label)
