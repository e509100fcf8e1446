"""Scans that are interrupted: what ends, what is waited for, what goes on."""

import json
import os
import signal
import threading
import time

import pytest
from scan_cases import SCAN, Listener, rows, scanned

from ttsuite import scan
from ttsuite.actions.run import load
from ttsuite.runs.checkpoint import NAME
from ttsuite.scans import scan_job
from ttsuite.scans.scan_point import SESSION, _Session, at_work
from ttsuite.workers import executors


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

    monkeypatch.setattr(scan_job, "wait", wait)
    monkeypatch.setattr(scan_job, "ask_to_end", ended.append)
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
