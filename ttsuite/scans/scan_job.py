"""The points of a scan at work: handed to the workers, their ends noted, an interrupt waited for, the pages written.

The table is renewed whenever a point ends.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from concurrent.futures import CancelledError, Executor, Future, as_completed, wait
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from solvers.cards import Card, Fact
from solvers.measured import Measured
from ttsuite.data import Data
from ttsuite.pages.drawing import own_style
from ttsuite.runs.attempt import attempt
from ttsuite.runs.layout import FAILED, FINISHED, INTERRUPTED, NOT_CONVERGED
from ttsuite.runs.provenance import provenance
from ttsuite.runs.record import Record
from ttsuite.runs.run_folder import read_report
from ttsuite.scans.scan_file import Plan, Point, Refused, words
from ttsuite.scans.scan_pages import write_pages
from ttsuite.scans.scan_point import POINTS, SESSION, at_work, compute_point, ended, tidy
from ttsuite.scans.scan_table import Outcome, contents_of, picture, sampled_of, table, values_of
from ttsuite.study.config import ConfigError
from ttsuite.workers.executors import ask_to_end

WAITING, CHECK_FAILED, REFUSED = "waiting", "check_failed", "refused"
AT_ONCE = 10.0  # seconds that points told to end at once are waited for


class Listener(Protocol):
    """Told of a scan's progress.

    One with a method ``stopping(points, seconds)`` is told of an interrupt too: how many points end their present step
    first, and how long that takes, None where it is not known.
    """

    def started(self, plan: Plan, folder: Path, kept: int) -> None: ...

    def finished(self, outcome: Outcome) -> None: ...

    def ended(self) -> None: ...


@dataclass(frozen=True)
class Scan(Card):
    """A scan that ended: its folder, its points in the order of the file, and whether it was interrupted."""

    folder: Path
    points: tuple[Outcome, ...]
    interrupted: bool

    def worded(self) -> list[Fact]:
        """How many points ended how, and the first of them."""
        told = [(words(point.settings), _in_words(point)) for point in self.points]
        return [("folder", str(self.folder)), ("summary", self.summary), *told]

    @property
    def summary(self) -> str:
        """How many points ended how, in one line."""
        counts = Counter(outcome.status.replace("_", " ") for outcome in self.points)
        parts = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        return f"{len(self.points)} points: {parts}" + ("; interrupted" if self.interrupted else "")

    @property
    def status(self) -> str:
        """The first that holds: interrupted; of any point failed or refused, not_converged or check_failed; finished.

        A refused point counts as failed.
        """
        if self.interrupted:
            return INTERRUPTED
        found = {outcome.status for outcome in self.points}
        for status in (NOT_CONVERGED, CHECK_FAILED):
            if found <= {FINISHED, NOT_CONVERGED, CHECK_FAILED} and status in found:
                return status
        return FINISHED if found <= {FINISHED} else FAILED


class ScanJob:
    """What one scan knows while it computes."""

    def __init__(self, plan: Plan, folder: Path, named: Path, listener: Listener | None) -> None:
        self.plan, self.folder, self.named, self.listener = plan, folder, named, listener
        self.record = Record(folder)
        self.outcomes: dict[int, Outcome] = {}
        self.begun = self.interrupted = False
        self._clock = time.perf_counter()
        self._provenance: Data = {}
        self.refused = {point.number: point for point in plan.refused}
        self._at_work: dict[Future, Point] = {}  # when an interrupt came

    def refuse(self, found: list[Refused]) -> None:
        """Leave these points out too. Raises ConfigError where none is left."""
        self.refused |= {point.number: point for point in found}
        if found and len(self.refused) == len(self.plan.points) + len(self.plan.refused):
            raise ConfigError([problem for point in self.refused.values() for problem in point.problems], True)

    def scan(self) -> Scan:
        """The scan as it stands."""
        return Scan(self.named, tuple(self.outcomes.values()), self.interrupted)

    def begin(self) -> None:
        """Read the points that have ended, and write what is known."""
        self._provenance = provenance(0, 1, datetime.now().astimezone())
        for key in ("seed", "workers"):  # those of every point are in its own record
            del self._provenance[key]
        known = {point.number: self.outcome(point) for point in self.plan.points}
        for number, refused in self.refused.items():
            settings = {key: refused.changes.get(key) for key in self.plan.keys}
            known[number] = Outcome(number, settings, "", REFUSED, refused.message, None, {})
        self.outcomes = dict(sorted(known.items()))
        self.begun = True
        self.write_table()
        if self.listener is not None:
            kept = [
                outcome
                for outcome in self.outcomes.values()
                if outcome.status not in (WAITING, FAILED, INTERRUPTED, REFUSED)
            ]
            self.listener.started(self.plan, self.named, len(kept))

    def compute(self, left: list[Point], executor: Executor) -> None:
        """Compute the points in ``left`` on the workers."""
        token = uuid.uuid4().hex
        self.record.write(SESSION, token)
        futures: dict[Future, Point] = {}
        try:
            for point in left:
                task = (point.data, point.directory.resolve(), self.folder, point.key, token)
                future = executor.submit(compute_point, *task)
                if future.done():  # in this process
                    self._take(point, future)
                else:
                    futures[future] = point
            for future in as_completed(futures):
                self._take(futures.pop(future), future)
        finally:
            # workers that still compute stop when they see it gone
            (self.folder / SESSION).unlink(missing_ok=True)
            for future in futures:
                future.cancel()
            self._at_work = {future: point for future, point in futures.items() if not future.done()}
            tidy(self.folder)

    def _take(self, point: Point, future: Future) -> None:
        """Note how a point ended."""
        self.outcomes[point.number] = outcome = self.outcome(point, _message(future))
        self.write_table()
        if self.listener is not None:
            self.listener.finished(outcome)

    def stop(self, others: set[int | None]) -> None:
        """Wait until the points at work have ended their step; ``others``: processes that are none of their workers."""
        if self._at_work:
            self._wait(others)
        new = [point for point in self.plan.points if ended(self.folder / POINTS / point.key)]
        self.outcomes |= {point.number: self.outcome(point) for point in new}
        tidy(self.folder)
        self.write_table()

    def _wait(self, others: set[int | None]) -> None:
        """Say how long the points at work still take, and wait for them."""
        left = at_work(self.folder)
        steps = [left.get(point.key) for point in self._at_work.values()]
        known = [seconds for seconds in steps if seconds is not None]
        if (stopping := getattr(self.listener, "stopping", None)) is not None:
            stopping(len(steps), max(known) if len(known) == len(steps) else None)
        try:
            wait(self._at_work)
        except KeyboardInterrupt:
            ask_to_end(others)
            wait(self._at_work, AT_ONCE)

    def outcome(self, point: Point, failure: str = "") -> Outcome:
        """What is known of a point; ``failure``: why its task gave no answer."""
        folder = f"{POINTS}/{point.key}"
        settings = {key: _setting(point, key) for key in self.plan.keys}
        try:
            report = read_report(self.folder / folder)
        except (OSError, ValueError):
            status, message = (FAILED, failure) if failure else (WAITING, "not computed")
            return Outcome(point.number, settings, folder, status, message, None, {})
        status, message = report["status"], report["message"]
        if failure and not ended(self.folder / folder):
            status, message = FAILED, failure
        if report["check"]["failed"] and status == FINISHED:
            status, message = CHECK_FAILED, "; ".join(report["check"]["failed"])
        kind, seconds = point.study.problem.kind, report["timing"]["wall_s"]
        values, contents = values_of(kind, report), contents_of(kind, report)
        sampled = sampled_of(kind, report)
        return Outcome(point.number, settings, folder, status, message, seconds, values, contents, sampled)

    def write_table(self) -> None:
        """Write table.csv and scan.json as they stand."""
        outcomes = list(self.outcomes.values())
        self.record.write_csv("table.csv", *table(outcomes))
        self.record.write_json(
            "scan.json",
            {
                "name": self.plan.name,
                "keys": self.plan.keys,
                "wall_s": time.perf_counter() - self._clock,
                "points": [
                    {
                        "number": o.number,
                        "settings": o.settings,
                        "folder": o.folder,
                        "status": o.status,
                        "message": o.message,
                        "wall_s": o.seconds,
                        "values": {name: {"value": value, "error": error} for name, (value, error) in o.values.items()},
                        "errors": o.contents,
                        "standard_deviations": o.sampled,
                    }
                    for o in outcomes
                ],
                "provenance": self._provenance,
            },
        )

    def write_pages(self) -> None:
        """Write the table once more, the figure, scan.md and scan.html."""
        self.write_table()
        done = self.scan()
        with own_style():
            drawn = attempt("the figure", lambda: picture(done.points), None, [])
        write_pages(self.plan, done.points, done.summary, drawn, self.record)


def _message(future: Future) -> str:
    """Why a point failed; empty where it did not."""
    try:
        return future.result()
    except CancelledError:
        return "its task was withdrawn: was the connection to the cluster lost?"
    except ConfigError as error:
        return "; ".join(problem.message for problem in error.problems)
    except Exception as error:
        return f"{type(error).__name__}: {error}".partition("\n")[0]


def _setting(point: Point, key: str) -> object:
    """The value of a key in a point: the one it sets, or the base's or the model's."""
    if key in point.changes:
        return point.changes[key]
    value: object = point.study.model_dump()
    for part in key.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, (list, tuple)) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _in_words(point: Outcome) -> str:
    """How a point ended: its first value with the error, or why there is none."""
    for name, (value, error) in point.values.items():
        return f"{name} = {Measured(value, error=error)}"
    return f"{point.status.replace('_', ' ')}: {point.message}"
