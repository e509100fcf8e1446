"""SIGKILL at random moments: every kind of problem continues to the results of a run left alone."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ROOT / "configs" / "tiny"
SCRIPT = Path(__file__).parent / "killed_runs.py"
# one configuration a kind, by a method that keeps checkpoints
QUICK = [
    "henon-heiles-4",
    "henon-heiles-terms",
    "henon-heiles-2d",
    "ornstein-uhlenbeck-2",
    "affine-1d-10",
    "trap",
    "inverse-sum",
]
# and the other methods
MORE = ["spin-boson", "spin-boson-in-time", "lognormal-1d-10", "helium", "own-samples"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1"}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


def killed(names, folder, kills, timeout):
    files = [str(TINY / f"{name}.yaml") for name in names]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), str(kills), "1", *files],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [entry["name"] for entry in found] == list(names)
    for entry in found:
        assert entry["kills"] == kills and entry["worst"] <= 1e-8, entry
    return found


def test_a_killed_run_continues_to_the_same_results(tmp_path):
    found = killed(QUICK, tmp_path, 1, 900)
    assert sum(entry["continued"] for entry in found) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK + MORE)
def test_twenty_moments(name, tmp_path):
    (entry,) = killed([name], tmp_path, 20, 900)
    assert entry["continued"] > 0


ORPHANS = """
import sys, time
from ttsuite.workers.executors import workers_for
if __name__ == "__main__":
    with workers_for(2) as executor:
        print(*executor.map(pid, range(8)), flush=True)
        time.sleep(600)
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("def pid(i):\n    import os\n    return os.getpid()\n" + ORPHANS)
    process = subprocess.Popen([sys.executable, str(script)], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    workers = {int(word) for word in process.stdout.readline().split()}
    assert workers
    process.kill()
    process.wait()
    end = time.monotonic() + 120.0
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < end, "a worker outlives its parent"
        time.sleep(0.05)
    process.stdout.close()
