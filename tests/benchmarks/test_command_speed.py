"""How quickly the command line answers: beside a bare import of what it cannot do without, interleaved.

Seconds of the processor, which on a quiet core are those of the clock; they depend on the machine, the ratio to
``python -c "import pydantic, numpy, yaml"`` does not.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from problems.families import kinds
from ttsuite.study.yaml_file import parse

pytestmark = pytest.mark.benchmark
ROOT = Path(__file__).parents[2]
ROUNDS = 7
MOST = 2.5  # times the bare import
HALF_A_SECOND = 0.5
BARE = ["-c", "import pydantic, numpy, yaml"]


def seconds(arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    before = os.times()
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def first_of(kind):
    for file in sorted((ROOT / "configs" / kind).glob("*.yaml")):
        assert parse(file.read_text(), file.name).data["problem"]["kind"] == kind
        return str(file)


@pytest.mark.parametrize("arguments", [["--help"], *(["validate", kind] for kind in kinds())], ids=" ".join)
def test_answers_at_once(arguments):
    if arguments[0] == "validate":
        arguments = ["validate", first_of(arguments[1])]
    rounds = [(seconds(["-m", "ttsuite", *arguments]), seconds(BARE)) for _ in range(ROUNDS)]
    ours, bare = np.array(rounds).T
    ratio = float(np.median(ours / bare))
    print(f"\n{' '.join(arguments)[-60:]}: best {ours.min():.3f} s, bare import {bare.min():.3f} s, ratio {ratio:.2f}")
    assert ratio < MOST and ours.min() < HALF_A_SECOND
