"""Interrupts, continued runs, damaged files, full disks: every way the life of a run can turn."""

import errno
import json
import os
import signal
import threading
from concurrent.futures import BrokenExecutor
from pathlib import Path

import numpy as np
import pytest

from problems.agreement import Agreement, Deviation
from solvers import checkpoint as files
from ttsuite.actions.resume import resume
from ttsuite.actions.run import run
from ttsuite.runs.checkpoint import CheckpointFolder, Interrupts, ResumeError
from ttsuite.runs.job import RunFailed
from ttsuite.runs.record import RecordError
from ttsuite.study.config import ConfigError, load_study

TINY = Path(__file__).parents[3] / "configs" / "tiny"
ROOT = Path(__file__).parents[3]
QUICK = """\
name: quick
problem: {kind: completion, samples: {function: inverse_sum, shape: [8, 8, 8], fraction: 0.5}}
solver: {accuracy: 1.0e-3, max_rank: 3, workers: 1}
"""


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """The file of a run of less than a second, without figures, every checkpoint written."""
    monkeypatch.setattr(files, "QUIET", 1e9)
    monkeypatch.setattr("ttsuite.pages.report.write_figures", lambda *arguments: [])
    file = tmp_path / "quick.yaml"
    file.write_text(QUICK)
    return file


class StopAt:
    """Interrupts the run, as a user would, once so many steps are told."""

    def __init__(self, steps, number=signal.SIGINT):
        self.steps, self.number, self.told, self.asked = steps, number, 0, False

    def started(self, study, folder):
        return

    def passed(self, state):
        self.told += state.finished
        if self.told == self.steps and not self.asked:
            os.kill(os.getpid(), self.number)

    def stopping(self):
        self.asked = True

    def ended(self, report):
        return


def results(run_):
    return json.loads((run_.folder / "report.json").read_text())["results"]


