"""A scan in this process, on made-up numerics: what is kept, computed again, refused, and what comes out."""

import csv
import importlib
import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import made_up
import pytest

import problems.quantum.tasks.spectrum.figures
from solvers.solution import Status
from ttsuite import scan
from ttsuite.actions.run import load
from ttsuite.command.cli import main
from ttsuite.runs.checkpoint import NAME
from ttsuite.runs.record import RecordError
from ttsuite.scans.scan_point import SESSION, _Session, at_work
from ttsuite.workers import executors
from ttsuite.workers.blas import ClusterError
from ttsuite.workers.executors import cluster

CONFIGS = Path(__file__).parents[3] / "configs"
scan_module = importlib.import_module("ttsuite.scans.scan")  # the function has its name
SCAN = """\
base:
  problem: {kind: vibrational, force_field: {model: henon_heiles, dimension: 4}}
  solver: {n_states: 3, accuracy: 1.0e-4}
grid:
  problem.force_field.dimension: [2, 3]
  solver.n_states: [3, 4]
"""


class Numerics:
    """Made-up states; ``ask`` is told of the problem and the number of states of every point that is computed."""

    def __init__(self, monkeypatch):
        self.asked = []
        self.ask = self.refuse = lambda problem, n_states: None
        self.status = Status.CONVERGED
        module = made_up.numerics(None)
        module.prepare, module.solve = self.prepare, self.solve
        monkeypatch.setitem(sys.modules, "problems.quantum.tasks.spectrum.solve", module)
        # figures take most of the time
        monkeypatch.setattr(problems.quantum.tasks.spectrum.figures, "figures", lambda *arguments: [])
        self.picture = scan_module.picture
        monkeypatch.setattr(scan_module, "picture", lambda outcomes: None)

    def prepare(self, problem, solver):
        self.refuse(problem, solver.n_states)
        return problem, solver

    def solve(self, prepared, **options):
        problem, n_states = prepared[0], prepared[1].n_states
        self.asked.append((problem.field.d, n_states))
        options["callback"](made_up.acetonitrile(n_states).history[0])
        self.ask(problem, n_states)
        return made_up.acetonitrile(n_states, self.status)


@pytest.fixture
def numerics(monkeypatch):
    return Numerics(monkeypatch)


class Listener:
    def __init__(self, stop_after=None):
        self.kept, self.seen, self.stop_after = None, [], stop_after

    def started(self, plan, folder, kept):
        self.kept = kept

    def finished(self, outcome):
        self.seen.append((outcome.number, outcome.status))
        if len(self.seen) == self.stop_after:
            raise KeyboardInterrupt

    def ended(self):
        self.seen.append("ended")


def scanned(tmp_path, text=SCAN, **options):
    (tmp_path / "s.yaml").write_text(text)
    with ThreadPoolExecutor(1) as executor:
        return scan(tmp_path / "s.yaml", out=tmp_path / "out", executor=executor, **options)


