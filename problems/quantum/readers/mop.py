"""Force fields as SINDO and MidasCpp write them (``.mop``): monomials of scaled coordinates, in hartree.

    SCALING FREQUENCIES N_FRQS=3
     5.4080316411274800000000e-03           the frequency of every mode, hartree
     ...
    DALTON_FOR_MIDAS title
     2.7040635640532477000000e-03    1    1    c and its modes, from 1: c q_1 q_1
     ...

q = sqrt(w) Q is dimensionless, so that the kinetic energy is w p^2 / 2; a coefficient stands before its monomial, no
factorial in it. What c q_i^2 differs by from w_i q_i^2 / 2 is a term of the field.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.geometry import HARTREE
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers.reader import KEY
from problems.tables import FileFaults, decoded

FIRST = re.compile(r"\s*SCALING FREQUENCIES\s+N_FRQS=\s*(\d+)\s*$")
SECOND = "DALTON_FOR_MIDAS"
MAX_ORDER = 6
PRINTED = 1e-10  # relative: what c_ii differs by from w_i / 2 in a file that prints 22 digits of both
FORTRAN = str.maketrans("dD", "ee")


def reads(path: Path) -> bool:
    """Whether the first line of a file is that of the scaling frequencies."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return FIRST.match(file.readline()) is not None
    except OSError:
        return False


def read(path: Path) -> Molecule:
    """The field in a file. Raises ProblemError with every fault, each ``file:line:column: ...``."""
    faults = FileFaults(path.name, KEY)
    lines = decoded(path, KEY).splitlines()
    first = FIRST.match(lines[0]) if lines else None
    if first is None:
        faults.add("the first line must read SCALING FREQUENCIES N_FRQS= and the number of modes", 1)
        faults.raise_any()
        raise AssertionError
    d = int(first[1])
    frequencies = [_frequency(lines[k] if k < len(lines) else "", k + 1, faults) for k in range(1, d + 1)]
    title = lines[d + 1] if len(lines) > d + 1 else ""
    if not title.startswith(SECOND):
        faults.add(f"expected {SECOND} after {d} frequencies, found {title[:40]!r}", min(d + 2, len(lines)))
    faults.raise_any()
    terms: dict[tuple[int, ...], float] = defaultdict(float)
    for number, line in enumerate(lines[d + 2 :], start=d + 3):
        if line.strip():
            _note(line.split(), number, d, terms, faults)
    if not faults.found and not any(len(modes) > 2 for modes in terms):
        faults.add("no terms of order 3 or more: is the file cut short?", len(lines))
    faults.raise_any()
    w = np.array(frequencies) * HARTREE
    for k in range(d):
        rest = terms.pop((k, k), 0.0) - 0.5 * w[k]
        if abs(rest) > PRINTED * w[k]:
            terms[k, k] = rest
    name = title.removeprefix(SECOND).strip() or path.stem
    return Molecule(ForceField(f"{path.stem} ({name})" if name != path.stem else name, "cm-1", w, terms, path))


def _frequency(line: str, number: int, faults: FileFaults) -> float:
    value = faults.number(line.strip().translate(FORTRAN), "frequency", number, 1)
    if value is not None and value <= 0.0:
        faults.add(f"a frequency must be positive, found {line.strip()}", number)
    return math.nan if value is None else value


def _note(cells: list[str], number: int, d: int, terms: dict[tuple[int, ...], float], faults: FileFaults) -> None:
    """One monomial into ``terms``, in cm-1; or what is wrong with it."""
    value = faults.number(cells[0].translate(FORTRAN), "coefficient", number, 1)
    modes = []
    for column, cell in enumerate(cells[1:], start=2):
        if not cell.isdecimal() or not 1 <= int(cell) <= d:
            faults.add(f"a mode must be one of 1 to {d}, found {cell!r}", number, column)
            return
        modes.append(int(cell) - 1)
    if not 1 <= len(modes) <= MAX_ORDER:
        faults.add(f"a monomial of 1 to {MAX_ORDER} modes expected, found {len(modes)}", number)
    elif value is not None:
        terms[tuple(sorted(modes))] += value * HARTREE
