"""One complete run on made-up numerics, with everything drawn, for the tests that read run folders."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import made_up
import pytest

from ttsuite.actions.run import run

TEXT = """\
name: fake
problem:
  kind: vibrational
  force_field: acetonitrile
  mode_order: frequency
solver:
  n_states: 16
  workers: 1
"""


@pytest.fixture(scope="session")
def complete_run(tmp_path_factory):
    """The folder of a finished run of 16 states, and its result; only to be read."""
    folder = tmp_path_factory.mktemp("complete")
    (folder / "fake.yaml").write_text(TEXT)
    result = made_up.acetonitrile(16)
    patch = pytest.MonkeyPatch()
    patch.setitem(sys.modules, "problems.quantum.tasks.spectrum.solve", made_up.numerics(result))
    try:
        done = run(folder / "fake.yaml", out=folder / "fake")
    finally:
        patch.undo()
    return done.folder, result


@pytest.fixture
def copied(complete_run, tmp_path):
    """A function that copies the complete run to ``tmp_path / name``."""
    return lambda name: shutil.copytree(complete_run[0], tmp_path / name)


@pytest.fixture
def ttsuite(quick_command):
    """A function that runs the command in a process of its own, the quick one where that can be; streams as texts."""
    command = [str(quick_command / "ttsuite")] if quick_command else [sys.executable, "-m", "ttsuite"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "MPLBACKEND": "Agg"}

    def run(*arguments, cwd=None):
        words = [*command, *map(str, arguments)]
        return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)

    return run
