"""Cartesian derivatives of the energy in a CSV file.

    kind,indices,value
    element,1,H           the element of an atom, where its most abundant isotope is meant; or mass,1,1.0078 (in u)
    x,1,0.0               Cartesian coordinates in bohr, numbered x, y, z of atom 1, then of atom 2 ...
    d2,2-1,0.37           derivatives of order 2, 3, 4 in hartree/bohr^order, each set of coordinates once

A comment ``# ... atoms H O H ...`` names the elements as well. Derivatives that have no row are zero.
"""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.cartesian import CartesianField, masses_of
from problems.quantum.hamiltonians.force_field.isotopes import mass_of
from problems.quantum.readers.reader import KEY
from problems.tables import FileFaults, decoded, rows_below

HEADER = ["kind", "indices", "value"]
ORDERS = {"d2": 2, "d3": 3, "d4": 4}
OF_ATOMS = ("element", "mass")
_INDICES = re.compile(r"[1-9][0-9]{0,3}(-[1-9][0-9]{0,3})*")
_ATOMS = re.compile(r"\batoms((?:\s+[A-Z][a-z]?\b)+)")
Seen = dict[tuple[str, tuple[int, ...]], tuple[int, float | str]]  # kind, sorted numbers from 1 -> line, value


def reads(path: Path) -> bool:
    """Whether the first row of a CSV file is the header of this table."""
    if path.suffix.lower() != ".csv":
        return False
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for line in file:
                if line.strip() and not line.lstrip().startswith("#"):
                    return [cell.strip() for cell in line.split(",")] == HEADER
    except OSError:
        pass
    return False


def read(path: Path) -> CartesianField:
    """The derivatives in a file. Raises ProblemError with every fault, each ``file:line:column: ...``."""
    faults = FileFaults(path.name, KEY)
    seen: Seen = {}
    for line, _, row in rows_below(path, KEY, [HEADER], faults):
        _note(row, line, seen, faults)
    faults.raise_any()
    size = _size(seen, faults)
    faults.raise_any()
    symbols, masses = _atoms(path, seen, size // 3)
    highest = max(ORDERS[kind] for kind, _ in seen if kind in ORDERS)
    tensors = tuple(np.zeros((size,) * order) for order in range(2, highest + 1))
    positions = np.zeros(size)
    for (kind, numbers), (_, value) in seen.items():
        if kind == "x":
            positions[numbers[0] - 1] = value
        elif kind in ORDERS:
            for turn in set(permutations(numbers)):
                tensors[len(numbers) - 2][tuple(n - 1 for n in turn)] = value
    notes = () if highest == 4 else (f"{path.name} has derivatives up to order {highest} only",)
    return CartesianField(path.stem, symbols, masses, positions.reshape(-1, 3), tensors, path, notes)


def _note(row: list[str], line: int, seen: Seen, faults: FileFaults) -> None:
    """One row into ``seen``, or what is wrong with it."""
    if len(row) != 3:
        faults.add(f"expected three columns ({','.join(HEADER)}), found {len(row)}", line)
        return
    kind, text, cell = row
    if kind not in ("x", *OF_ATOMS, *ORDERS):
        faults.add(f"kind must be x, {', '.join(OF_ATOMS)}, {', '.join(ORDERS)}, found {kind!r}", line)
        return
    wanted = ORDERS.get(kind, 1)
    if not _INDICES.fullmatch(text) or text.count("-") + 1 != wanted:
        example = "-".join(["1", "1", "2", "3"][:wanted])
        faults.add(f"{kind} needs {wanted} numbers, as in {example}, found {text!r}", line, 2)
        return
    value: float | str | None = cell
    if kind == "element":
        if mass_of(cell) is None:
            faults.add(f"no element is called {cell!r}", line, 3)
            return
    else:
        value = faults.number(cell, kind, line, 3)
        if kind == "mass" and value is not None and float(value) <= 0.0:
            faults.add(f"a mass must be positive, found {cell}", line, 3)
            return
    if value is None:
        return
    place = (kind, tuple(sorted(int(n) for n in text.split("-"))))
    if place in seen:
        first, before = seen[place]
        said = "is listed twice" if value == before else f"contradicts {before} given before"
        faults.add(f"{kind},{text} {said} (line {first})", line)
        return
    seen[place] = (line, value)


def _size(seen: Seen, faults: FileFaults) -> int:
    """The number of coordinates: those of all atoms, with no number beyond them."""
    coordinates = sorted(numbers[0] for kind, numbers in seen if kind == "x")
    size = len(coordinates)
    if not size or size % 3 or coordinates[-1] != size:
        faults.add(f"coordinates (rows x,1,... on) must be three an atom, numbered without a gap; found {size}")
        return size
    if not any(kind == "d2" for kind, _ in seen):
        faults.add("no derivatives of order 2 (rows like d2,1-1,0.35)")
    for (kind, numbers), (line, _) in seen.items():
        most = size // 3 if kind in OF_ATOMS else size
        if numbers[-1] > most:
            what = "atom" if kind in OF_ATOMS else "coordinate"
            faults.add(f"{what} {numbers[-1]} is out of range: rows x give {what}s 1 to {most}", line, 2)
    return size


def _atoms(path: Path, seen: Seen, count: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Elements and masses: of rows, or elements of a comment."""
    symbols = [""] * count
    said = _in_comment(decoded(path, KEY))
    if len(said) == count:
        symbols = said
    for (kind, numbers), (_, value) in seen.items():
        if kind == "element":
            symbols[numbers[0] - 1] = str(value)
    masses = masses_of(symbols)
    for (kind, numbers), (_, value) in seen.items():
        if kind == "mass":
            masses[numbers[0] - 1] = value
    return tuple(symbols), masses


def _in_comment(text: str) -> list[str]:
    for line in text.splitlines():
        found = _ATOMS.search(line) if line.lstrip().startswith("#") else None
        if found:
            return found[1].split()
    return []
