"""What a worker does for a scan: check a point, compute a point.

A point is computed in a folder of its own below ``attempts`` and moved to ``points`` when it has ended, so that a
folder in ``points`` is complete and a worker that was lost, or was believed to be, cannot write into it. Whoever
computes a point again first takes over what an earlier attempt has left, by moving its folder, and goes on from its
checkpoints: a process that still worked there has lost its configuration, by which it knows. A worker looks into the
file ``session`` now and then and stops where the scan that sent it has ended.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import socket
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from problems.errors import ProblemError
from solvers.solution import IterationState
from ttsuite.actions.resume import resume
from ttsuite.actions.run import run
from ttsuite.data import Data, Report
from ttsuite.runs.checkpoint import CheckpointFolder, ResumeError
from ttsuite.runs.job import RunFailed
from ttsuite.runs.layout import CONFIGURATION_FILE, FAILED, INTERRUPTED, RUNNING
from ttsuite.runs.record import Record
from ttsuite.runs.run_folder import read_report
from ttsuite.runs.spent import step_left
from ttsuite.study.config import ConfigError, Study, make_study

POINTS, ATTEMPTS, SESSION = "points", "attempts", "session"
LOOK_S = 1.0  # seconds between looks at the session
LAST = 6  # ends of steps that the length of the next is told by
_ONE_AT_A_TIME = threading.Lock()  # in a worker of many threads


class _Session:
    """A run's listener that stops it, as an interrupt would, when the scan that asked for it has ended."""

    def __init__(self, folder: Path, token: str) -> None:
        self._file, self._token = folder / SESSION, token
        self._last = time.monotonic()
        self._run: Path | None = None
        self.interrupted = False

    def started(self, study: Study, folder: Path) -> None:
        self._run = folder

    def passed(self, state: IterationState) -> None:
        if self._run is not None and time.monotonic() - self._last > LOOK_S:
            self._last = time.monotonic()
            if not self.goes_on():
                CheckpointFolder(self._run).request_stop()

    def stopping(self) -> None:
        """A signal came to this process."""
        self.interrupted = True

    def ended(self, report: Report) -> None:
        return

    def goes_on(self) -> bool:
        """Whether the scan still waits for this worker."""
        try:
            return self._file.read_text() == self._token
        except OSError:
            return False


def ended(folder: Path) -> bool:
    """Whether ``folder`` holds a run that came to an end that computing it again would not change."""
    try:
        return read_report(folder)["status"] not in (RUNNING, INTERRUPTED, FAILED)
    except (OSError, ValueError):
        return False


def check_point(data: Data, directory: Path) -> tuple[str, str] | None:
    """Prepare a point without computing it: what the numerics refuse, as (message, key), or None."""
    study = make_study(data, directory)
    try:
        study.family.numerics.prepare(study.problem, study.solver)
    except ProblemError as error:
        return "; ".join(text for _, text in error.faults), error.key
    return None


def compute_point(data: Data, directory: Path, folder: Path, key: str, token: str) -> str:
    """Compute a point of the scan in ``folder`` unless that is done; returns a message where it failed, else nothing.

    Its run folder is then ``folder/points/key``. Raises OSError where a file cannot be read or written, and
    KeyboardInterrupt after a signal to the process of the scan itself, which computes where it has no workers: the run
    has answered the signal by then, and it is meant for the scan too.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{socket.gethostname()} does not see {folder}: use a folder that all workers share")
    session, target = _Session(folder, token), folder / POINTS / key
    with _ONE_AT_A_TIME:
        if ended(target) or not session.goes_on():
            return ""
        mine = folder / ATTEMPTS / uuid.uuid4().hex / key
        mine.parent.mkdir(parents=True)
        message = ""
        try:
            status = _compute(data, directory, folder, mine, session)
        except RunFailed as error:
            status, message = FAILED, str(error)
        except ConfigError as error:  # met only while solving
            status, message = FAILED, "; ".join(problem.message for problem in error.problems)
        if not (mine / CONFIGURATION_FILE).exists():  # taken over; what was written since is no whole run
            shutil.rmtree(mine.parent, ignore_errors=True)
            return message or "its folder was taken over by another scan"
        if status != INTERRUPTED:
            _move(mine, target)
            mine.parent.rmdir()
        if session.interrupted and multiprocessing.parent_process() is None:
            raise KeyboardInterrupt
        return message


def at_work(folder: Path) -> dict[str, float | None]:
    """Points that are being computed in the scan ``folder``: key -> seconds until the present step of each ends.

    From the logs of their passes, on the clock of the files; None where fewer than two steps have ended.
    """
    found: dict[str, float | None] = {}
    for attempt in (folder / ATTEMPTS).glob("*/*"):
        with suppress(OSError, ValueError):  # it is being moved, or taken over
            if read_report(attempt)["status"] == RUNNING:
                found[attempt.name] = _step_left(attempt)
    return found


def _step_left(run: Path) -> float | None:
    """Seconds until the present step of a run ends; None where they are not known."""
    try:
        last = (run / "passes.jsonl").stat().st_mtime
        steps = [float(entry["seconds"]) for entry in Record(run).read_lines("passes.jsonl")[-LAST:]]
    except (OSError, ValueError, KeyError, TypeError):  # no step has ended, or its line is just being written
        return None
    return step_left([last - (steps[-1] - step) for step in steps], time.time())


def tidy(folder: Path) -> None:
    """Remove what attempts have left of points that have ended since, and empty folders."""
    for attempt in (folder / ATTEMPTS).glob("*"):
        for left in attempt.glob("*"):
            if ended(folder / POINTS / left.name):
                shutil.rmtree(left, ignore_errors=True)
        with suppress(OSError):
            attempt.rmdir()
    with suppress(OSError):  # a point that was interrupted stays there
        (folder / ATTEMPTS).rmdir()


def _compute(data: Data, directory: Path, folder: Path, mine: Path, session: _Session) -> str:
    """Compute in the folder ``mine``, or go on with what an earlier attempt left; returns the status of the run."""
    for earlier in [folder / POINTS / mine.name, *sorted((folder / ATTEMPTS).glob(f"*/{mine.name}"))]:
        taken = mine.with_name("earlier") if mine.exists() else mine
        try:
            os.rename(earlier, taken)
        except OSError:
            continue  # none is there, or another worker was quicker
        if taken != mine:
            shutil.rmtree(taken)
        if earlier.parent.parent.name == ATTEMPTS:
            earlier.parent.rmdir()
    if mine.exists():
        try:
            return resume(mine, listener=session).status
        except (ResumeError, ConfigError):  # too little is left, or it is damaged
            shutil.rmtree(mine)
    return run(make_study(data, directory), out=mine, listener=session).status


def _move(source: Path, target: Path) -> None:
    """Put the run folder in place; one of a failed run is replaced, one that ended is kept."""
    target.parent.mkdir(exist_ok=True)
    if ended(target):
        shutil.rmtree(source)
        return
    if target.exists():
        shutil.rmtree(target)
    os.rename(source, target)
