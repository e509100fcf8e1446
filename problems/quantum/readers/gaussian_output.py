"""The anharmonic section of outputs of Gaussian 09 and 16: constants, Coriolis constants, derivatives of the inertia.

          I  J  K     FI(I,J,K)    k(I,J,K)    K(I,J,K)

          2  1  1   -1813.79670   -44.69193    -1.51905

            6 3rd derivatives larger than 0.371D-04 over      10

FI are full derivatives in cm-1 with respect to dimensionless coordinates, K the same in hartree amu^(-n/2) bohr^-n.
Modes are numbered by irreducible representation and falling frequency; each constant stands once, those below the
threshold not at all; the count below a table is checked. Everything is taken from the last anharmonic section.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.geometry import HARTREE
from problems.quantum.readers.displaced import reduction
from problems.quantum.readers.reader import KEY, text_lines
from problems.tables import FileFaults, number_of

HEADINGS = {
    2: "QUADRATIC FORCE CONSTANTS IN NORMAL MODES",
    3: "CUBIC FORCE CONSTANTS IN NORMAL MODES",
    4: "QUARTIC FORCE CONSTANTS IN NORMAL MODES",
}
NAMES = {2: "2nd", 3: "3rd", 4: "4th"}
COUNT = re.compile(
    r"\s*(?:(?P<before>\d+) \w+ derivatives larger than +(?P<least>[\d.DE+-]+) over +\d+"
    r"|Num\. of \w+ derivatives larger than +(?P<least16>[\d.DE+-]+): *(?P<after>\d+) over +\d+)"
)
ROWS = re.compile(r"\s*I +J( +K)?( +L)? +FI\(")
FORTRAN = str.maketrans("dD", "ee")
DIGITS = 1e-5  # to which K is printed
UNITS = 2e-4  # relative: what the units of Gaussian's constants of nature may do
WORST = 3  # rows of one table whose two columns disagree that are told

Modes = tuple[int, ...]


class Output:
    """The lines of an output, their faults, and where its last anharmonic section begins, from 0."""

    def __init__(self, path: Path) -> None:
        self.lines = text_lines(path)
        self.faults = FileFaults(path.name, KEY)
        self.start = self.last(re.compile(rf".*{HEADINGS[2]}"))

    def last(self, pattern: re.Pattern[str], before: int | None = None) -> int | None:
        """The last line, from 0, that begins as ``pattern``; None where there is none."""
        for k in range((len(self.lines) if before is None else before) - 1, -1, -1):
            if pattern.match(self.lines[k]):
                return k
        return None

    def first(self, pattern: re.Pattern[str], after: int) -> int | None:
        """The first line from ``after`` on that begins as ``pattern``."""
        return next((k for k in range(after, len(self.lines)) if pattern.match(self.lines[k])), None)

    def number(self, cell: str, name: str, line: int, column: int) -> float:
        """A number, with Fortran's exponents; NaN and a fault where there is none."""
        value = self.faults.number(cell.translate(FORTRAN), name, line + 1, column)
        return math.nan if value is None else value


