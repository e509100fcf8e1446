"""Worker processes of a run or a scan, here or on a Dask cluster, and one BLAS thread in each process.

The solvers' tasks are many and small: with more than one BLAS thread a process they wait for each other.
Processes are spawned, not forked, because a fork copies a BLAS in an undefined state. Whatever computes is an
executor of ``concurrent.futures``, so that solvers and scans know nothing of where their tasks run.
"""

from __future__ import annotations

import ast
import inspect
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from ttsuite.workers.blas import ClusterError, limit_blas


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def workers_for(workers: int) -> Iterator[Executor | None]:
    """An executor of ``workers`` processes, or None for one worker: the work then runs in this process.

    Within the context this process uses one BLAS thread. A script that asks for more than one worker needs the usual
    ``if __name__ == "__main__":`` guard; without it the work runs in this process, with a warning. On an exception, an
    interrupt included, the workers are ended without waiting for their tasks. Raises ValueError for fewer than one
    worker.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, found {workers}")
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        if workers == 1 or without_guard():
            yield None
            return
        with _ended(_pool(workers)) as pool:
            yield pool


@contextmanager
def lone_workers(workers: int) -> Iterator[Executor]:
    """An executor of ``workers`` processes that do not share their fate: one that dies takes only its task along.

    For few and long tasks, such as the points of a scan. The task is then tried once more in a new process; one that
    ends its process again raises WorkerDied. On an exception, an interrupt included, the workers are asked to end
    (SIGTERM) and nobody waits for them. A script without guard computes here, as with ``workers_for``. Raises
    ValueError for fewer than one worker.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, found {workers}")
    if without_guard():
        yield _Here()
        return
    with _ended(_LoneWorkers(workers)) as executor:
        yield executor


def without_guard() -> bool:
    """Whether worker processes would run a script again, which started this outside ``if __name__ == "__main__":``.

    A spawned process imports the script that its parent runs. It says so in a warning.
    """
    main = sys.modules.get("__main__")
    file, frame = getattr(main, "__file__", None), inspect.currentframe()
    while frame is not None and not (frame.f_globals is vars(main) and frame.f_code.co_name == "<module>"):
        frame = frame.f_back
    if file is None or frame is None:
        return False
    try:
        body = ast.parse(Path(file).read_bytes()).body
    except (OSError, SyntaxError, ValueError):  # no script that could be run again
        return False
    for part in body:
        if isinstance(part, ast.If) and "__name__" in ast.unparse(part.test) and part.end_lineno is not None:
            if part.lineno <= frame.f_lineno <= part.end_lineno:
                return False
    text = f"{file} asks for worker processes outside of 'if __name__ == \"__main__\":', which would run it again: "
    text += "computed in one process, one after the other; put the call under that line"
    warnings.warn(text, RuntimeWarning, stacklevel=2)
    return True


P = ParamSpec("P")
T = TypeVar("T")


class _Here(Executor):
    """Computes in this process, at once."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """``fn(*args, **kwargs)``, done."""
        done: Future = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


class WorkerDied(RuntimeError):
    """The process of a task was killed, as happens where memory runs out; the text says so."""


class _LoneWorkers(Executor):
    """A thread a worker, and a pool of one process a thread: see ``lone_workers``."""

    TRIES = 2

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="lone-worker")
        self._own = threading.local()
        self._pools: list[ProcessPoolExecutor] = []
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Schedule ``fn(*args, **kwargs)``."""
        return self._threads.submit(lambda: self._call(fn, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes once their tasks are done."""
        self._closed = self._closed or not wait
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for pool in list(self._pools):
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _call(self, fn: Callable[..., T], *args: object, **kwargs: object) -> T:
        for _ in range(self.TRIES):
            if getattr(self._own, "pool", None) is None:
                self._own.pool = _pool(1)
                self._pools.append(self._own.pool)
            try:
                return self._own.pool.submit(fn, *args, **kwargs).result()
            except BrokenExecutor:
                self._pools.remove(self._own.pool)
                self._own.pool = None
            if self._closed:
                break
        raise WorkerDied("its worker process was killed (out of memory?)")


def _pool(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)


@contextmanager
def _ended(executor: Executor) -> Iterator[Executor]:
    """Shut ``executor`` down at the end; on an exception without waiting for its tasks."""
    others = children()
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        ask_to_end(others)
        raise
    executor.shutdown()


def children() -> set[int | None]:
    """The process numbers of the workers that this process has."""
    return {child.pid for child in multiprocessing.active_children()}


def ask_to_end(others: set[int | None]) -> None:
    """SIGTERM to all workers but ``others``: the first ends a run's step, the second the run at once."""
    for child in multiprocessing.active_children():
        if child.pid not in others:
            child.terminate()


_limits: list = []


def _start_worker() -> None:
    """Limit BLAS for the worker's life, and leave interrupts to the parent, which ends the workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # the limit ends with the object that set it
    _limits.append(limit_blas())


def _end_with_parent() -> None:
    """End this worker when its parent was killed: it would wait for tasks for ever, and write beside a resumed run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """An executor of the Dask cluster whose scheduler is at ``address``; see ``ttsuite.workers.cluster``.

    Raises ClusterError where Dask is not installed, or no scheduler or no worker answers.
    """
    try:
        from ttsuite.workers.cluster import connected
    except ImportError as error:
        if error.name not in ("distributed", "dask"):
            raise
        raise ClusterError('a Dask scheduler needs Dask: pip install "ttsuite[distributed]"') from None
    with connected(address) as executor:
        yield executor
