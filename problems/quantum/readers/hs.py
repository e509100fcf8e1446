"""Quartic force fields of SINDO (``001.hs``): full derivatives by mass-weighted coordinates, hartree, Angstrom and amu.

    # Hessian(i,i) / hartree Angs^-2 amu^-1
       1    0.9252222951D-01
    # Quartic(i,i,i,j) / hartree Angs^-4 amu^-2
       2   1    0.0000000000D+00                V_2221

A block a kind of derivative; its letters say which of the modes of a row is repeated.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

from problems.quantum.hamiltonians.force_field.geometry import ANGSTROM as BOHR
from problems.quantum.hamiltonians.force_field.geometry import ELECTRONS, HARTREE
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers.polynomial import MAX_ORDER, Terms, dimensionless, modes_of, number
from problems.quantum.readers.quality import missing
from problems.quantum.readers.reader import KEY, beginning, text_lines
from problems.tables import FileFaults

BLOCK = re.compile(r"#\s*(Gradient|Hessian|Cubic|Quartic)\s*(?:\(([ijkl,]+)\))?\s*/\s*hartree", re.IGNORECASE)
ORDERS = {"gradient": 1, "hessian": 2, "cubic": 3, "quartic": 4}
LENGTH = BOHR / math.sqrt(ELECTRONS)  # an atomic unit of the mass-weighted coordinate, Angstrom amu^1/2


def reads(path: Path) -> bool:
    """Whether blocks of derivatives stand at the beginning of a file."""
    text = beginning(path)
    return text.startswith("#") and any(map(BLOCK.match, text.splitlines()))


def read(path: Path) -> Molecule:
    """The field in a file. Raises ProblemError with every fault, each ``file:line:column: ...``."""
    faults = FileFaults(path.name, KEY)
    lines = text_lines(path)
    d = _number_of_modes(lines)
    polynomial: Terms = {}
    letters = ""
    for line, text in enumerate(lines, start=1):
        head = BLOCK.match(text)
        cells = text.split()
        if head:
            letters = (head[2] or "i").replace(",", "")
            if len(letters) != ORDERS[head[1].lower()]:
                faults.add(f"{head[1]} of {len(letters)} modes", line)
                letters = ""
        elif text.startswith("#"):
            letters = ""
        elif cells and letters:
            _note(cells, letters, d, line, polynomial, faults)
    if not d:
        faults.add("no block Hessian(i,i): is the file cut short?", len(lines) or 1)
    for k in range(d):
        if not faults.found and polynomial.get((k, k), 0.0) <= 0.0:
            faults.add(f"no positive second derivative of mode {k + 1}: is the file cut short?", len(lines))
    if not faults.found and not any(3 <= len(modes) <= MAX_ORDER for modes in polynomial):
        faults.add("no derivatives of third order: is the file cut short?", len(lines))
    faults.raise_any()
    field = dimensionless(path.stem, [1.0] * d, polynomial, HARTREE, path)
    return Molecule(field, notes=missing(field))


def _number_of_modes(lines: list[str]) -> int:
    """The rows of the block of second derivatives by one mode."""
    found, within = 0, False
    for text in lines:
        head = BLOCK.match(text)
        if text.startswith("#"):
            within = head is not None and head[2] == "i,i"
        elif within and text.strip():
            found += 1
    return found


def _note(cells: list[str], letters: str, d: int, line: int, polynomial: Terms, faults: FileFaults) -> None:
    """One derivative into ``polynomial``, as a coefficient in atomic units."""
    kinds = sorted(set(letters))
    if len(cells) != len(kinds) + 1:
        faults.add(f"expected {len(kinds)} modes and a value, found {len(cells)} cells", line)
        return
    if modes_of(cells[:-1], 1, d, line, 1, faults) is None:
        return
    value = number(cells[-1], "derivative", line, len(cells), faults)
    place = tuple(sorted(int(cells[kinds.index(letter)]) - 1 for letter in letters))
    if value:
        factorials = math.prod(math.factorial(m) for m in Counter(place).values())
        polynomial[place] = value * LENGTH ** len(letters) / factorials
