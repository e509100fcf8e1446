"""What a number beside a published one comes to."""

import math

import pytest

from ttsuite.reproductions.collection import Task
from ttsuite.reproductions.keys import Item
from ttsuite.reproductions.verdicts import NotTaken, compared, off, overall, shown, taken

REPORT = {
    "values": {
        "energies": {"value": [1.0, 2.5], "error": [0.1, None], "unit": "cm-1", "at": [0, 1]},
        "single": {"value": [4.0], "error": None, "unit": "", "at": ["all"]},
        "gap": {"value": [None], "error": None, "unit": "", "at": ["all"]},
    },
    "results": {"terms": [{"name": "a.b", "size": 3}, {"name": "c", "size": 5}], "rank": 7},
}


def value_of(**keys):
    data = {"name": "i", "what": "w", "computation": "c", "values": [{"label": "l"} | keys]}
    return Item.model_validate(data).values[0]


def task(value, tiny=False, stand_in=""):
    item = Item.model_validate({"name": "i", "what": "w", "computation": "c", "stand_in": stand_in})
    return Task(item.model_copy(update={"values": (value,)}), tiny, "i-1", {}, None, None, {}, ())


@pytest.mark.parametrize(
    ("keys", "number"),
    [
        ({"quantity": "energies", "at": 0}, (1.0, 0.1, "cm-1")),
        ({"quantity": "energies", "at": 1}, (2.5, None, "cm-1")),
        ({"quantity": "single", "unit": "m"}, (4.0, None, "m")),
        ({"path": "results.terms.1.size", "error": "results.rank", "unit": "s"}, (5.0, 7.0, "s")),
        ({"path": "results.terms.-1.size"}, (5.0, None, "")),
        ({"path": ["results", "terms", "a.b", "size"]}, (3.0, None, "")),
    ],
)
def test_a_number_is_taken_from_a_report(keys, number):
    assert taken(REPORT, value_of(**keys)) == number


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"quantity": "energy"}, "no quantity 'energy' .it has: energies, single"),
        ({"quantity": "energies"}, "energies has no entry None .it has: 0, 1"),
        ({"quantity": "gap"}, "no finite number"),
        ({"path": "results.terms.2.size"}, "no results.terms.2"),
        ({"path": "results.terms"}, "no finite number"),
    ],
)
def test_what_is_not_there_is_told(keys, told):
    with pytest.raises(NotTaken, match=told):
        taken(REPORT, value_of(**keys))


@pytest.mark.parametrize(
    ("holds", "ours", "against", "deviation"),
    [
        ("equal", 3.0, 2.5, 0.5),
        ("at_least", 3.0, 2.5, 0.0),
        ("at_least", 2.0, 2.5, -0.5),
        ("at_most", 2.0, 2.5, 0.0),
        ("at_most", 3.0, 2.5, 0.5),
    ],
)
def test_a_bound_is_met_on_its_right_side(holds, ours, against, deviation):
    assert off(ours, against, holds) == deviation


@pytest.mark.parametrize(
    ("keys", "published", "verdict"),
    [
        ({"tolerance": 0.5}, 1.5, "reproduced"),
        ({"tolerance": 0.1 + 0.2}, 1.3, "reproduced"),
        ({"tolerance": 0.4, "why": "known"}, 1.5, "differs"),
        ({"holds": "at_most"}, 1.0, "reproduced"),
        ({}, None, "not compared"),
    ],
)
def test_ours_beside_the_published(keys, published, verdict):
    value = value_of(quantity="energies", at=0, published=published, **keys)
    found = compared(task(value), value, REPORT, "")
    assert found.verdict == verdict and found.value == 1.0
    assert found.why == ("known" if verdict == "differs" else "")


def test_a_stand_in_is_compared_with_what_its_own_data_gave():
    value = value_of(quantity="energies", at=0, published=100.0, expected=1.2, tolerance=0.3, expected_source="s")
    found = compared(task(value, stand_in="other data"), value, REPORT, "")
    assert (found.verdict, found.published, found.against, found.source) == ("stand-in", 100.0, 1.2, "s")
    worse = value.model_copy(update={"tolerance": 0.1})
    assert compared(task(worse, stand_in="other data"), worse, REPORT, "").verdict == "differs"


def test_a_small_variant_is_compared_with_its_own_number_alone():
    value = value_of(quantity="energies", at=0, published=100.0)
    found = compared(task(value, tiny=True), value, REPORT, "")
    assert (found.verdict, found.against, found.published) == ("stand-in", None, 100.0)
    value = value_of(quantity="energies", at=0, published=100.0, tiny={"at": 1, "published": 2.0})
    found = compared(task(value, tiny=True), value, REPORT, "")
    assert (found.verdict, found.value, found.deviation) == ("differs", 2.5, 0.5)
    assert compared(task(value), value, REPORT, "").value == 1.0


def test_a_small_variant_may_lack_a_number_that_it_is_not_compared_by():
    value = value_of(quantity="energies", at=7, published=100.0)
    assert compared(task(value), value, REPORT, "").verdict == "not run here"
    found = compared(task(value, tiny=True), value, REPORT, "")
    assert (found.verdict, found.why) == ("not compared", "not in the small variant")
    value = value_of(quantity="energies", at=7, published=100.0, tiny={"published": 2.0})
    assert compared(task(value, tiny=True), value, REPORT, "").verdict == "not run here"


def test_what_was_not_run_says_why():
    value = value_of(quantity="energies", at=0, published=1.0)
    found = compared(task(value), value, None, "left out")
    assert (found.verdict, found.value, found.why) == ("not run here", None, "left out")


def test_the_verdict_of_an_item():
    def of(*verdicts):
        value = value_of(quantity="energies", at=0, published=1.0)
        one = compared(task(value), value, REPORT, "")
        return [one.__class__(**(vars(one) | {"verdict": verdict})) for verdict in verdicts]

    assert overall(of("reproduced", "differs"), False, True) == "differs"
    assert overall(of("reproduced", "not compared"), False, True) == "reproduced"
    assert overall(of("stand-in", "not compared"), True, True) == "stand-in"
    assert overall(of("reproduced", "not run here"), False, True) == "not run here"
    assert (overall([], False, True), overall([], True, True), overall([], False, False)) == (
        "not compared",
        "stand-in",
        "not run here",
    )


def test_a_whole_number_is_written_as_one():
    value = value_of(quantity="single", published=4)
    assert str(shown(compared(task(value), value, REPORT, ""))) == "4"
    assert math.isclose(compared(task(value), value, REPORT, "").published, 4.0)
