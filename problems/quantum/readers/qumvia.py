"""Quartic force fields of QUMVIA (``.qqv``): full derivatives in mass-weighted normal coordinates, atomic units.

     1     2.93D-05  0.00D+00  1.85D-08                                     k, V_kk, V_kkk, V_kkkk
     1   2   0.0D+00  0.0D+00  0.0D+00  0.0D+00  5.7D-09                    V_iij, V_ijj, V_iiij, V_ijjj, V_iijj
     1   2   3   0.0D+00  0.0D+00  0.0D+00  0.0D+00                         V_ijk, V_iijk, V_ijjk, V_ijkk

First all modes, then all pairs, then all threes; modes are counted from 1 in electron masses. phi = V / prod w^(1/2).
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from pathlib import Path

from problems.quantum.hamiltonians.force_field.geometry import HARTREE
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers.polynomial import Terms, dimensionless, modes_of, number
from problems.quantum.readers.quality import missing
from problems.quantum.readers.reader import KEY, beginning, text_lines
from problems.tables import FileFaults

FIRST = re.compile(r"\s*1(?:\s+[-+]?\d*\.\d+[dDeE][-+]?\d+){3}\s*$")
# of so many modes a, b, c of a row: which of them each number derives by
SHAPES = {1: ("aa", "aaa", "aaaa"), 2: ("aab", "abb", "aaab", "abbb", "aabb"), 3: ("abc", "aabc", "abbc", "abcc")}


def reads(path: Path) -> bool:
    """Whether the first line of a file is mode 1 and its three numbers."""
    return FIRST.match(beginning(path).partition("\n")[0]) is not None


def read(path: Path) -> Molecule:
    """The field in a file. Raises ProblemError with every fault, each ``file:line:column: ...``."""
    faults = FileFaults(path.name, KEY)
    rows = [(k, text.split()) for k, text in enumerate(text_lines(path), start=1) if text.strip()]
    d = sum(len(cells) == 4 for _, cells in rows)
    polynomial: Terms = {}
    seen: set[tuple[int, ...]] = set()
    for line, cells in rows:
        n = len(list(itertools.takewhile(str.isdecimal, cells)))
        if n not in SHAPES or len(cells) != n + len(SHAPES[n]):
            faults.add(f"expected one to three modes and 3, 5 or 4 numbers, found {' '.join(cells)[:40]!r}", line)
            continue
        modes = modes_of(cells[:n], 1, d, line, 1, faults)
        values = [number(cell, "constant", line, column, faults) for column, cell in enumerate(cells[n:], start=n + 1)]
        if modes is None or any(value is None for value in values):
            continue
        given = [int(cell) - 1 for cell in cells[:n]]
        if len(set(modes)) < n or modes in seen:
            faults.add(f"the modes {' '.join(cells[:n])} are not {n} new ones", line)
            continue
        seen.add(modes)
        for shape, value in zip(SHAPES[n], values):
            place = tuple(sorted(given["abc".index(letter)] for letter in shape))
            assert value is not None
            if value:
                polynomial[place] = value / math.prod(math.factorial(m) for m in Counter(place).values())
    if d < 2:
        faults.add("fewer than two rows of a mode: is the file cut short?", len(rows) or 1)
    for n in SHAPES if not faults.found else ():
        left_out = [c for c in itertools.combinations(range(d), n) if c not in seen]
        if left_out:
            told = " ".join(str(k + 1) for k in left_out[0])
            faults.add(f"no row of {told} and {len(left_out) - 1} others: is the file cut short?", rows[-1][0])
    for k in range(d) if not faults.found else ():
        if polynomial.get((k, k), 0.0) <= 0.0:
            faults.add(f"the second derivative of mode {k + 1} must be positive", rows[k][0])
    faults.raise_any()
    field = dimensionless(path.stem, [1.0] * d, polynomial, HARTREE, path)
    return Molecule(field, notes=missing(field))
