"""Continuing a run: one that was interrupted or killed, or a finished one to a tighter accuracy or more states.

An interrupted run goes on in its own folder, from its checkpoints, to the results it would have had. With other
solver settings it is another run: it gets a folder of its own, starts from what the earlier one reached wherever its
kind can use that, and says so (``continues`` in report.json).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path

import ttsuite.report
from ttsuite.checkpoint import ResumeError
from ttsuite.config import Source, Study, load_study
from ttsuite.data import Data, Report
from ttsuite.job import Run, compute
from ttsuite.layout import CONFIGURATION_FILE, FINISHED, NOT_CONVERGED
from ttsuite.listener import Listener
from ttsuite.record import Record
from ttsuite.run_folder import read_report


def resume(
    folder: str | Path,
    *,
    overrides: Iterable[str] = (),
    out: str | Path | None = None,
    executor: Executor | None = None,
    listener: Listener | None = None,
) -> Run:
    """Continue the run in ``folder``.

    Without overrides, or with another number of workers only, the same run goes on in its folder. ``overrides``:
    texts ``solver.key=value``; then a new run starts from what this one reached, in ``out`` or beside ``folder``.
    ``executor``: as of ``run``.

    Raises ResumeError for a folder that is no run, is damaged, has nothing left to do, or is being computed by another
    process; ConfigError for bad overrides; RecordError for an unusable ``out``; RunFailed as ``run`` does.
    """
    folder, overrides = Path(folder), list(overrides)
    started = (folder / "report.json").is_file()
    if started and not (folder / CONFIGURATION_FILE).exists():
        raise ResumeError(f"{folder} holds no {CONFIGURATION_FILE}: nothing was computed yet, run the file again")
    try:
        report = read_report(folder)
    except (OSError, ValueError) as error:
        raise ResumeError(str(error)) from None
    study, _ = load_study(folder / CONFIGURATION_FILE)
    wanted, source = load_study(folder / CONFIGURATION_FILE, overrides) if overrides else (study, _source(folder))
    if _question(wanted) == _question(study):
        _check_unfinished(folder, report, out)
        _mend(folder / "passes.jsonl")
        return compute(
            wanted,
            source,
            executor=executor,
            listener=listener,
            place=lambda name, started: Record(folder),
            writer=ttsuite.report,
            before=report,
        )
    _check(study, wanted, folder)
    return compute(
        wanted,
        source,
        executor=executor,
        listener=listener,
        place=_beside(folder, out),
        writer=ttsuite.report,
        earlier=folder,
    )


def _source(folder: Path) -> Source:
    return load_study(folder / CONFIGURATION_FILE)[1]


def _question(study: Study) -> Data:
    """Everything that decides on results; the number of workers does not."""
    data = study.model_dump()
    data["solver"].pop("workers")
    return data


def _check_unfinished(folder: Path, report: Report, out: object) -> None:
    """A run goes on only where something is left to do, and only in its own folder."""
    if report["status"] in (FINISHED, NOT_CONVERGED):
        said = report["status"].replace("_", " ")
        hint = "change solver keys to go on, as in --set solver.accuracy=1e-6"
        raise ResumeError(f"{folder} is {said}: nothing is left to do; {hint}")
    if out is not None:
        raise ResumeError(f"{folder} goes on in its own folder: leave --out away, or change solver keys")


def _check(study: Study, wanted: Study, folder: Path) -> None:
    """Only the solver's keys may change: anything else is another question."""
    same = study.model_dump(exclude={"solver"}), wanted.model_dump(exclude={"solver"})
    for key in same[0]:
        if key != "name" and same[0][key] != same[1][key]:
            raise ResumeError(f"{key} differs from that of {folder}: that is another question, give it to ttsuite run")


def _beside(folder: Path, out: str | Path | None) -> Callable[[str, datetime], Record]:
    """Where the new run is written: ``out``, or a fresh folder beside the one continued."""

    def place(name: str, started: datetime) -> Record:
        return Record.create(name, started, out, parent=folder.absolute().parent)

    return place


def _mend(log: Path) -> None:
    """Drop a last line that a killed process left unfinished. Raises ResumeError for other damage."""
    if not log.exists():
        return
    lines = log.read_bytes().splitlines(keepends=True)
    if lines and not _whole(lines[-1]):
        lines.pop()
        Record(log.parent).write(log.name, b"".join(lines))
    for number, line in enumerate(lines, start=1):
        if not _whole(line):
            raise ResumeError(f"{log}:{number} is damaged: remove the file to continue without it")


def _whole(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
