"""Widths of figures for a paper, as a file or the command line gives them; imports nothing that takes time."""

from __future__ import annotations

import re
from typing import Literal, get_args

Format = Literal["pdf", "svg", "png"]
FORMATS: tuple[Format, ...] = get_args(Format)
INCHES = {"in": 1.0, "inch": 1.0, "inches": 1.0, "mm": 1.0 / 25.4, "cm": 1.0 / 2.54, "pt": 1.0 / 72.0}
NARROWEST, WIDEST = 3.0, 12.0  # inches; labels of 7 points need the first, and no sheet is wider than the second


def inches(width: object) -> float:
    """A width such as ``3.4 in``, ``86 mm``, ``8.6 cm`` or ``245 pt`` in inches; a bare number is in inches.

    Raises ValueError for anything else, and for a width that no figure can have.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*", str(width))
    if type(width) not in (int, float, str) or found is None or (found[2] or "in") not in INCHES:
        raise ValueError(f"must be a length such as 3.4 in or 86 mm, found {width!r}")
    length = float(found[1]) * INCHES[found[2] or "in"]
    if not NARROWEST <= length <= WIDEST:
        raise ValueError(f"must be from {NARROWEST:g} to {WIDEST:g} in (76 to 305 mm), found {width!r}")
    return length
