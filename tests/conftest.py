"""Lets tests in any folder import the helpers that lie beside this file, and keeps BLAS to one thread, as runs do.

Two threads on small matrices are slower than one, and many times so when tests run side by side.
"""

import os
import signal
import sys
from pathlib import Path

import pytest

for library in ("OPENBLAS", "MKL", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))
# a job in the background of a shell script ignores SIGINT, and so would all that tests start and interrupt
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def figures_are_drawn_not_saved(request, monkeypatch):
    """Runs draw their figures and keep no files of them, which took most of the time of small runs.

    A test that is marked ``figures`` gets the files; runs in other processes write them always.
    """
    if Path(__file__).parent / "solvers" in request.path.parents or request.node.get_closest_marker("figures"):
        return
    import ttsuite.pages.report
    from ttsuite.pages.drawing import own_style, told

    def drawn(picture, record):
        if picture.text:
            return told(picture, "")
        with own_style():
            assert picture.figure is not None
        return told(picture, "data:image/svg+xml,")

    monkeypatch.setattr(ttsuite.pages.report, "save_figure", drawn)
