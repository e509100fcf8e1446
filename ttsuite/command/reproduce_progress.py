"""Progress of a reproduction: a line an item as it ends, and on a terminal a bar beneath."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from solvers.measured import Measured
from ttsuite.command.lines import Lines, LiveLines, PlainLines
from ttsuite.reproductions.collection import Collection, Task
from ttsuite.reproductions.outcome import ItemOutcome
from ttsuite.reproductions.reproduce import Listener
from ttsuite.reproductions.verdicts import DIFFERS, shown
from ttsuite.words import duration

SHOWN = 2  # values of a line; those that differ come first


def reproduce_progress_for(stream: TextIO | None) -> Listener:
    """The listener that suits ``stream``."""
    return LiveReproduction(stream) if stream is not None and stream.isatty() else PlainReproduction(stream)


def line(outcome: ItemOutcome) -> str:
    """An item in one line: verdict, seconds, the first values beside what they are compared with; or why not."""
    told = [outcome.verdict]
    if outcome.seconds is not None:
        told.append(duration(outcome.seconds))
    values = [value for value in outcome.values if value.value is not None]
    for value in sorted(values, key=lambda value: value.verdict != DIFFERS)[:SHOWN]:
        ours = shown(value).plain
        sign = {"equal": "", "at_least": "at least ", "at_most": "at most "}[value.holds]
        beside = "" if value.against is None else f" ({sign}{Measured(value.against, digits=8).plain})"
        told.append(f"{value.label} {ours}{f' {value.unit}' if value.unit else ''}{beside}")
    if outcome.why:
        told.append(outcome.why)
    return f"{outcome.task.keys.name}: {', '.join(told)}"


def heading(collection: Collection, folder: Path, left: Sequence[Task], kept: int) -> str:
    """What is about to happen."""
    known = [task.seconds for task in left if task.seconds is not None]
    about = f", about {duration(max(sum(known), 1.0))} on one core" if known else ""
    done = f"; {kept} computed before" if kept else ""
    small = ", small variant" if collection.small else ""
    count = "1 item" if len(left) == 1 else f"{len(left)} items"
    return f"{collection.title}{small}: {count} to run{about}{done}; writing to {folder}"


class _OfReproduction:
    """What a listener of a reproduction says."""

    def started(self: Lines, collection: Collection, folder: Path, left: Sequence[Task], kept: int) -> None:
        self.begin(heading(collection, folder, left, kept), "items", len(left), 0)

    def finished(self: Lines, outcome: ItemOutcome) -> None:
        self.add(line(outcome))


class PlainReproduction(_OfReproduction, PlainLines):
    """A line an item, for logs and pipes."""


class LiveReproduction(_OfReproduction, LiveLines):
    """The same lines, and a bar with the time to go."""


def listed(collections: list[tuple[Collection, Collection]]) -> list[str]:
    """The lines of ``ttsuite reproduce`` alone: every collection, full and small, with its items and what they take."""
    lines = []
    for full, small in collections:
        lines.append(f"{full.name}: {full.title}")
        for task, tiny in zip(full.tasks, small.tasks):
            item = task.keys
            took = (
                f"not run: {item.not_run}" if item.not_run else f"{_about(task.seconds)}, tiny {_about(tiny.seconds)}"
            )
            missing = f"; needs {', '.join(task.missing)}" if task.missing else ""
            lines.append(f"  {item.name}: {item.what} ({took}{missing})")
        times = [
            duration(sum(task.seconds for task in one.tasks if task.key and task.seconds is not None))
            for one in (full, small)
        ]
        lines.append(f"  all: about {times[0]} on one core, {times[1]} with --tiny")
    return lines


def _about(seconds: float | None) -> str:
    return "not measured" if seconds is None else duration(max(seconds, 1.0))
