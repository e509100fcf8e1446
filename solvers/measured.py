"""A number with its error, as every page, table and terminal writes it: 0.46041(82), 1.2345(32) × 10⁻⁷.

The digits in parentheses are the error in units of the last digits of the value: 0.46041(82) is 0.46041 ± 0.00082; an
error that reaches over the decimal point shows it: 12.3(2.4). Two digits of the error, rounded up, never down; none is
shown below what a double rounds to. A number whose error was not estimated has no parentheses: that is not zero.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from numbers import Integral
from typing import TypeAlias

ROUNDING = 1e-15  # relative: what a computed double is at best good to, some units of its last place
NOISE = Decimal("1e-6")  # relative: an error of 2.0000001e-4 is 2.0e-4, and not 2.1e-4
DIGITS = 6  # significant digits of a number without an error
SMALL, LARGE = -4, 8  # decimal exponents between which a number needs no power of ten
LARGEST_BOUND = 2  # the same of an error on its own, of which two digits are known
WRITTEN_OUT = 1e6  # numbers of sentences below have their digits before the point
WHOLE = 15  # digits of an integer that are all written
NOT_ESTIMATED = "not estimated"
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LOWERED = str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋")
_UNRAISED = {ord(raised): ord(digit) for digit, raised in zip("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")}
_UNLOWERED = {ord(low): ord(digit) for digit, low in zip("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋")}
_ASCII = {"±": "+-", "−": "-", "×": "x", "⟨": "<", "⟩": ">", "ν": "nu", "σ": "sigma", "ω": "omega", "λ": "lambda"}
_ASCII |= {
    "∞": "inf",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "·": "*",
    "…": "...",
    "–": "-",
    "π": "pi",
    "ψ": "psi",
    "ρ": "rho",
}
_ASCII |= {"ψ": "psi", "ρ": "rho", "†": "^+", "√": "sqrt", "→": "->", "Δ": "Delta", "μ": "mu", "φ": "phi", "ä": "ae"}
_EXPONENT = re.compile(
    r"(?<![\w.=])(\d+(?:\.\d+)?)e([+-]?\d+)\b"
)  # but not of a key with its value, solver.accuracy=1e-6
_SIGNS = [("+-", "±"), (" x ", " × "), ("<psi(0)|psi(t)>", "⟨ψ(0)|ψ(t)⟩"), ("psi(t/2)^2", "ψ(t/2)²")]
_SIGNS += [("Weizsaecker", "Weizsäcker")]
_RAISED_TO = re.compile(r"(?<=\d)\^(\d+)\b")
_UNIT = re.compile(r"\bcm-1\b|\bbohr\^3\b")
_NEGATIVE = re.compile(r"(?<=[ (\[,])-(?=\d)|^-(?=\d)")


@dataclass(frozen=True)
class Measured:
    """A number of a report: the raw value, the error that it is told with, and how both are written.

    Attributes
    ----------
    value : real or complex, or an exact integer (``int``); None or NaN where it is not known.
    error : absolute, of both parts of a complex value; None or NaN where it was not estimated.
    unit : written behind the number; empty where the head of a column has it.
    digits : significant digits of a value without an error.
    places : digits behind the point of a value without an error, zeros among them, in place of ``digits``: a column of
        such values has one number of them.
    bound : whether the number is itself an error or a deviation: two digits, of a positive one rounded up.
    """

    value: complex | None
    error: float | None = None
    unit: str = ""
    digits: int = DIGITS
    bound: bool = False
    places: int | None = None

    @property
    def text(self) -> str:
        """As pages and terminals write it; empty where the value is not known."""
        number = _number(self)
        return f"{number} {unit_text(self.unit)}" if number and self.unit else number

    @property
    def plain(self) -> str:
        """The same in ASCII: 1.2345(32)e-7."""
        return in_ascii(self.text)

    @property
    def key(self) -> float:
        """What rows are sorted by: the raw value, the real part of a complex one; NaN where it is not known."""
        return math.nan if self.value is None else float(self.value.real)

    @property
    def around_point(self) -> tuple[str, str]:
        """The text before and from its decimal point, which columns are aligned at."""
        return at_point(self.text)

    def __str__(self) -> str:
        return self.text


Cell: TypeAlias = str | Measured


def bound(error: float | None, unit: str = "") -> Measured | str:
    """An error on its own, two digits rounded up; in words where it was not estimated."""
    return NOT_ESTIMATED if error is None or math.isnan(error) else Measured(error, unit=unit, bound=True)


def amount(error: float | None, unit: str = "") -> str:
    """An error on its own in a sentence, which terminals show as it is and pages typeset: 1.3e-7 cm-1."""
    told = bound(error)
    return told if isinstance(told, str) else f"{told.plain} {unit}".rstrip()


def numeral(value: complex | None, error: float | None = None, unit: str = "", digits: int = 4) -> str:
    """A number, with its error where one is known, in a sentence of that kind: 0.46041(82) hartree."""
    if value is not None and error is None and 1.0 <= abs(value) < WRITTEN_OUT:
        digits = max(digits, len(str(int(abs(value)))))
    number = Measured(value, error, digits=digits).plain
    return f"{number} {unit}".rstrip() if number else "not known"


def common_places(values: Iterable[float], digits: int) -> int:
    """Digits behind the point with which all ``values`` are written, the most that one needs: of a number with fewer
    than ``digits`` before the point so many in all, without zeros at its end. Values that are not finite need none."""
    places = [0]
    for value in values:
        if math.isfinite(value) and value:
            shown = _cut(abs(Decimal(repr(float(value)))), digits, ROUND_HALF_EVEN).normalize()
            places.append(-int(shown.as_tuple().exponent))
    return max(places)


def at_point(text: str) -> tuple[str, str]:
    """A number split before its decimal point, or behind its last whole digit; a text is all before it."""
    found = re.match(r"[−+-]?\d+", text)
    return (text, "") if found is None else (found.group(), text[found.end() :])


def aligned(cells: Sequence[Cell]) -> list[str]:
    """The texts of a column, one below the other at their decimal points, all of one width."""
    parts = [("", str(cell)) if cell == "" else at_point(str(cell)) for cell in cells]
    left, right = (max((len(part[side]) for part in parts), default=0) for side in (0, 1))
    return [f"{before:>{left}}{after:<{right}}" for before, after in parts]


def raised(number: int) -> str:
    """An integer as superscript."""
    return str(number).translate(_RAISED)


def lowered(number: int | str) -> str:
    """An integer as subscript."""
    return str(number).translate(_LOWERED)


def unit_text(unit: str) -> str:
    """A unit as it is printed: cm-1 as cm⁻¹, bohr^3 as bohr³."""
    return re.sub(r"(?<=[A-Za-z])\^?(-?\d+)\b", lambda found: found.group(1).translate(_RAISED), unit)


def typographic(text: str) -> str:
    """A text of this package as it is printed: 1.2e-05 as 1.2 × 10⁻⁵, 2^10 as 2¹⁰, +- as ±, cm-1 as cm⁻¹."""
    text = _EXPONENT.sub(_with_power, text)
    text = _UNIT.sub(lambda found: unit_text(found.group()), text)
    text = _RAISED_TO.sub(lambda found: raised(int(found.group(1))), text)
    text = _NEGATIVE.sub("−", text)
    for plain, sign in _SIGNS:
        text = text.replace(plain, sign)
    return text


def _with_power(found: re.Match[str]) -> str:
    number = Decimal(found.group())
    if not number:
        return "0"
    if SMALL <= number.adjusted() <= LARGEST_BOUND:
        return f"{number:f}"
    return f"{found.group(1)} × 10{raised(int(found.group(2)))}"


def in_ascii(text: str) -> str:
    """A text of this package for terminals and files that take ASCII alone."""
    text = re.sub(r" × 10([⁻⁰¹²³⁴-⁹]+)", lambda found: "e" + found.group(1).translate(_UNRAISED), text)
    text = re.sub(r"([⁻⁰¹²³⁴-⁹]+)", lambda found: _power(found.group(1).translate(_UNRAISED)), text)
    for sign, plain in _ASCII.items():
        text = text.replace(sign, plain)
    return text.translate(_UNLOWERED)


def _power(exponent: str) -> str:
    return exponent if exponent.startswith("-") else f"^{exponent}"


def _number(told: Measured) -> str:
    value, error = told.value, told.error
    if value is None or value != value:
        return ""
    if isinstance(value, Integral):
        return _integer(int(value))
    if error is not None and (not math.isfinite(error) or error < 0.0):
        error = None
    if isinstance(value, complex):
        if error is not None:
            error = max(error, ROUNDING * abs(value))
        real, imag = (_real(float(part), error, told) for part in (value.real, abs(value.imag)))
        return f"{real} {'−' if math.copysign(1.0, value.imag) < 0 else '+'} {imag}i"
    return _real(float(value), error, told)


def _integer(value: int) -> str:
    text = str(abs(value))
    if len(text) > WHOLE:
        shown = _cut(Decimal(text), 3, ROUND_HALF_EVEN)
        return _signed(value < 0) + _written(shown, shown.adjusted() - 2, LARGE)
    return _signed(value < 0) + text


def _real(value: float, error: float | None, told: Measured) -> str:
    if math.isinf(value):
        return _signed(value < 0.0) + "∞"
    if error is None and told.places is not None and not told.bound:
        text = f"{abs(value):.{told.places}f}"
        return _signed(value < 0.0 and bool(text.strip("0."))) + text
    if value == 0.0 and not error:
        return "0"
    number = abs(Decimal(repr(value)))
    sign = _signed(value < 0.0)
    if told.bound:
        shown = _cut(number * (1 - NOISE), 2, ROUND_CEILING)
        return sign + _written(shown, shown.adjusted() - 1, LARGEST_BOUND)
    if error is None:
        shown = _cut(number, told.digits, ROUND_HALF_EVEN).normalize()
        return sign + _written(shown, int(shown.as_tuple().exponent), told.digits - 1)
    bar = _cut(Decimal(repr(float(max(error, ROUNDING * abs(value))))) * (1 - NOISE), 2, ROUND_CEILING)
    place = bar.adjusted() - 1
    shown = number.quantize(Decimal((0, (1,), place)), ROUND_HALF_EVEN)
    return (sign if shown else "") + _written(shown, place, LARGE if place <= 0 else SMALL - 1, bar)


def _cut(number: Decimal, digits: int, rounding: str) -> Decimal:
    """A positive number to so many significant digits."""
    shown = number.quantize(Decimal((0, (1,), number.adjusted() - digits + 1)), rounding)
    if shown.adjusted() > number.adjusted():  # 99.6 is 100, and not 100.0
        shown = shown.quantize(Decimal((0, (1,), shown.adjusted() - digits + 1)), rounding)
    return shown


def _written(number: Decimal, place: int, highest: int, bar: Decimal | None = None) -> str:
    """A positive number, and its error, to the digit of 10^place; above 10^highest with a power of ten."""
    lead = max(number.adjusted() if number else place, bar.adjusted() if bar is not None else place)
    if SMALL <= lead <= highest:
        return _short(number, max(-place, 0), bar)
    scaled = None if bar is None else bar.scaleb(-lead)
    return f"{_short(number.scaleb(-lead), lead - place, scaled)} × 10{raised(lead)}"


def _short(number: Decimal, decimals: int, bar: Decimal | None) -> str:
    text = f"{number:.{decimals}f}"
    if bar is None:
        return text
    if bar < 1 or not decimals:
        return f"{text}({int(bar.scaleb(decimals))})"
    return f"{text}({bar:.{decimals}f})"


def _signed(negative: bool) -> str:
    return "−" if negative else ""
