"""How a command ends: its exit code, and what is said of a failure.

Exit codes: 0 done, 1 unexpected failure or a full disk, 2 bad input (nothing is written), 3 not converged (the report
is written in full) or ``certify`` came to no answer, 4 a reference check failed (``check: true``; the report is written
in full), ``compare`` found two runs that differ by more than their error estimates, ``certify`` contradicts a run, or
``reproduce`` met a number that differs by more than its tolerance, 130 interrupted.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

from ttsuite.command.output import say

DONE, FAILURE, BAD_INPUT, NOT_CONVERGED, CHECK_FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def fail(message: str, code: int = BAD_INPUT) -> int:
    """Print ``message`` where errors belong; returns ``code``."""
    say(message, sys.stderr)
    return code


def why(error: Exception) -> str:
    """What went wrong; of the system's errors the file and the reason."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename2 or error.filename}: {error.strerror}"
    return str(error)


def take_sigterm_as_interrupt() -> None:
    """A batch system ends a job with SIGTERM."""

    def terminate(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, terminate)
