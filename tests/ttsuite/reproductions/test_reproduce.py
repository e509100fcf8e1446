"""A collection is run: what comes out, what is kept, what is left, and how it ends."""

import csv
import json
from datetime import datetime
from types import SimpleNamespace

import pytest

from ttsuite import reproduce
from ttsuite.command.cli import main
from ttsuite.reproductions import computations
from ttsuite.runs.job import configuration
from ttsuite.runs.record import Record, RecordError
from ttsuite.runs.run_folder import read_report

STUDY = """\
problem: {kind: decomposition, tensor: {model: w_state, modes: 3}, formats: [tt]}
solver: {accuracy: 1.0e-6}
"""
FILE = """\
title: A paper
items:
  - name: border
    part: table 1
    what: Two terms and the W tensor
    computation: border-rank
    arguments: {modes: [3], steps: [0.1]}
    values:
      - {label: error, quantity: error of two terms, published: 0.173493515728975, tolerance: 1.0e-12, source: closed}
      - {label: norm of a term, quantity: norm of a term, published: 10.0, tolerance: 0.01, why: "rounded there"}
  - name: numbers
    part: table 2
    what: The W tensor as a train
    configuration: study.yaml
    values: [{label: largest rank, path: results.max_rank, published: 2, source: closed form}]
  - name: missing
    what: Needs what is not there
    computation: border-rank
    needs: [no_such_module]
    cure: pip install it
  - {name: data, what: Needs data, not_run: nobody here has them}
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    file = tmp_path / "paper.yaml"
    file.write_text(FILE)
    return file


def test_a_collection_from_the_command_line(file, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    assert main(["reproduce", str(file), "--out", str(out), "--workers", "1"]) == 4
    shown = capsys.readouterr()
    assert "4 items: 2 not run here, 1 differs, 1 reproduced" in shown.out
    assert "differs: border, norm of a term: rounded there" in shown.err
    assert "numbers: reproduced" in shown.err and "largest rank 2 (2)" in shown.err
    # 1 the table, and what it says
    rows = list(csv.DictReader((out / "table.csv").open()))
    assert [(row["item"], row["verdict"]) for row in rows] == [
        ("border", "reproduced"),
        ("border", "differs"),
        ("numbers", "reproduced"),
        ("missing", "not run here"),
        ("data", "not run here"),
    ]
    assert float(rows[0]["ours"]) == pytest.approx(0.17349351572897473, abs=1e-12) and float(rows[0]["error"]) < 1e-13
    assert float(rows[1]["deviation"]) == pytest.approx(0.150374377, abs=1e-6) and rows[1]["why"] == "rounded there"
    assert rows[3]["why"] == "needs no_such_module: pip install it" and rows[4]["why"] == "nobody here has them"
    data = json.loads((out / "reproduction.json").read_text())
    assert [item["verdict"] for item in data["items"]] == ["differs", "reproduced", "not run here", "not run here"]
    # 2 every item has run as a run folder, with a report that the page leads to
    page = (out / "reproduction.html").read_text()
    for row in (rows[0], rows[2]):
        report = read_report(out / row["report"])
        assert report["status"] == "finished" and float(row["seconds"]) == pytest.approx(report["timing"]["wall_s"])
        assert (out / row["report"] / "report.html").exists() and f"{row['report']}/report.html" in page

    text = (out / "reproduction.md").read_text()
    assert (
        "**border**: differs" in text and "| norm of a term | 10.1503743" in text and "- nobody here has them" in text
    )

    # 3 the same command keeps what has ended
    def never(name):
        raise AssertionError(f"{name} was computed again")

    record = out / rows[0]["report"] / "report.json"
    before = record.stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr("ttsuite.reproductions.computed_run.computation", never)
        assert main(["reproduce", str(file), "--out", str(out), "--workers", "1"]) == 4
    assert "0 items to run; 2 computed before" in capsys.readouterr().err and record.stat().st_mtime_ns == before
    # 4 and computes it again where that is asked
    assert main(["reproduce", str(file), "--out", str(out), "--again", "--only", "border", "--workers", "1"]) == 4
    assert "1 item to run" in capsys.readouterr().err
    assert record.stat().st_mtime_ns > before


def test_items_that_are_left_out_fail_or_have_no_such_number(file, tmp_path, monkeypatch):
    def fails(**arguments):
        raise ZeroDivisionError("by nothing")

    with monkeypatch.context() as patch:
        patch.setattr("ttsuite.reproductions.computed_run.computation", lambda name: fails)
        done = reproduce(file, only=["border"], out=tmp_path / "out", workers=1)
    border, numbers, *_ = done.items
    assert border.status == "failed" and border.why == "failed: ZeroDivisionError: by nothing"
    assert numbers.why == "left out" and [item.task.keys.name for item in done.failed] == ["border"]
    assert (tmp_path / "out" / border.folder / "traceback.txt").exists()
    assert len(repr(done).splitlines()) <= 10
    # what failed is tried again; a number that is not there is no verdict
    file.write_text(FILE.replace("quantity: norm of a term", "quantity: norm of an term"))
    done = reproduce(file, only=["border"], out=tmp_path / "out", workers=1)
    assert done.items[0].status == "finished" and done.items[0].verdict == "not run here" and done.failed
    assert "no quantity 'norm of an term'" in done.items[0].values[1].why


def test_an_interrupt_is_continued(file, tmp_path, monkeypatch):
    def interrupted(**arguments):
        raise KeyboardInterrupt

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("ttsuite.reproductions.computed_run.computation", lambda name: interrupted)
        assert main(["reproduce", str(file), "--only", "border", "--out", str(out), "--workers", "1"]) == 130
    assert not (out / "session").exists() and not list(out.glob("attempts/*")) and not list(out.glob("points/*"))
    assert json.loads((out / "reproduction.json").read_text())["interrupted"]
    done = reproduce(file, only=["border"], out=out, workers=1)
    assert not done.interrupted and done.differing


def test_a_run_that_was_interrupted_is_continued(file, tmp_path, monkeypatch):
    """The run itself takes the interrupt, ends its step and waits among the attempts."""

    def stops(study, **options):
        record = Record.create(study.name, datetime.now(), options["out"])
        record.write_yaml("configuration.yaml", configuration(study, record))
        (record.folder / "report.json").write_text("{}")
        return SimpleNamespace(status="interrupted")

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("ttsuite.scans.scan_point.run", stops)
        done = reproduce(file, only=["numbers"], out=out, workers=1)
    assert done.interrupted and len(list(out.glob("attempts/*/*"))) == 1
    done = reproduce(file, only=["numbers"], out=out, workers=1)
    assert done.items[1].verdict == "reproduced" and not list(out.glob("attempts/*"))


def test_a_folder_of_something_else_is_left_alone(file, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(RecordError, match="holds no reproduction"):
        reproduce(file, out=tmp_path / "out")


def test_computations_of_other_packages(monkeypatch):
    class Point:
        name = "theirs"

        @staticmethod
        def load():
            return lambda size=3: []

    monkeypatch.setattr(computations, "_brought", lambda: {"theirs": Point})
    assert "theirs" in computations.known() and computations.arguments_of("theirs") == ["size"]
    assert computations.computation("theirs")() == []


def test_the_talk_in_part(tmp_path, capsys):
    items = ["widths-8", "border-rank", "cross-of-a-sum", "pq-norms"]
    out = str(tmp_path / "out")
    assert main(["reproduce", "talk", "--tiny", "--only", *items, "--out", out, "--workers", "1"]) == 0
    assert "1 reproduced" not in capsys.readouterr().err
    data = json.loads((tmp_path / "out" / "reproduction.json").read_text())
    verdicts = {item["name"]: item["verdict"] for item in data["items"]}
    assert [verdicts[name] for name in items] == ["stand-in", "reproduced", "reproduced", "stand-in"]


@pytest.mark.slow
def test_the_whole_talk_in_its_small_variant(tmp_path):
    """About a minute of one core; what needs PyTorch or the text of a package is run where these are installed."""
    done = reproduce("talk", tiny=True, out=tmp_path / "out", workers=1)
    assert not done.differing and not done.failed, [(item.task.keys.name, item.why) for item in done.items]
    assert {item.verdict for item in done.items if not (item.task.keys.not_run or item.task.missing)} <= {
        "reproduced",
        "stand-in",
        "not compared",
    }
