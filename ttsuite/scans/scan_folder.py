"""Whether a folder can be that of a scan or a reproduction, and that one process at a time works in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ttsuite.runs.locks import Locked, locked
from ttsuite.runs.record import RecordError

_LOCK = "lock"


def usable(folder: Path, mark: str = "scan.json", what: str = "scan") -> None:
    """Raise RecordError where ``folder`` is something else than a folder with the file ``mark`` or an empty one."""
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is a file: choose another folder")
    if not folder.is_dir() or (folder / mark).exists():
        return
    if {path.name for path in folder.iterdir()} - {_LOCK}:
        raise RecordError(f"{folder} is not empty and holds no {what}: nothing is overwritten, choose another folder")


@contextmanager
def alone(folder: Path, what: str = "scan") -> Iterator[None]:
    """Make the folder of a scan, or of ``what``, and refuse where another process works in it. Raises RecordError."""
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder / _LOCK))
        except Locked:
            raise RecordError(f"another {what} is at work in {folder}") from None
        except OSError as error:
            raise RecordError(f"cannot write {error.filename or folder}: {error.strerror}") from None
        yield
