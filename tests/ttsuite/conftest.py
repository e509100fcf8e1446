"""One complete run on made-up numerics, with everything drawn, for the tests that read run folders."""

import shutil
import sys

import made_up
import pytest

from ttsuite.run import run

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
