"""A dipole or a polarisability in a CSV file: its value and full derivatives at equilibrium.

    order,modes,axis,value
    0,,z,-0.7394386810
    1,1,y,0.0458488106
    2,1-3,y,-0.0102660516

``modes`` from 1, each multiset once, empty for order 0; ``axis``: x, y, z of a dipole, xx, xy, xz, yy, yz, zz of a
polarisability. The last column is ``value`` (atomic units), ``value_D`` (debye) or ``value_A3`` (cubic Angstrom). What
has no row is zero.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from problems.quantum.hamiltonians.force_field.geometry import ANGSTROM
from problems.quantum.hamiltonians.force_field.molecule import DEBYE, Surface
from problems.tables import FileFaults, rows_below

FIRST = ["order", "modes", "axis"]
DIPOLE = ("x", "y", "z")
POLARISABILITY = ("xx", "xy", "xz", "yy", "yz", "zz")
# of the last column -> the unit of the surface and what a number is worth in it
UNITS = {
    DIPOLE: {"value": ("D", DEBYE), "value_D": ("D", 1.0)},
    POLARISABILITY: {"value": ("A3", ANGSTROM**3), "value_A3": ("A3", 1.0)},
}
MAX_ORDER = 6
_MODES = re.compile(r"[0-9]{1,4}(-[0-9]{1,4})*")
Seen = dict[tuple[str, tuple[int, ...]], tuple[int, float]]  # axis, sorted modes -> line, value


def read_property(path: Path, d: int, axes: Sequence[str], key: str) -> Surface:
    """The property with components ``axes`` (``DIPOLE`` or ``POLARISABILITY``) of a molecule of ``d`` modes.

    Raises ProblemError with every fault, each ``file:line:column: ...``.
    """
    known, faults = UNITS[tuple(axes)], FileFaults(path.name, key)
    seen: Seen = {}
    unit, worth = next(iter(known.values()))
    for line, header, row in rows_below(path, key, [[*FIRST, last] for last in known], faults):
        unit, worth = known[header[-1]]
        _note(row, line, d, axes, seen, faults)
    if not faults.found and not any(modes for _, modes in seen):
        faults.add("no derivatives: rows of order 1 and up say how the property changes with the modes")
    faults.raise_any()
    found: dict[str, dict[tuple[int, ...], float]] = {axis: {} for axis in axes}
    for (axis, modes), (_, value) in seen.items():
        multiplicity = math.prod(math.factorial(m) for m in Counter(modes).values())
        found[axis][tuple(k - 1 for k in modes)] = worth * value / multiplicity
    return Surface(tuple(found.values()), unit)


def _note(row: list[str], line: int, d: int, axes: Sequence[str], seen: Seen, faults: FileFaults) -> None:
    """One row into ``seen``, or what is wrong with it."""
    if len(row) != len(FIRST) + 1:
        faults.add(f"expected {len(FIRST) + 1} columns ({','.join(FIRST)} and a value), found {len(row)}", line)
        return
    order_text, modes_text, axis, value_text = row
    before = faults.count
    order = int(order_text) if re.fullmatch("[0-9]", order_text) else MAX_ORDER + 1
    if order > MAX_ORDER:
        faults.add(f"order must be a number from 0 to {MAX_ORDER}, found {order_text!r}", line)
    if axis not in axes:
        faults.add(f"axis must be one of {', '.join(axes)}, found {axis!r}", line, 3)
    value = faults.number(value_text, "value", line, 4)
    if modes_text and not _MODES.fullmatch(modes_text):
        faults.add(f"modes must read like 1-1-3, found {modes_text!r}", line, 2)
        return
    modes = tuple(sorted(int(mode) for mode in modes_text.split("-"))) if modes_text else ()
    if order <= MAX_ORDER and len(modes) != order:
        faults.add(f"order {order} needs {order} modes, found {len(modes)}", line, 2)
    faults_of_modes = [mode for mode in modes if not 1 <= mode <= d]
    if faults_of_modes:
        faults.add(f"mode {faults_of_modes[0]} is out of range: the force field has modes 1 to {d}", line, 2)
    if faults.count > before or value is None:
        return
    if (axis, modes) in seen:
        first, earlier = seen[axis, modes]
        said = "is listed twice" if earlier == value else f"contradicts {earlier:g} given before"
        faults.add(f"{modes_text or 'the value at equilibrium'} of {axis} {said} (line {first})", line, 2)
        return
    seen[axis, modes] = (line, value)
