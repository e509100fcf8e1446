"""Force fields in a CSV file: ``#`` comments, the header, then a constant a row, modes counted from 1."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path

from problems.quantum.hamiltonians.force_field.field import ForceField, of_derivatives
from problems.quantum.readers.reader import Unreadable, lines

HEADER = ["order", "modes", "coefficient_cm-1"]
MAX_ORDER = 6
_INTEGER = re.compile(r"[0-9]{1,4}")
_MODES = re.compile(r"[0-9]{1,4}(-[0-9]{1,4})*")


def reads(path: Path) -> bool:
    """Whether the name of a file ends in .csv."""
    return path.suffix.lower() == ".csv"


def read(path: Path) -> ForceField:
    """As ``read_csv``, called after the file."""
    return read_csv(path)


def read_csv(path: Path, name: str | None = None) -> ForceField:
    """Read a force field from a CSV file: ``#`` comments, then ``order,modes,coefficient_cm-1``.

    Order 2 rows hold the harmonic frequencies (equal modes, as in ``2,3-3,1413``), rows of order 3 to 6
    full derivatives phi in cm-1 (``4,1-1-3-3,12.5``), each multiset of modes once. Modes are those with a
    frequency row, numbered from 1 without a gap.

    Raises ProblemError, its text starting with ``file:line:``, for anything else.
    """
    frequencies: dict[int, float] = {}
    seen: dict[tuple[int, ...], tuple[int, float]] = {}
    for line, row in _rows(path):
        try:
            modes, value = _parse(row)
        except ValueError as error:
            raise Unreadable(path, str(error), line) from None
        if modes in seen:
            first, before = seen[modes]
            kind = "is listed twice" if value == before else f"contradicts {before:g} given before"
            raise Unreadable(path, f"{'-'.join(map(str, modes))} {kind} (line {first})", line)
        seen[modes] = (line, value)
        if len(modes) == 2:
            frequencies[modes[0]] = value
    if not frequencies:
        raise Unreadable(path, "no harmonic frequencies (rows of order 2, as in 2,1-1,3065)")
    d = max(frequencies)
    if missing := sorted(set(range(1, d + 1)) - set(frequencies)):
        raise Unreadable(
            path,
            f"no frequency row for mode {missing[0]} (modes are numbered from 1 without a gap;"
            f" the highest with a frequency is {d})",
        )
    for modes, (line, _) in seen.items():
        if modes[-1] > d:
            raise Unreadable(path, f"mode {modes[-1]} is out of range: frequency rows give modes 1 to {d}", line)
    derivatives = {modes: phi for modes, (_, phi) in seen.items() if len(modes) > 2}
    return of_derivatives(name or path.stem, [frequencies[mode] for mode in range(1, d + 1)], derivatives, path)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Data rows with their line numbers, the header checked."""
    header = False
    for line, content in lines(path):
        if not content.strip() or content.lstrip().startswith("#"):
            continue
        row = [cell.strip() for cell in next(csv.reader([content]))]
        if not header:
            if row != HEADER:
                raise Unreadable(path, f"the header must read {','.join(HEADER)}", line)
            header = True
            continue
        yield line, row
    if not header:
        raise Unreadable(path, f"empty: expected the header {','.join(HEADER)} and rows below it")


def _parse(row: list[str]) -> tuple[tuple[int, ...], float]:
    """Sorted modes and coefficient of one row. Raises ValueError, with the fault."""
    if len(row) != 3:
        raise ValueError(f"expected three columns ({','.join(HEADER)}), found {len(row)}")
    order_text, modes_text, value_text = row
    if not _INTEGER.fullmatch(order_text) or not 1 <= int(order_text) <= MAX_ORDER:
        raise ValueError(f"order must be a number from 2 to {MAX_ORDER}, found {order_text!r}")
    order = int(order_text)
    if order == 1:
        raise ValueError("order 1 is refused: expand the field where no force remains")
    if not _MODES.fullmatch(modes_text):
        raise ValueError(f"modes must read like 1-1-3, found {modes_text!r}")
    modes = tuple(sorted(int(mode) for mode in modes_text.split("-")))
    if len(modes) != order:
        raise ValueError(f"order {order} needs {order} modes, found {len(modes)} in {modes_text}")
    if modes[0] < 1:
        raise ValueError("mode 0 is out of range: modes are numbered from 1")
    if order == 2 and modes[0] != modes[1]:
        raise ValueError("order 2 with different modes is refused: use normal modes")
    try:
        value = float(value_text.replace("_", "?"))  # float() would read 1_000
    except ValueError:
        raise ValueError(f"coefficient must be a number, found {value_text!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"coefficient must be finite, found {value_text}")
    if order == 2 and value <= 0:
        raise ValueError(f"the frequency of mode {modes[0]} must be positive, found {value_text}")
    return modes, value
