"""What presents must not end a run: a figure, a table or a page that cannot be made becomes a warning."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# errors of the disk itself, which no presentation is to blame for
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def attempt(what: str, make: Callable[[], T], otherwise: T, warnings: list[str]) -> T:
    """What ``make`` returns; where it fails ``otherwise``, and a line in ``warnings``. Disk errors are raised."""
    try:
        return make()
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DISK:
            raise
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        warnings.append(f"{what} could not be made: {reason}")
        return otherwise
