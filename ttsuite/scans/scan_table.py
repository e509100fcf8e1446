"""The table and the figure of a scan.

A row a point: the keys that change, how its run ended, every quantity its kind knows with the error the run itself
estimates, and the largest TT-rank. Of quantities over time the last entry is taken, of others the first ``ENTRIES``.
Nothing in the table depends on the machine, the order or the number of workers: time and memory are in scan.json.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes

from problems.drawing import (
    colour,
    grid,
    panels,
    whole_ticks,
)
from problems.families import family
from problems.legends import legend_outside
from problems.report_parts import Picture, Quantity, error_contents
from solvers.measured import ROUNDING
from ttsuite.data import Data, Report
from ttsuite.runs.run_folder import ranks_along_train
from ttsuite.scans.scan_file import short_names, value_text, words

ENTRIES = 30  # of one quantity
COMPONENTS = 6  # of one entry
PANELS = 6
LINES = 8  # of a panel, with a name each
WIDE = 50.0  # the ratio of largest and smallest value from which an axis is logarithmic
RANK = "largest TT-rank"


@dataclass(frozen=True)
class Outcome:
    """What a scan knows of a point.

    Attributes
    ----------
    settings : dotted key -> value, for every key that changes anywhere in the scan.
    folder : its run folder, named from that of the scan.
    status, message : of its run; ``waiting`` where it has not been computed.
    seconds : its wall time, None where it has not ended.
    values : name -> (value, error estimate or None).
    contents : what is in the errors and what is not, in words, by the quantity that the name of a value begins with.
    sampled : the names of the values whose errors are one standard deviation.
    """

    number: int
    settings: Data
    folder: str
    status: str
    message: str
    seconds: float | None
    values: dict[str, tuple[float, float | None]]
    contents: dict[str, str] = field(default_factory=dict)
    sampled: tuple[str, ...] = ()


def values_of(kind: str, report: Report) -> dict[str, tuple[float, float | None]]:
    """The quantities in a report of that kind as name -> (value, error estimate or None)."""
    values: dict[str, tuple[float, float | None]] = {}
    for quantity in _quantities(kind, report):
        values |= _entries(quantity)
    ranks = ranks_along_train(report)
    if ranks:
        values[RANK] = (float(max(ranks)), None)
    return values


def contents_of(kind: str, report: Report) -> dict[str, str]:
    """What the errors of the quantities in a report of that kind have in them, in words."""
    told = {_title(quantity): error_contents(quantity) for quantity in _quantities(kind, report)}
    return {name: text for name, text in told.items() if text}


def sampled_of(kind: str, report: Report) -> tuple[str, ...]:
    """The names of the values in a report of that kind whose errors are one standard deviation."""
    return tuple(name for quantity in _quantities(kind, report) if quantity.sampled for name in _entries(quantity))


def contents_in_words(outcomes: Sequence[Outcome]) -> str:
    """The same of all points of a scan, in sentences; quantities of which the same is said are named together."""
    said: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        for name, text in outcome.contents.items():
            said.setdefault(text, {})[name] = None
    return " ".join(f"{', '.join(names)}: {text}." for text, names in said.items())


def _quantities(kind: str, report: Report) -> list[Quantity]:
    results = report["results"]
    return family(kind).result_of(results).quantities(results) if results else []


def _title(quantity: Quantity) -> str:
    return f"{quantity.name} ({quantity.unit})" if quantity.unit else quantity.name


def _entries(quantity: Quantity) -> dict[str, tuple[float, float | None]]:
    """The entries of a quantity that the table shows, each by a name of its own."""
    numbers = np.asarray(quantity.values)
    errors = None if quantity.errors is None else np.asarray(quantity.errors, dtype=float)
    chosen = range(len(quantity.keys))[-1:] if quantity.over_time else range(min(len(quantity.keys), ENTRIES))
    found: dict[str, tuple[float, float | None]] = {}
    for i in chosen:
        key = quantity.keys[i]
        title = _title(quantity)
        name = f"{title}, {quantity.axis} {key:g}" if isinstance(key, float) else f"{title}, {key}"
        if isinstance(key, int):
            name = f"{title}, {quantity.axis} {key}"
        for place in list(np.ndindex(numbers.shape[1:]))[:COMPONENTS]:
            value = numbers[(i, *place)]
            error = (
                None if errors is None else _error(float(errors[(i, *place)] if errors.ndim > 1 else errors[i]), value)
            )
            full = name + (f" [{', '.join(str(k + 1) for k in place)}]" if place else "")
            parts = {f"Re {full}": value.real, f"Im {full}": value.imag} if np.iscomplexobj(numbers) else {full: value}
            found |= {part: (float(v), error) for part, v in parts.items()}
    return found


def _error(error: float, value: complex) -> float | None:
    """An error, not below rounding; None where it is not known."""
    return max(error, ROUNDING * abs(value)) if math.isfinite(error) else None


def table(outcomes: Sequence[Outcome]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of table.csv, numbers to the last digit."""
    keys = list(dict.fromkeys(key for outcome in outcomes for key in outcome.settings))
    names = value_names(outcomes)
    header = ["point", *keys, "status"]
    for name in names:
        deviation = any(name in outcome.sampled for outcome in outcomes)
        head = f"{name}: error{' (one standard deviation)' if deviation else ''}"
        header += [name] if _without_error(outcomes, name) else [name, head]
    rows = []
    for outcome in outcomes:
        row: list[object] = [outcome.number, *(_plain(outcome.settings.get(key)) for key in keys), outcome.status]
        for name in names:
            value, error = outcome.values.get(name, (None, None))
            row += [_number(value)] if _without_error(outcomes, name) else [_number(value), _number(error)]
        rows.append(row)
    return header, rows


