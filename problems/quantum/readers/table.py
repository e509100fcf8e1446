"""Force fields in a CSV file: ``#`` comments, the header, then a constant a row, modes counted from 1."""

from __future__ import annotations

import re
from pathlib import Path

from problems.quantum.hamiltonians.force_field.field import ForceField, of_derivatives
from problems.quantum.readers import cartesian_table
from problems.quantum.readers.reader import KEY
from problems.tables import FileFaults, rows_below

HEADER = ["order", "modes", "coefficient_cm-1"]
MAX_ORDER = 6
_INTEGER = re.compile(r"[0-9]{1,4}")
_MODES = re.compile(r"[0-9]{1,4}(-[0-9]{1,4})*")
Seen = dict[tuple[int, ...], tuple[int, float]]  # sorted modes -> line, coefficient


def reads(path: Path) -> bool:
    """Whether the name of a file ends in .csv, and it is no table of Cartesian derivatives."""
    return path.suffix.lower() == ".csv" and not cartesian_table.reads(path)


def read(path: Path) -> ForceField:
    """As ``read_csv``, called after the file."""
    return read_csv(path)


def read_csv(path: Path, name: str | None = None) -> ForceField:
    """Read a force field from a CSV file: ``#`` comments, then ``order,modes,coefficient_cm-1``.

    Rows hold full derivatives phi in cm-1 of order 1 to 6 (``4,1-1-3-3,12.5``), each multiset of modes once. Those of
    order 2 with equal modes are the harmonic frequencies (``2,3-3,1413``), one of each mode; with different modes they
    couple modes that are no normal modes. Rows of order 1 are forces, of an expansion about another point than the
    minimum. Modes are numbered from 1 without a gap.

    Raises ProblemError for anything else: every fault, each ``file:line:column: ...``.
    """
    faults = FileFaults(path.name, KEY)
    seen: Seen = {}
    named: set[int] = set()  # modes whose frequency has a row, be it a wrong one
    for line, _, row in rows_below(path, KEY, [HEADER], faults):
        _note(row, line, seen, named, faults)
    if seen or named or not faults.found:
        _look_at_modes(seen, named, faults)
    faults.raise_any()
    frequencies = {modes[0]: value for modes, (_, value) in seen.items() if _is_frequency(modes)}
    derivatives = {modes: phi for modes, (_, phi) in seen.items() if not _is_frequency(modes)}
    ordered = [frequencies[mode] for mode in range(1, len(frequencies) + 1)]
    return of_derivatives(name or path.stem, ordered, derivatives, path)


def _is_frequency(modes: tuple[int, ...]) -> bool:
    return len(modes) == 2 and modes[0] == modes[1]


def _look_at_modes(seen: Seen, frequencies: set[int], faults: FileFaults) -> None:
    """Every mode has a frequency, and no row a mode beyond them."""
    if not frequencies:
        faults.add("no harmonic frequencies (rows of order 2, as in 2,1-1,3065)")
        return
    d = max(frequencies)
    for missing in sorted(set(range(1, d + 1)) - frequencies):
        faults.add(
            f"no frequency row for mode {missing} (modes are numbered from 1 without a gap;"
            f" the highest with a frequency is {d})"
        )
    for modes, (line, _) in seen.items():
        if modes[-1] > d:
            faults.add(f"mode {modes[-1]} is out of range: frequency rows give modes 1 to {d}", line, 2)


def _note(row: list[str], line: int, seen: Seen, named: set[int], faults: FileFaults) -> None:
    """One row into ``seen``, or what is wrong with it."""
    if len(row) != 3:
        faults.add(f"expected three columns ({','.join(HEADER)}), found {len(row)}", line)
        return
    order_text, modes_text, value_text = row
    order = int(order_text) if _INTEGER.fullmatch(order_text) else 0
    if not 1 <= order <= MAX_ORDER:
        faults.add(f"order must be a number from 1 to {MAX_ORDER}, found {order_text!r}", line)
    value = faults.number(value_text, "coefficient", line, 3)
    if not _MODES.fullmatch(modes_text):
        faults.add(f"modes must read like 1-1-3, found {modes_text!r}", line, 2)
        return
    modes = tuple(sorted(int(mode) for mode in modes_text.split("-")))
    if not 1 <= order <= MAX_ORDER:
        return
    if len(modes) != order:
        faults.add(f"order {order} needs {order} modes, found {len(modes)} in {modes_text}", line, 2)
        return
    if modes[0] < 1:
        faults.add("mode 0 is out of range: modes are numbered from 1", line, 2)
        return
    if _is_frequency(modes):
        named.add(modes[0])
    if value is None:
        return
    if _is_frequency(modes) and value <= 0:
        faults.add(f"the frequency of mode {modes[0]} must be positive, found {value_text}", line, 3)
        return
    if modes in seen:
        first, before = seen[modes]
        kind = "is listed twice" if value == before else f"contradicts {before:g} given before"
        faults.add(f"{'-'.join(map(str, modes))} {kind} (line {first})", line, 2)
        return
    seen[modes] = (line, value)
