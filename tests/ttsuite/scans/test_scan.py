"""A scan in this process, on made-up numerics: what is kept, computed again, refused, and what comes out."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from scan_cases import CONFIGS, SCAN, Listener, rows, scan_module, scanned

from solvers.solution import Status
from ttsuite import scan
from ttsuite.actions.run import load
from ttsuite.command.cli import main
from ttsuite.runs.record import RecordError
from ttsuite.scans import scan_job
from ttsuite.workers.blas import ClusterError
from ttsuite.workers.executors import cluster


@pytest.mark.figures
def test_a_scan_leaves_run_folders_one_table_one_figure_and_pages(numerics, tmp_path, monkeypatch):
    monkeypatch.setattr(scan_job, "picture", numerics.picture)
    listener = Listener()
    done = scanned(tmp_path, listener=listener)
    assert done.status == "finished" and done.summary == "4 points: 4 finished"
    assert listener.kept == 0 and sorted(listener.seen[:-1]) == [(i, "finished") for i in (1, 2, 3, 4)]
    files = {path.name for path in done.folder.iterdir()}
    assert files == {"points", "figures", "scan.json", "scan.html", "scan.md", "table.csv"}
    assert {path.name for path in (done.folder / "figures").iterdir()} == {"scan.png", "scan.svg"}
    table = rows(done.folder)
    assert [(row["point"], row["problem.force_field.dimension"], row["solver.n_states"]) for row in table] == [
        ("1", "2", "3"),
        ("2", "2", "4"),
        ("3", "3", "3"),
        ("4", "3", "4"),
    ]
    html = (done.folder / "scan.html").read_text()
    record = json.loads((done.folder / "scan.json").read_text())
    for row, outcome, entry in zip(table, done.points, record["points"], strict=True):
        report, states = load(done.folder / outcome.folder)
        assert float(row["energies (cm-1), state 0"]) == report["results"]["energies"][0]
        assert float(row["energies (cm-1), state 2: error"]) == report["results"]["error_estimates"][2]
        assert len(states) == int(row["solver.n_states"]) and f'href="{outcome.folder}/report.html"' in html
        assert entry["values"]["energies (cm-1), state 1"]["value"] == report["results"]["energies"][1]
    # what a point does not have is empty
    assert [bool(row["energies (cm-1), state 3"]) for row in table] == [False, True, False, True]


def test_the_same_call_keeps_what_has_ended_and_more_values_extend_the_scan(numerics, tmp_path):
    first = scanned(tmp_path)
    table, count = (first.folder / "table.csv").read_bytes(), len(numerics.asked)
    listener = Listener()
    again = scanned(tmp_path, listener=listener)
    assert len(numerics.asked) == count == 4 and listener.kept == 4 and listener.seen == ["ended"]
    assert (again.folder / "table.csv").read_bytes() == table
    more = scanned(tmp_path, SCAN.replace("[2, 3]", "[5, 2, 3]"))
    assert numerics.asked[4:] == [(5, 3), (5, 4)] and [p.number for p in more.points] == [1, 2, 3, 4, 5, 6]
    assert {row["status"] for row in rows(more.folder)} == {"finished"}


def test_a_point_that_fails_does_not_stop_the_rest_and_is_tried_again(numerics, tmp_path):
    def ask(problem, n_states):
        if (problem.field.d, n_states) == (2, 4):
            raise ZeroDivisionError("by zero")

    numerics.ask = ask
    done = scanned(tmp_path)
    assert done.status == "failed" and done.summary == "4 points: 1 failed, 3 finished"
    assert [outcome.status for outcome in done.points] == ["finished", "failed", "finished", "finished"]
    assert done.points[1].message == "ZeroDivisionError: by zero"
    assert "ZeroDivisionError: by zero" in (done.folder / "scan.html").read_text()
    assert (done.folder / done.points[1].folder / "traceback.txt").exists()
    numerics.ask = lambda *arguments: None
    again = scanned(tmp_path)
    assert numerics.asked[4:] == [(2, 4)] and again.status == "finished"
    assert not (again.folder / again.points[1].folder / "traceback.txt").exists()


def test_folders_that_are_no_scans_are_left_alone(numerics, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(RecordError, match="not empty and holds no scan"):
        scanned(tmp_path)
    (tmp_path / "out" / "thesis.txt").rename(tmp_path / "thesis.txt")
    done = scanned(tmp_path)

    class Second(Listener):
        def started(self, plan, folder, kept):
            with pytest.raises(RecordError, match="another scan is at work"):
                scanned(tmp_path)
            super().started(plan, folder, kept)

    listener = Second()
    assert scanned(tmp_path, listener=listener).status == "finished" and listener.kept == 4
    assert not (done.folder / "lock").exists()
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    (tmp_path / "out").write_text("")
    with pytest.raises(RecordError, match="is a file"):
        scanned(tmp_path)


def test_a_table_of_points_that_differ_in_kind_and_in_lists(numerics, tmp_path):
    text = SCAN + "list:\n  - {solver.accuracy: 1.0e-5, problem.mode_order: [4, 3, 2, 1]}\n"
    done = scanned(tmp_path, text)
    last = rows(done.folder)[-1]
    assert (last["problem.mode_order"], last["solver.accuracy"]) == ("[4, 3, 2, 1]", "1e-05")
    # of keys that a point leaves alone, what the base or the model says
    assert last["problem.force_field.dimension"] == "4" and rows(done.folder)[0]["solver.accuracy"] == "0.0001"


def test_the_quick_tunnelling_scan(tmp_path, monkeypatch):
    monkeypatch.setattr("problems.quantum.tasks.either.figures.figures", lambda *arguments: [])
    monkeypatch.setattr(scan_job, "picture", lambda outcomes: None)
    with ThreadPoolExecutor(1) as executor:
        done = scan(CONFIGS / "scans" / "tiny" / "tunnelling.yaml", out=tmp_path / "out", executor=executor)
    assert done.status == "finished"
    low, middle, high, finer = (
        [point.values[f"energies (model units), state {i}"][0] for i in (0, 1)] for point in done.points
    )
    # the higher the barrier, the smaller the splitting; more points of the grid change nothing
    assert low[1] - low[0] > 4 * (middle[1] - middle[0]) > 16 * (high[1] - high[0]) > 0.0
    assert finer == pytest.approx(high, abs=1e-6)


def test_a_full_disk_is_told_in_one_line(numerics, command, monkeypatch):
    def full(self, name, *content):
        raise OSError(28, "No space left on device", name)

    monkeypatch.setattr("ttsuite.runs.record.Record.write_csv", full)
    code, _, err = command(SCAN)
    assert code == 1 and err.startswith("failed: cannot write table.csv: No space left on device")


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """Runs ``ttsuite scan s.yaml`` in this process; returns the exit code and what it printed."""

    @contextmanager
    def thread(workers):
        with ThreadPoolExecutor(1) as executor:
            yield executor

    def run(text=SCAN, *arguments):
        (tmp_path / "s.yaml").write_text(text)
        code = main(["scan", "s.yaml", *arguments])
        return code, *capsys.readouterr()

    monkeypatch.setattr(scan_module, "lone_workers", thread)
    monkeypatch.setattr("signal.signal", lambda *arguments: None)
    monkeypatch.chdir(tmp_path)
    return run


def test_command(numerics, command, tmp_path):
    code, out, err = command(SCAN, "--set", "solver.accuracy=1e-3")
    assert code == 0 and "4 points: 4 finished" in out and "results/scans/s/scan.html" in out
    assert "s: 4 points; writing to results/scans/s" in err and len(out.splitlines()) == 2
    assert "2/4  dimension = 2, n_states = 4: energies (cm-1), state 0 = " in err
    code, _, err = command(SCAN, "--set", "solver.accuracy=1e-3")
    assert code == 0 and "4 points, 4 of them computed before" in err and len(numerics.asked) == 4
    numerics.status = Status.RANK_LIMIT
    assert command(SCAN)[0] == 3
    numerics.ask = lambda *arguments: 1 / 0
    code, _, err = command(SCAN, "--set", "seed=1")
    assert code == 1 and "failed (ZeroDivisionError: division by zero)" in err
    code, out, err = command(SCAN.replace("[3, 4]", "[3, x]"))
    assert (code, out) == (2, "") and err == "s.yaml:6:24: solver.n_states: must be an integer, found 'x'\n"
    code, _, err = command(SCAN, "--out", "s.yaml")
    assert code == 2 and "is a file" in err


def test_a_check_that_fails_in_a_point_is_exit_code_4(numerics, command):
    base = "problem: {kind: vibrational, force_field: acetonitrile}\n  check: true\n"
    text = f"base:\n  {base}  solver: {{accuracy: 1.0e-4}}\nlist: [{{solver.n_states: 6}}]\n"
    code, out, _ = command(text)
    assert code == 4 and "1 check failed" in out


def test_validate_knows_scans(tmp_path, capsys):
    (tmp_path / "s.yaml").write_text(SCAN)
    assert main(["validate", str(tmp_path / "s.yaml")]) == 0
    assert capsys.readouterr().out.endswith("s.yaml: valid, 4 points\n")


def test_a_cluster_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "ttsuite.workers.cluster", raising=False)  # another test may have imported it
    with pytest.raises(ClusterError, match=r"pip install .ttsuite\[distributed\]"), cluster("tcp://127.0.0.1:1"):
        pass


EDGE = """\
name: edge
base:
  problem: {kind: vibrational, force_field: {model: coupled_oscillators, dimension: 3, coupling: 0.1}}
  solver: {n_states: 2, accuracy: 1.0e-3, workers: 1}
