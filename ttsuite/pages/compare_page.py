"""The pages of a comparison: comparison.html, .md and .csv, and its figure; see ``ttsuite.pages.compare``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from problems.drawing import (
    COLOURS,
    GRID,
    SMALL,
    THIS_RUN,
    Style,
    blank,
    decades,
    floored,
    grid,
    log_line,
    whole_ticks,
)
from problems.legends import legend_above
from problems.report_parts import Picture, Table
from solvers.measured import Cell, Measured, bound, unit_text
from ttsuite.pages.compare import SIGNIFICANT, SUMMARY, ComparedQuantity, Comparison, summary_rows, told_key
from ttsuite.pages.drawing import save_figure
from ttsuite.pages.render import render
from ttsuite.runs.attempt import attempt
from ttsuite.runs.record import Record, RecordError

DEFAULT_PARENT = Path("results") / "comparisons"
MOST_ROWS = {True: 60, False: 12}  # of a table of values, of a quantity that can be judged and of one that cannot
PANELS = 4  # quantities of the figure
FEW = 24  # entries that are drawn with their names
TALLEST = 24  # letters of a name that stands along the height of a panel
_CSV = [
    "quantity",
    "entry",
    "first",
    "first_error",
    "second",
    "second_error",
    "difference",
    "tolerance",
    "agree",
    "unit",
    "allowed_are",
]
_BLUE, _ORANGE, _RED = COLOURS[0], COLOURS[4], COLOURS[1]
DECADES = 1e-8  # of the axis of such a panel
_FLOOR = 1e-17  # smaller ones are zeros on logarithmic axes
_PAGE = "comparison.html"


def write_comparison(comparison: Comparison, out: str | Path | None = None) -> Path:
    """Write the pages of a comparison to a folder; returns comparison.html.

    ``out``: by default ``results/comparisons/<first>-and-<second>`` below the current directory. A comparison that is
    there already is written again; RecordError for a folder that holds anything else.
    """
    folder = (
        DEFAULT_PARENT / "-and-".join(re.sub(r"[^\w.-]+", "-", name).strip("-") for name in comparison.names)
        if out is None
        else Path(out)
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / _PAGE).exists():
            raise RecordError(f"{folder} is not empty: nothing is overwritten, choose another folder")
        return _write(comparison, Record(folder))
    except FileExistsError:
        raise RecordError(f"{folder} is a file: nothing is overwritten, choose another folder") from None
    except RecordError:
        raise
    except OSError as error:
        raise RecordError(f"cannot write {error.filename or folder}: {error.strerror}") from None


def _write(comparison: Comparison, record: Record) -> Path:
    caption = (
        "Where the quantities of both runs have error estimates: the difference of the runs (dots, red where it is "
        "larger than their errors allow) and what these allow (line or bar). Below: the largest TT-ranks along the "
        "train, and the time."
    )
    pair = list(comparison.names)
    picture = Picture("comparison", caption, partial(figure, comparison))
    context = {
        "title": " and ".join(pair),
        "comparison": comparison,
        "summary": Table(SUMMARY, summary_rows(comparison), (0, 3, 5, 6)),
        "tables": [_values(q, pair) for q in comparison.quantities if q.keys],
        "facts": Table(["", *pair], [list(row) for row in comparison.facts], (0,)),
        "configuration": Table(["key", *pair], [list(row) for row in comparison.configuration], (0, 1, 2)),
        "provenance": Table(["", *pair], [list(row) for row in comparison.provenance], (0, 1, 2)),
        "picture": attempt("the figure", lambda: save_figure(picture, record), None, []),
    }
    record.write_csv("comparison.csv", _CSV, (row for q in comparison.quantities for row in _rows(q)))
    for name in ("comparison.md", _PAGE):
        record.write(name, render(name, context))
    return record.folder / _PAGE


def _rows(q: ComparedQuantity) -> Iterator[list[str]]:
    """The lines of comparison.csv, at full precision."""
    tolerance, agrees = q.tolerance, q.agrees
    for place in np.ndindex(q.difference.shape):
        row = [q.name, told_key(q, place)]
        for value, error in zip(q.values, q.errors):
            row += [_number(value[place]), "" if error is None else _number(error[place])]
        row += [_number(q.difference[place]), "" if tolerance is None else _number(tolerance[place])]
        yield [*row, "" if agrees is None else ("yes" if agrees[place] else "no"), q.unit, q.allowed_are]


def _number(value: complex | np.ndarray | np.generic) -> str:
    """A number at full precision; empty for one that is not known."""
    if np.isnan(value):
        return ""
    return repr(np.asarray(value).item()).strip("()")


def _values(q: ComparedQuantity, names: list[str]) -> Table:
    """The entries of one quantity, the furthest apart where they are too many."""
    tolerance, agrees, difference = q.tolerance, q.agrees, np.nan_to_num(q.difference, nan=np.inf)
    places = list(np.ndindex(difference.shape))
    note = ""
    most = MOST_ROWS[tolerance is not None]
    if len(places) > most:
        far = difference if tolerance is None else difference / np.maximum(np.nan_to_num(tolerance), 1e-300)
        chosen = sorted(sorted(range(len(places)), key=lambda i: -far[places[i]])[:most])
        note = f"The {most} of {len(places)} that are furthest apart; all are in comparison.csv."
        places = [places[i] for i in chosen]
    missing = [f"{count} only in {name}" for count, name in zip(q.only, names) if count]
    if missing:
        note = f"{note} Entries in one run alone: {', '.join(missing)}.".strip()
    if q.contents:
        note = f"{note} {q.contents[:1].upper()}{q.contents[1:]}.".strip()
    if tolerance is not None:
        note = f"{note} Allowed are {q.allowed_are}.".strip()
    rows: list[list[Cell]] = []
    for place in places:
        shown = "" if tolerance is None else _known(tolerance[place])
        verdict = "" if agrees is None else ("yes" if agrees[place] else "no")
        errors = [None if error is None else float(error[place]) for error in q.errors]
        told = [np.asarray(value[place]).item() for value in q.values]
        values = [
            "unknown" if value != value else Measured(value, error, digits=SIGNIFICANT)
            for value, error in zip(told, errors)
        ]
        rows.append([told_key(q, place), *values, _known(q.difference[place]), shown, verdict])
    title = f"{q.name[:1].upper()}{q.name[1:]}" + (f" ({q.unit})" if q.unit else "")
    return Table([q.axis, *names, "difference", "allowed", "agree"], rows, (0, 5), note, title)


def _known(size: np.ndarray | np.generic) -> Cell:
    return "unknown" if np.isnan(size) else bound(float(size))


def figure(comparison: Comparison) -> Figure:
    """A panel a quantity, those that can be judged first; below them ranks and times."""
    shown = [q for q in comparison.quantities if np.isfinite(q.difference).any()]
    shown = [q for q in shown if q.tolerance is not None or np.any(q.difference > 0.0)]
    shown = sorted(shown, key=lambda q: q.tolerance is None)[:PANELS]
    heights = [_height(q) for q in shown] + [2.2]
    drawing = blank(sum(heights) + 0.3)
    parts = drawing.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, q in zip(parts, shown):
        (_named if _is_named(q) else _over_keys)(part.subplots(), q)
    left, right = parts[-1].subplots(1, 2)
    names = list(comparison.names)
    _ranks(left, comparison, names)
    _times(right, comparison, names)
    handles, labels = left.get_legend_handles_labels()
    if handles:
        parts[-1].legend(handles, labels, loc="outside lower center", ncols=2)
    return drawing


def _is_named(q: ComparedQuantity) -> bool:
    return q.difference.size <= FEW and (len(q.keys) < 3 or any(isinstance(key, str) for key in q.keys))


def _height(q: ComparedQuantity) -> float:
    return 0.7 + 0.17 * q.difference.size if _is_named(q) else 2.0


def _flat(q: ComparedQuantity) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Differences and tolerances (m, c), and which differ."""
    m = len(q.keys)
    tolerance = None if q.tolerance is None else floored(q.tolerance.reshape(m, -1))
    apart = np.zeros((m, 1), dtype=bool) if q.agrees is None else ~q.agrees.reshape(m, -1)
    return q.difference.reshape(m, -1), tolerance, apart


