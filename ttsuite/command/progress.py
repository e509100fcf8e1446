"""Progress of a run: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from ttsuite.command.output import say
from ttsuite.data import Report
from ttsuite.runs.listener import Listener
from ttsuite.study.config import Study
from ttsuite.words import duration

if TYPE_CHECKING:
    from rich.console import Group

    from solvers.solution import IterationState


STOPPING = "stopping after this step; interrupt again to stop at once"


def progress_for(stream: TextIO) -> Listener:
    """The listener that suits ``stream``."""
    return LiveProgress() if stream.isatty() else PlainProgress(stream)


class _Progress:
    """What both displays say about a pass."""

    def __init__(self) -> None:
        self._clock = time.perf_counter()
        self._before: np.ndarray | None = None

    def _numbers(self, state: IterationState) -> dict[str, str]:
        """Texts of one pass: rank, energies, change, residual; an entry is missing where it is not known."""
        texts = {"rank": str(state.max_rank)}
        if state.energies is not None and len(state.energies):
            energies = np.asarray(state.energies)
            span = f"{energies[0]:.6f}"
            texts["energies"] = span if len(energies) == 1 else f"{span} to {energies[-1]:.6f}"
            if self._before is not None and state.finished:
                count = min(len(energies), len(self._before))
                texts["change"] = f"{np.max(np.abs(energies[:count] - self._before[:count])):.1e}"
            if state.finished:
                self._before = energies
        if state.residuals is not None and np.any(np.isfinite(state.residuals)):
            texts["residual"] = f"{np.nanmax(state.residuals):.1e}"
        if "solves" in state.extra:
            texts["solves"] = str(state.extra["solves"])
        estimates = state.extra.get("error_estimates")
        if estimates is not None and np.any(np.isfinite(estimates)):
            texts["largest error estimate"] = f"{np.max(estimates[np.isfinite(estimates)]):.1e}"
        return texts

    def _left(self, state: IterationState) -> str:
        """Time to go, from the share of the work done so far."""
        if not state.fraction:
            return ""
        elapsed = time.perf_counter() - self._clock
        return duration(elapsed * (1.0 - state.fraction) / state.fraction)


class PlainProgress(_Progress):
    """A line when a pass begins and when it ends, and one every ``PAUSE`` seconds, for logs and pipes."""

    PAUSE = 10.0

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        super().__init__()
        self._stream = stream
        self._label = ""
        self._last = -self.PAUSE

    def started(self, study: Study, folder: Path) -> None:
        self._say(f"{study.name}: writing to {folder}")

    def passed(self, state: IterationState) -> None:
        now = time.perf_counter()
        if not state.finished and state.label == self._label and now - self._last < self.PAUSE:
            return
        self._label, self._last = state.label, now
        numbers = ", ".join(f"{name} {text}" for name, text in self._numbers(state).items())
        left = self._left(state)
        self._say(f"{state.step:3d} {state.label}: {numbers}{f', {left} to go' if left else ''}")

    def stopping(self) -> None:
        self._say(STOPPING)

    def ended(self, report: Report) -> None:
        return

    def _say(self, line: str) -> None:
        say(line, self._stream)


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


class LiveProgress(_Progress):
    """A table of the last passes and a bar with the time to go."""

    ROWS = 12
    NUMBERS = ("rank", "energies", "change", "residual", "solves")

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.live import Live

        self._rows: list[tuple[str, ...]] = []
        self._finished = True
        self._fraction = 0.0
        self._remaining = ""
        self._title = ""
        self._live = Live(console=Console(), get_renderable=self._picture, refresh_per_second=4)

    def started(self, study: Study, folder: Path) -> None:
        self._title = f"{study.name} -> {folder}"
        self._live.start()

    def passed(self, state: IterationState) -> None:
        numbers = self._numbers(state)
        cells = [numbers.get(key, "") for key in self.NUMBERS]
        row = (str(state.step), state.label, *cells, duration(state.seconds))
        if self._rows and not self._finished:
            self._rows.pop()  # the row of the pass under way is renewed
        self._rows.append(row)
        self._finished = state.finished
        self._fraction = state.fraction or self._fraction
        self._remaining = self._left(state)
        self._live.refresh()

    def stopping(self) -> None:
        self._title = f"{self._title}: {STOPPING}"

    def ended(self, report: Report) -> None:
        self._fraction = 1.0 if report["status"] in ("finished", "not_converged") else self._fraction
        self._remaining = ""
        self._live.stop()

    def _picture(self) -> Group:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(self._title), title_justify="left", box=None)
        titles = ("", "pass", "rank", *self.NUMBERS[1:], "time")
        shown = [i for i, title in enumerate(titles) if title in ("", "pass", "time") or any(r[i] for r in self._rows)]
        for i in shown:
            table.add_column(titles[i], justify="left" if titles[i] == "pass" else "right", no_wrap=True)
        for row in self._rows[-self.ROWS :]:
            table.add_row(*(Text(row[i]) for i in shown))
        elapsed = duration(time.perf_counter() - self._clock)
        foot = f"{elapsed} so far" + (f", {self._remaining} to go" if self._remaining else "")
        return Group(table, ProgressBar(total=1.0, completed=self._fraction, width=60), Text(foot))
