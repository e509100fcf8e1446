"""Lists and ranges in words."""

from problems.words import cut_short, ranks_within, span


def test_long_lists_are_cut():
    assert cut_short([1, 2, 3], 3) == "1, 2, 3"
    assert cut_short(["a", "b", "c"], 2) == "a, b, ..."


def test_a_range_of_one_number_is_that_number():
    assert span(0.1, 0.1 * (1 + 1e-9)) == "0.1" and span(0.1, 0.25) == "0.1 to 0.25"


def test_the_ends_of_ranks_are_left_out_and_a_long_middle_of_equals():
    assert ranks_within([1, 4, 7, 4, 1]) == "4, 7, 4"
    assert ranks_within([1, 2, 4, *[8] * 12, 4, 2, 1]) == "2, 4, 8, ..., 8, 4, 2"
