"""How numbers with errors are written: the printed value within the printed digits, the error never rounded down."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers.measured import (
    ROUNDING,
    Measured,
    aligned,
    amount,
    at_point,
    bound,
    common_places,
    in_ascii,
    numeral,
    typographic,
    unit_text,
)

POWER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
SIGNIFICAND = st.floats(min_value=1.0, max_value=10.0, exclude_max=True)
EXPONENTS = st.integers(-250, 250)


def read(text):
    """(value, error, last digit) of a text as it is printed, by the rule that parentheses count last digits."""
    found = re.fullmatch(r"(−?)(\d+)(?:\.(\d+))?\(([\d.]+)\)(?: × 10([⁻⁰¹²³⁴-⁹]+))?", text)
    assert found, text
    sign, whole, part, bar, power = found.groups()
    scale = int((power or "0").translate(POWER))
    last = float(f"1e{scale - len(part or '')}")
    error = float(f"{bar}e{scale}") if "." in bar else int(bar) * last
    digits = bar.replace(".", "").lstrip("0")
    assert len(digits) == 2, text
    return float(f"{'-' if sign else ''}{whole}.{part or 0}e{scale}"), error, last


@given(SIGNIFICAND, EXPONENTS, SIGNIFICAND, st.integers(-20, 5), st.booleans())
def test_value_lies_within_the_digits_and_error_is_never_rounded_down(a, place, b, below, negative):
    value = float(f"{a!r}e{place}") * (-1.0 if negative else 1.0)
    error = float(f"{b!r}e{place + below}")
    shown, bar, last = read(Measured(value, error).text)
    floor = max(error, ROUNDING * abs(value))
    assert abs(shown - value) <= 0.5 * last * (1.0 + 1e-9) + 4.0 * math.ulp(value)
    assert floor * (1.0 - 1.1e-6) <= bar <= 1.1 * floor * (1.0 + 1e-9)


@given(SIGNIFICAND, EXPONENTS)
def test_number_without_an_error_has_no_bars_and_its_digits(a, place):
    value = float(f"{a!r}e{place}")
    for missing in (None, math.nan):
        text = Measured(value, missing, digits=8).text
        assert "(" not in text
        assert float(in_ascii(text)) == pytest.approx(value, rel=5.1e-8)
        assert text == Measured(np.float64(value), digits=8).text


@given(SIGNIFICAND, EXPONENTS)
def test_error_on_its_own_is_rounded_up(a, place):
    error = float(f"{a!r}e{place}")
    assert error * (1.0 - 1.1e-6) <= float(in_ascii(str(bound(error)))) <= 1.1 * error * (1.0 + 1e-9)


@pytest.mark.parametrize(
    ("value", "error", "text", "plain"),
    [
        (0.460413, 0.00082, "0.46041(82)", "0.46041(82)"),
        (-0.460413, 0.00082, "−0.46041(82)", "-0.46041(82)"),
        (9837.407312, 0.001201, "9837.4073(13)", "9837.4073(13)"),
        (12.345, 2.345, "12.3(2.4)", "12.3(2.4)"),
        (123.0, 24.0, "123(24)", "123(24)"),
        (123456.0, 2345.0, "1.235(24) × 10⁵", "1.235(24)e5"),
        (1.2345e-7, 3.2e-10, "1.2345(32) × 10⁻⁷", "1.2345(32)e-7"),
        (-0.0003, 0.0123, "0.000(13)", "0.000(13)"),
        (9.9996, 0.0996, "10.00(10)", "10.00(10)"),
        (0.0, 0.25, "0.00(25)", "0.00(25)"),
        (np.complex128(1.0 - 2.0j), 0.01, "1.000(10) − 2.000(10)i", "1.000(10) - 2.000(10)i"),
        (0.25, 1e-30, "0.25000000000000000(25)", "0.25000000000000000(25)"),
    ],
)
def test_short_notation(value, error, text, plain):
    assert (str(Measured(value, error)), Measured(value, error).plain) == (text, plain)


def test_integers_are_integers_until_they_are_too_long():
    assert str(Measured(6144)) == str(Measured(np.int64(6144))) == "6144"
    assert str(Measured(123_456_789_012)) == "123456789012"
    assert str(Measured(4**50)) == "1.27 × 10³⁰"
    assert str(Measured(-7)) == "−7"


def test_what_is_not_known_is_never_a_zero():
    assert str(Measured(None)) == str(Measured(math.nan, 0.1)) == ""
    assert str(bound(None)) == str(bound(math.nan)) == "not estimated"
    assert math.isnan(Measured(None).key) and Measured(1.5, 0.1).key == 1.5
    assert "(" not in str(Measured(1.5, -1.0)) + str(Measured(1.5, math.inf))


def test_column_is_aligned_at_its_points():
    column = aligned([Measured(12.3, 0.1), Measured(6144), "", Measured(-3.4e-9, 1e-10)])
    assert len({len(text) for text in column}) == 1
    assert column[0].index(".") == column[3].index(".") == column[1].rindex("4") + 1
    assert at_point("−12.5(3)") == ("−12", ".5(3)") and at_point("words 1.5") == ("words 1.5", "")


def test_a_column_without_errors_has_one_number_of_decimals():
    values = [1500.10, 1746.32, 0.0, -3.456, 12.0]
    assert [str(Measured(value, places=2)) for value in values] == ["1500.10", "1746.32", "0.00", "−3.46", "12.00"]
    assert str(Measured(-0.001, places=2)) == "0.00" and str(Measured(1.5, 0.1, places=4)) == "1.50(10)"
    assert common_places([1500.1, 1746.325, math.nan], 12) == 3 and common_places([12.0, 300.0], 12) == 0
    assert common_places([1.0 / 3.0, 0.5], 4) == 4 and common_places([], 4) == 0


def test_units_and_signs_have_an_ascii_form():
    assert unit_text("cm-1") == "cm⁻¹" and unit_text("per bohr^3") == "per bohr³"
    assert unit_text("model units") == "model units" and unit_text("1/fs") == "1/fs"
    assert in_ascii("ν₉ + 2ν₁₂, 5 cm⁻¹ ± 3 × 10⁻⁷, bohr³") == "nu9 + 2nu12, 5 cm-1 +- 3e-7, bohr^3"
    assert str(Measured(1.2, 0.1, "cm-1")) == "1.20(10) cm⁻¹"


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("off by 1.2e-05, at most 3e+06", "off by 1.2 × 10⁻⁵, at most 3 × 10⁶"),
        ("0.5 +- 0.1 cm-1, from -3 to 2 (-1)", "0.5 ± 0.1 cm⁻¹, from −3 to 2 (−1)"),
        ("2^5, 2^10 points of 10^3", "2⁵, 2¹⁰ points of 10³"),
        ("larger by 0.0e+00, 4.5e-02 or 2.2e+01", "larger by 0, 0.045 or 22"),
        ("--set solver.accuracy=1e-6 of 2026-11-28, x1e5", "--set solver.accuracy=1e-6 of 2026-11-28, x1e5"),
    ],
)
def test_texts_are_printed_with_true_signs_and_come_back(written, printed):
    assert typographic(written) == printed
    assert typographic(printed) == printed


def test_sentences_have_errors_rounded_up_and_numbers_with_theirs_in_ascii():
    assert amount(4.31e-7, "cm-1") == "4.4e-7 cm-1" and amount(0.000999) == "0.0010" and amount(-2.31e-9) == "-2.4e-9"
    assert amount(None) == amount(math.nan) == "not estimated" and amount(0.0) == "0" and amount(math.inf) == "inf"
    assert numeral(0.46041, 0.00082, "hartree") == "0.46041(82) hartree"
    assert numeral(16730.4) == "16730" and numeral(2.1e7) == "2.1e7" and numeral(1e-6) == "1e-6"
    assert numeral(-0.25) == "-0.25" and numeral(math.nan) == "not known" and numeral(7) == "7"
    assert typographic(f"off by {amount(4.31e-7, 'cm-1')}") == "off by 4.4 × 10⁻⁷ cm⁻¹"
