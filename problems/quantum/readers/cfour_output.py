"""What the output of an anharmonic run of CFOUR says: frequencies, axes, symmetry, transitions.

The table of harmonic and fundamental frequencies counts the modes from 7, or from 6 for a linear molecule; the
rotational constants of the axes x, y, z stand in the row ``Be``, in cm-1 before MHz; irreducible representations in the
last table of vibrational frequencies that has one a mode.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from problems.quantum.hamiltonians.force_field.molecule import Printed
from problems.quantum.readers.reader import KEY, text_lines
from problems.tables import FileFaults, number_of

BE = "Be, B0 AND B-B0 SHIFTS"
LEVELS = "All levels with up to"
GROUP = re.compile(r"\s*The full molecular point group is\s+(\w+)")
VIBRATION = re.compile(r"\s+(\S+)\s+([\d.]+)\s+\S+\s+VIBRATION\s*$")
IN_ZMAT = "Input from ZMAT file"
MOST_MODES = 5  # of a level in the list
ROUNDED = 1e-4  # cm-1: the list of levels prints six digits of the frequencies that the table rounds to four


@dataclass(frozen=True)
class Output:
    """``first``: the number of the first mode; ``constants``: rotational, of the axes x, y, z in cm-1."""

    title: str
    first: int
    frequencies: list[float]
    constants: list[float] | None
    irreps: tuple[str, ...]
    point_group: str
    printed: tuple[Printed, ...]

    def fundamentals(self) -> list[Printed]:
        """The printed transitions of one quantum, in the order of the modes."""
        return [row for row in self.printed if sum(row.quanta) == 1]


def read_output(path: Path, heading: str) -> Output:
    """The facts of an output; ``heading``: of its table of frequencies.

    Raises ProblemError for an output without that table.
    """
    faults = FileFaults(path.name, KEY)
    lines = text_lines(path)
    start = next((k for k in range(len(lines) - 1, -1, -1) if heading in lines[k]), None)
    if start is None:
        faults.add(f"no table {heading}: was the run anharmonic, and did it end?", len(lines))
        faults.raise_any()
    assert start is not None
    rows = _table(lines, start)
    if not rows:
        faults.add(f"no rows in the table {heading}: is the file cut short?", start + 1)
    first = int(rows[0][1][0]) if rows else 0
    for place, (line, cells) in enumerate(rows):
        value = number_of(cells[1])
        if int(cells[0]) != first + place or value is None or value <= 0.0:
            faults.add(f"expected mode {first + place} and a positive frequency, found {' '.join(cells[:2])}", line)
    faults.raise_any()
    frequencies = [float(cells[1]) for _, cells in rows]
    d = len(frequencies)
    fundamentals = [_fundamental(k, d, cells) for k, (_, cells) in enumerate(rows)]
    seen = {row.quanta: k for k, row in enumerate(fundamentals)}
    levels = _levels(lines, first, d)
    for row in levels:
        k = seen.get(row.quanta)
        if k is not None and row.harmonic is not None and abs(row.harmonic - frequencies[k]) < ROUNDED:
            frequencies[k] = row.harmonic
    more = [row for row in levels if row.quanta not in seen]
    group = next((found[1] for found in map(GROUP.match, lines) if found), "")
    return Output(
        _title(lines), first, frequencies, _constants(lines), _irreps(lines, d), group, (*fundamentals, *more)
    )


def _table(lines: Sequence[str], start: int) -> list[tuple[int, list[str]]]:
    """The rows of numbers below a heading."""
    rows: list[tuple[int, list[str]]] = []
    for line, text in enumerate(lines[start + 1 :], start=start + 2):
        cells = text.split()
        if len(cells) >= 2 and cells[0].isdecimal():
            rows.append((line, cells))
        elif rows:
            break
        elif line > start + 12:
            break
    return rows


def _fundamental(mode: int, d: int, cells: Sequence[str]) -> Printed:
    """Mode, harmonic and fundamental frequency, contribution, harmonic and fundamental intensity, contribution."""
    values = [number_of(cell) for cell in cells[1:]] + [None] * 5
    quanta = tuple(int(k == mode) for k in range(d))
    return Printed(quanta, values[0], values[1], (values[3], values[4]))


def _levels(lines: Sequence[str], first: int, d: int) -> list[Printed]:
    """The list of levels: modes, their quanta, anharmonic frequency and intensity, harmonic frequency."""
    start = next((k for k, text in enumerate(lines) if LEVELS in text), None)
    found: list[Printed] = []
    for text in lines[start + 1 :] if start is not None else []:
        cells = text.split()
        if len(cells) == 2 * MOST_MODES + 3 and all(cell.isdecimal() for cell in cells[: 2 * MOST_MODES]):
            quanta = [0] * d
            for mode, n in zip(cells[:MOST_MODES], cells[MOST_MODES : 2 * MOST_MODES]):
                if first <= int(mode) < first + d:
                    quanta[int(mode) - first] += int(n)
            anharmonic, strength, harmonic = (number_of(cell) for cell in cells[-3:])
            found.append(Printed(tuple(quanta), harmonic, anharmonic, (None, strength)))
        elif found:
            break
    return found


def _constants(lines: Sequence[str]) -> list[float] | None:
    """Rotational constants of x, y, z in cm-1."""
    start = next((k for k, text in enumerate(lines) if BE in text and "CM-1" in text.upper()), None)
    for text in lines[start : start + 12] if start is not None else []:
        cells = text.split()
        values = [number_of(cell) for cell in cells[1:]]
        if cells[:1] == ["Be"] and len(values) == 3 and all(value is not None for value in values):
            return [float(value) for value in values if value is not None]
    return None


def _irreps(lines: Sequence[str], d: int) -> tuple[str, ...]:
    """Of the modes, as the last whole table of vibrations names them."""
    tables: list[list[str]] = [[]]
    for text in lines:
        row = VIBRATION.match(text)
        if row:
            tables[-1].append(row[1])
        elif tables[-1]:
            tables.append([])
    whole = [table for table in tables if len(table) == d and not any(set(name) == {"-"} for name in table)]
    return tuple(whole[-1]) if whole else ()


def _title(lines: Sequence[str]) -> str:
    at = next((k for k, text in enumerate(lines) if IN_ZMAT in text), None)
    return lines[at + 2].strip()[:60] if at is not None and at + 2 < len(lines) else ""
