"""Printing to streams that break, and in letters that they do not have."""

import io
import os
import subprocess
import sys

import pytest

from ttsuite.command.output import Unbreakable, say, width_of, written


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
