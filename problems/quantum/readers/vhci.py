"""Inputs of VHCI: full derivatives in dimensionless normal coordinates, cm-1, modes counted from 0.

    Comment: what it is
    HCI_Eps: 1
    ...
    Modes: 3
     0 455.6 34                 mode, frequency, quanta
     ...
    Force_constants: 15
     3 0 0 1 1.0156             order, modes, d^3 V / dq_0 dq_0 dq_1

The program itself divides by the factorials (Fetherolf and Berkelbach, J. Chem. Phys. 154, 074104 (2021)): as Gaussian
prints them, each set of modes once.
"""

from __future__ import annotations

from pathlib import Path

from problems.quantum.hamiltonians.force_field.field import of_derivatives
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers.polynomial import MAX_ORDER, count, modes_of, number
from problems.quantum.readers.reader import KEY, beginning, text_lines
from problems.tables import FileFaults

MODES, CONSTANTS = "Modes:", "Force_constants:"
KEYWORDS = ("HCI_Eps:", "Max_quanta:", "Max_Quanta:")


def reads(path: Path) -> bool:
    """Whether the keywords of an input stand at the beginning of a file."""
    text = beginning(path)
    return any(keyword in text for keyword in KEYWORDS) and MODES in text


def read(path: Path) -> Molecule:
    """The field in a file. Raises ProblemError with every fault, each ``file:line:column: ...``."""
    faults = FileFaults(path.name, KEY)
    lines = [line.split() for line in text_lines(path)]
    at = next((k for k, cells in enumerate(lines) if cells[:1] == [MODES]), None)
    if at is None:
        faults.add(f"no line {MODES} with the number of modes", 1)
    faults.raise_any()
    assert at is not None
    d = count(lines[at][1] if len(lines[at]) > 1 else "", "the number of modes", at + 1, 2, faults)
    faults.raise_any()
    assert d is not None
    frequencies = [_frequency(lines, at + 1 + k, k, faults) for k in range(d)]
    head = at + 1 + d
    cells = lines[head] if head < len(lines) else []
    if cells[:1] != [CONSTANTS]:
        faults.add(f"expected {CONSTANTS} after {d} modes, found {' '.join(cells)!r}", min(head + 1, len(lines)))
    faults.raise_any()
    promised = count(cells[1] if len(cells) > 1 else "", "the number of constants", head + 1, 2, faults, 10**7)
    rows = [(k + 1, row) for k, row in enumerate(lines) if k > head and row]
    if promised is not None and len(rows) != promised:
        faults.add(f"{promised} constants are announced, {len(rows)} follow: is the file cut short?", head + 1)
    derivatives: dict[tuple[int, ...], float] = {}
    seen: dict[tuple[int, ...], int] = {}
    for line, row in rows:
        _note(row, line, d, derivatives, seen, faults)
    faults.raise_any()
    comment = " ".join(lines[0][1:]) if lines[0][:1] == ["Comment:"] else ""
    name = f"{path.stem} ({comment[:60]})" if comment else path.stem
    return Molecule(of_derivatives(name, [w for w in frequencies if w], derivatives, path))


def _frequency(lines: list[list[str]], at: int, mode: int, faults: FileFaults) -> float | None:
    cells = lines[at] if at < len(lines) else []
    if len(cells) != 3 or cells[0] != str(mode):
        faults.add(
            f"expected mode {mode}, its frequency and quanta, found {' '.join(cells)!r}", min(at + 1, len(lines))
        )
        return None
    value = number(cells[1], "frequency", at + 1, 2, faults)
    if value is not None and value <= 0.0:
        faults.add(f"a frequency must be positive, found {cells[1]}", at + 1, 2)
    return value


def _note(
    cells: list[str],
    line: int,
    d: int,
    derivatives: dict[tuple[int, ...], float],
    seen: dict[tuple[int, ...], int],
    faults: FileFaults,
) -> None:
    """One constant into ``derivatives``; or what is wrong with it."""
    order = int(cells[0]) if cells[0].isdecimal() else 0
    if not 1 <= order <= MAX_ORDER:
        faults.add(f"the order must be one of 1 to {MAX_ORDER}, found {cells[0]!r}", line)
        return
    if len(cells) != order + 2:
        faults.add(f"order {order} needs {order} modes and a value, found {len(cells) - 1} cells", line)
        return
    modes = modes_of(cells[1:-1], 0, d, line, 2, faults)
    value = number(cells[-1], "constant", line, order + 2, faults)
    if modes is None or value is None:
        return
    if modes in seen:
        faults.add(f"{' '.join(map(str, modes))} is listed twice (line {seen[modes]})", line, 2)
        return
    seen[modes] = line
    derivatives[tuple(k + 1 for k in modes)] = value