def same(one, other):
    """The same numbers, seconds apart."""
    for entry in (*one.get("by_rank", []), *other.get("by_rank", [])):
        entry.pop("seconds", None)
    return one == other


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interrupt_stops_after_the_step_and_resume_goes_on(quick, tmp_path, number):
    plain = run(quick, out=tmp_path / "plain")
    handler = signal.getsignal(number)
    stop = StopAt(1, number)
    stopped = run(quick, out=tmp_path / "out", listener=stop)
    assert stop.asked and signal.getsignal(number) is handler
    assert stopped.status == "interrupted" and stopped.result is None and "resume" in stopped.report["message"]
    assert (stopped.folder / "checkpoint" / "fits.npz").exists()
    assert {p.name for p in (stopped.folder / "checkpoint").iterdir()} <= {"fits.npz", "fits.npz.previous"}
    again = resume(stopped.folder)
    assert again.status == plain.status == "finished" and same(results(again), results(plain))
    (session,) = again.report["sessions"]
    assert session["ended"] == "interrupted"
    lines = [json.loads(line) for line in (again.folder / "passes.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))


def test_workers_that_a_batch_system_ends_too_are_no_failure(quick, tmp_path, monkeypatch):
    def solve(prepared, *, callback, **options):
        os.kill(os.getpid(), signal.SIGTERM)
        raise BrokenExecutor("a worker was terminated")

    monkeypatch.setattr("problems.completion.solve.solve", solve)
    assert run(quick, out=tmp_path / "out").status == "interrupted"

    def broken(prepared, *, callback, **options):
        raise BrokenExecutor("a worker was terminated")

    monkeypatch.setattr("problems.completion.solve.solve", broken)
    with pytest.raises(RunFailed, match="a worker was terminated"):
        resume(tmp_path / "out")
    monkeypatch.undo()
    assert resume(tmp_path / "out").status == "finished"  # a run that failed can be continued too


def test_the_second_interrupt_stops_at_once():
    told = []
    interrupts = Interrupts(lambda: told.append("asked"))
    with interrupts.handled():
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.requested and told == ["asked"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()


def test_handlers_are_left_alone_in_threads_and_where_signals_are_ignored():
    before, seen = signal.getsignal(signal.SIGINT), []

    def other():
        with Interrupts(lambda: None).handled():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [before]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts(lambda: None).handled():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_finished_run_goes_on_to_more(quick, tmp_path):
    first = run(quick, out=tmp_path / "first", overrides=["solver.max_rank=1"])
    assert first.status == "not_converged"
    with pytest.raises(ResumeError, match=r"nothing is left to do.*--set"):
        resume(first.folder)
    again = resume(first.folder, overrides=["solver.max_rank=3"], out=tmp_path / "more")
    assert again.status == "finished" and again.report["continues"] == "first"
    plain = run(quick, out=tmp_path / "plain")
    assert again.report["results"]["test_error"] <= 1e-3
    # rank one is not fitted from its start again
    assert again.report["results"]["by_rank"][0]["ranks"] == plain.report["results"]["by_rank"][0]["ranks"]
    beside = resume(first.folder, overrides=["solver.max_rank=2"])
    assert beside.folder.parent == first.folder.parent and beside.folder.name.startswith("quick-20")


def test_another_question_is_not_continued(quick, tmp_path):
    done = run(quick, out=tmp_path / "out")
    for change, key in (("seed=3", "seed"), ("problem.samples.fraction=0.6", "problem")):
        with pytest.raises(ResumeError, match=f"^{key} differs.*ttsuite run"):
            resume(done.folder, overrides=[change])
    with pytest.raises(ConfigError, match="max_rank"):
        resume(done.folder, overrides=["solver.max_rank=0"])
    with pytest.raises(RecordError, match="not empty"):
        resume(done.folder, overrides=["solver.max_rank=2"], out=tmp_path)


def test_no_run_folder_and_one_without_anything(tmp_path):
    with pytest.raises(ResumeError, match="no run folder"):
        resume(tmp_path)
    (tmp_path / "report.json").touch()  # killed between two files
    with pytest.raises(ResumeError, match="nothing was computed yet"):
        resume(tmp_path)


def interrupted(quick, folder):
    return run(quick, out=folder, listener=StopAt(2)).folder


def damages(content):
    """Truncated, bits flipped in the middle, emptied, something else."""
    flipped = bytearray(content)
    flipped[len(flipped) // 2] ^= 0x41
    return content[: len(content) // 2], bytes(flipped), b"", b"no such thing"


def test_a_damaged_checkpoint_is_refused_in_one_line_or_the_one_before_is_used(quick, tmp_path):
    plain = results(run(quick, out=tmp_path / "plain"))
    folder = interrupted(quick, tmp_path / "out")
    file = folder / "checkpoint" / "fits.npz"
    content, before = file.read_bytes(), file.with_name("fits.npz.previous")
    kept = before.read_bytes()
    np.savez(tmp_path / "object.npz", core_0=np.array([{}], dtype=object))
    before.unlink()
    for damaged in (*damages(content), (tmp_path / "object.npz").read_bytes()):
        file.write_bytes(damaged)
        with pytest.raises(ResumeError, match=r"fits\.npz is no checkpoint, or a damaged one") as caught:
            resume(folder)
        assert "\n" not in str(caught.value)
    before.write_bytes(kept)
    assert same(results(resume(folder)), plain)


@pytest.mark.parametrize("name", ["report.json", "configuration.yaml", "passes.jsonl"])
def test_damaged_texts_are_refused_in_one_line(ttsuite, quick, tmp_path, name):
    folder = interrupted(quick, tmp_path / "out")
    content = (folder / name).read_bytes()
    bad = {"passes.jsonl": (b"{" + content, b'"text"\n' + content), "configuration.yaml": (b"\0" + content, b"[]")}
    first, *others = bad.get(name, (content[:40], b"", b"[]", b"\xff\xfe"))
    (folder / name).write_bytes(first)
    done = ttsuite("resume", folder)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and name in done.stderr, done.stderr
    for damaged in others:
        (folder / name).write_bytes(damaged)
        with pytest.raises((ResumeError, ConfigError)):
            resume(folder)


def test_a_log_line_that_a_killed_process_left_unfinished_is_dropped(quick, tmp_path):
    folder = interrupted(quick, tmp_path / "out")
    with (folder / "passes.jsonl").open("a") as file:
        file.write('{"step": 9, "la')
    done = resume(folder)
    assert done.status == "finished"
    assert all(json.loads(line)["step"] != 9 for line in (folder / "passes.jsonl").read_text().splitlines())


def test_one_process_at_a_time(quick, tmp_path):
    folder = interrupted(quick, tmp_path / "out")
    with CheckpointFolder(folder).held(), pytest.raises(ResumeError, match="another process"):
        resume(folder)
    assert resume(folder).status == "finished"


def test_a_disk_that_fills_up_loses_nothing(quick, tmp_path, monkeypatch):
    plain = results(run(quick, out=tmp_path / "plain"))
    written, replace = [], os.replace

    def full(source, target, **options):
        if "checkpoint" in str(target):
            written.append(target)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        return replace(source, target, **options)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RunFailed, match=r"No space left.*free space.*ttsuite resume") as caught:
        run(quick, out=tmp_path / "out")
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(os, "replace", replace)
    folder = tmp_path / "out"
    files.read(folder / "checkpoint" / "fits.npz")
    assert not list(folder.rglob("*.part")) and json.loads((folder / "report.json").read_text())["status"] == "running"
    assert same(results(resume(folder)), plain)


def test_a_folder_that_cannot_be_written(quick, tmp_path, monkeypatch):
    def refuse(self, *arguments, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RecordError, match=r"cannot create .*: Permission denied"):
        run(quick, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_runs_of_the_same_second_get_folders_of_their_own(quick, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = run(quick), run(quick)
    assert first.folder != second.folder and same(results(first), results(second))


def test_a_reference_check(quick, tmp_path):
    met = run(quick, out=tmp_path / "met", overrides=["check=true", "solver.accuracy=1e-2"])
    assert met.report["check"] == {"asked": True, "failed": []}
    # the entries have an absolute deviation above this accuracy, relative to their norm
    missed = run(quick, out=tmp_path / "missed", overrides=["check=true", "solver.accuracy=1e-6", "solver.max_rank=2"])
    (line,) = missed.report["check"]["failed"]
    assert "allowed 1e-6" in line
    assert load_study(missed.folder / "configuration.yaml")[0].check


def test_exit_codes(quick, tmp_path, monkeypatch, capsys):
    from ttsuite.command.cli import main

    entry = Agreement("x", "the other one", "", Deviation(1, 2.0, 2.0))
    monkeypatch.setattr("problems.completion.references.agreements", lambda *arguments: [entry])
    assert main(["run", str(quick), "--out", str(tmp_path / "a")]) == 0  # nobody asked
    assert main(["run", str(quick), "--out", str(tmp_path / "b"), "--set", "check=true"]) == 4
    assert "check failed: the other one: deviation 2, allowed 0.001" in capsys.readouterr().err
    assert main(["resume", str(tmp_path / "a")]) == 2
    assert main(["resume", str(tmp_path / "a"), "--set", "solver.accuracy=1e-9", "--out", str(tmp_path / "c")]) == 3
