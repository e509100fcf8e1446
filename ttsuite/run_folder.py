"""Reading run folders: report.json checked, the study and the result of a run, and every run below a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ttsuite.config import Study, load_study
from ttsuite.data import Report
from ttsuite.layout import CONFIGURATION_FILE, RESULT_FILE, STATES_FILE

if TYPE_CHECKING:
    from problems.result import Result

# what every report.json has had from its first moment
_KEYS = {
    "name": str,
    "status": str,
    "message": str,
    "converged": bool,
    "results": dict,
    "references": list,
    "warnings": list,
    "timing": dict,
    "provenance": dict,
}


def read_report(folder: str | Path) -> Report:
    """The content of a run's report.json.

    Raises FileNotFoundError where ``folder`` is no run folder, ValueError with one line for a damaged file.
    """
    file = Path(folder) / "report.json"
    try:
        text = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{folder} is no run folder: it has no report.json") from None
    try:
        report = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from None
    if not isinstance(report, dict):
        raise ValueError(f"{file} is not the report of a run")
    for key, kind in _KEYS.items():
        if not isinstance(report.get(key), kind):
            raise ValueError(f"{file} is not the report of a run: {key} is missing or of another kind")
    return cast(Report, report)


def read_result(folder: str | Path) -> tuple[Report, Study, Result]:
    """The report, the study and the result of a run that ended, as they were when its report was made.

    Raises FileNotFoundError where ``folder`` is no run folder or holds no result, ConfigError for a damaged
    configuration, ValueError for other damaged files. Cost: reading the files; states are read when asked for.
    """
    from ttsuite.result_file import load_result

    folder = Path(folder)
    report = read_report(folder)
    if not (folder / RESULT_FILE).exists():
        raise FileNotFoundError(f"{folder} holds no result: the run is {report['status'].replace('_', ' ')}")
    study = load_study(folder / CONFIGURATION_FILE)[0]
    return report, study, load_result(folder / RESULT_FILE, folder / STATES_FILE, study.family.results)


def runs_below(folder: str | Path) -> list[Path]:
    """Every folder with a report.json in or below ``folder``, sorted; hidden folders and links are left out.

    Raises NotADirectoryError where ``folder`` is none.
    """
    if not Path(folder).is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if "report.json" in files:
            found.append(Path(place))
            folders.clear()  # a run has no runs inside
    return sorted(found)


def ranks_along_train(report: Report) -> list[int]:
    """The largest TT-rank at every bond, over all states or times; empty where a report tells none.

    Reports of earlier versions have no key of their own for them.
    """
    ranks = report.get("ranks")
    if ranks is not None:
        return ranks
    from problems.result import Result

    return Result.largest_ranks(report["results"])