grid:
  problem.force_field.coupling: [5.0, 0.1]
"""


def test_a_point_that_cannot_be_computed_is_refused_alone(tmp_path, monkeypatch, capsys):
    """5.0 makes the potential unbounded: that point says so, the other is computed, the exit code tells."""
    (tmp_path / "edge.yaml").write_text(EDGE)
    out = tmp_path / "out"
    assert main(["validate", str(tmp_path / "edge.yaml")]) == 2
    assert main(["scan", str(tmp_path / "edge.yaml"), "--out", str(out), "--workers", "1"]) == 1
    told = capsys.readouterr()
    assert "point 1 refused: 5 makes the potential unbounded below" in told.err
    assert "2 points: 1 finished, 1 refused" in told.out
    points = json.loads((out / "scan.json").read_text())["points"]
    assert [(p["number"], p["status"]) for p in points] == [(1, "refused"), (2, "finished")]
    assert "unbounded" in points[0]["message"] and points[0]["settings"] == {"problem.force_field.coupling": 5.0}
    for page in ("scan.md", "scan.html"):
        assert "5 makes the potential unbounded below" in (out / page).read_text()
    # the same again keeps what is there; a file without any point that can be computed is refused as a whole
    assert main(["scan", str(tmp_path / "edge.yaml"), "--out", str(out), "--workers", "1"]) == 1
    (tmp_path / "edge.yaml").write_text(EDGE.replace("[5.0, 0.1]", "[5.0, 6.0]"))
    assert main(["scan", str(tmp_path / "edge.yaml"), "--out", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()
    # what no file can mean stops all, as a wrong word does
    (tmp_path / "edge.yaml").write_text(EDGE.replace("[5.0, 0.1]", "[0.1, many]"))
    assert main(["scan", str(tmp_path / "edge.yaml"), "--out", str(tmp_path / "none")]) == 2
    assert "must be a number" in capsys.readouterr().err and not (tmp_path / "none").exists()
