"""Worker processes, BLAS threads, memory and provenance."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import made_up
import numpy as np
import pytest

from ttsuite.actions.run import run
from ttsuite.runs.memory import PeakMemory, tree_bytes
from ttsuite.runs.provenance import blas, git_commit, provenance
from ttsuite.study.config import make_study
from ttsuite.version import __version__
from ttsuite.workers.executors import available_cores, workers_for

pytestmark = pytest.mark.spawned

WAIT = 120.0  # seconds for what takes a moment on a quiet machine


def blas_threads(_):
    np.ones((300, 300)) @ np.ones((300, 300))
    return [entry["threads"] for entry in blas()]


def hold_memory(megabytes, seen):
    """Holds memory until the file ``seen`` is there."""
    block = np.ones(megabytes * 125_000)
    end = time.monotonic() + WAIT
    while not seen.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return block.nbytes


def test_one_worker_needs_no_process():
    before = blas_threads(0)
    with workers_for(1) as executor:
        assert executor is None
        assert set(blas_threads(0)) == {1}
    assert blas_threads(0) == before
    with pytest.raises(ValueError, match="at least 1"), workers_for(0):
        pass


def test_workers_use_one_blas_thread_and_their_memory_counts(tmp_path):
    with PeakMemory(interval=0.05) as memory:
        alone = memory.megabytes
        with workers_for(2) as executor:
            assert executor is not None
            assert [set(threads) for threads in executor.map(blas_threads, range(4))] == [{1}] * 4
            held = executor.submit(hold_memory, 200, tmp_path / "seen")
            # the thread that samples runs when it gets a core
            end = time.monotonic() + WAIT
            while memory._peak <= (alone + 200) * 1e6 and time.monotonic() < end:
                time.sleep(0.01)
            (tmp_path / "seen").touch()
            assert held.result() == 200_000_000
    assert memory.megabytes > alone + 200


def test_workers_are_ended_by_an_exception_without_waiting():
    with pytest.raises(KeyboardInterrupt), workers_for(2) as executor:
        assert executor is not None
        executor.submit(abs, -1).result()
        executor.submit(time.sleep, 2 * WAIT)
        clock = time.perf_counter()
        raise KeyboardInterrupt
    assert time.perf_counter() - clock < WAIT


def test_memory_of_this_process_is_counted():
    block = np.ones(20_000_000)
    assert tree_bytes() > block.nbytes


def test_provenance(tmp_path):
    from datetime import datetime

    record = provenance(3, 2, datetime(2024, 1, 2, 3, 4, 5))
    assert (record["seed"], record["workers"], record["started"]) == (3, 2, "2024-01-02T03:04:05")
    assert record["cores"] == available_cores() <= (os.cpu_count() or 1)
    assert record["numpy"] == np.__version__ and record["cpu"]
    assert record["ttsuite"] == __version__
    assert git_commit(tmp_path) is None


def test_a_run_takes_an_executor_in_place_of_its_workers(tmp_path, monkeypatch):
    seen = []
    module = made_up.numerics(made_up.acetonitrile(3))
    solve = module.solve
    module.solve = lambda prepared, **options: seen.append(options["executor"]) or solve(prepared, **options)
    monkeypatch.setitem(sys.modules, "problems.quantum.tasks.spectrum.solve", module)
    monkeypatch.setattr("problems.quantum.tasks.spectrum.figures.figures", lambda *arguments: [])
    problem = {"kind": "vibrational", "force_field": "acetonitrile"}
    study = make_study({"problem": problem, "solver": {"n_states": 3, "workers": 2}})
    with ThreadPoolExecutor(1) as executor:
        assert run(study, out=tmp_path / "out", executor=executor).status == "finished"
        assert seen == [executor] and executor.submit(abs, -1).result() == 1
