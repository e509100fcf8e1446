"""What a machine, a shell or a notebook does around a run must not end it: settings, pipes, locks, missing modules."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import made_up
import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from problems.report_parts import Picture
from ttsuite.actions.run import run
from ttsuite.command.cli import main
from ttsuite.command.output import say
from ttsuite.pages import drawing
from ttsuite.runs import locks
from ttsuite.runs.locks import Locked, locked
from ttsuite.workers.executors import workers_for

ROOT = Path(__file__).parents[2]
TEXT = """\
name: small
problem:
  kind: vibrational
  force_field: {model: coupled_oscillators, dimension: 4, coupling: 0.1}
solver: {n_states: 2, accuracy: 1.0e-4, workers: 1}
"""
COMPLETION = """\
name: quick
problem: {kind: completion, samples: {function: inverse_sum, shape: [8, 8, 8], fraction: 0.5}}
solver: {accuracy: 1.0e-3, max_rank: 3, workers: 1}
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A file whose run takes no time."""
    result = made_up.oscillators(np.array([1.0, 2.0]), 4)
    monkeypatch.setitem(sys.modules, "problems.quantum.tasks.spectrum.solve", made_up.numerics(result))
    (tmp_path / "small.yaml").write_text(TEXT)
    return tmp_path / "small.yaml"


def report_of(folder):
    return json.loads((folder / "report.json").read_text())


def fails(*arguments, **options):
    raise ValueError("made up\nin two lines")


def test_a_figure_that_cannot_be_drawn_is_a_warning(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("problems.quantum.tasks.spectrum.figures.ranks_along_train", fails)
    assert main(["run", str(made), "--out", str(tmp_path / "out")]) == 0
    report = report_of(tmp_path / "out")
    line = "the figure ranks could not be made: ValueError: made up"
    assert report["status"] == "finished" and report["warnings"] == [line]
    assert "ranks" not in report["figures"] and "spectrum" in report["figures"]
    for name in ("report.md", "report.html"):
        assert line in (tmp_path / "out" / name).read_text()
    assert f"warning: {line}" in capsys.readouterr().err
    # and where it is asked for again
    assert main(["plot", str(tmp_path / "out")]) == 0 and main(["report", str(tmp_path / "out")]) == 0
    assert line in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    "part",
    [
        "presentation.headline",
        "presentation.tables",
        "presentation.sections",
        "references.agreements",
        "references.columns",
        "references.comparison_table",
    ],
)
def test_a_part_of_the_report_that_cannot_be_made_is_a_warning(made, tmp_path, monkeypatch, part):
    monkeypatch.setattr(f"problems.quantum.tasks.spectrum.{part}", fails)
    done = run(made, out=tmp_path / "out")
    assert done.status == "finished" and done.report["results"]["energies"].tolist() == [1.0, 2.0]
    assert any(line.endswith("could not be made: ValueError: made up") for line in done.report["warnings"])
    assert (tmp_path / "out" / "report.html").exists() and report_of(tmp_path / "out")["warnings"]


def test_all_figures_and_pages_may_fail(made, tmp_path, monkeypatch):
    monkeypatch.setattr("problems.quantum.tasks.spectrum.figures.figures", fails)
    monkeypatch.setattr("ttsuite.pages.report.render", fails)
    done = run(made, out=tmp_path / "out")
    assert done.status == "finished" and len(done.report["warnings"]) == 3
    assert report_of(tmp_path / "out")["results"]["energies"] == [1.0, 2.0]


def test_a_full_disk_is_no_matter_of_presentation(made, tmp_path, monkeypatch):
    from ttsuite.runs.job import RunFailed

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ttsuite.pages.report.save_figure", full)
    with pytest.raises(RunFailed, match="free space"):
        run(made, out=tmp_path / "out")


@pytest.mark.figures
def test_the_users_matplotlib_is_neither_used_nor_changed(made, tmp_path, monkeypatch):
    monkeypatch.setitem(matplotlib.rcParams, "text.usetex", True)
    monkeypatch.setitem(matplotlib.rcParams, "axes.facecolor", "red")
    done = run(made, out=tmp_path / "out")
    assert done.report["warnings"] == [] and (tmp_path / "out" / "figures" / "spectrum.png").exists()
    assert matplotlib.rcParams["text.usetex"] and matplotlib.rcParams["axes.facecolor"] == "red"
    with drawing.own_style():
        assert not matplotlib.rcParams["text.usetex"]


def test_a_backend_that_is_not_there_is_passed_over():
    code = (
        "from ttsuite.pages import drawing; drawing.imported(); import os; print(os.environ['MPLBACKEND']);"
        "from matplotlib.figure import Figure; Figure().savefig('/dev/null', format='png')"
    )
    for backend in ("module://matplotlib_inline.backend_inline", "module://no_such.backend", "no-such-backend"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "MPLBACKEND": backend},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0 and done.stdout.strip() == backend, done.stderr


def test_a_picture_is_drawn_once_and_late():
    drawn, figure = [], Figure()
    picture = Picture("name", "caption", lambda: drawn.append(1) or figure)
    assert not drawn and picture.figure is figure is picture.figure and drawn == [1]
    assert Picture("name", "caption", figure).figure is figure


def test_a_reader_that_goes_away_does_not_end_a_run(quick_command, tmp_path):
    (tmp_path / "quick.yaml").write_text(COMPLETION)
    command = [str(quick_command / "ttsuite")] if quick_command else [sys.executable, "-m", "ttsuite"]
    command += ["run", str(tmp_path / "quick.yaml"), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        first = process.stderr.readline()
        process.stderr.close()
        process.stdout.close()
        code = process.wait(300)
    assert "quick: writing to" in first
    assert code == 0 and report_of(tmp_path / "out")["status"] == "finished"


def test_saying_to_a_closed_pipe_goes_nowhere(capfd):
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    say("nobody reads this", stream)
    say("nor this", stream)
    stream.close()

    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    say("a stream without a file", Closed())


@pytest.mark.parametrize("system", ["fcntl", "neither", "msvcrt"])
def test_a_lock_is_held_by_one_process_at_a_time(tmp_path, monkeypatch, system):
    """By flock, by the process that the file names, and by what Windows has, here made up."""
    path = tmp_path / "lock"
    if system != "fcntl":
        monkeypatch.setattr(locks, "fcntl", None)
    if system == "msvcrt":
        held = []

        class Made:
            LK_NBLCK, LK_UNLCK = 1, 0

            @staticmethod
            def locking(file, mode, count):
                if mode and held:
                    raise OSError("locked")
                held.append(file) if mode else held.clear()

        monkeypatch.setattr(locks, "msvcrt", Made)
    with locked(path):
        assert path.exists()
        with pytest.raises(Locked), locked(path):
            pass
    assert not path.exists()
    with pytest.raises(ZeroDivisionError), locked(path):
        raise ZeroDivisionError
    with locked(path):
        pass


def test_a_lock_of_a_process_that_is_gone_holds_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "lock").write_text(str(gone.pid))
    with locked(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_without_fcntl_everything_is_imported_and_runs(tmp_path):
    code = f"""
