"""What contributors are told is what the checks do."""

import re
from pathlib import Path

import pytest
import yaml

from ttsuite.version import __version__

ROOT = Path(__file__).parent.parent
CHECKS = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_workflow_runs_the_checks():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_the_hooks_of_a_commit_are_among_the_checks():
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = [hook["entry"] for repository in settings["repos"] for hook in repository["hooks"]]
    assert entries == ["ruff format", "ruff check", "mypy"]
    assert all(f".venv/bin/{entry}" in CHECKS for entry in entries)


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "mypy"])
def test_contributors_are_told_the_checks(command):
    assert f"`{command}`" in CONTRIBUTING and f".venv/bin/{command}\n" in CHECKS


def test_what_contributors_are_pointed_to_is_there():
    named = re.findall(r"[`( ]((?:\.ci|tests|ttsuite|problems|solvers)/[\w./]*)", CONTRIBUTING)
    assert len(named) > 5
    for path in named:
        assert (ROOT / path).exists(), path


def test_the_newest_changes_are_of_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+?),", text, re.MULTILINE)[0] == __version__
