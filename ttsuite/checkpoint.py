"""The folder ``checkpoint`` of a run: what it continues from, its lock, and the request to stop.

The files in it are the solvers' (solvers.checkpoint). One process at a time computes in a run folder: the lock is held
by the operating system and ends with the process, however that ends.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

from ttsuite.locks import Locked, locked

NAME = "checkpoint"
LOCK, STOP = "lock", "stop"  # the second is the file that solvers.checkpoint looks for


class ResumeError(ValueError):
    """A run that cannot be continued, or not now; the text says why and what to do."""


class CheckpointFolder:
    """The checkpoints of the run in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and hold its lock. Raises ResumeError where another process does, OSError."""
        self.path.mkdir(exist_ok=True)
        with ExitStack() as stack:
            stack.callback(self._tidy)
            try:
                stack.enter_context(locked(self.path / LOCK))
            except Locked:
                raise ResumeError(f"{self.path.parent} is being computed by another process") from None
            self.path.joinpath(STOP).unlink(missing_ok=True)
            try:
                yield
            finally:
                self.path.joinpath(STOP).unlink(missing_ok=True)

    def _tidy(self) -> None:
        """No folder without any checkpoint stays."""
        with suppress(OSError):  # it holds some
            self.path.rmdir()

    def request_stop(self) -> None:
        """Ask the computation, in whatever process, to stop where it can be continued."""
        try:
            (self.path / STOP).touch()
        except OSError:  # a full disk: the process itself knows anyway
            return

    def drop_previous(self) -> None:
        """Of a run that ended: the newest of each file is enough, and nothing unfinished of a killed process."""
        for file in (*self.path.glob("*.previous"), *self.path.glob(".*.part")):
            file.unlink(missing_ok=True)


class Interrupts:
    """The first SIGINT or SIGTERM asks for a stop, the second ends the computation at once (KeyboardInterrupt)."""

    def __init__(self, request: Callable[[], None], told: Callable[[], None] | None = None) -> None:
        self.requested = False
        self._request, self._told = request, told

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Install the handlers, in the main thread and where a signal is not ignored; put the old ones back."""
        before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, self._handle)
        try:
            yield
        finally:
            for known, handler in before.items():
                signal.signal(known, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self._request()
        if self._told is not None:
            self._told()
