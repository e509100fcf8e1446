"""What a worker does for a reproduction: run one item into its folder, as a scan does its points."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from ttsuite.reproductions.collection import Task
from ttsuite.reproductions.computed_run import write_computation
from ttsuite.scans.scan_point import ATTEMPTS, POINTS, compute_point, ended


def run_item(task: Task, folder: Path, token: str) -> str:
    """Run an item of the reproduction in ``folder`` unless it has been; returns why it failed, or nothing."""
    if task.keys.configuration:
        return compute_point(task.data, task.directory.resolve(), folder, task.key, token)
    target = folder / POINTS / task.key
    if ended(target):
        return ""
    attempt = folder / ATTEMPTS / uuid.uuid4().hex
    mine = attempt / task.key
    item = task.keys
    try:
        message = write_computation(item.computation, item.name, item.what, task.arguments, mine)
        target.parent.mkdir(exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)  # of an earlier attempt that failed
        mine.rename(target)
    finally:  # an interrupted computation begins again
        shutil.rmtree(attempt, ignore_errors=True)
    return message
