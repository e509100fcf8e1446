"""One page over all runs in a folder: a table to sort and to search, a thumbnail a run, and links to the reports.

The page is complete in itself and works from the file system: images, style and script are inlined, links are
relative. Damaged and unfinished runs are listed as what they are. Cost: some forty milliseconds a run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeGuard
from urllib.parse import quote

from problems.agreement import counted_deviation
from solvers.measured import Measured
from ttsuite.data import Data, Report
from ttsuite.pages.render import moment, render
from ttsuite.pages.report_facts import first_picture, first_result, headline
from ttsuite.runs.layout import CONFIGURATION_FILE
from ttsuite.runs.record import Record, RecordError
from ttsuite.runs.run_folder import ranks_along_train, read_report, runs_below
from ttsuite.study.yaml_file import parse

PAGE = "index.html"
_GENERATOR = "ttsuite index"
_WIDTH = 360  # pixels of a thumbnail
_FACTS = 3  # of the headline
_COLUMNS = (
    {"name": "run", "text": True, "says": ""},
    {"name": "kind", "text": True, "says": ""},
    {"name": "status", "text": True, "says": ""},
    {"name": "result", "text": True, "says": "the first result of the kind, then what its report begins with"},
    {
        "name": "deviation / accuracy",
        "text": False,
        "says": "largest deviation from the first reference over what the key check allows: the accuracy asked and "
        "that of the reference, relative or absolute as the accuracy is; above 1 is too far. In parentheses: the "
        "deviation itself",
    },
    {"name": "rank", "text": False, "says": "largest TT-rank"},
    {"name": "seconds", "text": False, "says": "wall time"},
    {"name": "MB", "text": False, "says": "peak memory of all processes"},
    {"name": "started", "text": False, "says": ""},
)
_LINKS = {
    "report.md": "text",
    "report.json": "json",
    CONFIGURATION_FILE: "configuration",
    "traceback.txt": "traceback",
}


def index_runs(folder: str | Path) -> Path:
    """Write ``index.html`` over all runs in and below ``folder``; returns it. An index written before is replaced.

    Raises NotADirectoryError where ``folder`` is none, RecordError where another index.html is in the way, OSError
    where the page cannot be written.
    """
    folder = Path(folder)
    page = folder / PAGE
    runs = [_entry(run, folder) for run in runs_below(folder)]
    if page.exists() and f'content="{_GENERATOR}"' not in page.read_text(encoding="utf-8", errors="replace"):
        raise RecordError(f"{page} was not written by {_GENERATOR}: it is not overwritten")
    # the last comes first
    runs.sort(key=lambda run: run["started"], reverse=True)
    context = {"title": folder.resolve().name, "generator": _GENERATOR, "columns": _COLUMNS, "runs": runs}
    Record(folder).write(PAGE, render(PAGE, context))
    return page


def _entry(run: Path, folder: Path) -> Data:
    """What the table says of one run."""
    place = os.path.relpath(run, folder)
    links = {name: _link(place, name) for name in ("report.html", *_LINKS) if (run / name).exists()}
    page = links.pop("report.html", None)
    keys = _keys(run)
    kind = _kind(keys)
    entry: Data = {
        "folder": place,
        "report": page,
        "links": [(_LINKS[name], link) for name, link in links.items()],
        "kind": kind,
        "picture": None,
        "facts": [],
    }
    try:
        report = read_report(run)
    except (OSError, ValueError) as error:
        message, numbers = _of(str(error)), [_cell(None)] * 5
        return entry | {"name": run.name, "status": "damaged", "message": message, "started": "", "numbers": numbers}
    started = moment(str(report["provenance"].get("started")))
    numbers = [
        _deviation(report, keys),
        _cell(largest_rank(report)),
        _cell(report["timing"].get("wall_s"), ".1f"),
        _cell(report.get("peak_rss_mb"), ".0f"),
        {"value": started, "text": started},
    ]
    return entry | {
        "name": report["name"],
        "status": report["status"],
        "message": report["message"],
        "started": started,
        "picture": first_picture(run, report, _WIDTH),
        "facts": [*first_result(kind, report), *facts][:_FACTS] if (facts := headline(report)) else [],
        "numbers": numbers,
    }


def _link(place: str, name: str) -> str:
    return quote(name if place == "." else f"{place}/{name}")


def _of(message: str) -> str:
    """A message without the path of its file, which stands beside it."""
    return message.partition("report.json ")[2] or message


def _keys(run: Path) -> Data:
    """The keys of a run's configuration; empty where it cannot be read."""
    try:
        return parse((run / CONFIGURATION_FILE).read_text(encoding="utf-8"), CONFIGURATION_FILE).data
    except (OSError, ValueError):
        return {}


def _kind(keys: Data) -> str:
    """The kind of problem; empty where the keys do not tell it."""
    problem = keys.get("problem")
    return str(problem.get("kind", "")) if isinstance(problem, dict) else ""


def _deviation(report: Report, keys: Data) -> Data:
    """The deviation from the first reference over what ``check`` allows there, and itself: alike for all kinds."""
    reference = next((entry for entry in report["references"] if isinstance(entry, dict)), {})
    deviation = counted_deviation(reference)
    if not _is_number(deviation):
        return _cell(None)
    solver = keys.get("solver")
    parts = [solver.get("accuracy") if isinstance(solver, dict) else None, reference.get("accuracy")]
    allowed = sum(float(part) for part in parts if _is_number(part))
    itself = f"({Measured(deviation, bound=True)})"
    if not allowed > 0.0:
        return {"value": "", "text": itself}
    return {"value": deviation / allowed, "text": f"{Measured(deviation / allowed, bound=True)} {itself}"}


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object, form: str = "") -> Data:
    """A number and how it is shown; both empty for anything else."""
    if not _is_number(value):
        return {"value": "", "text": ""}
    return {"value": value, "text": f"{value:{form}}"}


def largest_rank(report: Report) -> int | None:
    """The largest TT-rank that a run reports, or None."""
    try:
        return max(ranks_along_train(report), default=None)
    except (TypeError, ValueError, IndexError, KeyError):
        return None
