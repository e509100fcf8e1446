"""Every example printed in the README is run: as printed, or smaller where it takes minutes.

What is smaller, and what stands for the folders of earlier runs, is listed here and must stand in the README.
"""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from documents import Block, Session, blocks_of

from ttsuite.cli import main

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCKS = blocks_of(README)

# file -> what is changed for the test, and the exit codes that are fine: a smaller problem may miss its accuracy
RUNS = {
    "water.yaml": ([], (0,)),
    "plates.yaml": (["problem.mesh.cells=16"], (0,)),
    "two-wells.yaml": ([], (0,)),
    "packet.yaml": (
        ["problem.basis.functions=8", "solver.t_final=2.0", "solver.max_rank=8", "solver.eigenstates=2"],
        (0, 3),
    ),
    "lithium-hydride.yaml": (["problem.levels=[7, 8]", "solver.accuracy=1e-2"], (0, 3)),
    "samples.yaml": ([], (0,)),
}
TWELVE = """\
problem:
  kind: vibrational
  force_field: {model: coupled_oscillators, dimension: 12, coupling: 0.02}
solver: {n_states: 2, accuracy: 1.0e-3, workers: 1}
"""


def named(block):
    found = re.match(r"# ([\w-]+\.(?:yaml|csv))\b", block.text)
    return found[1] if found else None


def written(folder):
    """All files of the README, and those that stand for the user's own."""
    for block in BLOCKS:
        if named(block):
            (folder / named(block)).write_text(block.text, encoding="utf-8")
    shutil.copyfile(ROOT / "configs" / "vibrational" / "coupled-oscillators-6.yaml", folder / "oscillators.yaml")
    indices = np.random.default_rng(0).permutation(np.argwhere(np.ones((12, 12, 12))))[:1200]
    rows = [f"{i},{j},{k},{1.0 / (1.0 + (i + j + k) / 11.0)!r}" for i, j, k in indices.tolist()]
    (folder / "entries.csv").write_text("\n".join(["i1,i2,i3,value", *rows]) + "\n")
    return folder


def test_every_block_is_known():
    assert {block.language for block in BLOCKS} == {"sh", "yaml", "csv", "python"}
    files = [named(block) for block in BLOCKS if block.language in ("yaml", "csv")]
    assert sorted(files) == sorted([*RUNS, "coupling.yaml", "water.csv"])


def test_the_two_commands_name_what_is_there():
    """They install, and run for minutes; every shipped file is run smaller by tests/configs."""
    job, tests = (block.text for block in BLOCKS if block.language == "sh")
    file = re.search(r"ttsuite run (\S+)", job)[1]
    assert (ROOT / file).exists() and (ROOT / "configs" / "tiny" / Path(file).name).exists()
    assert '".[test]"' in tests and "-m pytest -q" in tests


@pytest.mark.parametrize("file", RUNS)
def test_a_configuration_runs(file, tmp_path, capsys):
    folder = written(tmp_path)
    changes, codes = RUNS[file]
    changes = [f"--set={change}" for change in (*changes, "solver.workers=1")]
    assert main(["validate", str(folder / file)]) == 0  # as it is printed
    code = main(["run", str(folder / file), "--out", str(tmp_path / "out"), *changes])
    assert code in codes, capsys.readouterr().err
    assert (tmp_path / "out" / "report.html").exists()


def test_the_scan_runs(tmp_path, capsys):
    folder = written(tmp_path)
    file = folder / "coupling.yaml"
    assert main(["validate", str(file)]) == 0 and "13 points" in capsys.readouterr().out
    # one value of each key, of a smaller problem
    text = re.sub(r"\[[^]]*0\.15\]", "[0.1]", file.read_text())
    file.write_text(re.sub(r"\[4, 6, 8\]", "[2]", text))
    small = ["--set", "solver.n_states=2", "solver.accuracy=1e-4"]
    assert main(["scan", str(file), "--out", str(tmp_path / "scan"), "--workers", "1", *small]) == 0
    assert (tmp_path / "scan" / "scan.html").exists() and "2 finished" in capsys.readouterr().out


def test_the_python_runs(tmp_path, monkeypatch):
    folder = written(tmp_path)
    monkeypatch.chdir(folder)
    (folder / "twelve.yaml").write_text(TWELVE)
    runs = {"results/runs/plates-...": "plates.yaml", "results/runs/acetonitrile-84-...": "twelve.yaml"}
    smaller = {"plates.yaml": ["--set", "problem.mesh.cells=8", "solver.accuracy=1e-3"]}
    session = Session(README, folder)
    used = []
    for block in BLOCKS:
        if block.language != "python":
            continue
        text = block.text
        for place, file in runs.items():
            if place in text:
                out = file.removesuffix(".yaml")
                assert main(["run", file, "--out", out, "--set", "solver.workers=1", *smaller.get(file, [])]) == 0
                text, _ = text.replace(place, out), used.append(place)
        session.python(Block(block.language, text, block.line))
    assert used == list(runs)
    assert session.names["solution"] is not None and session.names["moved"].observed["overlap"].size == 11
