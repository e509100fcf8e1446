"""Formatted checkpoint files of Gaussian: records of a name, a type and one value or an array of values.

    Number of atoms                            I                3
    Dipole Moment                              R   N=           3
     -2.57911105E-17  0.00000000E+00 -7.39438681E-01

A name takes 40 columns and its type, I, R, C, H or L, stands in column 44 (Gaussian's documentation of formchk). Two
lines of title and method come before the records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from problems.quantum.readers.reader import KEY, text_lines
from problems.tables import FileFaults

RECORD = re.compile(r"(?P<name>\S.{39}) {3}(?P<type>[IRCHL])(?: {3}N=\s*(?P<count>\d+)|\s+(?P<value>\S+))\s*$")
HEADING = 2  # lines before the records
BARE_EXPONENT = re.compile(r"(\d)([+-]\d{3})$")  # as Fortran writes 1.0-100
FORTRAN = str.maketrans("dD", "ee")


@dataclass(frozen=True)
class Record:
    """One record: where its name stands, from 1, its type, how many values it announces (None: one, in its line)."""

    line: int
    type: str
    count: int | None
    value: str


class CheckpointFile:
    """The records of a file, numbers read when asked for. Raises ProblemError where the file cannot be read."""

    def __init__(self, path: Path) -> None:
        self.lines = text_lines(path)
        self.faults = FileFaults(path.name, KEY)
        self.title = self.lines[0].strip() if self.lines else ""
        self.records: dict[str, Record] = {}
        for number, line in enumerate(self.lines[HEADING:], start=HEADING + 1):
            if found := RECORD.match(line):
                count = None if found["count"] is None else int(found["count"])
                self.records[found["name"].strip()] = Record(number, found["type"], count, found["value"] or "")

    def __contains__(self, name: str) -> bool:
        return name in self.records

    def integer(self, name: str) -> int:
        """The one integer of a record; a fault, and 0, where there is none."""
        record = self.records.get(name)
        if record is None:
            self.faults.add(f"no record {name!r}: not a whole formatted checkpoint file", len(self.lines))
            return 0
        if not re.fullmatch(r"[0-9]{1,9}", record.value):
            self.faults.add(f"{name} must be a whole number, found {record.value!r}", record.line, 50)
            return 0
        return int(record.value)

    def numbers(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The numbers of a record as an array; faults, and NaN, where they are missing or of another count."""
        size = int(np.prod(shape))
        record = self.records.get(name)
        if record is None:
            self.faults.add(f"no record {name!r}", len(self.lines))
            return np.full(shape, np.nan)
        if record.count != size:
            self.faults.add(f"{name} must have {size} numbers for this molecule, announces {record.count}", record.line)
            return np.full(shape, np.nan)
        found: list[float] = []
        line = record.line  # the line after that of the name, counted from 0
        while len(found) < size and line < len(self.lines) and not RECORD.match(self.lines[line]):
            for column, cell in enumerate(self.lines[line].split(), start=1):
                plain = BARE_EXPONENT.sub(r"\1e\2", cell.translate(FORTRAN))
                value = self.faults.number(plain, name, line + 1, column)
                found.append(np.nan if value is None else value)
            line += 1
        if len(found) != size:
            self.faults.add(
                f"{name} announces {size} numbers (line {record.line}), found {len(found)}: cut short?", line
            )
            return np.full(shape, np.nan)
        return np.array(found).reshape(shape)


def is_checkpoint(path: Path) -> bool:
    """Whether the line after title and method is a record; raises nothing."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = [file.readline() for _ in range(HEADING + 1)]
    except OSError:
        return False
    return RECORD.match(head[-1]) is not None


def symmetric(packed: np.ndarray) -> np.ndarray:
    """Symmetric matrices of packed lower triangles: (..., n (n + 1) / 2) -> (..., n, n)."""
    n = int((np.sqrt(8 * packed.shape[-1] + 1) - 1) / 2 + 0.5)
    whole = np.zeros((*packed.shape[:-1], n, n))
    rows, columns = np.tril_indices(n)
    whole[..., rows, columns] = packed
    whole[..., columns, rows] = packed
    return whole
