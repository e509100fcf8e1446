"""What lists and cards say of a run by the content of its report.json, whatever an earlier version wrote there."""

from __future__ import annotations

import re
from pathlib import Path

from ttsuite.data import Report
from ttsuite.pages import thumbnail


def headline(report: Report) -> list[tuple[str, str]]:
    """The few numbers that a run's report begins with, as (what, value); empty for a run without results."""
    facts = [fact for fact in _listed(report, "headline") if isinstance(fact, list | tuple) and len(fact) == 2]
    return [(str(what), str(value)) for what, value in facts]


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
