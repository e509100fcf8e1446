"""Peak memory of a run over all its processes.

A thread samples the resident set of this process and of all its descendants and keeps the largest sum;
pages shared between processes count once for each. Where there is no /proc, the peaks that the operating
system keeps of this process and of its largest finished child are added instead.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from pathlib import Path
from types import TracebackType

_PROC = Path("/proc")
_MB = 1e6


class PeakMemory:
    """Context manager; ``megabytes`` is the peak since it was entered (1 MB = 10^6 bytes).

    Parameters
    ----------
    interval : seconds between samples; one costs about a millisecond.
    """

    def __init__(self, interval: float = 0.25) -> None:
        self._interval = interval
        self._stop = threading.Event()
        self._peak = 0.0
        self._thread = threading.Thread(target=self._sample, name="peak-memory", daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def megabytes(self) -> float:
        """Largest sum seen so far."""
        self._peak = max(self._peak, tree_bytes())
        return self._peak / _MB

    def _sample(self) -> None:
        while not self._stop.wait(self._interval):
            self._peak = max(self._peak, tree_bytes())


def tree_bytes() -> float:
    """Resident bytes of this process and its descendants now; their peaks where there is no /proc."""
    if not (_PROC / "self" / "statm").exists():
        import resource

        kilo = 1 if sys.platform == "darwin" else 1024
        usage = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return float(sum(resource.getrusage(who).ru_maxrss for who in usage) * kilo)
    page = os.sysconf("SC_PAGE_SIZE")
    total, waiting = 0, [os.getpid()]
    if not _lists_children():
        waiting += [child.pid for child in multiprocessing.active_children() if child.pid]
    while waiting:
        pid = waiting.pop()
        try:
            total += int((_PROC / str(pid) / "statm").read_text().split()[1])
            waiting += _children(pid)
        except OSError:
            continue  # it ended between two looks
    return float(total * page)


def _lists_children() -> bool:
    """Whether this kernel lists the children of a task (an option of its configuration)."""
    return (_PROC / "self" / "task" / str(os.getpid()) / "children").exists()


def _children(pid: int) -> list[int]:
    """Children of a process, over all its threads; empty where the kernel does not list them."""
    if not _lists_children():
        return []
    tasks = (_PROC / str(pid) / "task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
