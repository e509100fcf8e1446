"""What a terminal and a log say of a scan."""

import io
from pathlib import Path

import pytest

from ttsuite.command.scan_progress import LiveScan, PlainScan, line, scan_progress_for
from ttsuite.scans.scan_file import Plan
from ttsuite.scans.scan_table import Outcome

PLAN = Plan("s", ("problem.c",), (None,) * 12)
DONE = Outcome(3, {"problem.c": 0.5}, "points/a", "finished", "", 75.0, {"E": (1.0 / 3.0, 1e-9), "F": (2.0, None)})
FAILED = Outcome(11, {"problem.c": 1.5}, "points/b", "failed", "it [broke]", None, {})
LINES = [
    "s: 12 points, 4 of them computed before; writing to out",
    " 3/12  c = 0.5: E = 0.3333333333(10), F = 2, 1 min 15 s",
    "11/12  c = 1.5: failed (it [broke])",
]


def test_a_line_a_point():
    assert [line(outcome, 12) for outcome in (DONE, FAILED)] == LINES[1:]
    limited = Outcome(1, {"problem.c": 1}, "points/c", "not_converged", "rank", 2.0, {"E": (1.0, None)})
    assert line(limited, 2) == "1/2  c = 1: not converged, E = 1, 2 s"


@pytest.mark.parametrize("kind", [PlainScan, LiveScan])
def test_both_displays_say_the_same(kind, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    display = kind()
    display.started(PLAN, Path("out"), 4)
    display.finished(DONE)
    display.finished(FAILED)
    display.ended()
    told = capsys.readouterr().err.splitlines()
    assert [text.rstrip() for text in told[:3]] == LINES
    assert kind is PlainScan or "6/12" in told[-1]


def test_what_is_no_terminal_gets_plain_lines():
    assert isinstance(scan_progress_for(io.StringIO()), PlainScan)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_bar_of_a_scan_fits_its_terminal(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    display = LiveScan()
    display.started(PLAN, Path("out"), 4)
    display.finished(DONE)
    display.ended()
    bar = capsys.readouterr().err.splitlines()[-1]
    assert "points" in bar and "5/12" in bar and len(bar) <= width and "…" not in bar


@pytest.mark.parametrize("kind", [PlainScan, LiveScan])
def test_an_interrupt_is_told_how_long_the_points_take(kind, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    display = kind()
    display.started(PLAN, Path("out"), 4)
    display.stopping(3, 75.2)
    display.stopping(1, None)
    display.ended()
    told = [line.strip() for line in capsys.readouterr().err.splitlines() if line.startswith("stopping")]
    end = "interrupt again to stop at once"
    assert told == [
        f"stopping: 3 points end their present step first (about 1 min 15 s); {end}",
        f"stopping: a point ends its present step first (how long it takes is not known yet); {end}",
    ]
