"""What the figures of all families share: one style, sizes, palette, and the panels that recur.

Figures are matplotlib figures that no global state knows. ``style`` says how all of them look and how wide they are:
type of 8 points at the width of a page as at that of a column of a journal, where panels side by side stand below
each other. What is missing is left out; what a logarithmic axis does not reach is an open arrow at its edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeAlias

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import Formatter, LogLocator, MaxNLocator, NullFormatter

from solvers.measured import numeral

Style: TypeAlias = dict[str, Any]  # keywords of a matplotlib call

# Okabe and Ito's palette: told apart by colour-blind readers too; two more for many lines
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6BB1", "#7F7F7F"]
MARKERS = ["o", "s", "^", "v", "D", "P", "X", "<", ">", "*", "p", "h", "d", "8"]
DASHES = ["-", "--", ":", "-."]
THIS_RUN = "#000000"  # the computed numbers beside known ones
LIMIT = "#B00020"  # what is not to be passed
ASKED = "0.4"  # what was asked for
ABSENT = "0.85"  # where there is no value
GRID: Style = {"color": "0.9", "lw": 0.5}
TYPE = 8.0  # points: what is read first
SMALL = 7.5  # points: legends, labels of ticks
SMALLEST = 7.0  # points: labels of many lines; nothing is smaller
WIDTH = 7.0  # inches: two columns of a journal, and the width of the pages
COLUMN = 5.0  # inches: in what is narrower, panels stand below each other
LOW = 0.82  # heights in a column, of those on a page
ROUNDING = 1e-17  # smaller ones are zeros on a logarithmic axis

# matplotlib's parameters: text stays text in SVG, and is embedded as TrueType in PDF
STYLE: Style = {
    "font.size": TYPE,
    "axes.labelsize": TYPE,
    "axes.titlesize": TYPE,
    "figure.titlesize": TYPE,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.2,
    "legend.labelspacing": 0.3,
    "axes.linewidth": 0.6,
    "axes.labelpad": 3.0,
    "axes.formatter.useoffset": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.pad": 4.5,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.0,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.constrained_layout.h_pad": 0.03,
}
_WIDTH: ContextVar[float] = ContextVar("inches of the figures drawn", default=WIDTH)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@contextmanager
def style(width: float = WIDTH) -> Iterator[None]:
    """Figures drawn within have this style and are ``width`` inches wide, whatever the user's settings are."""
    before = _WIDTH.set(width)
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            parameters: Any = STYLE
            matplotlib.rcParams.update(parameters)
            yield
    finally:
        _WIDTH.reset(before)


def page_width() -> float:
    """Inches of the figures that are drawn."""
    return _WIDTH.get()


def in_column() -> bool:
    """Whether figures are as narrow as a column of a journal."""
    return page_width() < COLUMN


def blank(height: float, layout: Literal["constrained", "compressed"] = "constrained") -> Figure:
    """A figure without panels; ``height``: inches."""
    return Figure(figsize=(page_width(), height), layout=layout)


def panel(height: float) -> tuple[Figure, Axes]:
    """A figure of one panel; ``height``: inches on a page."""
    figure = blank(height * (LOW if in_column() else 1.0))
    return figure, figure.subplots()


