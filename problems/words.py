"""Numbers and lists as texts: as many digits as their accuracy leaves, lists cut short."""

from __future__ import annotations

import math
from collections.abc import Sequence

MOST_DIGITS = 12  # of what is known to the last digit
SHOWN = 12  # ranks of a train, above which those alike in the middle are left out
ENDS = 3  # of them at either end


def decimals(accuracy: float) -> int:
    """Digits after the point that show two more than ``accuracy`` resolves."""
    return min(MOST_DIGITS, max(0, math.ceil(-math.log10(accuracy))) + 2)


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
