"""A run as a notebook shows it: status, the numbers of its headline, warnings, and the first figure of its report."""

from __future__ import annotations

from pathlib import Path

from ttsuite.data import Report
from ttsuite.pages import render
from ttsuite.report_facts import first_picture, headline

_WIDTH = 720  # pixels of the figure


def card(folder: Path, report: Report) -> str:
    """HTML that stands inside another page: style inline, no script, nothing loaded. Cost: some ten milliseconds."""
    facts = headline(report)
    if (seconds := report["timing"].get("wall_s")) is not None:
        facts.append(("time", f"{seconds:.1f} s"))
    picture = first_picture(folder, report, _WIDTH)
    # the folder's name alone: notebooks are shared
    return render("card.html", {"report": report, "facts": facts, "picture": picture, "folder": folder.name})
