"""Workers of a Dask cluster as an executor; needs the extra ``distributed``.

A cluster is started by Dask's own means, for example ``dask scheduler`` on one machine and ``dask worker ADDRESS
--nthreads 1`` on each of the others: one process a core, because the tasks hold Python's lock. A worker that is lost
costs nothing but time: the scheduler gives its tasks to another one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager, suppress

from distributed import Client, Worker, WorkerPlugin

from ttsuite.data import Data
from ttsuite.workers import ClusterError, limit_blas

ANSWER_S = 10.0  # seconds the scheduler has to answer
WORKERS_S = 60.0  # and the first worker to appear
_PLUGIN = "ttsuite-one-blas-thread"


class _OneBlasThread(WorkerPlugin):
    """Limits BLAS in every worker, those that join later included, as long as it is registered."""

    def setup(self, worker: Worker) -> None:
        self._limit = limit_blas()

    def teardown(self, worker: Worker) -> None:
        self._limit.restore_original_limits()

    def __getstate__(self) -> Data:
        return {}


@contextmanager
def connected(address: str) -> Iterator[Executor]:
    """An executor of the Dask cluster whose scheduler is at ``address``, for ``scan``, ``run`` and every solver.

    At the end, and on an exception, tasks that have not begun are withdrawn; the cluster itself stays as it is. Raises
    ClusterError where no scheduler or no worker answers.
    """
    try:
        client = Client(address, timeout=ANSWER_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {address}: {error}") from None
    try:
        try:
            client.wait_for_workers(1, timeout=WORKERS_S)
        except TimeoutError:
            raise ClusterError(f"the Dask scheduler at {address} has no worker") from None
        if max(client.nthreads().values(), default=1) > 1:
            warnings.warn("Dask workers should have one thread each: start them with --nthreads 1", stacklevel=3)
        client.register_plugin(_OneBlasThread(), name=_PLUGIN)
        executor = client.get_executor(pure=False)
        try:
            yield executor
        finally:
            # of a scheduler that has gone there is nothing to withdraw
            with suppress(OSError, TimeoutError, CancelledError):
                executor.shutdown(wait=False)
                client.unregister_worker_plugin(_PLUGIN)
    finally:
        client.close()
