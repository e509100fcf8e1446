"""Force fields as SINDO and MidasCpp write them (``.mop``): monomials of scaled coordinates, in hartree.

    SCALING FREQUENCIES N_FRQS=3
     5.4080316411274800000000e-03           the frequency of every mode, hartree
     ...
    DALTON_FOR_MIDAS title
     2.7040635640532477000000e-03    1    1    c and its modes, from 1: c q_1 q_1
     ...

and newer

    #0MIDASMOPINPUT
    #1MODENAMES
    Q0 Q1
    #1SCALEFACTORS
    0.0735 0.0912                           of every mode, the square root of its frequency in hartree
    #1OPERATORTERMS
    -4.3e-06 Q^2(Q0) Q^1(Q1)                c and its powers
    #0MIDASMOPINPUTEND

q = sqrt(w) Q is dimensionless, so that the kinetic energy is w p^2 / 2; a coefficient stands before its monomial, no
factorial in it. What c q_i^2 differs by from w_i q_i^2 / 2 is a term of the field.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.geometry import HARTREE
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers.polynomial import MAX_ORDER, Terms, beyond_harmonic, modes_of, number
from problems.quantum.readers.reader import KEY, beginning, text_lines
from problems.tables import FileFaults

FIRST = re.compile(r"\s*SCALING FREQUENCIES\s+N_FRQS=\s*(\d+)\s*$")
SECOND = "DALTON_FOR_MIDAS"
NEW = "#0MIDASMOPINPUT"
END = "#0MIDASMOPINPUTEND"
SECTIONS = ("MODENAMES", "SCALEFACTORS", "OPERATORTERMS", "CONSTANTS", "FUNCTIONS")
FACTOR = re.compile(r"Q(?:\^(\d{1,3}))?\((\w+)\)")
CUT = "no terms of order 3 or more: is the file cut short?"


def reads(path: Path) -> bool:
    """Whether the first line of a file is that of the scaling frequencies, or of the newer layout."""
    first = beginning(path).partition("\n")[0]
    return FIRST.match(first) is not None or _tag(first) == NEW


def read(path: Path) -> Molecule:
    """The field in a file. Raises ProblemError with every fault, each ``file:line:column: ...``."""
    faults = FileFaults(path.name, KEY)
    lines = text_lines(path)
    if lines and _tag(lines[0]) == NEW:
        return _new(path, lines, faults)
    first = FIRST.match(lines[0]) if lines else None
    if first is None:
        faults.add(f"the first line must read SCALING FREQUENCIES N_FRQS= and the number of modes, or {NEW}", 1)
        faults.raise_any()
        raise AssertionError
    d = int(first[1])
    frequencies = [_positive(lines[k] if k < len(lines) else "", "frequency", k + 1, faults) for k in range(1, d + 1)]
    title = lines[d + 1] if len(lines) > d + 1 else ""
    if not title.startswith(SECOND):
        faults.add(f"expected {SECOND} after {d} frequencies, found {title[:40]!r}", min(d + 2, len(lines)))
    faults.raise_any()
    terms: Terms = defaultdict(float)
    for line, text in enumerate(lines[d + 2 :], start=d + 3):
        cells = text.split()
        if cells:
            _note(cells[0], modes_of(cells[1:], 1, d, line, 2, faults), line, terms, faults)
    return _molecule(path, title.removeprefix(SECOND).strip(), frequencies, terms, len(lines), faults)


def _new(path: Path, lines: Sequence[str], faults: FileFaults) -> Molecule:
    """The field in a file of the newer layout."""
    names: list[str] = []
    scales: list[float] = []
    rows: list[tuple[int, str]] = []
    section = ""
    for line, text in enumerate(lines, start=1):
        content = text.partition("//")[0].strip()
        if content.startswith("#"):
            section = _tag(content)[2:]
            if section not in (*SECTIONS, NEW[2:], END[2:]):
                faults.add(
                    f"the section {content[:40]} is not read: a polynomial in {', '.join(SECTIONS[:3])} is", line
                )
        elif content and section == "MODENAMES":
            names += content.split()
        elif content and section == "SCALEFACTORS":
            scales += [_positive(cell, "scale factor", line, faults) for cell in content.split()]
        elif content and section == "OPERATORTERMS":
            rows.append((line, content))
        elif content and section in ("CONSTANTS", "FUNCTIONS"):
            faults.add(f"{section.lower()} are not read: give the numbers themselves", line)
    if not names:
        faults.add("no #1MODENAMES", len(lines))
    elif not scales:
        faults.add("no #1SCALEFACTORS: nothing says how long the coordinates are", len(lines))
    elif len(names) != len(scales):
        faults.add(f"{len(scales)} scale factors for {len(names)} modes", len(lines))
    if _tag(next((text for text in reversed(lines) if text.strip()), "")) != END:
        faults.add(f"the last line must read {END}: is the file cut short?", len(lines))
    faults.raise_any()
    terms: Terms = defaultdict(float)
    places = {name: str(k) for k, name in enumerate(names, start=1)}
    for line, content in rows:
        cells = content.split()
        powers = [FACTOR.fullmatch(cell) for cell in cells[1:]]
        modes: list[str] = []
        for column, (cell, power) in enumerate(zip(cells[1:], powers), start=2):
            if power is None or power[2] not in places:
                faults.add(f"expected a power of a mode, as Q^2({names[0]}), found {cell!r}", line, column)
                break
            modes += [places[power[2]]] * int(power[1] or 1)
        else:
            _note(cells[0], modes_of(modes, 1, len(names), line, 2, faults), line, terms, faults)
    return _molecule(path, "", [s * s for s in scales], terms, len(lines), faults)


def _tag(line: str) -> str:
    return line.replace(" ", "").strip().upper()


def _molecule(
    path: Path, title: str, frequencies: Sequence[float], terms: Terms, last: int, faults: FileFaults
) -> Molecule:
    if not faults.found and not any(len(modes) > 2 for modes in terms):
        faults.add(CUT, last)
    faults.raise_any()
    name = f"{path.stem} ({title})" if title and title != path.stem else path.stem
    return Molecule(beyond_harmonic(name, np.array(frequencies) * HARTREE, terms, path))


def _positive(text: str, name: str, line: int, faults: FileFaults) -> float:
    value = number(text.strip(), name, line, 1, faults)
    if value is not None and value <= 0.0:
        faults.add(f"a {name} must be positive, found {text.strip()}", line)
    return math.nan if value is None else value


def _note(cell: str, modes: tuple[int, ...] | None, line: int, terms: Terms, faults: FileFaults) -> None:
    """One monomial into ``terms``, in cm-1; or what is wrong with it."""
    value = number(cell, "coefficient", line, 1, faults)
    if modes is None:
        return
    if not 1 <= len(modes) <= MAX_ORDER:
        faults.add(f"a monomial of 1 to {MAX_ORDER} modes expected, found {len(modes)}", line)
    elif value is not None:
        terms[modes] += value * HARTREE
