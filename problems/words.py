"""Lists and ranges as texts, cut short where they are long; numbers with errors are in ``solvers.measured``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from solvers.measured import numeral

SHOWN = 12  # ranks of a train, above which those alike in the middle are left out
ENDS = 3  # of them at either end


def cut_short(words: Sequence[object], most: int) -> str:
    """The first ``most`` entries, with dots where there are more."""
    return ", ".join(map(str, words[:most])) + (", ..." if len(words) > most else "")


def span(low: float, high: float) -> str:
    """A range of numbers, or the one that it is."""
    first, last = (numeral(value, digits=3) for value in (low, high))
    return first if math.isclose(low, high, rel_tol=1e-6) else f"{first} to {last}"


def capital(text: str) -> str:
    """A text as it begins a sentence."""
    return text[:1].upper() + text[1:]


def ranks_within(ranks: Sequence[int]) -> str:
    """TT-ranks without the ends, which are one; the middle of a long train is left out where all there are alike."""
    inner = list(ranks)[1:-1]
    if len(inner) > SHOWN and len(set(inner[2:-2])) == 1:
        return ", ".join(map(str, inner[:ENDS])) + ", ..., " + ", ".join(map(str, inner[-ENDS:]))
    return ", ".join(map(str, inner))
