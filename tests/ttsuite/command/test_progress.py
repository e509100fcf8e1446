"""Progress texts."""

import io

import made_up
import pytest

from ttsuite.command.progress import LiveProgress, PlainProgress, progress_for
from ttsuite.words import duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.6, "1 min 0 s"), (75, "1 min 15 s"), (7260, "2 h 1 min")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_plain_lines():
    stream = io.StringIO()
    progress = progress_for(stream)
    assert isinstance(progress, PlainProgress)
    for state in made_up.acetonitrile(5).history:
        progress.passed(state)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4 and "change" not in lines[0] and "change" in lines[1]
    assert all("energies 983" in line and "residual" in line for line in lines)
    assert "to go" in lines[0]


def test_the_live_picture_shows_passes_and_time():
    from rich.console import Console

    progress = LiveProgress()
    progress._live.refresh = lambda: None
    for state in made_up.acetonitrile(5).history:
        progress.passed(state)
    console = Console(file=io.StringIO(), width=140)
    console.print(progress._picture())
    text = console.file.getvalue()
    assert "inverse iteration, r = 35" in text and "9837." in text and "so far" in text
