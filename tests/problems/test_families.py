"""Families that other packages bring by entry points are kinds like any other."""

import sys
import textwrap

import pytest

from problems import families
from problems.families import GROUP, family, is_kind, kinds
from ttsuite.command.cli import main
from ttsuite.study.config import ConfigError, make_study

MODULE = """
from typing import Literal
from problems.contract import Family
from problems.keys import WORKERS, Keys, WorkerCount

class Problem(Keys):
    kind: Literal["toy"] = "toy"
    size: int = 3

class Solver(Keys):
    accuracy: float = 1e-6
    workers: WorkerCount = WORKERS

FAMILY = Family("toy", "a toy", "H x = E x", (), "none", Problem, Solver, "toy",
                )
"""


@pytest.fixture
def brought(tmp_path, monkeypatch):
    """An installed package with a family, and one that wants a kind which exists already."""
    (tmp_path / "toy_family.py").write_text(textwrap.dedent(MODULE))
    info = tmp_path / "toy_family-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-family\nVersion: 1.0\n")
    lines = [f"[{GROUP}]", "toy = toy_family:FAMILY", "vibrational = toy_family:FAMILY"]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    families.brought.cache_clear()
    yield
    families.brought.cache_clear()
    sys.modules.pop("toy_family", None)


def test_without_one_there_are_the_own(monkeypatch):
    families.brought.cache_clear()
    assert kinds() == list(families._MODULES) and not is_kind("toy")


def test_it_is_a_kind(brought, capsys):
    assert kinds()[-1] == "toy" and is_kind("toy") and family("toy").summary == "a toy"
    study = make_study({"problem": {"kind": "toy", "size": 5}, "solver": {}})
    assert study.problem.size == 5
    assert main(["describe", "toy"]) == 0 and "H x = E x" in capsys.readouterr().out


def test_its_keys_are_checked(brought):
    with pytest.raises(ConfigError, match="did you mean size"):
        make_study({"problem": {"kind": "toy", "sizes": 5}, "solver": {}})


def test_no_kind_is_taken_away(brought):
    assert family("vibrational").summary != "a toy"
