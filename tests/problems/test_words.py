"""Numbers with as many digits as their error leaves, lists cut short."""

import pytest

from problems.words import cut_short, decimals, number, ranks_within, significant, span


@pytest.mark.parametrize("error, found", [(1e-4, 5), (2e-4, 5), (9e-5, 6), (-1e-4, 5), (3.0, 1), (0.0, 12), (40.0, 0)])
def test_decimals_show_the_error_and_one_digit_more(error, found):
    assert decimals(error) == found


def test_decimals_stay_between_their_ends():
    assert decimals(10.0, least=4) == 4 and decimals(1e-11, most=10) == 10
    assert decimals(1e-4, spare=2) == 6
    assert decimals(float("inf"), least=4) == decimals(float("nan"), least=4) == 4


def test_digits_that_an_error_leaves():
    assert significant(1.23456789, 1e-3) == "1.2346"
    assert significant(123.456789, 1e-3) == "123.4568"
    assert significant(1e-3, 1.0) == "0.001"
    assert significant(1.0 / 3.0, 0.0) == significant(1.0 / 3.0, float("nan")) == "0.333333333333"
    assert significant(0.0, 1e-3) == "0"


def test_long_lists_are_cut():
    assert cut_short([1, 2, 3], 3) == "1, 2, 3"
    assert cut_short(["a", "b", "c"], 2) == "a, b, ..."


def test_what_is_not_known_is_empty():
    assert number(float("nan"), 3) == "" and number(1.0 / 3.0, 3) == "0.333"


def test_a_range_of_one_number_is_that_number():
    assert span(0.1, 0.1 * (1 + 1e-9)) == "0.1" and span(0.1, 0.25) == "0.1 to 0.25"


def test_the_ends_of_ranks_are_left_out_and_a_long_middle_of_equals():
    assert ranks_within([1, 4, 7, 4, 1]) == "4, 7, 4"
    assert ranks_within([1, 2, 4, *[8] * 12, 4, 2, 1]) == "2, 4, 8, ..., 8, 4, 2"
