"""Worker processes that are forked: spawned ones import numpy, numba and matplotlib again, two seconds each.

Safe with one BLAS thread, as the tests have it, and not beside the threads of Dask. How workers start and end is tested
with spawned ones.
"""

import multiprocessing
import signal
import sys
from concurrent.futures import ProcessPoolExecutor


def fork_workers(patch=setattr):
    """The pools of ``ttsuite.workers.executors`` fork; ``patch`` is as ``setattr``."""
    from ttsuite.workers import executors

    def start():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as in a spawned process, not as the run has it that forked
        executors._start_worker()

    spawning = executors._pool

    def pool(workers):
        if "distributed" in sys.modules:
            return spawning(workers)
        return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"), initializer=start)

    if "fork" in multiprocessing.get_all_start_methods():
        patch(executors, "_pool", pool)
