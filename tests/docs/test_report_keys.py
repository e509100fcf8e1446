"""Every key of report.json stands in docs/report.md, those of each kind as its results declare them."""

import json
import re
from dataclasses import is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from problems.families import family, kinds
from problems.published import HERE, declared
from ttsuite.data import Report

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
# ``peaks[].energy`` and ``timing.wall_s`` tell of each of their words
KNOWN = {word for code in re.findall(r"`([^`\n]+)`", PAGE) for word in re.split(r"\W+", code)}
NAMED = {
    "angular",
    "quantities",
    "observables",
    "observable_differences",
    "counts",
}  # what is in them has names of the problem
STORED = sorted((ROOT / "results" / "reference").glob("*/report.json"))


def parts(hint):
    """The dataclasses in a type: of a list of them, of one that may be missing."""
    inner = [found for part in get_args(hint) for found in parts(part)]
    return [hint, *inner] if is_dataclass(hint) else inner


def keys(kind):
    """All words of the keys that a result declares, and that its parts do."""
    hints = get_type_hints(kind)
    for name, how in declared(kind):
        yield from (word for word in (how.key or name).split(".") if word not in ("", HERE))
        hint = hints.get(name) or get_type_hints(getattr(kind, name).fget).get("return")
        for part in parts(hint):
            yield from keys(part)


@pytest.mark.parametrize("kind", kinds())
def test_what_a_kind_declares_is_documented(kind):
    missing = {key for result in family(kind).results for key in keys(result)} - KNOWN
    assert missing == set(), "tell of them in docs/report.md, All keys of report.json"


def test_what_every_report_has_is_documented():
    assert set(Report.__annotations__) <= KNOWN


def words(part):
    """The keys of JSON, all levels."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield key
            named = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
            for inner in [x for one in named for x in one.values()] if key in NAMED and named else [value]:
                yield from words(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from words(inner)


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.parent.name)
def test_what_shipped_reports_hold_is_documented(file):
    report = json.loads(file.read_text())
    assert set(words({key: report[key] for key in report if key not in ("provenance", "values")})) - KNOWN == set()
    assert set(next(iter(report.get("values", {}).values()), {})) <= KNOWN
