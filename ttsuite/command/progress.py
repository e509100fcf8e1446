"""Progress of a run: a live table on a terminal, plain lines elsewhere.

The numbers of a state are the family's (its module ``progress``). Nothing that fails in telling them ends the run: the
display is dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ttsuite.command.output import say
from ttsuite.command.pace import Progress
from ttsuite.data import Report
from ttsuite.runs.listener import Listener
from ttsuite.study.config import Study

if TYPE_CHECKING:
    from solvers.solution import IterationState


def progress_for(stream: TextIO | None) -> Listener:
    """The listener that suits ``stream``."""
    if stream is not None and stream.isatty():
        from ttsuite.command.live import LiveProgress

        return Harmless(LiveProgress(stream))
    return Harmless(PlainProgress(stream))


class PlainProgress(Progress):
    """A line when a pass begins and when it ends, and one every so often, for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = sys.stderr if stream is None else stream
        self._unsaid = ""  # the last state, where it had no line

    def started(self, study: Study, folder: Path) -> None:
        self._study = study
        self._say(f"{study.name}: writing to {folder}")

    def passed(self, state: IterationState) -> None:
        due = self._due(state)
        if due or state.finished:
            left = self._left(state)
            numbers = ", ".join(map(str, self._numbers(state)))
            line = f"{state.step:3d} {state.label}: {numbers}{f'; {left} to go' if left else ''}"
            self._unsaid = "" if due else line
            if due:
                self._say(line)
        self._seen(state)

    def stopping(self) -> None:
        self._say(self._stopping())

    def ended(self, report: Report) -> None:
        if self._unsaid:
            self._say(self._unsaid)

    def _say(self, line: str) -> None:
        say(line, self._stream)


class Harmless:
    """A listener whose failures end nothing: the first is told, and the display dropped."""

    def __init__(self, listener: Listener) -> None:
        self.listener: Listener | None = listener

    def started(self, study: Study, folder: Path) -> None:
        self._tell(lambda listener: listener.started(study, folder))

    def passed(self, state: IterationState) -> None:
        self._tell(lambda listener: listener.passed(state))

    def stopping(self) -> None:
        self._tell(lambda listener: getattr(listener, "stopping", lambda: None)())

    def ended(self, report: Report) -> None:
        self._tell(lambda listener: listener.ended(report))

    def _tell(self, tell: Callable[[Listener], None]) -> None:
        if self.listener is None:
            return
        try:
            tell(self.listener)
        except Exception as error:
            self.listener = None
            if not isinstance(error, OSError):  # of the stream: whom to tell?
                say(f"progress is no longer shown ({type(error).__name__}: {error}); the run goes on", sys.stderr)


class EachRun:
    """A listener for several runs one after the other: each has a display of its own."""

    def __init__(self, make: Callable[[], Listener]) -> None:
        self._make = make
        self._now: Listener | None = None

    def started(self, study: Study, folder: Path) -> None:
        self._now = self._make()
        self._now.started(study, folder)

    def passed(self, state: IterationState) -> None:
        assert self._now is not None
        self._now.passed(state)

    def stopping(self) -> None:
        if (stopping := getattr(self._now, "stopping", None)) is not None:
            stopping()

    def ended(self, report: Report) -> None:
        assert self._now is not None
        self._now.ended(report)