def rows(folder):
    with (folder / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_scan_leaves_run_folders_one_table_one_figure_and_pages(numerics, tmp_path, monkeypatch):
    monkeypatch.setattr(scan_module, "picture", numerics.picture)
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


def test_an_interrupted_scan_says_so_and_the_same_call_goes_on(numerics, tmp_path):
    stopped = scanned(tmp_path, listener=Listener(stop_after=2))
    assert stopped.interrupted and stopped.status == "interrupted" and "interrupted" in stopped.summary
    assert not (stopped.folder / SESSION).exists()
    states = [row["status"] for row in rows(stopped.folder)]
    assert states[:2] == ["finished", "finished"] and set(states[2:]) <= {"waiting", "finished"}
    done = scanned(tmp_path)
    assert done.status == "finished" and sorted(numerics.asked) == [(2, 3), (2, 4), (3, 3), (3, 4)]


@pytest.mark.parametrize("last_step", [False, True])
def test_an_interrupt_of_a_scan_without_workers_ends_all_of_it(numerics, tmp_path, monkeypatch, last_step):
    """As in a script without guard: the run at work answers the signal, at its step or because it ends just then."""

    def ask(problem, n_states):
        if (problem.field.d, n_states) == (2, 4):
            signal.raise_signal(signal.SIGINT)
            if not last_step:
                raise KeyboardInterrupt  # of the second one

    numerics.ask = ask
    (tmp_path / "s.yaml").write_text(SCAN)
    monkeypatch.setattr(executors, "without_guard", lambda: True)
    listener = Listener()
    stopped = scan(tmp_path / "s.yaml", out=tmp_path / "out", listener=listener)
    assert stopped.interrupted and numerics.asked == [(2, 3), (2, 4)]
    second = "finished" if last_step else "waiting"
    assert [outcome.status for outcome in stopped.points] == ["finished", second, "waiting", "waiting"]
    assert [row["status"] for row in rows(stopped.folder)] == ["finished", second, "waiting", "waiting"]
    assert listener.seen == [(1, "finished"), "ended"] and (stopped.folder / "scan.html").exists()
    numerics.ask = lambda *arguments: None
    assert scan(tmp_path / "s.yaml", out=tmp_path / "out").status == "finished"
    assert numerics.asked[2:] == [*([] if last_step else [(2, 4)]), (3, 3), (3, 4)]


class Stopping(Listener):
    """Interrupts after the first point, once the second is at work, which goes on when the interrupt is answered."""

    def __init__(self):
        super().__init__()
        self.begun, self.answered, self.told = threading.Event(), threading.Event(), []

    def ask(self, problem, n_states):
        if n_states == 4:
            self.begun.set()
            assert self.answered.wait(30)

    def finished(self, outcome):
        assert self.begun.wait(30)
        raise KeyboardInterrupt

    def stopping(self, points, seconds):
        self.told.append((points, seconds))
        self.answered.set()


def test_an_interrupt_is_answered_and_the_point_at_work_is_waited_for(numerics, tmp_path):
    listener = Stopping()
    numerics.ask = listener.ask
    stopped = scanned(tmp_path, listener=listener)
    assert stopped.interrupted and listener.told == [(1, None)]  # no step has ended yet
    assert [row["status"] for row in rows(stopped.folder)] == ["finished", "finished", "waiting", "waiting"]
    assert not (stopped.folder / "attempts").exists() and numerics.asked == [(2, 3), (2, 4)]


def test_a_second_interrupt_ends_the_points_at_once(numerics, tmp_path, monkeypatch):
    ended = []

    def wait(futures, timeout=None):
        if timeout is None:
            raise KeyboardInterrupt
        assert len(futures) == 1

    monkeypatch.setattr(scan_module, "wait", wait)
    monkeypatch.setattr(scan_module, "ask_to_end", ended.append)
    listener = Stopping()
    numerics.ask = listener.ask
    assert scanned(tmp_path, listener=listener).interrupted and len(ended) == 1


def test_the_step_of_a_point_at_work_takes_as_long_as_those_before(tmp_path):
    for name, status in (("a", "running"), ("b", "running"), ("c", "interrupted")):
        folder = tmp_path / "attempts" / f"of-{name}" / name
        folder.mkdir(parents=True)
        report = {"name": name, "message": "", "converged": False, "references": [], "warnings": []}
        report |= {"status": status, "results": {}, "timing": {}, "provenance": {}}
        (folder / "report.json").write_text(json.dumps(report))
    log = tmp_path / "attempts" / "of-a" / "a" / "passes.jsonl"
    log.write_text("".join(json.dumps({"seconds": seconds}) + "\n" for seconds in (1.0, 41.0, 81.0)))
    os.utime(log, (0.0, time.time() - 10.0))
    left = at_work(tmp_path)
    assert set(left) == {"a", "b"} and left["b"] is None
    assert left["a"] == pytest.approx(30.0, abs=5.0)


def test_an_interrupted_point_is_continued_not_begun_again(numerics, tmp_path):
    def ask(problem, n_states):
        if (problem.field.d, n_states) == (3, 3):
            raise KeyboardInterrupt

    numerics.ask = ask
    stopped = scanned(tmp_path)
    assert [outcome.status for outcome in stopped.points] == ["finished", "finished", "waiting", "finished"]
    assert len(list((stopped.folder / "attempts").glob("*/*/report.json"))) == 1 and stopped.status == "failed"
    numerics.ask = lambda *arguments: None
    done = scanned(tmp_path)
    report = load(done.folder / done.points[2].folder)[0]
    assert report["status"] == "finished" and [entry["ended"] for entry in report["sessions"]] == ["interrupted"]
    assert not (done.folder / "attempts").exists()


def test_an_attempt_that_is_damaged_is_begun_again(numerics, tmp_path):
    numerics.ask = lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt)
    stopped = scanned(tmp_path)
    for file in (stopped.folder / "attempts").glob("*/*/report.json"):
        file.write_text("{")
    numerics.ask = lambda *arguments: None
    done = scanned(tmp_path)
    assert done.status == "finished" and "sessions" not in load(done.folder / done.points[0].folder)[0]


def test_a_worker_whose_folder_was_taken_over_leaves_nothing_behind(numerics, tmp_path):
    def ask(problem, n_states):
        if (problem.field.d, n_states) == (2, 4):
            (mine,) = (tmp_path / "out" / "attempts").glob("*/*")
            mine.rename(tmp_path / "taken")

    numerics.ask = ask
    done = scanned(tmp_path)
    assert [point.status for point in done.points] == ["finished", "failed", "finished", "finished"]
    assert not (done.folder / done.points[1].folder).exists() and not (done.folder / "attempts").exists()
    # what another process leaves of points that have ended, and empty folders, go
    leftover = done.folder / "attempts" / "0" / done.points[0].folder.partition("/")[2]
    leftover.mkdir(parents=True)
    (leftover / "report.json").write_text("{}")
    (done.folder / "attempts" / "1").mkdir()
    numerics.ask = lambda *arguments: None
    assert scanned(tmp_path).status == "finished" and not (done.folder / "attempts").exists()


def test_a_worker_stops_where_the_scan_that_sent_it_has_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("ttsuite.scans.scan_point.LOOK_S", 0.0)
    run, session = tmp_path / "run", _Session(tmp_path, "a")
    (run / NAME).mkdir(parents=True)
    session.started(None, run)
    for text, goes_on in (("a", True), ("b", False)):  # another scan in the same folder
        (tmp_path / SESSION).write_text(text)
        assert session.goes_on() is goes_on
        session.passed(None)
        assert (run / NAME / "stop").exists() is not goes_on


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
    monkeypatch.setattr(scan_module, "picture", lambda outcomes: None)
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
