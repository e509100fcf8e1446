"""Legends of figures: above or beside their panels, where they cover no data, in as many columns as fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from problems.drawing import SMALL, Style, page_width

BESIDE = 0.8  # inches that ticks and labels take beside a panel, about
LEGEND_ROW = 0.14  # inches


def text_width(text: str, size: float = SMALL) -> float:
    """Inches that a text takes in a line."""
    font = FontProperties(size=size)
    return max(
        float(text_to_path.get_text_width_height_descent(part, font, "$" in part)[0]) / 72.0
        for part in text.split("\n")
    )


def legend_columns(labels: Sequence[str], room: float) -> int:
    """The most columns of a legend, which is filled column by column, that fit ``room`` inches."""
    handle = (1.6 + 0.5 + 1.2) * SMALL / 72.0  # line, gap and gap between columns
    widths = np.array([text_width(text) + handle for text in labels])
    for columns in range(len(labels), 1, -1):
        if sum(float(column.max()) for column in np.array_split(widths, columns)) <= room:
            return columns
    return 1


def legend_above(axes: Axes, room: float | None = None) -> None:
    """A legend over the axes, where it covers no data, in as many columns as fit ``room`` inches, by default those of
    the panel."""
    handles, labels = _shown(axes)
    if handles:
        columns = legend_columns(labels, _room(axes) if room is None else room)
        _make_room(axes, -(-len(handles) // columns))
        place: Style = {"loc": "lower left", "bbox_to_anchor": (-0.01, 1.0), "borderaxespad": 0.1, "borderpad": 0.2}
        axes.legend(handles, labels, ncols=columns, **place)


def _shown(axes: Axes) -> tuple[list[Artist], list[str]]:
    """What a legend names: lines of which something is drawn, and what was made for the legend alone."""
    kept = [(handle, label) for handle, label in zip(*axes.get_legend_handles_labels()) if _drawn(handle)]
    return [handle for handle, _ in kept], [label for _, label in kept]


def _drawn(handle: Artist) -> bool:
    points = np.asarray(handle.get_xydata(), dtype=float) if isinstance(handle, Line2D) else np.zeros((0, 2))
    return not len(points) or bool(np.isfinite(points).all(axis=1).any())


def _make_room(axes: Axes, rows: int) -> None:
    """A higher figure for a legend of more than one row, once a row of panels."""
    figure, place = axes.get_figure(root=True), axes.get_subplotspec()
    if figure is not None and (place is None or place.is_first_col()):
        wide, high = figure.get_size_inches()
        figure.set_size_inches(wide, high + (rows - 1) * LEGEND_ROW)


def _room(axes: Axes) -> float:
    """Inches that axes are about wide, without their ticks and labels."""
    place = axes.get_subplotspec()
    inches = page_width()
    if place is not None:
        shares = np.asarray(place.get_gridspec().get_width_ratios(), dtype=float)
        inches *= float(shares[place.colspan.start : place.colspan.stop].sum() / shares.sum())
    return inches - BESIDE


def legend_outside(figure: Figure, axes: Axes, place: str = "upper left", order: Sequence[str] = ()) -> None:
    """A legend of the figure beside its panels, ``place`` of it; ``order``: labels that come first."""
    handles, labels = _shown(axes)
    ranked = sorted(range(len(labels)), key=lambda i: order.index(labels[i]) if labels[i] in order else len(order))
    names = [labels[i] for i in ranked]
    how: Style = {"ncols": legend_columns(names, page_width() - 0.3), "loc": f"outside {place}", "borderaxespad": 0.1}
    wide, high = figure.get_size_inches()
    figure.set_size_inches(wide, high + (-(-len(names) // how["ncols"]) - 1) * LEGEND_ROW)
    figure.legend([handles[i] for i in ranked], names, **how)
