"""Progress texts: what a pass says, how often, and that telling ends no run."""

import io
from dataclasses import replace
from pathlib import Path

import made_up
import pytest

from problems.families import family
from solvers.solution import IterationState
from ttsuite.command import pace
from ttsuite.command.progress import EachRun, Harmless, PlainProgress, progress_for
from ttsuite.study.config import load_study
from ttsuite.words import duration

CONFIGS = Path(__file__).parents[3] / "configs"
STATES = made_up.acetonitrile(5).history


def study(name):
    return load_study(CONFIGS / f"{name}.yaml")[0]


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [0.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.6, "1 min 0 s"), (75, "1 min 15 s"), (7260, "2 h 1 min")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_plain_lines():
    stream = io.StringIO()
    progress = progress_for(stream)
    assert isinstance(progress, Harmless) and isinstance(progress.listener, PlainProgress)
    progress.started(study("vibrational/acetonitrile"), Path("out"))
    for state in STATES:
        progress.passed(state)
    head, *lines = stream.getvalue().splitlines()
    assert head == "acetonitrile-84: writing to out"
    assert len(lines) == 4 and "change" not in lines[0] and "change" in lines[1]
    assert all("lowest 983" in line and "cm-1" in line and "residual" in line for line in lines)
    assert "to go" in lines[0]


def test_an_evolution_has_few_lines_and_its_last(clock):
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.started(study("wave_packet/henon-heiles-2d"), Path("out"))
    for step in range(1, 327):  # a tenth of a second each
        clock[0] += 0.1
        extra = {"time": step / 326, "end": 1.0, "norm": 1.0, "error": 1e-5 * step}
        progress.passed(IterationState(step, "step", 8, clock[0], fraction=step / 326, extra=extra))
    progress.ended({"status": "finished"})
    lines = stream.getvalue().splitlines()[1:]
    assert 10 < len(lines) < 20
    end = study("wave_packet/henon-heiles-2d").solver.t_final
    assert f"t {end:g} of {end:g}, norm 1, error 0.0033, rank 8" in lines[-1]


def test_a_pass_that_is_quick_says_its_beginning_and_its_end(clock):
    stream = io.StringIO()
    progress = PlainProgress(stream)
    begun = replace(STATES[0], finished=False)
    for state in (begun, begun, STATES[0], STATES[0]):
        progress.passed(state)
    assert len(stream.getvalue().splitlines()) == 2


def test_an_interrupt_is_told_how_long_the_step_takes(clock):
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.stopping()
    for state in STATES:
        clock[0] += 20.0
        progress.passed(state)
    clock[0] += 5.0
    progress.stopping()
    clock[0] += 60.0
    progress.stopping()
    first, second, third = [line for line in stream.getvalue().splitlines() if line.startswith("stopping")]
    assert "not known yet" in first and "about 15 s" in second and "any moment now" in third
    assert all(line.endswith("interrupt again to stop at once") for line in (first, second, third))


class Closed(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, text):
        raise BrokenPipeError


class Faulty:
    """A listener that fails."""

    def started(self, study, folder):
        raise ZeroDivisionError("by zero")

    passed = stopping = ended = started


def test_telling_ends_no_run(capsys):
    for broken in (progress_for(Closed()), progress_for(None), EachRun(lambda: Harmless(Faulty()))):
        broken.started(study("vibrational/acetonitrile"), Path("out"))
        for state in STATES:
            broken.passed(state)
        broken.stopping()
        broken.ended({"status": "finished"})
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if "no longer" in line] == [
        "progress is no longer shown (ZeroDivisionError: by zero); the run goes on"
    ]


@pytest.mark.parametrize(
    ("kind", "state", "told"),
    [
        ("completion", IterationState(1, "rank 3", 3, 0.0, residuals=[1e-3]), "validation error 0.0010, rank 3"),
        ("parametric_pde", IterationState(1, "sweep", 3, 0.0, residuals=[0.25]), "relative residual 0.25, rank 3"),
        ("orbital_free_dft", IterationState(1, "2^5", 3, 0.0, energies=[-0.2565]), "energy -0.2565 hartree, rank 3"),
    ],
)
def test_each_kind_has_its_own_words(kind, state, told):
    assert ", ".join(map(str, family(kind).progress.told(None, None, state, None))) == told
