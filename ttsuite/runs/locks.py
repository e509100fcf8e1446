"""A lock on a folder that one process holds at a time, and that ends with the process, however that ends.

On POSIX systems by ``flock``, on Windows by a lock on the first byte of the file (msvcrt): both are the operating
system's. Where neither module is there, the file itself is the lock, and it names the process that holds it: one that
is no longer alive holds nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

fcntl: Any = None
msvcrt: Any = None
with suppress(ImportError):
    import fcntl
with suppress(ImportError):
    import msvcrt


class Locked(OSError):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock in the file ``path``, which is made and removed. Raises Locked, and OSError for the file itself."""
    file = _opened(path)
    try:
        yield
    finally:
        if fcntl is not None:  # removed while it is held: whoever opened it meanwhile finds it gone
            path.unlink(missing_ok=True)
        elif msvcrt is not None:
            with suppress(OSError):
                os.lseek(file, 0, os.SEEK_SET)
                msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
        os.close(file)
        if fcntl is None:  # Windows removes no file that is open, here or elsewhere
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _opened(path: Path) -> int:
    """The file, held by this process."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _take(file, path)
            if fcntl is None or (path.exists() and os.path.samestat(os.fstat(file), path.stat())):
                return file
        except FileNotFoundError:  # removed by the one who held it, after it was opened here
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _take(file: int, path: Path) -> None:
    """Lock an open file, or raise Locked."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if msvcrt is not None:
            os.lseek(file, 0, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            return
    except OSError:
        raise Locked(f"{path} is held by another process") from None
    holder = os.read(file, 20).decode("ascii", "replace").strip()
    if holder.isdecimal() and _alive(int(holder)):
        raise Locked(f"{path} is held by another process")
    os.lseek(file, 0, os.SEEK_SET)
    os.truncate(path, 0)
    os.write(file, str(os.getpid()).encode())


def _alive(process: int) -> bool:
    """Whether a process of this number is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to someone else
        return True
    return True
