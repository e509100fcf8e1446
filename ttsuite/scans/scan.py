"""A scan: many runs of one study with changed parameters, each a run folder, and one table and one figure of all.

Order of events: check every point, prepare every point that is not yet computed (on the workers), and only then make
the scan folder and compute. The folder holds ``points/*`` (ordinary run folders), ``table.csv``, ``scan.json``,
``scan.md``, ``scan.html`` and ``figures/``. The table is renewed whenever a point ends. The same command again keeps
the points that have ended and computes the others; a file with more values extends the scan.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import CancelledError, Executor, Future, as_completed, wait
from contextlib import nullcontext
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
from ttsuite.scans.scan_file import Plan, Point, Refused, load_scan, words
from ttsuite.scans.scan_folder import alone, usable
from ttsuite.scans.scan_pages import write_pages
from ttsuite.scans.scan_point import POINTS, SESSION, at_work, check_point, compute_point, ended, tidy
from ttsuite.scans.scan_table import Outcome, contents_of, picture, sampled_of, table, values_of
from ttsuite.study.config import ConfigError
from ttsuite.workers.executors import ask_to_end, available_cores, children, lone_workers

DEFAULT_PARENT = Path("results") / "scans"
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


def scan(
    file: str | Path | Plan,
    *,
    out: str | Path | None = None,
    overrides: Iterable[str] = (),
    workers: int | None = None,
    executor: Executor | None = None,
    listener: Listener | None = None,
) -> Scan:
    """Compute every point of the scan in ``file`` that is not yet computed, and write its table, figure and pages.

    Parameters
    ----------
    file : a YAML file, see ``ttsuite.scans.scan_file``, or the Plan that ``load_scan`` made of it.
    out : the scan folder; by default ``results/scans/<name>`` below the current directory. Points in it that have ended
        are kept.
    overrides : for a file only, texts ``key.path=value`` that change the base; the points' own changes come after.
    workers : processes, each computing one point at a time; by default as many as there are cores.
    executor : computes instead, in processes that see ``out`` under the same name; a Dask client's own executor does
        (``ttsuite.workers.executors.cluster``). It is left open.
    listener : told of every point.

    A point that fails, or that asks for what cannot be computed, does not stop the others. Raises ConfigError for bad
    input, and where every point is refused, and RecordError for an unusable ``out``, both before anything is written.
    An interrupt is no exception: the points at work end the step that they are in (a second interrupt ends them at
    once), the scan ends with ``interrupted`` true, and the same call goes on. Results do not depend on the workers. A
    script that is to use more than one needs the ``if __name__ == "__main__":`` guard; without it the points are
    computed in this process, one after the other.
    """
    if isinstance(file, Plan):
        if list(overrides):
            raise ValueError("overrides apply to a file, not to a Plan")
        plan = file
    else:
        plan = load_scan(file, overrides)
    named = Path(out) if out is not None else DEFAULT_PARENT / plan.name
    folder = named.resolve()  # workers have working directories of their own
    usable(folder)
    left = [point for point in plan.points if not ended(folder / POINTS / point.key)]
    job = _Job(plan, folder, named, listener)
    count, others = min(workers or available_cores(), max(len(left), 1)), children()
    try:
        with nullcontext(executor) if executor is not None or not left else lone_workers(count) as working:
            if working is not None:
                job.refuse(_prepare(left, working))
                left = [point for point in left if point.number not in job.refused]
            with alone(folder):
                job.begin()
                if working is not None:
                    job.compute(left, working)
                job.write_pages()
    except KeyboardInterrupt:
        if not job.begun:
            raise
        with alone(folder):
            job.interrupted = True
            job.stop(others)
            job.write_pages()
    finally:
        if listener is not None and job.begun:
            listener.ended()
    return job.scan()


def _prepare(left: list[Point], executor: Executor) -> list[Refused]:
    """The points that the numerics refuse. Raises ConfigError where a worker does not see what this process sees."""
    futures = [executor.submit(check_point, point.data, point.directory.resolve()) for point in left]
    problems, found = [], []
    try:
        for point, future in zip(left, futures, strict=True):
            try:
                refused = future.result()
            except ConfigError as error:
                problems += error.problems
            except Exception:  # no fault of the configuration: the point will fail, and say so, when it is computed
                continue
            else:
                if refused is not None:
                    found.append(Refused(point.number, point.changes, (point.problem(*refused),)))
    finally:
        for future in futures:
            future.cancel()
    if problems:
        raise ConfigError(problems)
    return found


class _Job:
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