class Constants:
    """One table of constants: sorted 0-based modes -> cm-1, their lines, and the threshold of what was left out."""

    def __init__(self, output: Output, order: int) -> None:
        self.order = order
        self.values: dict[Modes, float] = {}
        self.atomic: dict[Modes, float] = {}  # K, hartree amu^(-n/2) bohr^-n
        self.lines: dict[Modes, int] = {}
        self.threshold = 0.0
        assert output.start is not None
        faults, lines = output.faults, output.lines
        heading = output.first(re.compile(rf".*{HEADINGS[order]}"), output.start)
        begin = None if heading is None else output.first(ROWS, heading)
        if heading is None or begin is None:
            faults.add(f"no {HEADINGS[order].lower()}: the output is cut short", len(lines))
            return
        for k in range(begin + 1, len(lines)):
            if counted := COUNT.match(lines[k]):
                expected = int(counted["before"] or counted["after"])
                least = number_of((counted["least"] or counted["least16"]).translate(FORTRAN))
                self.threshold = 0.0 if least is None else least
                if expected != len(self.values) and not faults.found:
                    faults.add(f"{expected} {NAMES[order]} derivatives announced, {len(self.values)} rows found", k + 1)
                return
            if lines[k].strip():
                self._note(output, k)
                if faults.count > WORST:
                    return
        if not faults.found:
            told = f"the {HEADINGS[order].lower()} (line {heading + 1})"
            faults.add(f"{told} end without their count: cut short", len(lines))

    def _note(self, output: Output, line: int) -> None:
        """One row into the table, or what is wrong with it."""
        cells = output.lines[line].split()
        indices, rest = cells[: self.order], cells[self.order :]
        if len(rest) < 3 or not all(re.fullmatch(r"[1-9]\d{0,3}", cell) for cell in indices):
            expected = f"{self.order} modes and FI, k, K"
            output.faults.add(f"expected {expected}, found {output.lines[line].strip()[:60]!r}", line + 1)
            return
        modes = tuple(sorted(int(cell) - 1 for cell in indices))
        if modes in self.values:
            output.faults.add(f"{'-'.join(indices)} is listed twice (line {self.lines[modes] + 1})", line + 1)
            return
        self.values[modes] = output.number(rest[0], "FI", line, self.order + 1)
        self.atomic[modes] = output.number(rest[2], "K", line, self.order + 3)
        self.lines[modes] = line


def frequencies_of(quadratic: Constants, output: Output) -> np.ndarray:
    """The harmonic frequencies (d,) in cm-1, negative if imaginary; a fault where modes are missing."""
    diagonal = {modes[0]: value for modes, value in quadratic.values.items() if modes[0] == modes[-1]}
    d = max(diagonal, default=-1) + 1
    missing = [str(k + 1) for k in range(d) if k not in diagonal]
    if missing or not d:
        line = (output.start or 0) + 1
        output.faults.add(f"no harmonic frequency of mode {', '.join(missing) or '1'}: inactive modes?", line)
    return np.array([diagonal.get(k, math.nan) for k in range(d)])


def compare_columns(table: Constants, frequencies: np.ndarray, output: Output) -> None:
    """Faults where a mode has no frequency, or where FI is not K in dimensionless coordinates.

    The two agree to their digits in every output, so that a table of other units, or of another molecule, is found.
    """
    scale = reduction(np.abs(frequencies))
    told = 0
    for modes, value in table.values.items():
        line = table.lines[modes] + 1
        if modes[-1] >= len(frequencies):
            output.faults.add(f"mode {modes[-1] + 1} is out of range: there are {len(frequencies)}", line)
            return
        factor = HARTREE * math.prod(scale[k] for k in modes)
        if abs(value - table.atomic[modes] * factor) > DIGITS * factor + UNITS * abs(value):
            if told < WORST:
                output.faults.add(
                    f"FI = {value:g} cm-1 is not K = {table.atomic[modes]:g} of modes with these frequencies"
                    f" ({table.atomic[modes] * factor:.2f} cm-1): parts of different outputs?",
                    line,
                )
            told += 1


def harmonic_numbers(output: Output, frequencies: np.ndarray) -> np.ndarray:
    """Number, from 0, that each mode has in the harmonic section: by the equivalency table, else by its frequency."""
    d = len(frequencies)
    numbers = np.full(d, -1)
    heading = output.last(re.compile(r".*present equivalency table"), output.start)
    if heading is not None:
        for upper, lower in pairwise(output.lines[heading : output.start]):
            if re.match(r" *\(H\) *\|", upper) and re.match(r" *\(A\) *\|", lower):
                for before, after in zip(upper.split("|")[1:], lower.split("|")[1:], strict=False):
                    if before.strip().isdecimal() and after.strip().isdecimal() and 1 <= int(after) <= d:
                        numbers[int(after) - 1] = int(before) - 1
    if sorted(numbers) == list(range(d)):
        return numbers
    return np.argsort(np.argsort(frequencies, kind="stable"), kind="stable")


