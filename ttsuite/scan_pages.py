"""scan.md and scan.html of a scan: the table with links to the reports, and the figure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from problems.families import family
from problems.report_parts import Picture
from ttsuite.attempt import attempt
from ttsuite.data import Data
from ttsuite.drawing import save_figure
from ttsuite.pages import render
from ttsuite.progress import duration
from ttsuite.record import Record
from ttsuite.scan_file import Plan, short_names, value_text
from ttsuite.scan_table import Outcome, value_names

SHOWN = 10  # quantities of the page; all are in table.csv


def write_pages(plan: Plan, outcomes: Sequence[Outcome], summary: str, picture: Picture | None, record: Record) -> None:
    """Write both pages, and the figure as PNG and SVG where there is one; ``summary``: how many ended how."""
    names = value_names(outcomes)
    shown = names if len(names) <= SHOWN else [*names[: SHOWN - 1], names[-1]]
    # the table is what counts
    drawn = None if picture is None else attempt("the figure", lambda: save_figure(picture, record), None, [])
    kinds = dict.fromkeys(point.study.problem.kind for point in plan.points)
    context = {
        "name": plan.name,
        "kind": "; ".join(family(kind).summary for kind in kinds),
        "summary": summary,
        "columns": ["point", *short_names(plan.keys), "status", *shown, "time"],
        "rows": [_row(plan, outcome, shown) for outcome in outcomes],
        "left": len(names) - len(shown),
        "messages": [(o.number, o.message) for o in outcomes if o.status not in ("finished", "waiting")],
        "picture": drawn,
    }
    for page in ("scan.md", "scan.html"):
        record.write(page, render(page, context))


def _row(plan: Plan, outcome: Outcome, names: Sequence[str]) -> Data:
    settings = [outcome.settings.get(key) for key in plan.keys]
    seconds = "" if outcome.seconds is None else duration(outcome.seconds)
    return {
        "folder": outcome.folder if outcome.status not in ("waiting", "failed", "refused") else None,
        "status": outcome.status,
        "number": str(outcome.number),
        "settings": ["" if value is None else value_text(value) for value in settings],
        "values": [_text(*outcome.values.get(name, (math.nan, None))) for name in names],
        "time": seconds,
    }


def _text(value: float, error: float | None) -> str:
    """A value to the digits that its error leaves it, and the error."""
    if not math.isfinite(value):
        return ""
    if error is None or not math.isfinite(error):
        return f"{value:.8g}"
    if error <= 0.0:
        return f"{value:.12g} ± 0"
    digits = min(max(1 - math.floor(math.log10(error)), 0), 14)
    return f"{value:.{digits}f} ± {error:.0e}"