def panels(
    height: float,
    rows: int,
    columns: int,
    layout: Literal["constrained", "compressed"] = "constrained",
    stay: bool = False,
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """A figure of several panels, row by row; ``height``: inches of all of them on a page; ``layout``: compressed for
    maps whose aspect is given; ``stay``: whether panels stay side by side in a column; ``options``: of
    ``Figure.subplots``."""
    each = height / rows
    if in_column() and not stay:
        rows, columns = rows * columns, 1
        options.pop("width_ratios", None)
        each *= LOW
    figure = blank(each * rows, layout)
    return figure, list(figure.subplots(rows, columns, squeeze=False, **options).flat)


def several(count: int, most: int, height: float, **options: Any) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` panels, up to ``most`` in a row, two of them in a column; ``height``: inches of each;
    ``options``: as of ``panels``."""
    most = min(most, 2) if in_column() else most
    rows = -(-count // most)
    height *= LOW if in_column() else 1.0
    figure, found = panels(height * rows + 0.3, rows, -(-count // rows), stay=True, **options)
    for left_over in found[count:]:
        left_over.set_visible(False)
    return figure, found[:count]


def label_rows(panels: Iterable[Axes], text: str) -> None:
    """The name of an ordinate that all panels share, at the first of each row."""
    for axes in panels:
        place = axes.get_subplotspec()
        if place is not None and place.is_first_col():
            axes.set_ylabel(text)


def label_below(panels: Sequence[Axes], text: str) -> None:
    """The name of an abscissa that all panels share, at the last of each column."""
    for axes in panels:
        place = axes.get_subplotspec()
        axes.set_xlabel(text if place is None or place.is_last_row() else "")


def colour(number: int) -> str:
    """Of the line of that number, from 0."""
    return COLOURS[number % len(COLOURS)]


def floored(values: Sequence[float | None] | np.ndarray, floor: float = ROUNDING) -> np.ndarray:
    """Values for a logarithmic axis that are no data below ``floor``: those, and what is missing, are gaps."""
    given = np.asarray(values, dtype=float)
    return np.where(given >= floor, given, np.nan)


def positive(values: np.ndarray) -> np.ndarray:
    """Values for a logarithmic axis, those that it cannot show as gaps."""
    return np.where(values > 0.0, values, np.nan)


def log_line(
    axes: Axes, x: Sequence[float] | np.ndarray, values: Sequence[float | None] | np.ndarray, floor: float, **how: Any
) -> None:
    """A line on a logarithmic ordinate: values below ``floor`` are open arrows at the lower edge, missing ones gaps."""
    given, places = np.asarray(values, dtype=float), np.asarray(x)
    drawn = axes.plot(places, floored(given, floor), **how)[0]
    arrows_below(axes, places[given < floor], drawn.get_color())


def arrows_below(axes: Axes, places: np.ndarray, paint: Any) -> None:
    """Open arrows at the lower edge, for values that the ordinate does not reach."""
    if len(places):
        named = {text for _, text in zip(*axes.get_legend_handles_labels())}
        label = None if BELOW in named else BELOW
        open_: Style = {"ls": "none", "marker": "v", "mfc": "white", "mec": paint, "ms": 4, "mew": 0.8, "label": label}
        axes.plot(places, np.full(len(places), 0.03), transform=axes.get_xaxis_transform(), zorder=4, **open_)


BELOW = "below the axis"


def grid(*panels: Axes) -> None:
    """Lines at the large ticks, behind everything; the labels of logarithmic axes as texts, a few whole decades."""
    for axes in panels:
        axes.grid(True, which="major", **GRID)
        axes.set_axisbelow(True)
        for name in "xy":
            if getattr(axes, f"get_{name}scale")() == "log":
                decades(axes, name)


class _Decades(LogLocator):
    """Powers of ten, and 2 and 5 times those where the axis spans less than two decades or so."""

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        low, high = sorted(max(float(end), 1e-300) for end in (vmin, vmax))
        self.set_params(subs=(1.0, 2.0, 5.0) if high < 50.0 * low else (1.0,))
        return super().tick_values(vmin, vmax)


class _Powers(Formatter):
    """Labels of a logarithmic axis, all of one form: 0.01, 0.1, 1 where it is near one, else 10⁻⁵, 10⁻³."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        near = all(1e-3 <= value <= 2e3 for value in values if value > 0.0)
        return [f"{value:g}" if near else power_of_ten(value) for value in values]

    def __call__(self, x: float, pos: int | None = None) -> str:
        return power_of_ten(x)


def decades(axes: Axes, name: str = "y") -> None:
    """Few ticks of a logarithmic axis, with their labels as texts."""
    axis = getattr(axes, f"{name}axis")
    axis.set_major_locator(_Decades(base=10.0, numticks=8 if name == "y" else 6))
    axis.set_major_formatter(_Powers())
    axis.set_minor_formatter(NullFormatter())


def power_of_ten(value: float) -> str:
    """``10⁻³``, ``2 × 10⁻³``."""
    if not value > 0.0:
        return ""
    exponent = int(np.floor(np.log10(value) + 1e-9))
    digits = value / 10.0**exponent
    power = f"10{str(exponent).translate(_SUPERSCRIPTS)}"
    return power if abs(digits - 1.0) < 1e-6 else f"{numeral(digits, digits=3)} × {power}"


def whole_ticks(axes: Axes, which: str = "x") -> None:
    """Ticks at whole numbers only, of the axes in ``which``."""
    for name in which:
        getattr(axes, f"{name}axis").set_major_locator(
            MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10], nbins=8)
        )


def accuracy_line(axes: Axes, accuracy: float, unit: str = "", name: str = "asked") -> None:
    """A horizontal line at what was asked for."""
    axes.axhline(accuracy, color=ASKED, lw=0.9, ls="--", label=f"{name}: {accuracy:g} {unit}".rstrip())


def error_panel(axes: Axes, x: np.ndarray, parts: Mapping[str, np.ndarray], floor: float = ROUNDING) -> None:
    """Errors over ``x`` on a logarithmic axis: label -> values, a colour and a marker each."""
    axes.set_yscale("log")
    for number, (label, values) in enumerate(parts.items()):
        look: Style = {"color": colour(number), "marker": MARKERS[number], "ls": DASHES[number % len(DASHES)]}
        log_line(axes, x, values, floor, label=label, **look)
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
        # lines that coincide are seen behind each other
        size = max(5.0 - number, 2.0)
        look: Style = {"color": colour(number), "marker": MARKERS[number % len(MARKERS)], "ms": size}
        axes.plot(np.arange(first, first + len(inner)), inner, label=label or None, **look)
        highest = max(highest, *inner)
    axes.set(xlabel=f"after {after}", ylabel="TT-rank", ylim=(0, 1.15 * highest))
    whole_ticks(axes, "xy")
    grid(axes)


def map_panel(
    axes: Axes,
    values: np.ndarray,
    extent: tuple[float, float, float, float],
    label: str = "",
    **options: Any,
) -> AxesImage:
    """Values (columns, rows) as an image; ``extent``: left, right, bottom, top of it. What is missing is grey.

    ``label``: of a colour bar as tall as the panel; without one there is none.
    """
    how: Style = {"origin": "lower", "aspect": "auto", "interpolation": "nearest"} | options
    how["cmap"] = matplotlib.colormaps[how.get("cmap", "viridis")].with_extremes(bad=ABSENT)
    image = axes.imshow(np.ma.masked_invalid(values.T), extent=extent, **how)
    if label:
        colour_bar(axes, image, label)
    return image


def colour_bar(axes: Axes, mapped: Any, label: str) -> None:
    """A colour bar as tall as the panel beside which it stands."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(mapped, cax=axes.inset_axes((1.03, 0.0, 0.05, 1.0)), label=label)
    if bar.ax.get_yscale() == "log":
        decades(bar.ax)
    else:
        bar.locator = MaxNLocator(nbins=5)
        bar.update_ticks()
