"""Measured levels in a CSV file: ``assignment,measured`` and, if they are known, ``uncertainty``; in cm-1 above the
zero-point level. ``observed`` and ``wavenumber`` are taken for measured, ``_cm-1`` behind a name is allowed.

An assignment is a name in Herzberg's notation (``nu2``, ``2nu9 + nu12``, ``ν₉ + 2ν₁₂``; of degenerate modes with l,
``2nu8^0``, or without) or the quanta of every mode of the field (``0-1-0-0-0-1``). Without it, lines are matched to
states by order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from problems.quantum.hamiltonians.force_field.mode_names import canonical
from problems.tables import FileFaults, rows_of

KEY = "problem.compare.measured"
COLUMNS = ("assignment", "measured", "uncertainty")
ALIKE = {"observed": "measured", "wavenumber": "measured", "name": "assignment"}  # other words for them
_QUANTA = re.compile(r"\d+(?:[-\s]+\d+)*")
_PART = re.compile(r"(?P<count>\d*)\s*(?P<label>[^\W\d][\w']*)\s*(?:\^\s*\{?(?P<l>[+-]?\d+)\}?)?")
_IRREP = re.compile(r"\s*\([^()]*\)\s*$")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_RAISED = {ord(high): low for high, low in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")}


@dataclass(frozen=True)
class Line:
    """A row of the file.

    Attributes
    ----------
    line : its number in the file.
    text : the assignment as it is written there; empty without one.
    measured, uncertainty : cm-1; the latter None where it is not said.
    quanta : of every label, or of every mode (by its number, from 1, as a text of digits); None without an assignment.
    angular : l of the labels for which it is said.
    """

    line: int
    text: str
    measured: float
    uncertainty: float | None
    quanta: dict[str, int] | None
    angular: dict[str, int]


def read_lines(path: Path, d: int, labels: frozenset[str] | None) -> list[Line]:
    """The lines of a file; ``d``: modes of the field; ``labels``: the names of modes there are, None: not known yet.

    Raises ProblemError with every fault, each ``file:line:column: ...``.
    """
    faults = FileFaults(path.name, KEY)
    header: list[str] | None = None
    found: list[Line] = []
    seen: dict[object, int] = {}
    for number, row in rows_of(path, KEY):
        if header is None:
            plain = [cell.lower().removesuffix("_cm-1") for cell in row]
            header = [ALIKE.get(cell, cell) for cell in plain]
            unknown = [cell for cell in header if cell not in COLUMNS]
            if "measured" not in header or unknown or len(set(header)) < len(header):
                faults.add("the header must read assignment,measured or assignment,measured,uncertainty", number)
                break
            continue
        if len(row) != len(header):
            faults.add(f"expected {len(header)} columns ({','.join(header)}), found {len(row)}", number)
            continue
        line = _line(dict(zip(header, row)), header, number, d, labels, faults)
        if line is None:
            continue
        if line.quanta is not None:
            key = (tuple(sorted(line.quanta.items())), tuple(sorted(line.angular.items())), line.measured)
            if key in seen:
                faults.add(f"{line.text} {line.measured:g} is listed twice (line {seen[key]})", number)
            seen[key] = number
        found.append(line)
    if header is None:
        faults.add("empty: expected the header assignment,measured and rows below it")
    elif not found and not faults.count:
        faults.add("no lines below the header")
    faults.raise_any()
    return found


def _line(
    cells: dict[str, str], header: list[str], number: int, d: int, labels: frozenset[str] | None, faults: FileFaults
) -> Line | None:
    before = faults.count
    place = header.index("measured") + 1
    value = faults.number(cells["measured"], "measured", number, place)
    if value is not None and value <= 0.0:
        faults.add(f"a level above the zero-point level is positive, found {cells['measured']}", number, place)
    spread = None
    if cells.get("uncertainty"):
        spread = faults.number(cells["uncertainty"], "uncertainty", number, header.index("uncertainty") + 1)
        if spread is not None and spread < 0.0:
            faults.add("an uncertainty is not negative", number, header.index("uncertainty") + 1)
    text = cells.get("assignment", "")
    quanta: dict[str, int] | None = None
    angular: dict[str, int] = {}
    if text:
        try:
            quanta, angular = assignment_of(text, d, labels)
        except ValueError as error:
            faults.add(str(error), number, header.index("assignment") + 1)
    if faults.count > before or value is None:
        return None
    return Line(number, text, value, spread, quanta, angular)


def assignment_of(text: str, d: int, labels: frozenset[str] | None) -> tuple[dict[str, int], dict[str, int]]:
    """Quanta and angular momenta of an assignment. Raises ValueError for what is none."""
    plain = text.strip()
    if _QUANTA.fullmatch(plain):
        numbers = [int(part) for part in re.split(r"[-\s]+", plain)]
        if len(numbers) != d:
            raise ValueError(
                f"quanta of each of the {d} modes are needed, as 0-1-...; found {len(numbers)} in {text!r}"
            )
        if not any(numbers):
            raise ValueError(f"{text!r} is the zero-point level itself")
        return {str(k + 1): n for k, n in enumerate(numbers) if n}, {}
    plain = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda found: "^" + found[0].translate(_RAISED), plain).translate(_LOWERED)
    plain = _IRREP.sub("", plain)
    quanta: dict[str, int] = {}
    angular: dict[str, int] = {}
    for part in re.split(r"\+(?!\d)", re.sub(r"(?<!\^)\+", " + ", plain)):
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"an assignment reads like nu2, 2nu3 + nu5 or 0-1-0-0, found {text!r}")
        label = canonical(found["label"])
        if labels is not None and label not in labels:
            raise ValueError(f"there is no mode {label} ({', '.join(sorted(labels, key=lambda x: (len(x), x)))})")
        n = int(found["count"] or 1)
        if not n or label in quanta:
            raise ValueError(f"{label} has no quanta, or is there twice, in {text!r}")
        quanta[label] = n
        if found["l"] is not None:
            l = int(found["l"])
            if abs(l) > n or (n - l) % 2:
                raise ValueError(f"{n} quanta of {label} cannot have l = {l}")
            angular[label] = l
    return quanta, angular
