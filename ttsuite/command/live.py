"""The live display of a run: a table of the last lines, and beneath it a bar with the time to go.

The table fits the terminal by leaving columns out, whole: the family tells its numbers the most important first, and
the last go first. Labels shrink to what stands before their colon. The bar takes what the times leave.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ttsuite.command.output import Unbreakable, written
from ttsuite.command.pace import Progress
from ttsuite.data import Report
from ttsuite.study.config import Study
from ttsuite.words import duration

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType

    from solvers.solution import IterationState

GAP = 2  # characters between columns
SHORTEST_BAR = 8


@dataclass(frozen=True)
class _Row:
    """A state: step, label, texts by the head of their column, and the seconds it took to get there."""

    step: str
    label: str
    numbers: dict[str, str]
    time: str

    @property
    def short(self) -> str:
        """The label without what stands behind its colon."""
        return self.label.partition(":")[0]


class LiveProgress(Progress):
    """A table of the last passes and a bar with the time to go."""

    ROWS = 12

    def __init__(self, stream: TextIO, console: Console | None = None) -> None:
        """``console``: draws to another place than ``stream``."""
        super().__init__()
        from rich.console import Console
        from rich.live import Live

        self._stream = stream
        self._rows: list[_Row] = []
        self._kept = True  # whether the last row stays when the next state comes
        self._fraction = 0.0
        self._remaining = ""
        self._note = ""
        self._console = console or Console(file=Unbreakable(stream))  # type: ignore[arg-type]
        self._live = Live(console=self._console, get_renderable=self._picture, refresh_per_second=4)

    def started(self, study: Study, folder: Path) -> None:
        self._study = study
        self._console.print(f"{study.name}: writing to {folder}", markup=False, highlight=False, soft_wrap=True)
        self._live.start()

    def passed(self, state: IterationState) -> None:
        due = self._due(state)
        told = {number.head: number.value for number in self._numbers(state)}
        row = _Row(str(state.step), state.label, told, duration(state.seconds))
        if self._rows and not self._kept:
            self._rows.pop()  # it was renewed until now
        self._rows.append(row)
        self._kept = due and state.finished
        self._fraction = state.fraction or self._fraction
        self._remaining = self._left(state)
        self._seen(state)
        self._live.refresh()

    def stopping(self) -> None:
        self._note = self._stopping()

    def ended(self, report: Report) -> None:
        self._fraction = 1.0 if report["status"] in ("finished", "not_converged") else self._fraction
        self._remaining = ""
        self._live.stop()

    def _picture(self, width: int | None = None) -> Group:
        from rich.console import Group
        from rich.text import Text

        width = self._console.width if width is None else width
        lines = table(self._rows[-self.ROWS :], width)
        note = [Text(self._note)] if self._note else []
        return Group(*(Text(written(line, self._stream), no_wrap=True) for line in lines), *note, self._foot(width))

    def _foot(self, width: int) -> RenderableType:
        """A bar as long as the times beside it leave room; none where that is too little."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        elapsed = duration(time.perf_counter() - self._begun)
        times = f"{elapsed} so far" + (f", {self._remaining} to go" if self._remaining else "")
        left = width - len(times) - GAP
        if left < SHORTEST_BAR:
            return Text(times)
        bar = ProgressBar(total=1.0, completed=self._fraction, width=left)
        foot = Table.grid(padding=(0, GAP), pad_edge=False)
        foot.add_row(bar, Text(times))
        return foot


def table(rows: Sequence[_Row], width: int) -> list[str]:
    """Lines of at most ``width`` characters; no column is cut, some are left out."""
    if not rows:
        return []
    heads = list(dict.fromkeys(head for row in rows for head in row.numbers))
    # the last state has the order of importance of what is going on now
    heads.sort(key=lambda head: list(rows[-1].numbers).index(head) if head in rows[-1].numbers else len(heads))
    numbers = [[head, *(row.numbers.get(head, "") for row in rows)] for head in heads]
    times = [["time", *(row.time for row in rows)]]
    steps = ["", *(row.step for row in rows)]
    labels = ["pass", *(row.label for row in rows)], ["pass", *(row.short for row in rows)]
    for label in labels:
        chosen = [steps, label, *numbers, *times]
        if _wide(chosen) <= width:
            break
    while len(chosen) > 3 and _wide(chosen) > width:
        chosen.pop()
    if _wide(chosen) > width:
        chosen.pop(1)
    widths = [max(map(len, column)) for column in chosen]
    lines = []
    for line in zip(*chosen):
        cells = [f"{t:<{w}}" if column is label else f"{t:>{w}}" for t, w, column in zip(line, widths, chosen)]
        lines.append((" " * GAP).join(cells).rstrip())
    return lines


def _wide(columns: Sequence[Sequence[str]]) -> int:
    return sum(max(map(len, column)) for column in columns) + GAP * (len(columns) - 1)
