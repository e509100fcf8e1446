"""``ttsuite certify``: the dear second looks at a finished run, each another route to the same numbers.

The routes are those of the run's kind (its module ``certify``, problems.route): another method, another seed, a larger
basis, a finer grid, more states, or the numbers computed without tensor trains. Each is a run of its own in the folder
``certify/<route>`` of the run; one that is there already is not computed again. What they say together is written to
certify.json and certify.md, and to the report of the run, whose results stay as they are.
"""

from __future__ import annotations

import copy
import shutil
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from problems.errors import ProblemError
from problems.keys import renamed
from problems.report_parts import Quantity
from problems.route import NotReached, Route
from solvers.solution import Status
from ttsuite.actions.certificate import CERTIFY, CONTRADICTED, LEFT_OUT, UNKNOWN, Certificate, RouteOutcome, judge
from ttsuite.actions.dry_run import dry_run, duration_text
from ttsuite.actions.resume import resume
from ttsuite.actions.run import load, run
from ttsuite.data import Data, Report
from ttsuite.pages.compare import ComparedQuantity, beside, compare_runs
from ttsuite.pages.render import render
from ttsuite.pages.report import remake_report
from ttsuite.runs.checkpoint import ResumeError
from ttsuite.runs.job import RunFailed
from ttsuite.runs.layout import CONFIGURATION_FILE, FAILED, FINISHED, INTERRUPTED, NOT_CONVERGED, RUNNING
from ttsuite.runs.listener import Listener
from ttsuite.runs.locks import Locked, locked
from ttsuite.runs.record import Record, plain
from ttsuite.runs.run_folder import read_report
from ttsuite.study.config import ConfigError, Study, load_study, read, study_of
from ttsuite.study.faults import key_path
from ttsuite.study.yaml_file import Document
from ttsuite.workers.executors import workers_for

DATA, PAGE = "certify.json", "certify.md"
LOCK = "certify.lock"


class CertifyError(ValueError):
    """A run that cannot be certified, or not now; the text says why and what to do."""


@dataclass(frozen=True)
class Planned:
    """A route that could be taken: the study it is, None where that is refused, with the reason; and its effort."""

    route: Route
    study: Study | None
    refused: str
    seconds: float | None

    def __str__(self) -> str:
        told = self.refused or f"about {duration_text(self.seconds or 1.0)}"
        return f"{self.route.name}: {self.route.what} ({told})"


def certify(
    folder: str | Path,
    *,
    routes: Iterable[str] | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    listener: Listener | None = None,
) -> Certificate:
    """Take other routes to the numbers of the run in ``folder`` and compare.

    ``routes``: names of those to take, by default all (``planned`` lists them); ``workers``, ``executor`` and
    ``listener``: as of ``run``. A route already taken is kept. Raises CertifyError for a folder that is no run, holds
    no results or is being certified by another process, and for unknown routes; OSError where it cannot be written. An
    interrupt is no exception: the same call goes on.
    """
    folder = Path(folder)
    report, study = _run_of(folder)
    plans = planned(folder)
    names = [plan.route.name for plan in plans]
    wanted = names if routes is None else list(routes)
    for name in wanted:
        if name not in names:
            raise CertifyError(f"no route to this run is called {name} (there are: {', '.join(names)})")
    (folder / CERTIFY).mkdir(exist_ok=True)
    try:
        with locked(folder / CERTIFY / LOCK):
            work = _Work(folder, report, study, workers, executor, listener)
            for plan in plans:
                work.take(plan, plan.route.name in wanted and not work.interrupted)
            return work.finished()
    except Locked:
        raise CertifyError(f"{folder} is being certified by another process") from None


def planned(folder: str | Path) -> list[Planned]:
    """The routes to the run in ``folder``, with what each is expected to take. Raises CertifyError."""
    folder = Path(folder)
    report, study = _run_of(folder)
    family = study.family
    found = []
    for route in family.routes.routes(study.problem, study.solver, report["results"]):
        try:
            other = _study_of(route, folder)
            if route.direct is not None:
                effort = route.effort
            else:
                effort = dry_run(other).effort
            found.append(Planned(route, other, "", None if effort is None else effort.seconds))
        except ConfigError as error:
            found.append(Planned(route, None, "; ".join(problem.message for problem in error.problems), None))
    return found


