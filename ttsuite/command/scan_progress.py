"""Progress of a scan: a line a point as it ends, and on a terminal a bar beneath."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from solvers.measured import Measured
from ttsuite.command.output import Unbreakable, say
from ttsuite.runs.layout import FAILED, FINISHED
from ttsuite.scans.scan import Listener
from ttsuite.scans.scan_file import Plan, words
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


class PlainScan:
    """A line a point, for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream, self._total = stream or sys.stderr, 0

    def started(self, plan: Plan, folder: Path, kept: int) -> None:
        self._total = len(plan.points)
        say(heading(plan, folder, kept), self._stream)

    def finished(self, outcome: Outcome) -> None:
        say(line(outcome, self._total), self._stream)

    def stopping(self, points: int, seconds: float | None) -> None:
        say(stopping(points, seconds), self._stream)

    def ended(self) -> None:
        return


class LiveScan:
    """The same lines, and a bar with the time to go."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar = BarColumn(bar_width=None)  # what the rest leaves
        columns = (TextColumn("{task.description}"), bar, MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(file=Unbreakable(stream or sys.stderr))  # type: ignore[arg-type]
        self._progress = Progress(*columns, console=console, expand=True)
        self._total = 0

    def started(self, plan: Plan, folder: Path, kept: int) -> None:
        self._total = len(plan.points)
        self._progress.start()
        self._progress.console.print(heading(plan, folder, kept), markup=False, highlight=False)
        self._task = self._progress.add_task("points", total=self._total, completed=kept)

    def finished(self, outcome: Outcome) -> None:
        self._progress.console.print(line(outcome, self._total), markup=False, highlight=False)
        self._progress.advance(self._task)

    def stopping(self, points: int, seconds: float | None) -> None:
        self._progress.console.print(stopping(points, seconds), markup=False, highlight=False)

    def ended(self) -> None:
        self._progress.stop()


def heading(plan: Plan, folder: Path, kept: int) -> str:
    """What is about to happen."""
    done = f", {kept} of them computed before" if kept else ""
    return f"{plan.name}: {len(plan.points)} points{done}; writing to {folder}"


def stopping(points: int, seconds: float | None) -> str:
    """What an interrupt is answered: how many points still end the step that they are in, and how long that takes."""
    who = "a point ends its" if points == 1 else f"{points} points end their"
    return f"stopping: {who} present step first ({soon(seconds)}); interrupt again to stop at once"
