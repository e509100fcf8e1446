"""Lets tests in any folder import the helpers that lie beside this file, and keeps BLAS to one thread, as runs do.

Two threads on small matrices are slower than one, and many times so when tests run side by side.
"""

import gc
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

for library in ("OPENBLAS", "MKL", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

# no limit of time: the first call of a kernel compiles it
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# processes that tests start would each compile all sources else, half a second; kernels are kept beside them anyway
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# workers of a Dask cluster import dask and numpy once, all together
if os.name == "posix":
    os.environ.setdefault("DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD", "forkserver")
# a job in the background of a shell script ignores SIGINT, and so would all that tests start and interrupt
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart(session):
    """What is imported and collected stays to the end: no collection of garbage walks it meanwhile."""
    if not session.config.getoption("numprocesses", None):  # else it collects nothing, its workers do
        gc.disable()


def pytest_collection_finish():
    """From here on garbage is looked for in what the tests make alone, which saved a twentieth of the time."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def figures_are_drawn_not_saved(request, monkeypatch):
    """Runs, comparisons and scans draw their figures and keep no files of them, which took most of their time.

    A test that is marked ``figures`` gets the files, as do runs in other processes, but for those of quick_command.py.
    """
    if Path(__file__).parent / "solvers" in request.path.parents or request.node.get_closest_marker("figures"):
        return
    from no_figures import draw_only

    from ttsuite.pages import compare_page, report
    from ttsuite.scans import scan_pages

    draw_only(compare_page, report, scan_pages, patch=monkeypatch.setattr)


@pytest.fixture(autouse=True)
def workers_are_forked(request, monkeypatch):
    """Workers that a test marked ``spawned`` asks for start as those of users do."""
    if Path(__file__).parent / "solvers" in request.path.parents or request.node.get_closest_marker("spawned"):
        return
    from forked_workers import fork_workers

    fork_workers(monkeypatch.setattr)


@pytest.fixture(scope="session")
def quick_command():
    """The folder, for ``PATH``, of a ``ttsuite`` that has all imported; None where it cannot be."""
    if not hasattr(os, "pidfd_open"):  # Linux
        yield None
        return
    from quick_command import QuickCommand

    command = QuickCommand()
    yield command.bin
    command.close()
