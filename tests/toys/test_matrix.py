"""A family of four files that a package brings by an entry point does what the families of this one do."""

import csv
import json

import numpy as np
import pytest
from installed import TOYS, installed

from problems.families import GROUP, kinds
from ttsuite import resume, run
from ttsuite.actions.certify import certify
from ttsuite.actions.dry_run import dry_run
from ttsuite.actions.run import load
from ttsuite.command.cli import main
from ttsuite.pages.compare import compare_runs
from ttsuite.pages.index import index_runs
from ttsuite.pages.report import remake_report
from ttsuite.scans.scan import scan
from ttsuite.study.schema import schema

ROWS = "[[2, 1, 0], [1, 3, 1], [0, 1, 4]]"
MATRIX = np.array(json.loads(ROWS))
STUDY = f"problem: {{kind: matrix, rows: {ROWS}}}\nsolver: {{n_states: 2}}\n"
SCAN = (
    f"base: {{problem: {{kind: matrix, rows: {ROWS}}}, solver: {{workers: 1}}}}\ngrid: {{solver.n_states: [1, 2, 3]}}\n"
)


@pytest.fixture
def study(tmp_path):
    with installed(tmp_path / "site", {"matrix": TOYS / "matrix"}, {GROUP: {"matrix": "matrix.model:FAMILY"}}):
        file = tmp_path / "study.yaml"
        file.write_text(STUDY)
        yield file


def test_it_is_four_files_and_120_lines():
    files = list((TOYS / "matrix").glob("*.py"))
    assert len(files) <= 4 and sum(len(file.read_text().splitlines()) for file in files) <= 120


def test_it_is_there_where_it_is_installed(tmp_path, study):
    assert "matrix" in kinds() and "MatrixProblem" in schema("matrix")["definitions"]


def test_without_its_entry_point_it_is_not(tmp_path, capsys):
    file = tmp_path / "study.yaml"
    file.write_text(STUDY)
    assert main(["validate", str(file)]) == 2 and "must be one of" in capsys.readouterr().err


def test_it_is_described_and_validated(study, capsys):
    assert main(["describe", "matrix"]) == 0 and "H x = E x" in capsys.readouterr().out
    assert main(["validate", str(study)]) == 0
    study.write_text(STUDY.replace("n_states: 2", "n_state: 2, accuracy: 0"))
    assert main(["validate", str(study)]) == 2
    told = capsys.readouterr().err
    assert "study.yaml:2:10: solver.n_state: unknown key (did you mean n_states?)" in told and "accuracy" in told
    study.write_text(STUDY.replace("n_states: 2", "n_states: 4"))
    assert main(["run", str(study), "--out", str(study.parent / "no")]) == 2
    assert "solver.n_states: the matrix has only 3 eigenvalues" in capsys.readouterr().err
    study.write_text(STUDY.replace("[1, 3, 1]", "[1, 3, 2]"))
    assert main(["run", str(study), "--out", str(study.parent / "no")]) == 2
    assert "study.yaml:1:31: problem.rows: the matrix is not symmetric" in capsys.readouterr().err
    assert not (study.parent / "no").exists()


def test_a_dry_run_says_what_is_known(study):
    assert "not known for this kind" in str(dry_run(study))


@pytest.mark.figures
def test_it_runs_and_reports_with_its_figure(study, tmp_path):
    done = run(study, out=tmp_path / "run")
    exact = np.linalg.eigvalsh(MATRIX)
    results = done.report["results"]
    assert done.status == "finished" and np.allclose(results["energies"], exact[:2], atol=1e-12)
    assert np.all(np.abs(np.array(results["energies"]) - exact[:2]) <= np.array(results["error_estimates"]) + 1e-14)
    assert done.report["figures"] == ["errors"] and (done.folder / "figures" / "errors.svg").exists()
    page = (done.folder / "report.html").read_text()
    assert "lowest eigenvalue" in page and "error estimate" in page and "Loading the" in page
    rows = list(csv.DictReader((done.folder / "results.csv").open()))
    assert [row["state"] for row in rows] == ["0", "1"] and float(rows[0]["energy"]) == results["energies"][0]
    assert np.array_equal(load(done.folder).result().energies, done.result.energies)
    assert remake_report(done.folder).read_text().count("<svg") == page.count("<svg")


def test_it_is_stopped_and_goes_on(study, tmp_path):
    class Stop:
        def started(self, study, folder):
            return

        def passed(self, state):
            raise KeyboardInterrupt

        def ended(self, report):
            return

    stopped = run(study, out=tmp_path / "run", listener=Stop())
    assert stopped.status == "interrupted"
    again = resume(tmp_path / "run")
    assert again.status == "finished" and len(again.report["sessions"]) == 1
    assert np.array_equal(again.result.energies, run(study, out=tmp_path / "whole").result.energies)


def test_runs_are_compared_listed_and_certified(study, tmp_path):
    one, other = run(study, out=tmp_path / "runs" / "a"), run(study, out=tmp_path / "runs" / "b")
    comparison = compare_runs(one.folder, other.folder)
    (energies,) = comparison.quantities
    assert comparison.equal and (energies.name, energies.axis, energies.keys) == ("energies", "state", [0, 1])
    assert energies.tolerance is not None
    page = index_runs(tmp_path / "runs").read_text()
    assert "lowest eigenvalue" in page and page.count("report.html") == 2
    assert certify(one.folder).routes == ()


def test_it_is_scanned(study, tmp_path):
    file = tmp_path / "scan.yaml"
    file.write_text(SCAN)
    done = scan(file, out=tmp_path / "scan")
    rows = list(csv.DictReader((done.folder / "table.csv").open()))
    assert [row["status"] for row in rows] == ["finished"] * 3
    assert float(rows[2]["energies, state 2"]) == pytest.approx(np.linalg.eigvalsh(MATRIX)[2], abs=1e-12)
