"""One job: a checked study computed into a run folder.

Order of events: prepare (problems that cannot be computed are refused here), make the folder, solve, write. Nothing is
written before the problem is known to be computable, and a folder always tells by its report.json how its run ended.
While it runs, the solvers keep in its folder ``checkpoint`` what ``resume`` (ttsuite.resume) continues from.
"""

from __future__ import annotations

import errno
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from problems.errors import ProblemError
from problems.keys import renamed
from problems.result import Result
from solvers.cards import Card, Fact
from ttsuite.data import Data, Report, SavedPicture
from ttsuite.runs.attempt import DISK, attempt
from ttsuite.runs.checkpoint import CheckpointFolder, Interrupts, ResumeError
from ttsuite.runs.layout import (
    CONFIGURATION_FILE,
    FAILED,
    INTERRUPTED,
    RUNNING,
)
from ttsuite.runs.listener import Listener
from ttsuite.runs.memory import PeakMemory
from ttsuite.runs.numbers import write_numbers
from ttsuite.runs.provenance import blas, provenance
from ttsuite.runs.record import Record
from ttsuite.runs.report_words import report_words
from ttsuite.study.config import Source, Study
from ttsuite.workers.executors import available_cores, workers_for

if TYPE_CHECKING:
    from problems.contract import Numerics
    from problems.keys import ProblemKeys, SolverKeys
    from solvers.solution import IterationState

_MESSAGES = {
    RUNNING: "running; if no process is, it was killed",
    INTERRUPTED: "interrupted by the user; ttsuite resume continues it",
}


class ReportWriter(Protocol):
    """What shows a result to a reader; the module ``ttsuite.pages.report`` is one."""

    def write_figures(self, study: Study, result: Result, record: Record, warnings: list[str]) -> list[SavedPicture]:
        """Write the figures; returns what ``write_reports`` needs of them, with a warning for each that fails."""
        ...

    def write_reports(
        self, study: Study, result: Result, report: Report, pictures: list[SavedPicture], record: Record
    ) -> None:
        """Write the texts around the figures; ``report`` is the content of report.json."""
        ...

    def write_partial(self, study: Study, report: Report, record: Record) -> None:
        """Write what is known of a run that was interrupted, marked as no result."""
        ...

    def card(self, folder: Path, report: Report) -> str:
        """HTML that stands for the run in a notebook."""
        ...


@dataclass(frozen=True)
class Run(Card):
    """A run that ended: folder, content of report.json, the result (None if it was interrupted), and who shows it."""

    folder: Path
    report: Report
    result: Result | None
    writer: ReportWriter

    @property
    def status(self) -> str:
        """finished, not_converged or interrupted."""
        return self.report["status"]

    def worded(self) -> list[Fact]:
        """How it ended, its first values with errors, what it took."""
        return report_words(
            self.report, None if self.result is None else self.result.quantities(self.report["results"])
        )

    def _repr_html_(self) -> str:
        return self.writer.card(self.folder, self.report)


class RunFailed(RuntimeError):
    """The numerics failed unexpectedly; the traceback is in the run folder."""

    def __init__(self, folder: Path, message: str) -> None:
        super().__init__(message)
        self.folder = folder


