"""The numbers of a result in the run folder: report.json's content, the CSV file, the states, the result itself.

Each is written by itself: one that cannot be told or written is a warning and costs no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

from ttsuite.data import Data, Report
from ttsuite.runs.attempt import T, attempt
from ttsuite.runs.layout import FINISHED, INTERRUPTED, NOT_CONVERGED, RESULT_FILE, STATES_FILE
from ttsuite.runs.record import Record, plain
from ttsuite.runs.reference_check import reference_check
from ttsuite.study.config import Study

if TYPE_CHECKING:
    from problems.result import Result


def write_numbers(study: Study, result: Result, record: Record, report: Report) -> Result:
    """Fill ``report`` and write the files of numbers; returns the result, its status that of what was checked too.

    report.json itself is left to the caller. Raises OSError where the disk takes no more.
    """
    from solvers.formats.trains.storage import save_trains
    from solvers.solution import Status
    from ttsuite.runs.result_file import save_result

    family = study.family
    if result.status is Status.CONVERGED and not all(look.passed for look in result.checked):
        result = replace(result, status=Status.CONTRADICTED)
    statuses = {Status.CONVERGED: FINISHED, Status.INTERRUPTED: INTERRUPTED}
    warnings = report["warnings"] = list(result.warnings)

    def told(what: str, make: Callable[[], T], otherwise: T) -> T:
        return attempt(what, make, otherwise, warnings)

    report["results"] = result.results()
    report["ranks"] = told("the ranks", lambda: result.largest_ranks(plain(report["results"])), [])
    report["values"] = told("the values with their errors", lambda: type(result).values(plain(report["results"])), {})
    report["references"] = told("the references", partial(_agreements, study, result), [])
    headline = partial(family.presentation.headline, study.problem, study.solver, result)
    report["headline"] = told("the headline", lambda: headline(), [])
    report["check"] = reference_check(study, report["references"])
    report["checked"] = [asdict(checked) for checked in result.checked]
    report["timing"] = {
        "compile_s": result.timing.get("compile_s"),
        "setup_s": result.timing.get("setup_s"),
        "solve_s": result.timing.get("solve_s"),
        "wall_s": report["timing"]["wall_s"],
    }
    known = partial(family.known.columns, study.problem, result)
    table = told("the table of the results", lambda: result.csv_table(known()), None)
    if table is not None:
        record.write_csv(*table)
    texts: Mapping[str, str] = told("the files of text", lambda: result.texts(), {})
    for name, text in texts.items():
        record.write(name, text)
    for name, save in (
        (STATES_FILE, lambda path: save_trains(path, result.trains())),
        (RESULT_FILE, lambda path: save_result(path, result, result.trains())),
    ):
        told(name, partial(record.write_with, name, save), None)
    report["status"] = statuses.get(result.status, NOT_CONVERGED)
    report["converged"] = report["status"] == FINISHED
    report["message"] = result.status.value
    return result


def _agreements(study: Study, result: Result) -> list[Data]:
    return [agreement.told() for agreement in study.family.known.agreements(study.problem, result)]
