"""What lists and cards say of a run by the content of its report.json, whatever an earlier version wrote there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from solvers.measured import Measured
from ttsuite.data import Report
from ttsuite.pages.render import thumbnail


def headline(report: Report) -> list[tuple[str, str]]:
    """The few numbers that a run's report begins with, as (what, value); empty for a run without results."""
    facts = [fact for fact in _listed(report, "headline") if isinstance(fact, list | tuple) and len(fact) == 2]
    return [(str(what), str(value)) for what, value in facts]


def first_result(kind: str, report: Report) -> list[tuple[str, str]]:
    """The first number of a run's kind with its error as (what, value), the last of those in time; else empty."""
    from problems.families import family, is_kind

    if not is_kind(kind) or not report["results"]:
        return []
    try:
        quantity = family(kind).result_of(report["results"]).quantities(report["results"])[0]
        at = len(quantity.keys) - 1 if quantity.over_time else 0
        key = quantity.keys[at]
        value = np.atleast_1d(quantity.values[at]).ravel()[0].item()
        error = None if quantity.errors is None else float(np.atleast_1d(quantity.errors[at]).ravel()[0])
    except (LookupError, TypeError, ValueError):
        return []
    where = "" if quantity.axis == "part" else f"{quantity.axis} "
    key_text = f"{key:g}" if isinstance(key, float) else str(key)
    told = str(Measured(value, error, quantity.unit))
    return [(f"{quantity.name}, {where}{key_text}", told)] if told else []


def first_picture(run: Path, report: Report, width: int) -> str | None:
    """The first figure of a run's report as a small image in a data URL, or None."""
    for name in _listed(report, "figures"):
        if re.fullmatch(r"[A-Za-z0-9_-]+", str(name)):
            return thumbnail(run / "figures" / f"{name}.png", width)
    return None


def _listed(report: Report, key: str) -> list[object]:
    """A list of a report; empty for a report without it."""
    entries = report.get(key)
    return entries if isinstance(entries, list) else []
