"""Printing to streams that break, and in letters that they do not have."""

import io
import os
import subprocess
import sys

import pytest

from ttsuite.command.output import Unbreakable, fitted, say, width_of, written


def test_a_reader_who_has_gone_disturbs_nobody():
    there, here = os.pipe()
    os.close(there)
    with open(here, "w") as stream:
        say("one", stream)
        say("two", stream)


def test_a_closed_stream_and_none_at_all():
    stream = io.StringIO()
    stream.close()
    say("one", stream)
    assert Unbreakable(stream).write("two") == 3
    assert width_of(None) == 120


def test_what_an_encoding_does_not_have_is_told_in_ascii():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert written("1.2(3) × 10⁻⁵ cm⁻¹ ☃", stream) == "1.2(3)e-5 cm-1 ?"
    assert written("cm⁻¹", io.StringIO()) == "cm⁻¹"


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


WARNING = "warning: the potential is unbounded below far out: lowest barrier 1.673e+04 cm-1, along modes 3, 4, 9, 11"
PATH = "results/runs/a-rather-long-name-of-a-folder/with-another/2026-11-28-080000-acetonitrile/report.html"
FACT = (
    "  functions          8, 8, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6 (automatic; grown where the start asks for it), and so on"
)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_what_is_said_to_a_terminal_fits_it_and_no_word_is_broken(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    stream = Terminal()
    for line in (WARNING, f"report: {PATH}", FACT, "\n\n  short\n"):
        say(line, stream)
    lines = stream.getvalue().split("\n")
    assert all(len(line) <= width or line.strip() == PATH for line in lines)
    assert " ".join(stream.getvalue().split()) == " ".join(f"{WARNING} report: {PATH} {FACT} short".split())
    assert "\n\n\n  short\n\n" in stream.getvalue()  # empty lines stay
    # what follows a value stands below it
    _, *after = fitted(FACT, width).split("\n")
    assert all(line.startswith(" " * FACT.index("8,")) for line in after)


def test_only_a_terminal_has_a_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    stream = io.StringIO()
    say(WARNING, stream)
    assert stream.getvalue() == WARNING + "\n"
    terminal = Terminal()
    say(WARNING, terminal, wrap=False)  # JSON, for one
    assert terminal.getvalue() == WARNING + "\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes of a shell")
@pytest.mark.parametrize("broken", ["| head -1", "2>&1 | head -1", ">&- 2>&-", "2>/dev/full >/dev/full"])
def test_printing_ends_no_process(broken):
    script = (
        "import sys; from ttsuite.command.output import say\n"
        "for i in range(20000):\n    say('x' * 80); say('y' * 80, sys.stderr)\nsys.exit(7)"
    )
    shell = f'"{sys.executable}" -c "$SCRIPT" {broken} > /dev/null; exit ${{PIPESTATUS[0]}}'
    if "|" not in broken:
        shell = f'"{sys.executable}" -c "$SCRIPT" {broken}; exit $?'
    done = subprocess.run(["bash", "-c", shell], env=os.environ | {"SCRIPT": script}, capture_output=True, text=True)
    assert done.returncode == 7, done.stderr[-300:]