def _run_of(folder: Path) -> tuple[Report, Study]:
    """Report and study of a run that ended with results."""
    try:
        report = read_report(folder)
    except (OSError, ValueError) as error:
        raise CertifyError(str(error)) from None
    if report["status"] in (RUNNING, INTERRUPTED, FAILED) or not report["results"]:
        said = report["status"].replace("_", " ")
        raise CertifyError(f"{folder} holds no results to certify: the run is {said}")
    try:
        return report, load_study(folder / CONFIGURATION_FILE)[0]
    except ConfigError as error:
        raise CertifyError(str(error)) from None


def _study_of(route: Route, folder: Path) -> Study:
    """The study of the run with the changes of a route. Raises ConfigError."""
    data = copy.deepcopy(read(folder / CONFIGURATION_FILE).data)
    data["name"] = f"{data['name'][:80]}-{route.name}"
    data["check"] = False
    if route.other_seed:
        data["seed"] = int(data.get("seed", 0)) + 1
    for key, value in route.changes.items():
        target: Any = data
        *parents, last = key_path(key)
        for part in parents:
            target = target[part] if not isinstance(target, dict) else target.setdefault(part, {})
        target[last] = plain(value)
    return study_of(Document(data=data), folder, data["name"])


class _Work:
    """What one certification knows while it goes through the routes."""

    def __init__(
        self,
        folder: Path,
        report: Report,
        study: Study,
        workers: int | None,
        executor: Executor | None,
        listener: Listener | None,
    ) -> None:
        self.folder, self.report, self.study = folder, report, study
        self.workers, self.executor, self.listener = workers, executor, listener
        self.outcomes: list[RouteOutcome] = []
        self.interrupted = False

    def take(self, plan: Planned, wanted: bool) -> None:
        """Compute the route unless it is there, or not ``wanted``, and judge by it."""
        route, target = plan.route, self.folder / CERTIFY / plan.route.name
        if plan.study is None:
            self.outcomes.append(RouteOutcome(route.name, route.what, LEFT_OUT, f"not possible: {plan.refused}"))
            return
        study = self._with_workers(plan.study)
        if not self._done(target, study) and not wanted:
            self.outcomes.append(RouteOutcome(route.name, route.what, LEFT_OUT, "not taken"))
            return
        try:
            self._compute(route, target, study)
            outcome = self._judged(route, target)
        except (RunFailed, ConfigError, NotReached, ProblemError, ValueError) as error:
            message = f"failed: {error}".partition("\n")[0]
            outcome = RouteOutcome(route.name, route.what, UNKNOWN, message, f"{CERTIFY}/{route.name}", FAILED)
        if outcome.status == INTERRUPTED:
            self.interrupted = True
        self.outcomes.append(outcome)

    def _with_workers(self, study: Study) -> Study:
        count = "automatic" if self.workers is None else self.workers
        return study.model_copy(update={"solver": study.solver.model_copy(update={"workers": count})})

    def _done(self, target: Path, study: Study) -> bool:
        """Whether the route was taken to its end, by the same question."""
        try:
            status, known = read_report(target)["status"], load_study(target / CONFIGURATION_FILE)[0]
        except (OSError, ValueError):
            return False
        return status in (FINISHED, NOT_CONVERGED) and _question(known) == _question(study)

    def _compute(self, route: Route, target: Path, study: Study) -> None:
        if self._done(target, study):
            return
        if route.direct is not None:
            shutil.rmtree(target, ignore_errors=True)
            _direct(route, target, study, self.folder)
            return
        if self._resumable(target, study):
            try:
                resume(target, executor=self.executor, listener=self.listener)
                return
            except ResumeError:  # too little is left
                pass
        shutil.rmtree(target, ignore_errors=True)
        run(study, out=target, executor=self.executor, listener=self.listener)

    def _resumable(self, target: Path, study: Study) -> bool:
        try:
            status, known = read_report(target)["status"], load_study(target / CONFIGURATION_FILE)[0]
        except (OSError, ValueError):
            return False
        return status in (INTERRUPTED, RUNNING) and _question(known) == _question(study)

    def _judged(self, route: Route, target: Path) -> RouteOutcome:
        """What a route that was taken says of the run."""
        report = read_report(target)
        common: Data = {"folder": f"{CERTIFY}/{route.name}", "status": report["status"]}
        common["seconds"] = report["timing"]["wall_s"]
        if report["status"] != FINISHED:
            message = f"the route itself came to no answer: {report['message']}"
            return RouteOutcome(route.name, route.what, UNKNOWN, message, **common)
        part = self.study.family.routes
        quantities = compare_runs(self.folder, target).quantities
        if route.direct is None and hasattr(part, "between"):
            pair = [(r["results"], list(trains)) for r, trains in (load(self.folder), load(target))]
            quantities += [beside(a, b) for a, b in part.between(*pair)]

        def allowed(q: ComparedQuantity) -> float | np.ndarray:
            own = Quantity(q.name, q.unit, q.axis, q.keys, q.values[0], q.errors[0], coverage=q.coverages[0])
            return part.allowed(self.study.solver, own, self.report["results"])

        verdict, message, judged = judge(quantities, allowed)
        return RouteOutcome(route.name, route.what, verdict, message, quantities=judged, **common)

    def finished(self) -> Certificate:
        """Write what was found, into the folder and into the report of the run."""
        certificate = Certificate(self.folder, tuple(self.outcomes), self.interrupted)
        record = Record(self.folder)
        record.write_json(DATA, certificate.data())
        record.write(PAGE, render(PAGE, {"name": self.report["name"], "certificate": certificate}))
        _note(record, self.report, certificate)
        return certificate


