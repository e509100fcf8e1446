"""A computation of the library as a run folder: report.json, values.csv and report.html."""

from __future__ import annotations

import time
import traceback
from datetime import datetime
from pathlib import Path

from problems.report_parts import Quantity, Table
from problems.result import quantity_told
from solvers.measured import Cell, Measured
from ttsuite.data import Data
from ttsuite.pages.render import render
from ttsuite.reproductions.computations import computation
from ttsuite.runs.layout import FAILED, FINISHED
from ttsuite.runs.memory import PeakMemory
from ttsuite.runs.provenance import blas, provenance
from ttsuite.runs.record import Record
from ttsuite.workers.executors import workers_for


def write_computation(name: str, title: str, what: str, arguments: Data, folder: Path) -> str:
    """Run a computation and keep it in ``folder`` as a run: report.json, values.csv and report.html.

    Returns why it failed, or nothing.
    """
    started, clock = datetime.now().astimezone(), time.perf_counter()
    record = Record(folder)
    folder.mkdir(parents=True, exist_ok=True)
    message = ""
    quantities: list[Quantity] = []
    with PeakMemory() as memory, workers_for(1):
        try:
            quantities = computation(name)(**arguments)
        except Exception as error:
            message = f"{type(error).__name__}: {error}".partition("\n")[0]
            record.write("traceback.txt", "".join(traceback.format_exception(error)))
        told_blas = blas()
    seconds = time.perf_counter() - clock
    report: Data = {
        "name": title,
        "description": what,
        "status": FAILED if message else FINISHED,
        "message": message or "computed",
        "converged": not message,
        "headline": [],
        "results": {"computation": name, "arguments": arguments},
        "ranks": [],
        "values": {quantity.name: quantity_told(quantity) for quantity in quantities},
        "references": [],
        "check": {"asked": False, "failed": []},
        "warnings": [],
        "checked": [],
        "figures": [],
        "timing": {"compile_s": None, "setup_s": None, "solve_s": seconds, "wall_s": seconds},
        "peak_rss_mb": memory.megabytes,
        "provenance": provenance(0, 1, started) | {"blas": told_blas},
    }
    rows = [row for quantity in quantities for row in _rows(quantity)]
    record.write_csv("values.csv", ["quantity", "at", "value", "error", "unit"], rows)
    facts = [
        ("computation", name),
        *((key, str(value)) for key, value in arguments.items()),
        ("time", f"{seconds:.1f} s"),
    ]
    context = {"name": title, "what": what, "status": report["status"], "message": report["message"], "facts": facts}
    record.write("report.html", render("computation.html", context | {"tables": [_table(q) for q in quantities]}))
    record.write_json("report.json", report)  # last: a folder that has it is whole
    return message


def _rows(quantity: Quantity) -> list[list[object]]:
    told = quantity_told(quantity)
    errors = [None] * len(told["at"]) if told["error"] is None else told["error"]
    return [
        [quantity.name, at, value, error, quantity.unit] for at, value, error in zip(told["at"], told["value"], errors)
    ]


def _table(quantity: Quantity) -> Table:
    rows: list[list[Cell]] = []
    for _, at, value, error, _unit in _rows(quantity):
        known_error = float(error) if isinstance(error, float | int) else None
        rows.append([str(at), Measured(float(value), known_error)])  # type: ignore[arg-type]
    unit = f" ({quantity.unit})" if quantity.unit else ""
    return Table(
        [quantity.axis, f"{quantity.name}{unit}"], rows, (0,), title=quantity.name[:1].upper() + quantity.name[1:]
    )