def _over_keys(axes: Axes, q: ComparedQuantity) -> None:
    """The largest difference of an entry's components over the keys, and the tolerance there."""
    difference, tolerance, apart = _flat(q)
    x = np.array([key if isinstance(key, int | float) else i for i, key in enumerate(q.keys)], dtype=float)
    axes.set_yscale("log")
    entry, component = np.arange(len(x)), _worst(difference, tolerance)
    worst = difference[entry, component]
    if tolerance is not None:
        limit = tolerance[entry, component]
        axes.plot(x, limit, color=_BLUE, lw=1.2, label="what both errors allow")
    bad = apart.any(axis=1)
    low = max(_FLOOR, DECADES * float(np.nanmax([*worst, *([] if tolerance is None else limit)], initial=0.0)))
    if (~bad).any():
        log_line(axes, x[~bad], worst[~bad], low, marker="o", ls="", color=THIS_RUN, label="difference")
    if bad.any():
        log_line(axes, x[bad], worst[bad], low, marker="o", ls="", ms=4, color=_RED, label="difference, larger")
    axes.set_xlabel(q.axis)
    if all(isinstance(key, int) for key in q.keys):
        whole_ticks(axes)
    axes.set_ylabel("\n".join(wrap(_title(q), TALLEST)))
    grid(axes)
    legend_above(axes)


