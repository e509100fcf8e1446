"""docs/architecture.md tells the truth: its files exist, and its two ways are those that a run and a call take."""

import inspect
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from solvers.eigen.eigsolve import eigsolve
from solvers.methods import InverseIteration
from ttsuite import sum_of_products
from ttsuite.command.cli import main

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILE = re.compile(r"`((?:ttsuite|problems|solvers|tests|docs)/[\w/]+\.\w+)`")
MOST = 3  # times that a way may enter one file
WAYS = {"run": "## From a YAML file to its report", "eigsolve": "A call of `eigsolve`:"}


def steps_of(way: str) -> list[str]:
    """Files of the numbered steps below a line of the page, in the order of the text."""
    text = PAGE[PAGE.index(WAYS[way]) :]
    steps = re.search(r"^1\. .*?(?=\n\n(?! ))", text, re.MULTILINE | re.DOTALL)
    return FILE.findall(steps[0])


def test_every_file_that_is_named_exists():
    named = FILE.findall(PAGE)
    assert len(named) > 30 and [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("way", WAYS)
def test_no_file_is_entered_more_than_three_times(way):
    counts = Counter(steps_of(way))
    assert len(counts) > 8 and max(counts.values()) <= MOST


class Entered:
    """The files of the suite in the order in which they are first entered by a call."""

    def __init__(self):
        self.files = []

    def __enter__(self):
        known = set()

        def called(frame, event, argument):
            if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # no module, no body of a class
                name = frame.f_code.co_filename
                if name not in known:
                    known.add(name)
                    self.files.append(name)

        sys.setprofile(called)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)

    def place(self, file):
        """When a file was entered."""
        return self.files.index(str(ROOT / file))


def test_a_run_takes_the_way_that_is_told(tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text(
        "problem: {kind: completion, samples: {function: inverse_sum, shape: [6, 6, 6], fraction: 0.6}}\n"
        "solver: {accuracy: 1.0e-2, max_rank: 2}\n"
    )
    with Entered() as entered:
        assert main(["run", str(study), "--out", str(tmp_path / "out")]) in (0, 3)
    order = ["command/cli", "actions/run", "study/config", "study/yaml_file"]
    order += ["runs/job", "runs/record", "runs/result_file", "pages/report", "pages/render"]
    places = [entered.place(f"ttsuite/{name}.py") for name in order]
    assert places == sorted(places)
    assert set(f"ttsuite/{name}.py" for name in order) <= set(steps_of("run"))


def test_a_call_of_eigsolve_takes_the_way_that_is_told():
    h = sum_of_products(
        [np.array([np.eye(6), np.diag(np.arange(6.0)), np.eye(6, k=1) + np.eye(6, k=-1)])] * 4,
        [*((1.0 + 0.1 * k, {k: 1}) for k in range(4)), *((0.1, {k: 2, k + 1: 2}) for k in range(3))],
    )
    with Entered() as entered:
        eigsolve(h, 3, method=InverseIteration(), accuracy=1e-4, throw=False)
    order = ["eigsolve", "many_states", "inverse_iteration", "probe", "checks"]
    places = [entered.place(f"solvers/eigen/{name}.py") for name in order]
    assert places == sorted(places)
