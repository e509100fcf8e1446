"""Numbers and lists as texts: with as many digits as their error leaves, cut short where they are long."""

from __future__ import annotations

import math
from collections.abc import Sequence

SMALLEST = 1e-12  # the smallest error that digits are counted for
EXACT = 12  # significant digits of a number without an error
MOST = 15  # significant digits that a double has


def decimals(error: float, spare: int = 1, least: int = 0, most: int = EXACT) -> int:
    """Digits after the point that show an absolute error, with ``spare`` more, from ``least`` to ``most``."""
    if not math.isfinite(error):
        return least
    return min(max(math.ceil(-math.log10(max(abs(error), SMALLEST))) + spare, least), most)


def significant(value: float, error: float) -> str:
    """A value with the digits that its absolute error leaves, and one more."""
    if value == 0.0 or not error > 0.0:
        return f"{value:.{EXACT}g}"
    count = math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 2
    return f"{value:.{min(max(count, 2), MOST)}g}"


def cut_short(words: Sequence[object], most: int) -> str:
    """The first ``most`` entries, with dots where there are more."""
    return ", ".join(map(str, words[:most])) + (", ..." if len(words) > most else "")
