"""Tables as pages set them: aligned at the point, sorted by raw values, in parts that fit a sheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems.report_parts import Table
from solvers.measured import Measured
from ttsuite.pages.page_tables import SHEET, grouped, laid_out

WIDTHS = st.lists(st.floats(1.0, 300.0), min_size=1, max_size=40)


@given(WIDTHS)
def test_every_column_is_on_paper_and_no_part_is_wider_than_a_sheet(widths):
    groups = grouped(widths, SHEET)
    if not groups:
        assert sum(widths) <= SHEET or len(widths) < 3
        return
    assert all(group[0] == 0 and len(group) > 1 for group in groups)
    assert [k for group in groups for k in group[1:]] == list(range(1, len(widths)))
    for group in groups:
        assert sum(widths[k] for k in group) <= SHEET or len(group) == 2


def test_parts_are_about_equally_wide():
    assert [len(group) for group in grouped([10.0] + [90.0] * 6, SHEET)] == [4, 4]


def table(rows, columns=None, text=()):
    return Table(columns or [f"c{k}" for k in range(len(rows[0]))], rows, text)


def test_cells_are_sorted_by_raw_values():
    made = laid_out(table([["1", Measured(1.23e-7, 1e-9)], ["2", Measured(None)], ["3", "words"]]))
    assert [row[1].key for row in made.rows] == ["1.23e-07", "", ""]


def test_numbers_are_aligned_at_the_point_only_where_that_needs_help():
    same = laid_out(table([["1.25"], ["10.50"]]))
    assert same.columns[0].after == 0
    mixed = laid_out(table([[Measured(0.46041, 0.00082)], [Measured(12.3, 2.4)], [Measured(3)]]))
    parts = [(row[0].before, row[0].after) for row in mixed.rows]
    assert parts == [("0", ".46041(82)"), ("12", ".3(2.4)"), ("3", "")]
    assert mixed.columns[0].after == len(".46041(82)")


def test_a_table_a_little_too_wide_is_shrunk_and_a_wide_one_split():
    fits = laid_out(table([["123456"] * 8]))
    shrunk = laid_out(table([["1234567"] * 13]))
    split = laid_out(table([["1234567"] * 30]))
    assert (fits.groups, fits.shrunk) == ([], False)
    assert (shrunk.groups, shrunk.shrunk) == ([], True)
    assert len(split.groups) == 3 and not split.shrunk


@pytest.mark.parametrize(("words", "broken"), [((), True), ((0,), True)])
def test_a_long_cell_may_be_broken(words, broken):
    assert laid_out(table([["1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13"]], text=words)).columns[0].broken is broken
    assert not laid_out(table([["1.5"]])).columns[0].broken
