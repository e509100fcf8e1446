"""The live display at several widths: no number is cut, the time to go stays."""

import io
import re
from dataclasses import replace
from pathlib import Path

import made_up
import pytest
from rich.console import Console

from solvers.solution import IterationState
from ttsuite.command.live import LiveProgress
from ttsuite.study.config import load_study

CONFIGS = Path(__file__).parents[3] / "configs"
WIDTHS = [40, 60, 80, 120, 140]
LABEL = "pass 2: 84 states, ranks 28 to 42"


def shown(width, states, name, stop=False):
    """What stands on a terminal of ``width`` columns after these states."""
    console = Console(file=io.StringIO(), width=width)
    progress = LiveProgress(io.StringIO(), console)
    progress._live.refresh = lambda: None
    progress._study = load_study(CONFIGS / f"{name}.yaml")[0]
    for state in states:
        progress.passed(state)
    if stop:
        progress.stopping()
    console.print(progress._picture())
    return console.file.getvalue()


def states():
    result = made_up.acetonitrile(84)
    extra = {"error_estimates": result.error_estimates}
    return [replace(state, label=LABEL, extra=extra, seconds=4000.0 + state.step) for state in result.history]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_number_is_cut_and_columns_go_whole(width):
    text = shown(width, states(), "vibrational/acetonitrile")
    lines = text.splitlines()
    assert max(map(len, lines)) <= width and "..." not in text and "…" not in text
    told = shown(400, states(), "vibrational/acetonitrile")
    numbers = set(re.findall(r"[\d.()e-]*\d[\d.()e-]*", told))
    assert set(re.findall(r"[\d.()e-]*\d[\d.()e-]*", " ".join(lines[:-1]))) <= numbers
    assert "lowest (cm-1)" in lines[0] and "9837." in text
    assert "so far" in lines[-1]


def test_what_is_less_important_goes_first():
    heads = [shown(width, states(), "vibrational/acetonitrile").splitlines()[0] for width in WIDTHS]
    order = ["lowest", "highest", "largest error", "change", "residual", "rank", "time"]
    counts = []
    for head in heads:
        there = [name in head for name in order]
        assert there == sorted(there, reverse=True)
        counts.append(sum(there))
    assert counts == sorted(counts) and counts[WIDTHS.index(60)] >= 2 and counts[WIDTHS.index(80)] >= 4
    assert counts[-1] == len(order)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_bar_takes_what_the_times_leave(width):
    foot = shown(width, states()[:2], "vibrational/acetonitrile").splitlines()[-1]
    assert "to go" in foot and len(foot.rstrip()) == width and foot.count("━") + foot.count("╸") > 8


@pytest.mark.parametrize("width", [60, 80])
def test_an_evolution_says_how_far_it_is(width):
    steps = [
        IterationState(
            step, "step", 8, 1.0, fraction=step / 9, extra={"time": step / 9, "end": 1.0, "norm": 1.0, "error": 1e-5}
        )
        for step in range(1, 9)
    ]
    lines = shown(width, steps, "wave_packet/henon-heiles-2d").splitlines()
    assert len(lines) == 4  # the head, the first, the last, the bar: none was waited for
    assert "norm" in lines[0] and "error" in lines[0] and " of " in lines[2] and "1.0e-5" in lines[2]


def test_an_interrupt_is_answered():
    assert "interrupt again" in shown(80, states(), "vibrational/acetonitrile", stop=True)


def test_a_terminal_that_goes_away_ends_nothing():
    class Gone(io.StringIO):
        def write(self, text):
            raise OSError(5, "Input/output error")

        def isatty(self):
            return True

    progress = LiveProgress(Gone())
    progress.started(load_study(CONFIGS / "vibrational/acetonitrile.yaml")[0], Path("out"))
    for state in states():
        progress.passed(state)
    progress.ended({"status": "finished"})
