"""Every keyword of the public verbs changes what a call says, writes, tells or raises."""

import inspect
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import option_cases as cases
import pytest
from keyword_cases import CASES
from keyword_worlds import World, called

from solvers.solution import NotConverged


def outcome(verb, keywords, folder):
    """What a call says, tells, writes, or refuses."""
    case, first, _ = CASES[verb]
    case = keywords.pop("case", case)
    folder.mkdir()
    world = World(folder)
    made = {name: value(world) if inspect.isfunction(value) else value for name, value in keywords.items()}
    quiet = {"throw": False} if "throw" in inspect.signature(verb).parameters else {}
    try:
        found = cases.digest(called(case, {**quiet, **first, **made}))
    except (NotConverged, ValueError) as error:
        found = type(error).__name__
    return found, world.traces()


@cache
def alone(verb):
    """What a call says with no keyword but those it begins with; made once."""
    with TemporaryDirectory() as folder:
        return outcome(verb, {}, Path(folder) / "alone")


def keywords_of(verb):
    return [p.name for p in inspect.signature(verb).parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]


@pytest.mark.parametrize("verb", CASES, ids=lambda verb: verb.__name__)
def test_every_keyword_is_looked_at(verb):
    assert sorted(CASES[verb][2]) == sorted(keywords_of(verb))


@pytest.mark.parametrize(
    ("verb", "name"),
    [(verb, name) for verb, case in CASES.items() for name in case[2]],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_every_keyword_changes_something(verb, name, tmp_path, monkeypatch):
    cases.nothing_is_small(monkeypatch)
    value = CASES[verb][2][name]
    value, beside = value if isinstance(value, tuple) and isinstance(value[-1], dict) else (value, {})
    before = outcome(verb, dict(beside), tmp_path / "before") if beside else alone(verb)
    assert outcome(verb, {**beside, name: value}, tmp_path / "after") != before
