"""What an object says of itself: a few lines of text, and the same as a table in a notebook.

A class that is a ``Card`` has ``worded``, its facts; how long they may be, and what is shown of long lists, stands here
alone.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from solvers.measured import Measured, in_ascii

LINES = 10  # of a text, the name of the class included
CHARACTERS = 94  # of a line: ten of them stay below a thousand
ENDS = 3  # entries of a long list shown at either end
FIRST = 3  # values shown
DIGITS = 8  # of a value without an error
Fact: TypeAlias = tuple[str, str]  # (what, value)


class Card:
    """Base of what says itself in a few lines; a dataclass too, which then has no long text of its own."""

    def __init_subclass__(cls, **given: object) -> None:
        super().__init_subclass__(**given)
        if "__repr__" not in vars(cls):  # a dataclass adds its own to a class that has none
            cls.__repr__ = Card.__repr__  # type: ignore[method-assign]

    def worded(self) -> list[Fact]:
        """(what, value), the most important first."""
        raise NotImplementedError

    def __repr__(self) -> str:
        try:
            facts = _chosen(self.worded())
        except Exception:  # a debugger shows what is half made too
            return object.__repr__(self)
        width = max((len(what) for what, _ in facts), default=0)
        lines = [_cut(f"  {what:{width}}  {in_ascii(value)}") for what, value in facts]
        return "\n".join([type(self).__name__, *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th style="text-align:left">{html.escape(what)}</th>'
            f'<td style="text-align:left">{html.escape(_cut(value))}</td></tr>'
            for what, value in _chosen(self.worded())
        )
        return f"<table><caption>{html.escape(type(self).__name__)}</caption><tbody>{rows}</tbody></table>"


def number(value: complex, error: float | None = None) -> str:
    """A value with its error, where there is one."""
    return Measured(_plain(value), error=None if error is None else float(error), digits=DIGITS).text


def size(value: float) -> str:
    """An error, a residual, an accuracy: two digits."""
    value = float(value)
    return "not known" if math.isnan(value) else Measured(value, bound=True).text


def values(numbers: Sequence[complex] | np.ndarray, errors: Sequence[float] | np.ndarray | None = None) -> str:
    """The first of these numbers, with their errors."""
    shown = [number(value, None if errors is None else errors[i]) for i, value in enumerate(numbers[:FIRST])]
    more = f", ... ({len(numbers)} in all)" if len(numbers) > FIRST else ""
    return ", ".join(shown) + more


def ends(entries: Sequence[object]) -> str:
    """A list; of a long one both ends and how many there are."""
    if len(entries) <= 2 * ENDS + 2:
        return ", ".join(map(str, entries))
    middle = f"... ({len(entries)} in all) ..."
    return ", ".join([*map(str, entries[:ENDS]), middle, *map(str, entries[-ENDS:])])


def dimensions(shape: Sequence[int]) -> str:
    """A shape as 4 x 5 x 6, or 2^40 where all are alike."""
    if len(shape) > ENDS and len(set(shape)) == 1:
        return f"{shape[0]}^{len(shape)}"
    return ends(shape).replace(", ", " x ") if len(shape) <= 2 * ENDS + 2 else ends(shape)


def ranks(given: Sequence[int]) -> str:
    """Ranks, with the largest where not all are shown."""
    more = f", at most {max(given)}" if len(given) > 2 * ENDS + 2 else ""
    return ends(given) + more


def _chosen(facts: Sequence[Fact]) -> list[Fact]:
    """The first that there are lines for, without those that say nothing."""
    told = [(" ".join(what.split()), " ".join(value.split())) for what, value in facts]
    return [(what, value) for what, value in told if value][: LINES - 1]


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[: CHARACTERS - 4].rsplit(" ", 1)[0] + " ..."


def _plain(value: complex) -> complex:
    """A number of Python, whole ones as integers."""
    given = value.item() if isinstance(value, np.generic) else value
    return int(given) if isinstance(given, bool | int) else given
