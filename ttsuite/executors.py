"""Worker processes for a run, and one BLAS thread in each process.

The solvers' tasks are many and small: with more than one BLAS thread a process they wait for each other.
Processes are spawned, not forked, because a fork copies a BLAS in an undefined state.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def workers_for(workers: int) -> Iterator[Executor | None]:
    """An executor of ``workers`` processes, or None for one worker: the work then runs in this process.

    Within the context this process uses one BLAS thread. A script that asks for more than one worker needs
    the usual ``if __name__ == "__main__":`` guard. On an exception, an interrupt included, the workers are
    ended without waiting for their tasks. Raises ValueError for fewer than one worker.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, found {workers}")
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        if workers == 1:
            yield None
            return
        others = {child.pid for child in multiprocessing.active_children()}
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                if child.pid not in others:
                    child.terminate()
            raise
        pool.shutdown()


_limits: list = []


def _start_worker() -> None:
    """Limit BLAS for the worker's life, and leave interrupts to the parent, which ends the workers itself."""
    import scipy.linalg  # noqa: F401  only a library that is loaded can be limited
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # the limit ends with the object that set it
    _limits.append(threadpool_limits(limits=1, user_api="blas"))