def _worst(difference: np.ndarray, tolerance: np.ndarray | None) -> np.ndarray:
    """Which component of each entry is furthest apart, of those that both runs know."""
    size = difference if tolerance is None else difference / tolerance
    return np.argmax(np.nan_to_num(size, nan=-1.0, posinf=np.inf), axis=1)


def _named(axes: Axes, q: ComparedQuantity) -> None:
    """Entries by name, their differences and tolerances along a logarithmic axis."""
    difference, tolerance, apart = _flat(q)
    places = list(np.ndindex(q.difference.shape))
    y = np.arange(len(places))
    flat = difference.ravel()
    known = flat if tolerance is None else np.concatenate([flat, tolerance.ravel()])
    high = float(np.nanmax(known, initial=_FLOOR))
    low = max(float(np.nanmin(known[known >= _FLOOR], initial=high)), DECADES * high)
    left = 10.0 ** np.floor(np.log10(low))
    if tolerance is not None:
        axes.barh(y, tolerance.ravel() - 0.7 * left, left=0.7 * left, height=0.5, color=_BLUE, alpha=0.35, lw=0)
    colours = [_RED if bad else THIS_RUN for bad in np.broadcast_to(apart, difference.shape).ravel()]
    axes.scatter(floored(flat, left), y, c=colours, s=12, zorder=3)
    below = flat < left  # of the axis: open arrows at its end
    open_: Style = {"marker": "<", "ls": "none", "mfc": "white", "mec": THIS_RUN, "ms": 4, "mew": 0.8}
    axes.plot(np.full(int(below.sum()), 0.015), y[below], transform=axes.get_yaxis_transform(), **open_)
    axes.set_xscale("log")
    axes.set_xlim(0.7 * left, max(3.0 * high, 10.0 * left))
    axes.set_yticks(y, [told_key(q, place) for place in places], fontsize=SMALL)
    axes.set_ylim(len(places) - 0.4, -0.6)
    axes.set_xlabel(_title(q))
    axes.set_axisbelow(True)
    axes.grid(True, which="major", axis="x", **GRID)
    decades(axes, "x")


def _title(q: ComparedQuantity) -> str:
    return f"|difference|, {q.name}" + (f" ({unit_text(q.unit)})" if q.unit else "")


def _ranks(axes: Axes, comparison: Comparison, names: list[str]) -> None:
    # the second markers are smaller: the first are seen behind them
    styles: tuple[Style, ...] = (
        {"color": _BLUE, "marker": "o", "ms": 5.5},
        {"color": _ORANGE, "marker": "s", "ms": 2.5, "ls": "--"},
    )
    longest = 1
    for ranks, name, style in zip(comparison.ranks, names, styles):
        inner = ranks[1:-1] if len(ranks) > 2 else ranks
        if inner:
            axes.plot(np.arange(1, len(inner) + 1), inner, label=name, **style)
            longest = max(longest, len(inner))
    axes.set(xlabel="bond", ylabel="largest TT-rank", xlim=(0.5, longest + 0.5))
    axes.set_ylim(bottom=0)
    whole_ticks(axes, "xy")
    grid(axes)


def _times(axes: Axes, comparison: Comparison, names: list[str]) -> None:
    rows = [row for row in comparison.facts if row[0].startswith("time, ")]
    y = np.arange(len(rows), dtype=float)
    for run, (colour, shift) in enumerate(((_BLUE, -0.19), (_ORANGE, 0.19))):
        seconds = [float(row[run + 1].split()[0]) if row[run + 1] else 0.0 for row in rows]
        axes.barh(y + shift, seconds, height=0.36, color=colour, label=names[run])
    axes.set_yticks(y, [row[0].removeprefix("time, ").partition(" (")[0] for row in rows], fontsize=SMALL)
    axes.invert_yaxis()
    axes.set_xlabel("time (s)")
    axes.set_axisbelow(True)
    axes.grid(True, axis="x", **GRID)
