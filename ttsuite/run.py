"""One run from a checked configuration to a complete run folder.

Order of events: check, prepare (problems that cannot be computed are refused here), make the folder, solve,
write. Nothing is written before the problem is known to be computable, and a folder always tells by its
report.json how its run ended.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from problems.problem import ProblemError
from ttsuite.config import ConfigError, Source, Study, load_study
from ttsuite.executors import available_cores, workers_for
from ttsuite.memory import PeakMemory
from ttsuite.provenance import blas, provenance
from ttsuite.record import Record
from ttsuite.yaml_file import Document

if TYPE_CHECKING:
    from solvers.solution import IterationState

FINISHED, NOT_CONVERGED, INTERRUPTED, FAILED, RUNNING = (
    "finished",
    "not_converged",
    "interrupted",
    "failed",
    "running",
)
STATES_FILE = "states.npz"
_MESSAGES = {
    RUNNING: "running; if no process is, it was killed",
    INTERRUPTED: "interrupted by the user; what was reached so far is kept in passes.jsonl",
}


class Listener(Protocol):
    """Told of a run's progress; ``ttsuite.progress`` has one for terminals and one for plain output."""

    def started(self, study: Study, folder: Path) -> None: ...

    def passed(self, state: IterationState) -> None: ...

    def ended(self, report: dict[str, Any]) -> None: ...


@dataclass(frozen=True)
class Run:
    """A run that ended: folder, content of report.json, and the result (None if it was interrupted)."""

    folder: Path
    report: dict[str, Any]
    result: Any

    @property
    def status(self) -> str:
        """finished, not_converged or interrupted."""
        return self.report["status"]


class RunFailed(RuntimeError):
    """The numerics failed unexpectedly; the traceback is in the run folder."""

    def __init__(self, folder: Path, message: str) -> None:
        super().__init__(message)
        self.folder = folder


def run(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    overrides: Iterable[str] = (),
    listener: Listener | None = None,
) -> Run:
    """Compute a study, given as a YAML file or a Study, and write its run folder.

    Parameters
    ----------
    study : path of a YAML file, or a Study from ``load_study`` or ``make_study``.
    out : the run folder; by default ``results/runs/<name>-<time>`` below the current directory.
    overrides : texts ``key.path=value``, for a file only.
    listener : told of every pass.

    Raises ConfigError for bad input and RecordError for an unusable ``out``, both before anything is
    written, and RunFailed for an unexpected failure. An interrupt is no exception: the run ends with status
    ``interrupted``. A script that uses more than one worker needs the ``if __name__ == "__main__":`` guard.
    """
    clock, started = time.perf_counter(), datetime.now().astimezone()
    if isinstance(study, Study):
        if list(overrides):
            raise ValueError("overrides apply to a file, not to a Study")
        source = Source(Document(), None)
    else:
        study, source = load_study(study, overrides)
    workers = study.solver.workers if study.solver.workers != "automatic" else available_cores()
    study = study.model_copy(update={"solver": study.solver.model_copy(update={"workers": workers})})
    numerics = study.family.module("numerics")
    with ExitStack() as stack:
        memory = stack.enter_context(PeakMemory())
        try:
            prepared = numerics.prepare(study.problem, study.solver)
        except ProblemError as error:
            raise source.error(error) from None
        record = Record.create(study.name, started, out)
        job = _Job(study, record, clock, started, memory, workers)
        job.open()
        if listener is not None:
            listener.started(study, record.folder)
        return job.solve(numerics, prepared, source, listener)