def compute(
    study: Study,
    source: Source,
    *,
    executor: Executor | None = None,
    listener: Listener | None,
    place: Callable[[str, datetime], Record],
    writer: ReportWriter,
    before: Report | None = None,
    earlier: Path | None = None,
) -> Run:
    """Compute a checked study in the record that ``place(name, started)`` gives; see ``run``.

    ``writer``: writes the figures and reports, at the end.
    ``before``: the report of the same run, which is continued; ``earlier``: the folder of a finished run, from which
    this one, another run, starts.
    """
    clock, started = time.perf_counter(), datetime.now().astimezone()
    workers = study.solver.workers if study.solver.workers != "automatic" else available_cores()
    study = study.model_copy(update={"solver": study.solver.model_copy(update={"workers": workers})})
    numerics = study.family.numerics
    with ExitStack() as stack:
        memory = stack.enter_context(PeakMemory())
        try:
            prepared = numerics.prepare(study.problem, study.solver)
        except ProblemError as error:
            raise source.error(error) from None
        record = place(study.name, started)
        checkpoints = CheckpointFolder(record.folder)
        stack.enter_context(_disk(record.folder))
        stack.enter_context(checkpoints.held())
        job = _Job(study, record, clock, started, memory, workers, writer)
        if source.document.comment:
            job.report["description"] = source.document.comment
        if before is None:
            job.open(None if earlier is None else earlier.name)
        else:
            job.reopen(before)
        if listener is not None:
            listener.started(study, record.folder)
        extra = {} if earlier is None else {"earlier": CheckpointFolder(earlier).path}
        return job.solve(numerics, prepared, source, executor, listener, checkpoints, extra)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Turn an error of the disk into RunFailed, with what to do."""
    try:
        yield
    except OSError as error:
        raise RunFailed(folder, _disk_message(folder, error)) from error


def _disk_message(folder: Path, error: OSError) -> str:
    what = error.strerror or str(error)
    cure = "free space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "mend that"
    return f"{folder} cannot be written ({what}): {cure}, then continue with: ttsuite resume {folder}"


class _Job:
    """What one run knows while it runs."""

    def __init__(
        self,
        study: Study,
        record: Record,
        clock: float,
        started: datetime,
        memory: PeakMemory,
        workers: int,
        writer: ReportWriter,
    ) -> None:
        self.study, self.record, self.writer = study, record, writer
        self.clock, self.memory, self.workers = clock, memory, workers
        self.report: Report = {
            "name": study.name,
            "status": RUNNING,
            "message": _MESSAGES[RUNNING],
            "converged": False,
            "headline": [],
            "results": {},
            "references": [],
            "check": {"asked": study.check, "failed": []},
            "warnings": [],
            "checked": [],
            "figures": [],
            "timing": {"compile_s": None, "setup_s": None, "solve_s": None, "wall_s": None},
            "peak_rss_mb": None,
            "provenance": provenance(study.seed, workers, started),
        }

    def open(self, continues: str | None) -> None:
        """Write what is known before the first pass; ``continues``: the name of the run this one starts from."""
        if continues is not None:
            self.report["continues"] = continues
        self.save()
        # the last of what a run can be continued from
        self.record.write_yaml(CONFIGURATION_FILE, configuration(self.study, self.record))

    def reopen(self, before: Report) -> None:
        """Go on with a run whose report is ``before``: seconds and interruptions are counted through."""
        session = {"started": before["provenance"].get("started"), "ended": before["status"]}
        self.report["sessions"] = [*before.get("sessions", []), session]
        if "description" in before:  # the copy in the folder has no comments
            self.report["description"] = before["description"]
        if "continues" in before:
            self.report["continues"] = before["continues"]
        self.clock -= float(before["timing"].get("wall_s") or 0.0)
        # what failed, or was left unfinished when it was killed
        for file in (self.record.folder / "traceback.txt", *self.record.folder.glob(".*.tmp")):
            file.unlink(missing_ok=True)
        self.save()

    def save(self, complete: bool = True) -> None:
        """Write report.json as it stands; the run is said to have ended only where its folder is ``complete``."""
        self.report["timing"]["wall_s"] = time.perf_counter() - self.clock
        self.report["peak_rss_mb"] = self.memory.megabytes
        still = {} if complete else {"status": RUNNING, "message": _MESSAGES[RUNNING], "converged": False}
        self.record.write_json("report.json", self.report | still)

    def solve(
        self,
        numerics: Numerics[ProblemKeys, SolverKeys, object, Result],
        prepared: object,
        source: Source,
        given: Executor | None,
        listener: Listener | None,
        checkpoints: CheckpointFolder,
        extra: Mapping[str, Path],
    ) -> Run:
        """Run the numerics and write everything; see ``run``."""
        from solvers.checkpoint import CheckpointError, Stopped

        interrupts = Interrupts(checkpoints.request_stop, getattr(listener, "stopping", None))

        logged = self.record.read_lines("passes.jsonl")
        known = {(entry.get("step"), entry.get("label")) for entry in logged}

        def passed(state: IterationState) -> None:
            if state.finished and (state.step, state.label) not in known:
                entry = {key: getattr(state, key) for key in ("step", "label", "max_rank", "seconds", "fraction")}
                numbers = {"energies": state.energies, "residuals": state.residuals}
                entry |= {key: value for key, value in numbers.items() if value is not None}
                entry |= {key: state.extra[key] for key in ("solves",) if key in state.extra}
                self.record.append_line("passes.jsonl", entry)
            if listener is not None:
                listener.passed(state)
            if state.finished and interrupts.requested:
                raise Stopped

        result, folder = None, self.record.folder
        try:
            with interrupts.handled():
                with workers_for(self.workers if given is None else 1) as own:
                    self.report["provenance"]["blas"] = blas()
                    result = numerics.solve(
                        prepared,
                        executor=given or own,
                        seed=self.study.seed,
                        callback=passed,
                        checkpoint=checkpoints.path,
                        **extra,
                    )
                self.finish(result)
                checkpoints.drop_previous()
        except (KeyboardInterrupt, Stopped, BrokenExecutor) as error:
            # a batch system ends the worker processes together with this one
            if isinstance(error, BrokenExecutor) and not interrupts.requested:
                self.fail(error, source)
            result = None
            self.report |= {"status": INTERRUPTED, "message": _MESSAGES[INTERRUPTED], "converged": False}
            self.save()
            attempt("report", partial(self.writer.write_partial, self.study, self.report, self.record), None, [])
        except CheckpointError as error:
            self.report |= {"status": INTERRUPTED, "message": str(error), "converged": False}
            self.save()
            raise ResumeError(str(error)) from None
        except Exception as error:
            self.fail(error, source)
        finally:
            if listener is not None:
                listener.ended(self.report)
        return Run(folder, self.report, result, self.writer)

    def fail(self, error: Exception, source: Source) -> NoReturn:
        """Note an unexpected failure, as far as the disk takes it, and raise it in the words of a run."""
        folder = self.record.folder
        disk = isinstance(error, OSError) and error.errno in DISK
        message = f"{type(error).__name__}: {error}".partition("\n")[0]
        if isinstance(error, OSError) and disk:
            message = _disk_message(folder, error)
        self.report |= {"status": FAILED, "message": message, "converged": False}
        try:
            if not disk:
                self.record.write("traceback.txt", "".join(traceback.format_exception(error)))
            self.save()
        except OSError:  # the disk again: the report still says that it runs, which resume knows how to take
            pass
        if isinstance(error, ProblemError):
            raise source.error(error) from None
        raise RunFailed(folder, message) from error

    def finish(self, result: Result) -> None:
        """Write results, states, figures and reports; the numbers first, so that no figure can cost them."""
        study, record, report = self.study, self.record, self.report
        result = write_numbers(study, result, record, report)
        self.save(complete=False)
        pictures = self.writer.write_figures(study, result, record, report["warnings"])
        report["figures"] = [picture["name"] for picture in pictures if picture["data"]]
        self.save(complete=False)
        self.writer.write_reports(study, result, report, pictures, record)
        record.write_json("report.json", report)  # with the times that its reports tell


def configuration(study: Study, record: Record) -> Data:
    """The study with every default filled in, its files copied into the run folder and named from there."""
    data = study.model_dump()
    if study.plots is None:
        del data["plots"]
    for key, source in study.problem.files.items():
        renamed(data["problem"], key, record.copy(source))
    for source in study.problem.companions:
        record.copy(source)
    return data
