"""Progress of a scan: a line a point as it ends, and on a terminal a bar beneath."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from solvers.measured import Measured
from ttsuite.command.lines import Lines, LiveLines, PlainLines
from ttsuite.runs.layout import FAILED, FINISHED
from ttsuite.scans.scan_file import Plan, words
from ttsuite.scans.scan_job import Listener
from ttsuite.scans.scan_table import Outcome
from ttsuite.words import duration, soon

SHOWN = 2  # quantities of a line
DIGITS = 8  # of one without an error


def scan_progress_for(stream: TextIO | None) -> Listener:
    """The listener that suits ``stream``."""
    return LiveScan(stream) if stream is not None and stream.isatty() else PlainScan(stream)


def line(outcome: Outcome, total: int) -> str:
    """A point in one line: number, settings, status, first quantities, time; the reason where it failed."""
    told = []
    if outcome.status == FAILED:
        told.append(f"failed ({outcome.message})")
    elif outcome.status != FINISHED:
        told.append(outcome.status.replace("_", " "))
    shown = list(outcome.values.items())[:SHOWN]
    told += [f"{name} = {Measured(value, error=error, digits=DIGITS).plain}" for name, (value, error) in shown]
    if outcome.seconds is not None:
        told.append(duration(outcome.seconds))
    return f"{outcome.number:{len(str(total))}d}/{total}  {words(outcome.settings)}: {', '.join(told)}"


class _OfScan:
    """What a listener of a scan says."""

    def started(self: Lines, plan: Plan, folder: Path, kept: int) -> None:
        self.begin(heading(plan, folder, kept), "points", len(plan.points), kept)

    def finished(self: Lines, outcome: Outcome) -> None:
        self.add(line(outcome, self.total))

    def stopping(self: Lines, points: int, seconds: float | None) -> None:
        self.add(stopping(points, seconds), ended=False)


class PlainScan(_OfScan, PlainLines):
    """A line a point, for logs and pipes."""


class LiveScan(_OfScan, LiveLines):
    """The same lines, and a bar with the time to go."""


def heading(plan: Plan, folder: Path, kept: int) -> str:
    """What is about to happen."""
    done = f", {kept} of them computed before" if kept else ""
    return f"{plan.name}: {len(plan.points)} points{done}; writing to {folder}"


def stopping(points: int, seconds: float | None) -> str:
    """What an interrupt is answered: how many points still end the step that they are in, and how long that takes."""
    who = "a point ends its" if points == 1 else f"{points} points end their"
    return f"stopping: {who} present step first ({soon(seconds)}); interrupt again to stop at once"
