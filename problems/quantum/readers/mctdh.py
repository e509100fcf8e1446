"""Operator files of MCTDH (``.op``), as far as they are polynomials of coordinates that move apart.

    parameter-section
        w1 = 1648.5, cm-1
        mass_x = 1.0, AMU
    end-parameter-section
    hamiltonian-section
        modes | v1 | v2
        1.0*w1    |1 KE              -1/(2 mass) d^2/dx^2
        0.5*w1    |1 q^2
        c12       |1 q   |2 q^2
    end-hamiltonian-section

A row is a product of parameters and, of every mode it names, an operator: KE, dq^2 = d^2/dx^2, a power of q or 1; the
operators may also stand one a mode in their order. # and ! begin comments. Atomic units, where a parameter names no
other. The coordinates are scaled to dimensionless ones (module polynomial). Functions, momenta that couple, electronic
states and complex terms do not map.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from problems.quantum.hamiltonians.force_field.geometry import ELECTRONS, HARTREE
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers.polynomial import FORTRAN, MAX_ORDER, Terms, dimensionless
from problems.quantum.readers.reader import KEY, beginning, text_lines
from problems.tables import FileFaults, number_of

UNITS = {
    "au": 1.0,
    "": 1.0,
    "ev": 1.0 / 27.211386245988,
    "mev": 1e-3 / 27.211386245988,
    "cm-1": 1.0 / HARTREE,
    "amu": ELECTRONS,
    "h-mass": 1837.15264738,  # of a hydrogen atom, electron masses
    "emass": 1.0,
    "angst": 1.0 / 0.529177210903,
}
COMMENT = re.compile(r"[#!]")
RULE = re.compile(r"[-=_+]+|usediag|nodiag", re.IGNORECASE)  # rows of the Hamiltonian that say nothing of it
POWER = re.compile(r"q(?:\^(\d{1,2}))?")
POWERS = range(1, 9)  # of a parameter
TOKENS = re.compile(r"([*/]?)\s*([^*/]+)")
Numbered = tuple[int, str]


def reads(path: Path) -> bool:
    """Whether a file has the sections of an operator file."""
    text = beginning(path, 2_000_000).lower()
    return "op_define-section" in text or ("parameter-section" in text and "hamiltonian-section" in text)


def read(path: Path) -> Molecule:
    """The field in a file. Raises ProblemError with every fault, each ``file:line:column: ...``."""
    faults = FileFaults(path.name, KEY)
    lines = [(k, COMMENT.split(text, maxsplit=1)[0].strip()) for k, text in enumerate(text_lines(path), start=1)]
    parameters = _parameters(_section(lines, "parameter-section", faults, needed=False), faults)
    rows = _section(lines, "hamiltonian-section", faults)
    _section(lines, "labels-section", faults, needed=False, refused=True)
    if not any(text.lower() == "end-operator" for _, text in lines):
        faults.add("no end-operator: is the file cut short?", len(lines) or 1)
    faults.raise_any()
    names = [name for _, text in rows if text.lower().startswith("modes") for name in _cells(text)[1:]]
    if not names:
        faults.add("no row of modes in the hamiltonian-section", rows[0][0] if rows else 1)
    for line, text in rows:
        if text.lower().startswith("modes") and "el" in [name.lower() for name in _cells(text)[1:]]:
            faults.add("electronic states (mode el) do not map: give the operator of one state", line)
    faults.raise_any()
    kinetic = [0.0] * len(names)
    terms: Terms = defaultdict(float)
    for line, text in rows:
        if not RULE.fullmatch(text) and not text.lower().startswith("modes"):
            _note(line, text, names, parameters, kinetic, terms, faults)
    for k, name in enumerate(names):
        if not faults.found and not kinetic[k] > 0.0:
            faults.add(f"mode {name} has no kinetic energy (KE)", rows[0][0])
        if not faults.found and not terms.get((k, k)):
            faults.add(f"mode {name} has no term of q^2: nothing says how long its coordinate is", rows[0][0])
    faults.raise_any()
    return Molecule(dimensionless(path.stem, kinetic, terms, HARTREE, path))


def _section(
    lines: Sequence[Numbered], name: str, faults: FileFaults, needed: bool = True, refused: bool = False
) -> list[Numbered]:
    """The rows between ``name`` and its end."""
    start = next((k for k, (_, text) in enumerate(lines) if text.lower() == name), None)
    if start is None:
        if needed:
            faults.add(f"no {name}", 1)
        return []
    if refused:
        faults.add(f"a {name} does not map: functions of coordinates are no polynomials", lines[start][0])
    end = next((k for k, (_, text) in enumerate(lines) if k > start and text.lower() == f"end-{name}"), None)
    if end is None:
        faults.add(f"no end-{name}: is the file cut short?", len(lines))
    return [row for row in lines[start + 1 : end] if row[1]]


def _parameters(rows: Sequence[Numbered], faults: FileFaults) -> dict[str, float]:
    """Name -> value in atomic units."""
    found: dict[str, float] = {"pi": math.pi}
    for line, text in rows:
        name, equals, value = text.partition("=")
        expression, _, unit = value.partition(",")
        if not equals or unit.strip().lower() not in UNITS:
            known = ", ".join(key for key in UNITS if key)
            faults.add(f"expected name = value, unit (one of {known}), found {text[:40]!r}", line)
            continue
        result = _product(expression, found, line, faults)
        if result is not None:
            found[name.strip().lower()] = result * UNITS[unit.strip().lower()]
    return found


def _product(text: str, parameters: Mapping[str, float], line: int, faults: FileFaults) -> float | None:
    """The value of numbers and parameters with * and / between them, powers by ^, from left to right."""
    rest = text.strip()
    sign = -1.0 if rest.startswith("-") else 1.0
    rest = rest.lstrip("+-").strip()
    value = sign
    for operation, token in TOKENS.findall(rest):
        base, caret, power = token.strip().partition("^")
        one = number_of(base.translate(FORTRAN)) if base[:1].isdigit() or base[:1] == "." else None
        one = parameters.get(base.strip().lower()) if one is None else one
        exponent = int(power) if power.isdecimal() else 0 if caret else 1
        if one is None or exponent not in POWERS or (operation == "/" and one == 0.0):
            faults.add(f"{token.strip()!r} is neither a number nor a parameter: products of them are read", line)
            return None
        value *= one ** (-exponent if operation == "/" else exponent)
    if not rest or not math.isfinite(value):
        faults.add(f"{text.strip()!r} is no finite number", line)
        return None
    return value


def _cells(text: str) -> list[str]:
    return [cell.strip() for cell in text.split("|")]


def _note(
    line: int,
    text: str,
    names: Sequence[str],
    parameters: Mapping[str, float],
    kinetic: list[float],
    terms: Terms,
    faults: FileFaults,
) -> None:
    """One row of the Hamiltonian into ``kinetic`` or ``terms``; or why it does not map."""
    first, *cells = _cells(text)
    value = _product(first, parameters, line, faults)
    operators = _operators(cells, len(names), line, faults)
    if value is None or operators is None:
        return
    moving = [k for k, operator in operators if operator in ("ke", "dq^2")]
    modes: list[int] = []
    for k, operator in operators:
        power = POWER.fullmatch(operator)
        if power:
            modes += [k] * int(power[1] or 1)
        elif operator not in ("ke", "dq^2", "1"):
            faults.add(f"the operator {operator!r} does not map: KE, dq^2, powers of q and 1 are read", line)
            return
    if moving and (len(moving) > 1 or modes):
        faults.add("a kinetic energy that hangs on coordinates does not map", line)
    elif moving:
        mass = parameters.get(f"mass_{names[moving[0]].lower()}", 1.0)
        kinetic[moving[0]] += value / mass if (moving[0], "ke") in operators else -2.0 * value
    elif len(modes) > MAX_ORDER:
        faults.add(f"a product of at most {MAX_ORDER} coordinates is read, found {len(modes)}", line)
    elif modes:  # a constant moves all levels, and no difference
        terms[tuple(sorted(modes))] += value


def _operators(cells: Sequence[str], d: int, line: int, faults: FileFaults) -> list[tuple[int, str]] | None:
    """Modes from 0 and what acts on them, in either way to write a row."""
    found = []
    numbered = [cell.split(None, 1) for cell in cells]
    if len(cells) == d and not any(len(parts) == 2 for parts in numbered):
        return [(k, cell.lower()) for k, cell in enumerate(cells)]
    for column, parts in enumerate(numbered, start=2):
        if len(parts) != 2 or not parts[0].isdecimal() or not 1 <= int(parts[0]) <= d:
            faults.add(f"expected a mode of 1 to {d} and its operator, found {' '.join(parts)!r}", line, column)
            return None
        found.append((int(parts[0]) - 1, parts[1].replace(" ", "").lower()))
    return found
