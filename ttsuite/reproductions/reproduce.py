"""``ttsuite reproduce``: every table and figure of a talk or a paper run again, beside the published numbers.

A collection (ttsuite.reproductions.keys) names configurations and computations. Each item runs as a run folder in
``points`` of the reproduction's folder, by the same workers as the points of a scan, so that the same command again
keeps what has ended and goes on with what was interrupted. The folder also holds ``table.csv``, ``reproduction.json``
and the page (``reproduction.html`` and ``.md``), renewed whenever an item ends.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, as_completed, wait
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ttsuite.data import Data
from ttsuite.reproductions.collection import Collection, Task, chosen, load_collection
from ttsuite.reproductions.item_run import run_item
from ttsuite.reproductions.outcome import ItemOutcome, Reproduction
from ttsuite.reproductions.tables import write_tables
from ttsuite.reproductions.verdicts import compared, overall
from ttsuite.runs.layout import FAILED, FINISHED, INTERRUPTED
from ttsuite.runs.provenance import provenance
from ttsuite.runs.record import Record
from ttsuite.runs.run_folder import read_report
from ttsuite.scans.scan_folder import alone, usable
from ttsuite.scans.scan_point import POINTS, SESSION, ended, tidy
from ttsuite.study.config import ConfigError
from ttsuite.workers.executors import available_cores, lone_workers

DEFAULT_PARENT = Path("results") / "reproductions"
DATA = "reproduction.json"
AT_ONCE = 10.0  # seconds that items told to end are waited for


class Listener(Protocol):
    """Told of a reproduction's progress."""

    def started(self, collection: Collection, folder: Path, left: Sequence[Task], kept: int) -> None: ...

    def finished(self, outcome: ItemOutcome) -> None: ...

    def ended(self) -> None: ...


def reproduce(
    collection: str | Path | Collection,
    *,
    tiny: bool = False,
    only: Iterable[str] = (),
    without: Iterable[str] = (),
    again: bool = False,
    out: str | Path | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    listener: Listener | None = None,
) -> Reproduction:
    """Run the items of a collection, each unless it has been, and write the table of ours beside the published.

    Parameters
    ----------
    collection : the name of a shipped one (talk), a YAML file, or what ``load_collection`` made of it.
    tiny : the small variant, of a file or a name.
    only, without : names of items; by default all are run. What was run before is told in any case.
    again : run the chosen items anew even where they have been.
    out : the folder; by default ``results/reproductions/<name>``, with ``-tiny`` for the small variant.
    workers : processes, each running an item at a time; by default as many as there are cores; one computes here.
    executor : computes instead, in processes that see ``out`` under the same name.
    listener : told of every item.

    Raises ConfigError for bad input and unknown names, RecordError for an unusable ``out``, both before anything is
    written. An interrupt is no exception: the same call goes on. A script that is to use more than one worker needs the
    ``if __name__ == "__main__":`` guard.
    """
    if not isinstance(collection, Collection):
        collection = load_collection(collection, tiny=tiny)
    elif tiny and not collection.small:
        raise ValueError("tiny applies to a file or a name; load_collection takes it too")
    tasks = [task for task in chosen(collection, only, without) if not task.missing]
    named = Path(out) if out is not None else DEFAULT_PARENT / (collection.name + ("-tiny" if collection.small else ""))
    folder = named.resolve()
    usable(folder, DATA, "reproduction")
    job = _Job(collection, folder, named, listener, {task.keys.name for task in tasks})
    with alone(folder, "reproduction"):
        if again:
            for task in tasks:
                shutil.rmtree(folder / POINTS / task.key, ignore_errors=True)
        left = [task for task in tasks if not ended(folder / POINTS / task.key)]
        job.begin(left, len(tasks) - len(left))
        count = min(workers or available_cores(), max(len(left), 1))
        try:
            with nullcontext(executor) if executor is not None or count == 1 else lone_workers(count) as working:
                job.compute(left, working)
        except KeyboardInterrupt:
            job.stop()
        finally:
            tidy(folder)
            job.write()
            if listener is not None:
                listener.ended()
    return job.reproduction()


