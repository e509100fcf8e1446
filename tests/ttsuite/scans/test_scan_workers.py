"""A scan on processes and on a Dask cluster, a worker killed on the way: the same table; solvers on a cluster."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest
from no_figures import WithoutFigures

from ttsuite import scan
from ttsuite.study.config import load_study
from ttsuite.workers.blas import ClusterError
from ttsuite.workers.executors import WorkerDied, cluster, lone_workers, workers_for

CONFIGS = Path(__file__).parents[3] / "configs"
SCAN = CONFIGS / "scans" / "tiny" / "oscillators.yaml"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed by signals")


class KillOne:
    """Kills a worker after the first point, by its process id."""

    def __init__(self, pids):
        self._pids, self.killed = pids, None
        self.statuses = []

    def started(self, plan, folder, kept):
        return

    def finished(self, outcome):
        self.statuses.append(outcome.status)
        if self.killed is None:
            self.killed = self._pids()[0]
            os.kill(self.killed, signal.SIGKILL)

    def ended(self):
        return


@pytest.fixture(scope="module")
def by_processes(tmp_path_factory):
    """The tiny scan on two processes, one killed on the way."""
    listener = KillOne(lambda: [child.pid for child in multiprocessing.active_children()])
    with lone_workers(2) as workers:
        done = scan(
            SCAN, out=tmp_path_factory.mktemp("scan") / "out", executor=WithoutFigures(workers), listener=listener
        )
    return done, listener


@pytest.fixture(scope="module")
def dask():
    """Address and client of a Dask cluster of two worker processes on this machine."""
    distributed = pytest.importorskip("distributed")
    if os.name == "posix":  # the process that workers are forked from imports what their tasks need
        preload = ["distributed", "numba", "matplotlib.pyplot", "ttsuite.actions.run", "solvers.eigen.eigsolve"]
        distributed.utils.get_mp_context().set_forkserver_preload(preload)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as local, distributed.Client(local, set_as_default=False) as client:
        yield local.scheduler_address, client


def worker_pids(client):
    return list(client.run(os.getpid).values())


def kill(client):
    client.wait_for_workers(2, timeout=300)
    os.kill(worker_pids(client)[0], signal.SIGKILL)


def test_a_scan_on_two_processes_completes_when_one_is_killed(by_processes):
    done, listener = by_processes
    assert listener.killed is not None and listener.statuses == ["finished"] * 4
    assert done.status == "finished" and {outcome.status for outcome in done.points} == {"finished"}
    # the exact energies of coupled oscillators are references of every point
    for outcome in done.points:
        assert outcome.values["energies (model units), state 0"][1] < 1e-4


def test_a_scan_on_a_dask_cluster_gives_the_same_table_when_a_worker_is_killed(by_processes, dask, tmp_path):
    address, client = dask
    listener = KillOne(lambda: worker_pids(client))
    with cluster(address) as executor:
        done = scan(SCAN, out=tmp_path / "out", executor=WithoutFigures(executor), listener=listener)
    assert listener.killed not in worker_pids(client) and len(listener.statuses) == 4
    assert done.status == "finished"
    assert (done.folder / "table.csv").read_bytes() == (by_processes[0].folder / "table.csv").read_bytes()


def test_workers_of_a_cluster_use_one_blas_thread_while_it_is_used(dask):
    address, client = dask
    before = client.run(blas_threads)
    with cluster(address) as executor:
        assert [executor.submit(blas_threads).result() for _ in range(2)] == [{1}, {1}]
        assert set(map(frozenset, client.run(blas_threads).values())) == {frozenset({1})}
    assert client.run(blas_threads) == before


def blas_threads():
    import scipy.linalg  # noqa: F401

    from ttsuite.runs.provenance import blas

    return {entry["threads"] for entry in blas()}


def numbers(name, executor, on_the_way=lambda: None):
    """Results of a tiny configuration, the tasks of its solver on the executor."""
    study, _ = load_study(CONFIGS / "tiny" / f"{name}.yaml")
    numerics = study.family.numerics
    steps = []

    def passed(state):
        steps.append(state)
        if len(steps) == 2:
            on_the_way()

    with workers_for(1):
        result = numerics.solve(
            numerics.prepare(study.problem, study.solver), executor=executor, seed=0, callback=passed
        )
    assert len(steps) >= 2
    return result.results()


def test_states_of_the_eigensolver_are_solved_on_a_cluster_that_loses_a_worker(dask):
    alone = numbers("coupled-oscillators-6", None)
    # Dask's own executor, without anything around it
    spread = numbers("coupled-oscillators-6", dask[1].get_executor(), lambda: kill(dask[1]))
    assert np.allclose(alone["energies"], spread["energies"], rtol=0, atol=1e-12)
    assert alone["ranks"] == spread["ranks"] and alone["counts"] == spread["counts"]


def test_solves_of_als_cross_are_made_on_a_cluster_that_loses_a_worker(dask, monkeypatch):
    monkeypatch.setattr("problems.parametric_pde.solve.LARGE", 0)  # from so many unknowns solves go to workers
    monkeypatch.setattr("solvers.cross.reduced_basis.TASK", 1)
    solved = []

    class Counting(WithoutFigures):
        def map(self, fn, parts):
            solved.extend(len(part) for part in parts)
            return dask[1].get_executor().map(fn, parts)

    alone = numbers("affine-1d-10", None)
    spread = numbers("affine-1d-10", Counting(None), lambda: kill(dask[1]))
    assert sum(solved) > 0 and alone["counts"] == spread["counts"]
    for name, quantity in alone["quantities"].items():
        assert quantity["mean"] == pytest.approx(spread["quantities"][name]["mean"], rel=1e-12)


@pytest.mark.spawned
def test_a_task_that_ends_its_process_is_tried_once_more_and_harms_no_other():
    with lone_workers(2) as workers:
        doomed = workers.submit(os.kill, os.getpid(), 0), workers.submit(os.abort)
        others = [workers.submit(abs, -i) for i in range(6)]
        assert [other.result() for other in others] == list(range(6))
        assert doomed[0].result() is None
        with pytest.raises(WorkerDied, match="killed"):
            doomed[1].result()


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("ttsuite.workers.cluster.ANSWER_S", 0.5)
    with (
        pytest.raises(ClusterError, match="no Dask scheduler answers at tcp://127"),
        cluster("tcp://127.0.0.1:1"),
    ):
        pass


def test_a_cluster_that_goes_while_it_is_used_costs_its_tasks_only(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("ttsuite.workers.cluster.ANSWER_S", 3.0)  # also for a scheduler to come back
    local = distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0")
    with distributed.Client(local, set_as_default=False), cluster(local.scheduler_address) as executor:
        assert executor.submit(abs, -1).result() == 1
        task = executor.submit(time.sleep, 600)
        local.close()
        with pytest.raises(CancelledError):
            task.result(timeout=300)


@pytest.mark.slow
def test_the_command_interrupted_then_killed_goes_on_to_the_same_table(by_processes, tmp_path):
    def command(until=None, number=None):
        """Exit code and errors of the command; with ``until`` it gets a signal after so many points."""
        process = subprocess.Popen(
            [sys.executable, "-m", "ttsuite", "scan", str(SCAN), "--workers", "2", "--out", "out"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(CONFIGS.parent)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if until is not None:
            while len(list(tmp_path.glob("out/points/*"))) < until and process.poll() is None:
                time.sleep(0.1)
            process.send_signal(number)
        _, errors = process.communicate(timeout=600)
        return process.returncode, errors

    code, errors = command(2, signal.SIGINT)
    assert code == 130 and errors.endswith("\ninterrupted: the same command goes on\n") and "Traceback" not in errors
    assert "\nstopping: 2 points end their present step first (" in errors
    assert not (tmp_path / "out" / "session").exists()
    assert command(3, signal.SIGKILL)[0] == -signal.SIGKILL
    code, errors = command()
    assert code == 0 and "computed before; writing to out\n" in errors.partition("\n")[0] + "\n"
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"points", "figures", "scan.json", "scan.html", "scan.md", "table.csv"}
    assert (tmp_path / "out" / "table.csv").read_bytes() == (by_processes[0].folder / "table.csv").read_bytes()