def zeta_of(output: Output, harmonic: np.ndarray) -> np.ndarray | None:
    """Coriolis constants (3, d, d) of modes with these harmonic numbers; None where there are none.

    From the tables of each axis, six digits; else from the list, five. Gaussian prints in row k and column l what its
    harmonic numbering has there: the value belongs to the pair ordered by harmonic numbers, whichever of the two is the
    row. Where modes are sorted by representation, the signs of the printed table are those of no set of modes.
    """
    d = len(harmonic)
    zeta = np.zeros((3, d, d))
    for axis, row, column, value in _couplings(output):
        if row != column and max(row, column) < d:
            first, second = sorted((row, column), key=lambda k: int(harmonic[k]))
            zeta[axis, first, second], zeta[axis, second, first] = value, -value
    return zeta if output.last(_TABLE) is not None or output.last(_LIST) is not None else None


_TABLE = re.compile(r"\s*Coriolis Couplings along the ([XYZ]) axis")
_LIST = re.compile(r"\s*Ax +I +J +Zeta\(I,J\)")
_LISTED = re.compile(r"\s*([xyz]) +(\d+) +(\d+) +(\S+)\s*$")


def _couplings(output: Output) -> Iterator[tuple[int, int, int, float]]:
    """Axis, row, column and value of each printed Coriolis constant; a fault where a row is none."""
    begin = output.last(re.compile(r"\s*Coriolis Couplings along the X axis"))
    if begin is None:
        listed = output.last(_LIST)
        for k in range(len(output.lines) if listed is None else listed + 1, len(output.lines)):
            if found := _LISTED.match(output.lines[k]):
                value = output.number(found[4], "zeta", k, 4)
                yield "xyz".index(found[1]), int(found[2]) - 1, int(found[3]) - 1, value
            elif output.lines[k].strip():
                return
        return
    axis, columns = 0, list[int]()
    for k in range(begin, len(output.lines)):
        line = output.lines[k]
        cells = line.split()
        if heading := _TABLE.match(line):
            axis, columns = "XYZ".index(heading[1]), []
        elif not cells or set(line.strip()) == {"-"}:
            continue
        elif "larger than" in line or line.lstrip().startswith("="):
            return
        elif all(cell.isdecimal() for cell in cells):
            columns = [int(cell) - 1 for cell in cells]
        elif cells[0].isdecimal() and len(cells) <= len(columns) + 1:
            for number, (column, cell) in enumerate(zip(columns, cells[1:], strict=False), start=2):
                yield axis, int(cells[0]) - 1, column, output.number(cell, "zeta", k, number)
        else:
            output.faults.add(f"expected a row of Coriolis constants, found {line.strip()[:60]!r}", k + 1)
            return


def inertia_slopes(output: Output, d: int) -> np.ndarray | None:
    """dI/dQ_k (d, 3, 3) in amu^1/2 Angstrom; None where they are not printed in full."""
    begin = output.last(re.compile(r"\s*Ixx +Ixy +Iyy +Ixz +Iyz +Izz\s*$"))
    if begin is None or begin + d >= len(output.lines):
        return None
    slopes = np.zeros((d, 3, 3))
    for k in range(d):
        line = begin + 1 + k
        found = re.match(r"\s*Q\( *(\d+)\)((?: +\S+){6})\s*$", output.lines[line])
        if not found or int(found[1]) != k + 1:
            return None
        cells = found[2].split()
        xx, xy, yy, xz, yz, zz = (output.number(cell, "dI/dQ", line, 2 + n) for n, cell in enumerate(cells))
        slopes[k] = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]
    return slopes
