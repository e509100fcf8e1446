"""Whether a folder can be that of a scan, and that one process at a time scans in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ttsuite.runs.locks import Locked, locked
from ttsuite.runs.record import RecordError

_LOCK = "lock"


def usable(folder: Path) -> None:
    """Raise RecordError where ``folder`` is something else than a scan folder or an empty one."""
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is a file: choose another folder")
    if not folder.is_dir() or (folder / "scan.json").exists():
        return
    if {path.name for path in folder.iterdir()} - {_LOCK}:
        raise RecordError(f"{folder} is not empty and holds no scan: nothing is overwritten, choose another folder")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make the scan folder, and refuse where another process scans in it. Raises RecordError."""
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder / _LOCK))
        except Locked:
            raise RecordError(f"another scan is at work in {folder}") from None
        except OSError as error:
            raise RecordError(f"cannot write {error.filename or folder}: {error.strerror}") from None
        yield