def _question(study: Study) -> Data:
    """Everything that decides on a route's results, files by their names in its folder."""
    data = plain(study.model_dump(exclude={"name": True, "solver": {"workers"}}))
    for key, path in study.problem.files.items():
        renamed(data["problem"], key, Path(path).name)
    return data


def _direct(route: Route, target: Path, study: Study, of: Path) -> None:
    """Take a direct route and keep a record that a comparison reads."""
    assert route.direct is not None
    clock = time.perf_counter()
    status, message = FINISHED, "computed directly"
    results: Mapping[str, object] = {}
    with workers_for(1):
        try:
            results = route.direct(study.problem, study.solver)
        except (NotReached, ArithmeticError, MemoryError, np.linalg.LinAlgError) as error:
            status, message = NOT_CONVERGED, str(error) or type(error).__name__
    record = Record(target)
    for path in (*study.problem.files.values(), *study.problem.companions):
        record.copy(Path(path))
    data = study.model_dump()
    for key, path in study.problem.files.items():
        renamed(data["problem"], key, Path(path).name)
    record.write_yaml(CONFIGURATION_FILE, data)
    record.write_json(
        "report.json",
        {
            "name": study.name,
            "status": status,
            "message": message,
            "converged": status == FINISHED,
            "results": results,
            "references": [],
            "warnings": [],
            "checked": [],
            "figures": [],
            "timing": {"wall_s": time.perf_counter() - clock},
            "provenance": {},
            "peak_rss_mb": None,
            "headline": [],
            "check": {"asked": False, "failed": []},
        },
    )


def _note(record: Record, report: Report, certificate: Certificate) -> None:
    """Add what was found to report.json and to the pages of the run.

    The list ``checked`` gets an entry a route. A run that a route contradicts is not converged any more; what it said
    of itself is kept in ``certified.before``, and comes back where a later certification confirms it.
    """
    earlier = report.get("certified") or {}
    before = earlier.get("before") or {
        "status": report["status"],
        "message": report["message"],
        "converged": report["converged"],
    }
    kept = [entry for entry in report.get("checked", []) if not entry["how"].startswith(f"{CERTIFY}, ")]
    report["checked"] = [*kept, *certificate.entries()]
    report["status"], report["message"] = before["status"], before["message"]
    report["converged"] = before["converged"]
    if certificate.verdict == CONTRADICTED:
        report["status"], report["message"] = NOT_CONVERGED, Status.CONTRADICTED.value
        report["converged"] = False
    report["certified"] = {"verdict": certificate.verdict, "message": certificate.message, "before": before}
    record.write_json("report.json", report)
    try:
        remake_report(record.folder)
    except Exception as error:  # the record is what counts; a page can be made again
        report["warnings"] = [*report["warnings"], f"the report could not be made again: {error}"]
        record.write_json("report.json", report)