class _Job:
    """What one reproduction knows while it computes."""

    def __init__(
        self, collection: Collection, folder: Path, named: Path, listener: Listener | None, wanted: set[str]
    ) -> None:
        self.collection, self.folder, self.named, self.listener = collection, folder, named, listener
        self.wanted = wanted
        self.record = Record(folder)
        self.interrupted = False
        self.failures: dict[str, str] = {}
        self._at_work: list[Future[str]] = []
        self._clock = time.perf_counter()
        self._provenance: Data = {}

    def begin(self, left: Sequence[Task], kept: int) -> None:
        """Write what is known."""
        self._provenance = provenance(0, 1, datetime.now().astimezone())
        for key in ("seed", "workers"):  # those of every item are in its own record
            del self._provenance[key]
        self.write()
        if self.listener is not None:
            self.listener.started(self.collection, self.named, left, kept)

    def compute(self, left: list[Task], executor: Executor | None) -> None:
        """Run the items in ``left``, here or on the workers."""
        token = uuid.uuid4().hex
        self.record.write(SESSION, token)
        try:
            for task, message in self._ended(left, executor, token):
                if message:
                    self.failures[task.keys.name] = message
                self.write()
                if not message and not ended(self.folder / POINTS / task.key):  # it waits among the attempts
                    self.interrupted = True
                    return
                if self.listener is not None:
                    self.listener.finished(self.outcome(task))
        finally:
            (self.folder / SESSION).unlink(missing_ok=True)  # workers that still compute stop when they see it gone

    def _ended(self, left: list[Task], executor: Executor | None, token: str) -> Iterator[tuple[Task, str]]:
        """Each item with why it failed, as it ends."""
        if executor is None:
            for task in left:
                try:
                    message = run_item(task, self.folder, token)
                except Exception as error:
                    message = _told(error)
                yield task, message
            return
        futures = {executor.submit(run_item, replace(task, study=None), self.folder, token): task for task in left}
        try:
            for future in as_completed(futures):
                try:
                    message = future.result()
                except (Exception, CancelledError) as error:
                    message = _told(error)
                yield futures[future], message
        finally:
            for future in futures:
                future.cancel()
            self._at_work = [future for future in futures if not future.done()]

    def stop(self) -> None:
        """After an interrupt: wait a little for the items at work, which end their step."""
        self.interrupted = True
        wait(self._at_work, AT_ONCE)

    def outcome(self, task: Task) -> ItemOutcome:
        """What is known of an item."""
        item = task.keys
        folder, report = f"{POINTS}/{task.key}" if task.key else "", None
        if task.key:
            try:
                report = read_report(self.folder / folder)
            except (OSError, ValueError):
                report = None
        usable_report = report is not None and report["status"] not in (FAILED, INTERRUPTED, "running")
        status = "" if report is None else report["status"]
        why = ""
        if not usable_report:
            why = self._why(task, "" if report is None else report["message"])
            if item.name in self.failures:
                status = FAILED
        elif report is not None and status != FINISHED:
            why = report["message"]
        data = dict(report) if report is not None and usable_report else None
        values = tuple(compared(task, value, data, why) for value in item.values)
        seconds = report["timing"]["wall_s"] if report is not None and usable_report else None
        verdict = overall(values, bool(item.stand_in) or task.tiny, usable_report)
        return ItemOutcome(task, folder if report is not None else "", status, seconds, values, verdict, why)

    def _why(self, task: Task, message: str) -> str:
        item = task.keys
        if item.not_run:
            return item.not_run
        if item.name in self.failures:
            return f"failed: {self.failures[item.name]}"
        if task.missing:
            cure = f": {item.cure}" if item.cure else ""
            return f"needs {', '.join(task.missing)}{cure}"
        if item.name not in self.wanted:
            return "left out"
        return message or "not yet run"

    def reproduction(self) -> Reproduction:
        """The reproduction as it stands."""
        items = tuple(self.outcome(task) for task in self.collection.tasks)
        return Reproduction(self.collection, self.named, items, self.interrupted)

    def write(self) -> None:
        """Write the table and the page as they stand."""
        write_tables(self.reproduction(), self._provenance, time.perf_counter() - self._clock, self.record)


def _told(error: BaseException) -> str:
    if isinstance(error, ConfigError):
        return "; ".join(problem.message for problem in error.problems)
    if isinstance(error, CancelledError):
        return "its task was withdrawn: was the connection to the cluster lost?"
    return f"{type(error).__name__}: {error}".partition("\n")[0]
