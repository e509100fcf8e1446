"""scan.md and scan.html of a scan: the table with links to the reports, and the figure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from problems.families import family
from problems.report_parts import Picture, Table
from solvers.measured import Cell, Measured, typographic
from ttsuite.pages.drawing import save_figure
from ttsuite.pages.render import render
from ttsuite.runs.attempt import attempt
from ttsuite.runs.record import Record
from ttsuite.scans.scan_file import Plan, short_names, value_text
from ttsuite.scans.scan_table import Outcome, contents_in_words, value_names

SHOWN = 10  # quantities of the page; all are in table.csv


def write_pages(plan: Plan, outcomes: Sequence[Outcome], summary: str, picture: Picture | None, record: Record) -> None:
    """Write both pages, and the figure as PNG and SVG where there is one; ``summary``: how many ended how."""
    names = value_names(outcomes)
    shown = names if len(names) <= SHOWN else [*names[: SHOWN - 1], names[-1]]
    # the table is what counts
    drawn = None if picture is None else attempt("the figure", lambda: save_figure(picture, record), None, [])
    kinds = dict.fromkeys(point.study.problem.kind for point in plan.points)
    seen = [o.status not in ("waiting", "failed", "refused") for o in outcomes]
    status = 1 + len(plan.keys)  # its column
    context = {
        "name": plan.name,
        "kind": "; ".join(family(kind).summary for kind in kinds),
        "summary": summary,
        "points": Table(
            ["point", *short_names(plan.keys), "status", *map(typographic, shown), "time (s)"],
            [_row(plan, outcome, shown) for outcome in outcomes],
            (status,),
        ),
        "links": [f"{o.folder}/report.html" if there else None for o, there in zip(outcomes, seen)],
        "contents": typographic(contents_in_words(outcomes)),
        "left": len(names) - len(shown),
        "messages": [(o.number, o.message) for o in outcomes if o.status not in ("finished", "waiting")],
        "picture": drawn,
    }
    for page in ("scan.md", "scan.html"):
        record.write(page, render(page, context))


def _row(plan: Plan, outcome: Outcome, names: Sequence[str]) -> list[Cell]:
    settings = [outcome.settings.get(key) for key in plan.keys]
    return [
        str(outcome.number),
        *("" if value is None else value_text(value) for value in settings),
        outcome.status.replace("_", " "),
        *(Measured(*outcome.values.get(name, (math.nan, None))) for name in names),
        "" if outcome.seconds is None else Measured(outcome.seconds, digits=3),
    ]
