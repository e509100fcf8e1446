"""Every example printed in the README is run: as printed, or smaller where it takes minutes.

What is smaller, and what stands for the folders of earlier runs, is listed here and must stand in the README.
"""

import re
from pathlib import Path

import pytest
from documents import Session, blocks_of

from problems.families import kinds
from ttsuite.command.cli import main

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCKS = blocks_of(README)

# file -> what is changed for the test, and the exit codes that are fine: a smaller problem may miss its accuracy
RUNS = {
    "water.yaml": ([], (0,)),
    "two-wells.yaml": ([], (0,)),
    "packet.yaml": (
        ["problem.basis.functions=8", "solver.t_final=2.0", "solver.max_rank=8", "solver.eigenstates=2"],
        (0, 3),
    ),
    "particle.yaml": (["problem.grid.points=32", "solver.output_times=[1.0]", "solver.t_final=1.0"], (0,)),
    "plates.yaml": (["problem.mesh.cells=16"], (0,)),
    "lithium-hydride.yaml": (["problem.levels=[7, 8]", "solver.accuracy=1e-2"], (0, 3)),
}
LONGEST = 130  # lines: one screen more and nobody reads to the end


def named(block):
    found = re.match(r"# ([\w-]+\.(?:yaml|csv))\b", block.text)
    return found[1] if found else None


def written(folder):
    """All files of the README."""
    for block in BLOCKS:
        if named(block):
            (folder / named(block)).write_text(block.text, encoding="utf-8")
    return folder


def test_every_block_is_known():
    assert {block.language for block in BLOCKS} == {"sh", "yaml", "csv", "python"}
    files = [named(block) for block in BLOCKS if block.language in ("yaml", "csv")]
    assert sorted(files) == sorted([*RUNS, "water.csv"])
    assert len(README.read_text(encoding="utf-8").splitlines()) <= LONGEST


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


def test_the_python_runs(tmp_path):
    session = Session(README, tmp_path)
    for block in BLOCKS:
        if block.language == "python":
            session.python(block)
    assert session.names["solution"].converged


def test_every_kind_and_every_link_is_there():
    text = README.read_text(encoding="utf-8")
    assert all(f"kind: {kind}" in text for kind in kinds())
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (ROOT / target).exists(), target
