"""Tables as the HTML pages set them: aligned at the decimal point, sorted by raw values, and whole on paper.

Digits are of one width, so a column whose numbers have as many characters behind the point is aligned by its right
edge; any other gets boxes of one width for what stands from the point on. A table that is wider than a sheet is printed
as groups of columns, the first column repeated in each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from problems.report_parts import Table
from solvers.measured import Cell, Measured, at_point

# points of type and paper, of the rules for print in style.css: A4 and Letter less the margins, and a digit of 7.5 pt
# in the widest face that browsers fall back to (measured: DejaVu Sans, 0.64 em)
SHEET = 500.0
DIGIT = 4.8
GAP = 8.0  # beside every column
SHRUNK = 1.18  # how much wider than a sheet a table may be that is printed in 6.3 pt rather than in parts
NUMBER = 30  # characters of the longest number that is kept in one line
WORDS = 26  # characters that a column of broken cells has room for


@dataclass(frozen=True)
class Entry:
    """A cell: its text, split at the decimal point, and the raw value it is sorted by; empty: by its text."""

    before: str
    after: str
    key: str

    @property
    def text(self) -> str:
        return self.before + self.after


@dataclass(frozen=True)
class Column:
    """A column: its head, whether it holds words, the characters from the point on (0: aligned without), and whether
    its cells may be broken into lines on paper."""

    title: str
    words: bool
    after: int
    broken: bool


@dataclass(frozen=True)
class LaidOut:
    """A table ready for a template; ``groups``: the columns of each part on paper, none for one that fits a sheet, in
    smaller type where it is ``shrunk``."""

    columns: list[Column]
    rows: list[list[Entry]]
    groups: list[list[int]]
    shrunk: bool


def laid_out(table: Table) -> LaidOut:
    """The layout of a table. Cost: a millisecond a thousand cells."""
    rows = [[_entry(cell) for cell in row] for row in table.rows]
    columns: list[Column] = []
    widths: list[float] = []
    for k, title in enumerate(table.columns):
        words = k in table.text_columns
        cells = [row[k] for row in rows]
        longest = max((len(entry.text) for entry in cells), default=0)
        columns.append(Column(title, words, 0 if words else _behind_point(cells), words or longest > NUMBER))
        widths.append(_width(columns[-1], longest))
    shrunk = SHEET < sum(widths) <= SHRUNK * SHEET
    return LaidOut(columns, rows, [] if shrunk else grouped(widths, SHEET), shrunk)


def grouped(widths: Sequence[float], sheet: float) -> list[list[int]]:
    """Columns of these widths in as few groups as fit a sheet, the first in each; empty where all fit together.

    Groups are about equally wide. A column that fits beside the first nowhere stands alone with it.
    """
    if sum(widths) <= sheet or len(widths) < 3:
        return []
    groups = _filled(widths, sheet)
    low, high = 0.0, sheet
    while high - low > 1.0:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if len(_filled(widths, middle)) == len(groups) else (middle, high)
    return _filled(widths, high)


def _filled(widths: Sequence[float], sheet: float) -> list[list[int]]:
    """Columns in their order, each in the group before it where it fits there."""
    groups: list[list[int]] = [[0]]
    left = sheet - widths[0]
    for k in range(1, len(widths)):
        if widths[k] > left and len(groups[-1]) > 1:
            groups.append([0])
            left = sheet - widths[0]
        groups[-1].append(k)
        left -= widths[k]
    return groups


def _entry(cell: Cell) -> Entry:
    text = str(cell)
    key = repr(cell.key) if isinstance(cell, Measured) and math.isfinite(cell.key) else ""
    return Entry(*(at_point(text) if text else ("", "")), key)


def _behind_point(entries: Sequence[Entry]) -> int:
    """The most characters from the point on, where they differ from row to row in more than their digits."""
    shapes = {re.sub(r"\d", "0", entry.after) for entry in entries if entry.text}
    return max(map(len, shapes)) if len(shapes) > 1 else 0


def _width(column: Column, longest: int) -> float:
    """Points that a column takes on paper."""
    head = max(map(len, re.split(r"[\s/-]", column.title)), default=0)
    return GAP + DIGIT * max(head, min(longest, WORDS) if column.broken else longest)
