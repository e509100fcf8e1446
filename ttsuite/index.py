"""One page over all runs in a folder: a table to sort and to search, a thumbnail a run, and links to the reports.

The page is complete in itself and works from the file system: images, style and script are inlined, links are
relative. Damaged and unfinished runs are listed as what they are. Cost: some forty milliseconds a run.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from ttsuite.data import Data, Report
from ttsuite.layout import CONFIGURATION_FILE
from ttsuite.pages import moment, render
from ttsuite.record import Record, RecordError
from ttsuite.report_facts import first_picture, headline
from ttsuite.run_folder import ranks_along_train, read_report, runs_below
from ttsuite.yaml_file import parse

PAGE = "index.html"
_GENERATOR = "ttsuite index"
_WIDTH = 360  # pixels of a thumbnail
_FACTS = 3  # of the headline
_COLUMNS = (
    {"name": "run", "text": True},
    {"name": "kind", "text": True},
    {"name": "status", "text": True},
    {"name": "result", "text": True},
    {"name": "deviation", "text": False},
    {"name": "rank", "text": False},
    {"name": "seconds", "text": False},
    {"name": "MB", "text": False},
    {"name": "started", "text": False},
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
    entry: Data = {
        "folder": place,
        "report": page,
        "links": [(_LINKS[name], link) for name, link in links.items()],
        "kind": _kind(run),
        "picture": None,
        "facts": [],
    }
    try:
        report = read_report(run)
    except (OSError, ValueError) as error:
        message, numbers = _of(str(error)), [_cell(None)] * 5
        return entry | {"name": run.name, "status": "damaged", "message": message, "started": "", "numbers": numbers}
    deviation = next((r.get("max_abs_deviation") for r in report["references"] if isinstance(r, dict)), None)
    started = moment(str(report["provenance"].get("started")))
    numbers = [
        _cell(deviation, ".1e"),
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
        "facts": headline(report)[:_FACTS],
        "numbers": numbers,
    }


def _link(place: str, name: str) -> str:
    return quote(name if place == "." else f"{place}/{name}")


def _of(message: str) -> str:
    """A message without the path of its file, which stands beside it."""
    return message.partition("report.json ")[2] or message


def _kind(run: Path) -> str:
    """The kind of problem of a run's configuration; empty where it cannot be read."""
    try:
        data = parse((run / CONFIGURATION_FILE).read_text(encoding="utf-8"), CONFIGURATION_FILE).data
        return str(data["problem"]["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _cell(value: object, form: str = "") -> Data:
    """A number and how it is shown; both empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return {"value": "", "text": ""}
    return {"value": value, "text": f"{value:{form}}"}


def largest_rank(report: Report) -> int | None:
    """The largest TT-rank that a run reports, or None."""
    try:
        return max(ranks_along_train(report), default=None)
    except (TypeError, ValueError, IndexError, KeyError):
        return None
