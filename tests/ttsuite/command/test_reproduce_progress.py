"""What the command line says of a reproduction while it runs."""

import io

import pytest

from ttsuite.command.reproduce_progress import (
    LiveReproduction,
    PlainReproduction,
    heading,
    line,
    listed,
    reproduce_progress_for,
)
from ttsuite.reproductions.collection import load_collection
from ttsuite.reproductions.outcome import ItemOutcome
from ttsuite.reproductions.verdicts import Compared

FILE = """\
title: A paper
items:
  - {name: one, what: a computation, computation: border-rank, tiny: {modes: [3]}, seconds: 90, tiny_seconds: 2}
  - {name: two, what: nothing, not_run: no data}
  - {name: three, what: more, computation: pq-norms, needs: [no_such_module]}
"""


@pytest.fixture
def collections(tmp_path):
    file = tmp_path / "paper.yaml"
    file.write_text(FILE)
    return load_collection(file), load_collection(file, tiny=True)


def outcome(collection, verdict="differs", seconds=75.0, why=""):
    values = (
        Compared("width", "", 4.0, 0.0, 4.0, 4.0, "equal", 0.0, 0.0, "reproduced", "", ""),
        Compared("time", "s", 3.0, None, 2.0, 2.0, "at_most", 0.0, 1.0, "differs", "", ""),
        Compared("left", "", None, None, 4.0, 4.0, "equal", 0.0, None, "not run here", "", ""),
    )
    return ItemOutcome(collection.tasks[0], "points/one", "finished", seconds, values, verdict, why)


def test_an_item_is_a_line_that_begins_with_what_differs(collections):
    assert line(outcome(collections[0])) == "one: differs, 1 min 15 s, time 3 s (at most 2), width 4 (4)"
    assert line(outcome(collections[0], why="no idea")).endswith(", no idea")


def test_the_heading_says_what_is_left(collections):
    full, small = collections
    told = heading(full, "out", full.tasks[:1], 1)
    assert told == "A paper: 1 item to run, about 1 min 30 s on one core; 1 computed before; writing to out"
    assert heading(small, "out", [], 0) == "A paper, small variant: 0 items to run; writing to out"


def test_the_list_says_what_each_item_takes(collections):
    lines = listed([collections])
    assert lines[1] == "  one: a computation (1 min 30 s, tiny 2 s)" and lines[2].endswith("(not run: no data)")
    assert lines[3].endswith("(not measured, tiny not measured; needs no_such_module)")
    assert lines[4] == "  all: about 1 min 30 s on one core, 2 s with --tiny"


@pytest.mark.parametrize("kind", [PlainReproduction, LiveReproduction])
def test_both_listeners_say_the_same(kind, collections):
    stream = io.StringIO()
    display = kind(stream)
    display.started(collections[0], "out", collections[0].tasks[:1], 0)
    display.finished(outcome(collections[0]))
    display.ended()
    assert "A paper: 1 item to run" in stream.getvalue() and "one: differs" in stream.getvalue()


def test_a_file_gets_plain_lines():
    assert isinstance(reproduce_progress_for(io.StringIO()), PlainReproduction)