class _Job:
    """What one run knows while it runs."""

    def __init__(
        self, study: Study, record: Record, clock: float, started: datetime, memory: PeakMemory, workers: int
    ) -> None:
        self.study, self.record, self.clock, self.memory, self.workers = study, record, clock, memory, workers
        self.report: dict[str, Any] = {
            "name": study.name,
            "status": RUNNING,
            "message": _MESSAGES[RUNNING],
            "converged": False,
            "results": {},
            "references": [],
            "warnings": [],
            "timing": {"compile_s": None, "setup_s": None, "solve_s": None, "wall_s": None},
            "peak_rss_mb": None,
            "provenance": provenance(study.seed, workers, started),
        }

    def open(self) -> None:
        """Write what is known before the first pass."""
        self.record.write_yaml("configuration.yaml", configuration(self.study, self.record))
        self.save()

    def save(self) -> None:
        """Write report.json as it stands."""
        self.report["timing"]["wall_s"] = time.perf_counter() - self.clock
        self.report["peak_rss_mb"] = self.memory.megabytes
        self.record.write_json("report.json", self.report)

    def solve(self, numerics: Any, prepared: Any, source: Source, listener: Listener | None) -> Run:
        """Run the numerics and write everything; see ``run``."""

        def passed(state: IterationState) -> None:
            if state.finished:
                entry = {key: getattr(state, key) for key in ("step", "label", "max_rank", "seconds", "fraction")}
                known = {"energies": state.energies, "residuals": state.residuals}
                entry |= {key: value for key, value in known.items() if value is not None}
                entry |= {key: state.extra[key] for key in ("solves",) if key in state.extra}
                self.record.append_line("passes.jsonl", entry)
            if listener is not None:
                listener.passed(state)

        result = None
        try:
            with workers_for(self.workers) as executor:
                self.report["provenance"]["blas"] = blas()
                result = numerics.solve(prepared, executor=executor, seed=self.study.seed, callback=passed)
            self.finish(result)
        except KeyboardInterrupt:
            self.report |= {"status": INTERRUPTED, "message": _MESSAGES[INTERRUPTED], "converged": False}
            self.save()
        except Exception as error:
            message = f"{type(error).__name__}: {error}".partition("\n")[0]
            self.report |= {"status": FAILED, "message": message, "converged": False}
            self.record.write("traceback.txt", traceback.format_exc())
            self.save()
            if isinstance(error, ProblemError):
                raise source.error(error) from None
            raise RunFailed(self.record.folder, message) from error
        finally:
            if listener is not None:
                listener.ended(self.report)
        return Run(self.record.folder, self.report, result)

    def finish(self, result: Any) -> None:
        """Write results, states, figures and reports; the numbers first, so that no figure can cost them."""
        from solvers.solution import Status
        from solvers.trains.storage import save_trains
        from ttsuite.report import write_figures, write_reports

        study, record, report = self.study, self.record, self.report
        presentation = study.family.module("presentation")
        statuses = {Status.CONVERGED: FINISHED, Status.INTERRUPTED: INTERRUPTED}
        report["results"] = presentation.results(result)
        report["references"] = presentation.references(study.problem, result)
        report["warnings"] = list(result.warnings)
        report["timing"] |= {key: result.timing.get(key) for key in ("compile_s", "setup_s", "solve_s")}
        record.write_csv(*presentation.csv_table(study.problem, result))
        record.write_with(STATES_FILE, lambda path: save_trains(path, presentation.trains(result)))
        report["status"] = statuses.get(result.status, NOT_CONVERGED)
        report["converged"] = report["status"] == FINISHED
        report["message"] = result.status.value
        self.save()
        pictures = write_figures(study, result, record)
        self.save()
        write_reports(study, result, report, pictures, record)


def configuration(study: Study, record: Record) -> dict[str, Any]:
    """The study with every default filled in, its files copied into the run folder and named from there."""
    data = study.model_dump()
    for key, source in study.problem.files.items():
        data["problem"][key] = record.copy(source)
    return data


def validate(file: str | Path, overrides: Iterable[str] = ()) -> Study:
    """Check a configuration without computing anything. Raises ConfigError with everything wrong in it."""
    return load_study(file, overrides)[0]


def load(folder: str | Path) -> tuple[dict[str, Any], list[Any]]:
    """Report and trains of a run folder: the dict of report.json, and the states in order of energy, or the solution.

    The list is empty for a run that stored none. Raises FileNotFoundError where ``folder`` is no run
    folder, ValueError for damaged files.
    """
    import json

    folder = Path(folder)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    if not (folder / STATES_FILE).exists():
        return report, []
    from solvers.trains.storage import load_trains

    trains = load_trains(folder / STATES_FILE)
    return report, [trains[name] for name in sorted(trains)]


def surrogate(folder: str | Path) -> Any:
    """The solution of a parametric PDE as a function of its standardised parameters: y (d,) -> nodal values (N,).

    Raises FileNotFoundError where ``folder`` is no run folder, ValueError for damaged files and for other problems.
    """
    report, trains = load(folder)
    parameters = report["results"].get("parameters")
    if parameters is None or len(trains) != 1:
        raise ValueError(f"{folder} holds no solution of a parametric PDE")
    from problems.parametric_pde.surrogate import Solution

    return Solution(trains[0], parameters["distribution"])


__all__ = ["ConfigError", "Run", "RunFailed", "load", "run", "surrogate", "validate"]
