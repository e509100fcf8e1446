"""What a reproduction writes: table.csv, reproduction.json, and the page as HTML and as Markdown."""

from __future__ import annotations

from urllib.parse import quote

from problems.report_parts import Table
from solvers.measured import Cell, Measured, typographic, unit_text
from ttsuite.data import Data
from ttsuite.pages.render import moment, provenance_facts, render, typeset
from ttsuite.pages.report_facts import first_picture
from ttsuite.reproductions.outcome import ItemOutcome, Reproduction
from ttsuite.reproductions.verdicts import DIFFERS, NOT_COMPARED, NOT_RUN, REPRODUCED, STAND_IN, Compared, shown
from ttsuite.runs.record import Record
from ttsuite.runs.run_folder import read_report

DATA, PAGE, TEXT, CSV = "reproduction.json", "reproduction.html", "reproduction.md", "table.csv"
WIDTH = 440  # pixels of a thumbnail
HEADER = [
    "item",
    "part",
    "value",
    "unit",
    "ours",
    "error",
    "published",
    "compared with",
    "condition",
    "deviation",
    "tolerance",
    "verdict",
    "seconds",
    "report",
    "source",
    "why",
]
_SIGNS = {"equal": "", "at_least": "at least ", "at_most": "at most "}
_CLASSES = {
    REPRODUCED: "finished",
    DIFFERS: "failed",
    STAND_IN: "stand-in",
    NOT_RUN: "left-out",
    NOT_COMPARED: "left-out",
}


def write_tables(done: Reproduction, provenance: Data, seconds: float, record: Record) -> None:
    """Write all of them into the folder of ``record``."""
    record.write_csv(CSV, HEADER, [row for item in done.items for row in _rows(item)])
    record.write_json(DATA, _data(done, provenance, seconds))
    parts: dict[str, list[Data]] = {}
    for item in done.items:
        parts.setdefault(item.task.keys.part or "Items", []).append(_shown(item, record))
    context = {
        "title": done.collection.title,
        "source": done.collection.source,
        "small": done.collection.small,
        "summary": done.summary,
        "when": moment(str(provenance.get("started"))),
        "overview": _overview(done),
        "links": [_page(item, record) for item in done.items],
        "parts": parts,
        "provenance": provenance_facts(provenance),
    }
    for page in (PAGE, TEXT):
        record.write(page, render(page, context))


def _rows(item: ItemOutcome) -> list[list[object]]:
    keys = item.task.keys
    rows: list[list[object]] = []
    for v in item.values:
        tolerance = None if v.against is None else v.tolerance
        rows.append([keys.name, keys.part, v.label, v.unit, v.value, v.error, v.published, v.against, v.holds])
        rows[-1] += [v.deviation, tolerance, v.verdict, item.seconds, item.folder, v.source, v.why or item.why]
    if rows:
        return rows
    return [[keys.name, keys.part, *[None] * 9, item.verdict, item.seconds, item.folder, "", item.why]]


def _data(done: Reproduction, provenance: Data, seconds: float) -> Data:
    return {
        "name": done.collection.name,
        "title": done.collection.title,
        "source": done.collection.source,
        "small": done.collection.small,
        "summary": done.summary,
        "interrupted": done.interrupted,
        "wall_s": seconds,
        "items": [
            {
                "name": item.task.keys.name,
                "part": item.task.keys.part,
                "what": item.task.keys.what,
                "runs": item.task.keys.configuration or item.task.keys.computation,
                "stand_in": item.task.keys.stand_in,
                "folder": item.folder,
                "status": item.status,
                "wall_s": item.seconds,
                "verdict": item.verdict,
                "why": item.why,
                "values": [vars(value) for value in item.values],
            }
            for item in done.items
        ],
        "provenance": provenance,
    }


def _page(item: ItemOutcome, record: Record) -> str | None:
    page = f"{item.folder}/report.html"
    return quote(page) if item.folder and (record.folder / page).exists() else None


def _picture(item: ItemOutcome, record: Record) -> str | None:
    """The first figure of its report, small; None where it has none."""
    if item.seconds is None:
        return None
    run = record.folder / item.folder
    return first_picture(run, read_report(run), WIDTH)


def _overview(done: Reproduction) -> Table:
    rows: list[list[Cell]] = [
        [item.task.keys.name, item.verdict, _seconds(item), item.task.keys.part] for item in done.items
    ]
    return Table(["item", "verdict", "seconds", "part"], rows, (0, 1, 3))


def _seconds(item: ItemOutcome) -> Cell:
    if item.seconds is None:
        return ""
    return Measured(round(item.seconds)) if item.seconds > 100.0 else Measured(item.seconds, digits=3)


def _shown(item: ItemOutcome, record: Record) -> Data:
    """An item as the page has it."""
    keys = item.task.keys
    told = []
    if item.why:
        told.append(item.why)
    notes = dict.fromkeys(f"{v.label}: {v.why}" for v in item.values if v.why and v.why != item.why)
    sources = dict.fromkeys(v.source for v in item.values if v.source)
    return {
        "name": keys.name,
        "what": typographic(keys.what),
        "runs": keys.configuration.removeprefix("../") or keys.computation,
        "verdict": item.verdict,
        "kind": _CLASSES[item.verdict],
        "seconds": str(_seconds(item)),
        "page": _page(item, record),
        "picture": _picture(item, record),
        "stand_in": typographic(keys.stand_in),
        "notes": [typographic(note) for note in (*told, *notes)],
        "sources": list(sources),
        "values": typeset(Table(_COLUMNS, [_cells(value) for value in item.values], (0, 6))) if item.values else None,
    }


_COLUMNS = ["value", "ours", "published", "compared with", "deviation", "tolerance", "verdict"]


def _cells(v: Compared) -> list[Cell]:
    unit = f" ({unit_text(v.unit)})" if v.unit else ""
    against = "" if v.against is None else f"{_SIGNS[v.holds]}{Measured(v.against, digits=10)}"
    return [
        f"{v.label}{unit}",
        "" if v.value is None else shown(v),
        "" if v.published is None else Measured(v.published, digits=10),
        against,
        "" if v.deviation is None else Measured(v.deviation, digits=2),
        "" if v.against is None or not v.tolerance else Measured(v.tolerance, digits=3),
        "" if v.verdict == NOT_COMPARED else v.verdict,
    ]
