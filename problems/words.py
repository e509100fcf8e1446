"""Numbers and lists as texts: with as many digits as their error leaves, cut short where they are long."""

from __future__ import annotations

import math
from collections.abc import Sequence

SMALLEST = 1e-12  # the smallest error that digits are counted for
EXACT = 12  # significant digits of a number without an error
MOST = 15  # significant digits that a double has
SHOWN = 12  # ranks of a train, above which those alike in the middle are left out
ENDS = 3  # of them at either end


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


def number(value: float, digits: int) -> str:
    """A number with ``digits`` after the point; empty for what is not known."""
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def span(low: float, high: float) -> str:
    """A range of numbers, or the one that it is."""
    return f"{low:.3g}" if math.isclose(low, high, rel_tol=1e-6) else f"{low:.3g} to {high:.3g}"


def ranks_within(ranks: Sequence[int]) -> str:
    """TT-ranks without the ends, which are one; the middle of a long train is left out where all there are alike."""
    inner = list(ranks)[1:-1]
    if len(inner) > SHOWN and len(set(inner[2:-2])) == 1:
        return ", ".join(map(str, inner[:ENDS])) + ", ..., " + ", ".join(map(str, inner[-ENDS:]))
    return ", ".join(map(str, inner))
