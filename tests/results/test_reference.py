"""The pages of results/reference are those that this version makes of the results beside them."""

import importlib.util
import json
import re
import shutil
from pathlib import Path

import pytest

from problems.families import kinds
from ttsuite.pages import report as report_writer
from ttsuite.runs.run_folder import read_report
from ttsuite.study.config import load_study

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"
specification = importlib.util.spec_from_file_location("renew", REFERENCE / "renew.py")
renew = importlib.util.module_from_spec(specification)
specification.loader.exec_module(renew)


def layout(page):
    """A page without its figures: those of another version of matplotlib differ."""
    return re.sub(r'src="data:[^"]*"|(width|height)="\d+"', "", page)


@pytest.mark.parametrize("name", sorted(renew.RUNS))
def test_a_page_is_that_of_this_version(name, tmp_path):
    folder = shutil.copytree(REFERENCE / name, tmp_path / name)
    renew.remake(folder)  # figures are drawn, not saved
    assert layout((folder / "report.html").read_text()) == layout((REFERENCE / name / "report.html").read_text())


def test_there_is_one_run_of_every_kind_and_all_are_in_the_index():
    studies = [load_study(REFERENCE / name / "configuration.yaml")[0] for name in renew.RUNS]
    assert {study.problem.kind for study in studies} == set(kinds())
    assert {path.parent.name for path in REFERENCE.glob("*/report.json")} == set(renew.RUNS)
    index = (REFERENCE / "index.html").read_text()
    for name in renew.RUNS:
        assert f'href="{name}/report.html"' in index
        report = read_report(REFERENCE / name)
        assert report["status"] == "finished"


def test_all_links_lead_somewhere_and_all_is_small():
    for page in (REFERENCE / "index.html", *REFERENCE.glob("*/report.html")):
        for link in re.findall(r'href="([^"#:]+)"', page.read_text()):
            assert (page.parent / link).is_file(), (page, link)
    sizes = {path: path.stat().st_size for path in REFERENCE.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 4e6, sorted(sizes.items(), key=lambda entry: -entry[1])[:8]


def test_a_run_is_computed_anew_and_its_numbers_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(renew, "HERE", tmp_path)
    monkeypatch.setattr(renew, "RUNS", {"small": "tiny/spin-boson"})
    monkeypatch.setattr(report_writer, "write_figures", lambda *arguments: [])
    renew.main(["--compute"])
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {"report.json", "report.html", "configuration.yaml", "result.npz", "states.npz", "levels.csv"}
    assert files == {"index.html"} | {f"small/{name}" for name in kept}
    assert json.loads((tmp_path / "small" / "report.json").read_text())["status"] == "finished"


def test_the_table_of_a_reproduction_is_kept_without_its_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(renew, "HERE", tmp_path / "reference")
    made = tmp_path / "made"
    for folder in (renew.HERE, made / "points"):
        folder.mkdir(parents=True)
    (made / "reproduction.json").write_text('{"name": "paper"}')
    (made / "table.csv").write_text("item\n")
    (made / "reproduction.md").write_text("# A paper\n")
    renew.main(["--reproduction", str(made)])
    assert "paper" in capsys.readouterr().out
    kept = renew.HERE / "paper"
    assert {path.name for path in kept.iterdir()} == {"README.md", "table.csv"}
    assert (kept / "README.md").read_text() == "# A paper\n"
