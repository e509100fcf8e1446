"""What objects say of themselves: short, whole words, and the same in a notebook."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers.cards import CHARACTERS, LINES, Card, dimensions, ends, number, ranks, values
from solvers.formats.trains.construct import random_train
from solvers.solution import Checked, Solution, Status


@dataclass(frozen=True)
class Said(Card):
    told: tuple

    def worded(self):
        return list(self.told)


TEXT = st.text(min_size=0, max_size=300)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), TEXT), max_size=30))
def test_no_text_is_longer_than_ten_lines_and_a_thousand_characters(told):
    text = repr(Said(tuple(told)))
    lines = text.split("\n")
    assert len(lines) <= LINES and len(text) < 1000 and max(map(len, lines)) <= CHARACTERS
    assert lines[0] == "Said"


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=300))
def test_lists_are_cut_by_whole_entries(entries):
    shown = ends(entries)
    assert len(shown) < 100 and shown.startswith(str(entries[0])) and shown.endswith(str(entries[-1]))
    assert str(max(entries)) in ranks(entries)


def test_a_notebook_is_told_the_same_and_no_markup_gets_in():
    page = Said((("<b>", "1 < 2"), ("empty", " ")))._repr_html_()
    assert "&lt;b&gt;" in page and "1 &lt; 2" in page and "empty" not in page and page.startswith("<table>")


def test_a_half_made_object_is_shown_too():
    assert repr(object.__new__(Said)).startswith("<")


def test_numbers():
    assert number(0.46041, 0.00082) == "0.46041(82)" and number(np.int64(7)) == "7"
    assert values(np.array([1.0, 2.0, 3.0, 4.0]), np.full(4, 0.1)) == "1.00(10), 2.00(10), 3.00(10), ... (4 in all)"
    assert dimensions((2,) * 40) == "2^40" and dimensions((4, 5)) == "4 x 5"


@pytest.mark.parametrize("passed", [True, False])
def test_a_solution_says_status_asked_reached_ranks_and_seconds(passed):
    train = random_train((4,) * 30, 3, rng=np.random.default_rng(0))
    looks = (Checked("the residual", "again", "1", passed),)
    found = Solution(
        train, Status.CONVERGED, 1, np.array([2e-9]), (), {"sweeps": 3}, {"solve_s": 1.25}, {}, looks, 1e-6
    )
    text = repr(found)
    for said in (Status.CONVERGED.value, "1e-06", "2.0e-9", "4^30", "at most 3", "solve 1.2 s", "3 sweeps"):
        assert said in text
    assert ("contradicted: the residual" in text) is not passed
