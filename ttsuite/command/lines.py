"""Progress of a job of many parts: a line a part as it ends, and on a terminal a bar beneath."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO

from ttsuite.command.output import Unbreakable, say


class Lines(Protocol):
    """What says the lines of a job; ``total``: of its parts."""

    total: int

    def begin(self, heading: str, what: str, total: int, done: int) -> None: ...

    def add(self, line: str, *, ended: bool = True) -> None: ...


class PlainLines:
    """A line a part of a job, for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream, self.total = stream or sys.stderr, 0

    def begin(self, heading: str, what: str, total: int, done: int) -> None:
        """Say what is about to happen; ``what``: parts of the job, of which there are ``total``."""
        self.total = total
        say(heading, self._stream)

    def add(self, line: str, *, ended: bool = True) -> None:
        """Say a line, of a part that ended or not."""
        say(line, self._stream)

    def ended(self) -> None:
        return


class LiveLines:
    """The same lines, and a bar with the time to go."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar = BarColumn(bar_width=None)  # what the rest leaves
        columns = (TextColumn("{task.description}"), bar, MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(file=Unbreakable(stream or sys.stderr))  # type: ignore[arg-type]
        self._progress = Progress(*columns, console=console, expand=True)
        self.total = 0

    def begin(self, heading: str, what: str, total: int, done: int) -> None:
        """Say what is about to happen, and begin the bar."""
        self.total = total
        self._progress.start()
        self._progress.console.print(heading, markup=False, highlight=False)
        self._task = self._progress.add_task(what, total=total, completed=done)

    def add(self, line: str, *, ended: bool = True) -> None:
        """Say a line, and advance the bar by a part that ended."""
        self._progress.console.print(line, markup=False, highlight=False)
        if ended:
            self._progress.advance(self._task)

    def ended(self) -> None:
        self._progress.stop()