import sys
sys.modules["fcntl"] = None
import ttsuite, ttsuite.pages.report, ttsuite.scans.scan
ttsuite.pages.report.write_figures = lambda *arguments: []  # they take most of the time
print(ttsuite.run({str(tmp_path / "quick.yaml")!r}, out={str(tmp_path / "out")!r}).status)
"""
    (tmp_path / "quick.yaml").write_text(COMPLETION)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout == "finished\n", done.stderr


SCRIPT = """\
import math, sys, warnings
from ttsuite.workers.executors import lone_workers, workers_for

{guard}
    with workers_for(2) as pool:
        print("none" if pool is None else list(pool.map(math.sqrt, [4.0, 9.0])))
    with lone_workers(2) as pool:
        print(type(pool).__name__, pool.submit(math.sqrt, 4.0).result())
        try:
            pool.submit(math.sqrt, -1.0).result()
        except ValueError as error:
            print("ValueError")
"""


def script(tmp_path, guard):
    (tmp_path / "script.py").write_text(SCRIPT.format(guard=guard))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )


def test_a_script_without_guard_computes_in_one_process(tmp_path):
    done = script(tmp_path, "if True:")
    assert done.stdout == "none\n_Here 2.0\nValueError\n", done.stderr
    assert done.returncode == 0 and "put the call under that line" in done.stderr


@pytest.mark.parametrize("guard", ['if __name__ == "__main__":', "def main():"])
def test_a_script_with_guard_has_its_workers(tmp_path, guard):
    tail = "" if "def" not in guard else '\n\nif "__main__" == __name__:\n    main()\n'
    (tmp_path / "script.py").write_text(SCRIPT.format(guard=guard) + tail)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "[2.0, 3.0]\n_LoneWorkers 2.0\nValueError\n" and done.stderr == ""


def test_one_worker_needs_no_guard(recwarn):
    with workers_for(1) as pool:
        assert pool is None
    assert not recwarn.list