def value_names(outcomes: Sequence[Outcome]) -> list[str]:
    """The names of all values, in the order they are met; the rank comes last."""
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.values if name != RANK)
    return [*names, *([RANK] if any(RANK in outcome.values for outcome in outcomes) else [])]


def _without_error(outcomes: Sequence[Outcome], name: str) -> bool:
    return all(outcome.values.get(name, (0.0, None))[1] is None for outcome in outcomes)


def _plain(value: object) -> str:
    return "" if value is None else value_text(value)


def _number(value: float | None) -> str:
    """A number that reads back as itself; whole ones without a point."""
    if value is None or not math.isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def picture(outcomes: Sequence[Outcome]) -> Picture | None:
    """The first quantities over the key with the most numbers, a line for each choice of the other keys.

    None where no point has a value.
    """
    shown = [outcome for outcome in outcomes if outcome.values]
    names = value_names(shown)
    if not names:
        return None
    left = len(names) - PANELS
    names = names if left <= 0 else [*names[: PANELS - 1], names[-1]]
    axis = _axis(shown)
    rest = [key for key in shown[0].settings if key != axis and len({_plain(o.settings.get(key)) for o in shown}) > 1]
    groups: dict[str, list[Outcome]] = {}
    for outcome in shown:
        group = words({key: outcome.settings[key] for key in rest}) if axis else ""
        groups.setdefault(group, []).append(outcome)
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    figure, parts = panels(2.2 * rows + 0.3, rows, columns)
    for axes, name in zip(parts, names):
        _panel(axes, name, axis, groups)
    for axes in parts[len(names) :]:
        axes.set_visible(False)
    if 1 < len(groups) <= LINES:
        legend_outside(figure, parts[0], "upper left")
    over = axis or "the number of the point"
    more = f" The table has {left} quantities more." if left > 0 else ""
    said = f" {contents_in_words(outcomes)}".rstrip()
    return Picture("scan", f"Quantities over {over}; bars are the error estimates of the runs.{said}{more}", figure)


def _panel(axes: Axes, name: str, axis: str | None, groups: Mapping[str, Sequence[Outcome]]) -> None:
    x_all: list[float] = []
    y_all: list[float] = []
    for i, (group, members) in enumerate(groups.items()):
        points = [(float(o.settings[axis] if axis else o.number), *o.values[name]) for o in members if name in o.values]
        points = sorted(point for point in points if math.isfinite(point[1]))
        if not points:
            continue
        x, y = [point[0] for point in points], [point[1] for point in points]
        errors = [math.nan if point[2] is None else point[2] for point in points]  # no bar where none was estimated
        axes.errorbar(
            x,
            y,
            yerr=errors,
            color=colour(i),
            marker="o",
            capsize=2,
            linestyle="-" if axis else "none",
            label=group,
        )
        x_all += x
        y_all += y
    for values, scale in ((x_all, axes.set_xscale), (y_all, axes.set_yscale)):
        if values and min(values) > 0.0 and max(values) > WIDE * min(values):
            scale("log")
    for which, values, kind in (("x", x_all, axes.get_xscale()), ("y", y_all, axes.get_yscale())):
        if values and all(float(value).is_integer() for value in values) and kind == "linear":
            whole_ticks(axes, which)  # sizes, and ranks
    axes.set(title=name, xlabel=short_names([axis or "point"])[0])
    grid(axes)


def _axis(outcomes: Sequence[Outcome]) -> str | None:
    """The key with the most values, where those are numbers."""
    counts = {}
    for key in outcomes[0].settings:
        values = [outcome.settings.get(key) for outcome in outcomes]
        if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values) and len(set(values)) > 1:
            counts[key] = len(set(values))
    return max(counts, key=lambda key: counts[key], default=None)
