"""Cartesian derivatives as INTDER writes them for SPECTRO, and the geometry in the input of either program.

    fort.15   the second derivatives, all (3 atoms)^2, row by row           hartree/bohr^2
    fort.30   the third ones, i >= j >= k, the last index fastest           hartree/bohr^3
    fort.40   the fourth ones, i >= j >= k >= l, likewise                   hartree/bohr^4

three numbers a line; a first line of two integers (atoms, numbers) may stand above. ``x.15``, ``x.30`` and ``x.40`` are
the same. Any of these files, or the input, names them all: they lie in one folder.

SPECTRO's input has sections ``# NAME ###``: of the options the second, where it is -1, says that WEIGHT has the masses;
GEOM has the number of atoms, then atomic numbers (0 for points that are no atoms) and coordinates in bohr. INTDER's
input has the coordinates in bohr, three a line, behind the internal coordinates, and below them names as ``C12``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.cartesian import CartesianField, masses_of, symmetric
from problems.quantum.hamiltonians.force_field.elements import SYMBOLS
from problems.quantum.hamiltonians.force_field.isotopes import HEAVY_HYDROGEN
from problems.quantum.readers.reader import KEY
from problems.tables import FileFaults, decoded

ORDERS = {"15": 2, "30": 3, "40": 4}
INPUTS = ("spectro.in", "intder.in")
FORTRAN = str.maketrans("dD", "ee")
UNLIKE = 1e-6  # of the largest second derivative: what the two of a pair differ by at most
SAME_MASS = 1e-3  # u: masses that are told apart
_SECTION = re.compile(r"#\s*([A-Z]+)")
_LABEL = re.compile(r"([A-Z][a-z]?|[A-Z]{2})(\d{0,3})")


@dataclass
class Atoms:
    """What an input says: elements, positions in bohr (atoms, 3), masses that it gives, and a note."""

    symbols: list[str] = field(default_factory=list)
    positions: list[list[float]] = field(default_factory=list)
    masses: dict[int, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def reads(path: Path) -> bool:
    """Whether a file is called as those of derivatives are, or is an input of SPECTRO or INTDER."""
    return path.suffix[1:] in ORDERS or _program(path) is not None


def read(path: Path) -> CartesianField:
    """The derivatives, of all files that belong to the one named.

    Raises ProblemError with every fault, each ``file:line:column: ...``, and where a file that is needed is not there.
    """
    source, files = _family(path)
    told = decoded(source, KEY).splitlines()
    atoms = (_spectro if _program(source) == "SPECTRO" else _intder)(source, told)
    positions = np.array(atoms.positions)
    masses = masses_of(atoms.symbols)
    for atom, mass in atoms.masses.items():
        masses[atom - 1] = mass
    read_in = [_derivatives(files[order], order, len(positions)) for order in sorted(files)]
    tensors = tuple(tensor for tensor, _ in read_in)
    missing = [end for end, order in ORDERS.items() if order not in files]
    notes = [*atoms.notes, *(note for _, said in read_in for note in said)]
    notes += [f"no file .{end}: derivatives of order {ORDERS[end]} are not known" for end in missing]
    name = path.resolve().parent.name if path.name.startswith(("fort.", "spectro")) else path.stem.partition(".")[0]
    return CartesianField(name, tuple(atoms.symbols), masses, positions, tensors, path, tuple(notes))


def beside(path: Path) -> list[Path]:
    """The other files that are read with one of them."""
    source, files = _family(path)
    return [other for other in (source, *files.values()) if other != path]


def of_folder(folder: Path) -> Path | None:
    """The file that stands for a folder: fort.15, where SPECTRO's or INTDER's input lies beside it."""
    file = folder / "fort.15"
    return file if file.is_file() and any(_program(folder / name) for name in INPUTS) else None


def _program(path: Path) -> str | None:
    """The program whose input a file is."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            found = _SECTION.match(file.readline())
    except OSError:
        return None
    return found[1] if found and found[1] in ("SPECTRO", "INTDER") else None


def _family(path: Path) -> tuple[Path, dict[int, Path]]:
    """The input and the files of derivatives by their order, of the one named."""
    if not path.is_file():
        raise ProblemError(f"no such file: {path}", KEY)
    own = path.suffix[1:] in ORDERS
    stem = path.stem if own else path.name.partition(".")[0]
    stems = [stem] if own else [stem, "fort"]
    files: dict[int, Path] = {}
    for stem in stems:
        there = {order: path.with_name(f"{stem}.{end}") for end, order in ORDERS.items()}
        files = {order: file for order, file in there.items() if file.is_file()}
        if files:
            break
    if 2 not in files:
        names = " or ".join(f"{stem}.15" for stem in stems)
        raise ProblemError(f"{path.name}: no second derivatives beside it ({names})", KEY)
    if 4 in files and 3 not in files:
        raise ProblemError(f"{path.name}: {files[4].name} is there, third derivatives ({stems[-1]}.30) are not", KEY)
    if not own:
        return path, files
    inputs = INPUTS if stem == "fort" else (f"{stem}.freq.in", f"{stem}.in", *INPUTS)
    for name in inputs:
        if _program(path.with_name(name)):
            return path.with_name(name), files
    raise ProblemError(f"{path.name}: no geometry beside it: the input of SPECTRO or INTDER ({', '.join(inputs)})", KEY)


def _derivatives(path: Path, order: int, atoms: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """The derivatives of one order, a symmetric array (3 atoms,) * order, and what is odd in them."""
    faults = FileFaults(path.name, KEY)
    lines = decoded(path, KEY).splitlines()
    start = 0
    if lines and len(cells := lines[0].split()) == 2 and all(cell.isdecimal() for cell in cells):
        start = 1
        if int(cells[0]) != atoms:
            faults.add(f"of {cells[0]} atoms, the input has {atoms}", 1)
    values: list[float] = []
    for number, line in enumerate(lines[start:], start=start + 1):
        for column, cell in enumerate(line.split(), start=1):
            value = faults.number(cell.translate(FORTRAN), "derivative", number, column)
            values.append(0.0 if value is None else value)
    n = 3 * atoms
    expected = n * n if order == 2 else math.comb(n + order - 1, order)
    if len(values) != expected:
        hint = "is the file cut short?" if len(values) < expected else "is it of another molecule?"
        of = f"{atoms} atoms have {expected} derivatives of order {order}"
        faults.add(f"{of}, found {len(values)}: {hint}", len(lines))
    faults.raise_any()
    if order > 2:
        return symmetric(np.array(values), n, order), ()
    square = np.array(values).reshape(n, n)
    unlike = np.abs(square - square.T)
    if float(unlike.max()) <= UNLIKE * float(np.abs(square).max()):
        return 0.5 * (square + square.T), ()
    row, column = sorted((int(k) for k in np.unravel_index(int(unlike.argmax()), (n, n))), reverse=True)
    lower = np.tril(square) + np.tril(square, -1).T
    pair = f"{row + 1},{column + 1} and {column + 1},{row + 1}"
    values_ = f"{square[row, column]:g} and {square[column, row]:g}"
    place = start + (row * n + column) // 3 + 1
    return lower, (f"{path.name}:{place}: the second derivatives {pair} differ, {values_}: the lower triangle is used",)


def _spectro(path: Path, lines: list[str]) -> Atoms:
    """The atoms in an input of SPECTRO."""
    faults, atoms, section = FileFaults(path.name, KEY), Atoms(), ""
    options: list[str] = []
    rows: dict[str, list[tuple[int, list[str]]]] = {}
    for number, line in enumerate(lines, start=1):
        found = _SECTION.match(line)
        if found:
            section = found[1]
        elif line.strip():
            rows.setdefault(section, []).append((number, line.split()))
    options = [cell for _, cells in rows.get("SPECTRO", []) for cell in cells]
    geometry = rows.get("GEOM", [])
    if not geometry:
        faults.add("no section # GEOM with the atoms", len(lines))
    faults.raise_any()
    first, counted = geometry[0]
    count = int(counted[0]) if counted[0].isdecimal() else 0
    if not 1 <= count < len(geometry):
        faults.add(f"GEOM says {counted[0]} atoms, {len(geometry) - 1} lines follow", first)
    faults.raise_any()
    for number, cells in geometry[1:]:
        values = [faults.number(c.translate(FORTRAN), "coordinate", number, k) for k, c in enumerate(cells[:4], 1)]
        if len(cells) < 4:
            faults.add(f"an atom is its atomic number and three coordinates, found {' '.join(cells)}", number)
        elif None not in values:
            z = round(values[0] or 0.0)
            if z == 0:
                continue  # a point that is no atom
            if not 0 < z <= len(SYMBOLS):
                faults.add(f"no element of atomic number {z} is known", number)
                continue
            atoms.symbols.append(SYMBOLS[z - 1])
            atoms.positions.append([float(v or 0.0) for v in values[1:]])
    if not faults.found and len(atoms.symbols) != count:
        faults.add(f"GEOM says {count} atoms and has {len(atoms.symbols)}", first)
    faults.raise_any()
    weights = _weights(rows.get("WEIGHT", [])[1:], count, faults)
    faults.raise_any()
    if len(options) > 1 and options[1] == "-1":
        atoms.masses = weights
        return atoms
    usual = masses_of(atoms.symbols)
    unused = [atom for atom, mass in weights.items() if abs(mass - usual[atom - 1]) > SAME_MASS]
    if unused:
        atoms.notes = (
            f"{path.name} lists other masses of atoms {', '.join(map(str, unused))} than the most abundant isotopes "
            "have, and its second option, which is not -1, leaves them unused: so they are here; masses takes them in",
        )
    return atoms


def _weights(rows: list[tuple[int, list[str]]], count: int, faults: FileFaults) -> dict[int, float]:
    """Masses by atom, from 1; of points that are no atoms none."""
    found = {}
    for number, cells in rows:
        if len(cells) < 2 or not cells[0].isdecimal():
            continue
        mass = faults.number(cells[1].translate(FORTRAN), "mass", number, 2)
        if mass and 1 <= int(cells[0]) <= count:
            found[int(cells[0])] = mass
    return found


def _intder(path: Path, lines: list[str]) -> Atoms:
    """The atoms in an input of INTDER."""
    faults, atoms = FileFaults(path.name, KEY), Atoms()
    options = lines[1].split() if len(lines) > 1 else []
    if not options or not options[0].isdecimal():
        faults.add("the second line must begin with the number of atoms", 2)
        faults.raise_any()
    count = int(options[0])
    placed = [len(line.split()) == 3 and all("." in cell for cell in line.split()) for line in lines]
    starts = [k for k in range(2, len(lines) - count + 1) if all(placed[k : k + count])]
    if not starts:
        faults.add(f"no {count} lines of three coordinates behind the internal coordinates", len(lines))
        faults.raise_any()
    end = starts[0] + next((n for n, there in enumerate([*placed[starts[0] :], False]) if not there), 0)
    for number, line in enumerate(lines[starts[0] : starts[0] + count], start=starts[0] + 1):  # others are no atoms
        cells = enumerate(line.split(), start=1)
        values = [faults.number(cell.translate(FORTRAN), "coordinate", number, k) for k, cell in cells]
        atoms.positions.append([float(v or 0.0) for v in values])
    labels = [_LABEL.fullmatch(cell) for cell in (lines[end].split() if end < len(lines) else [])]
    if len(labels) != count or None in labels:
        atoms.symbols = [""] * count
        atoms.notes = (f"{path.name} does not name the elements",)
        faults.raise_any()
        return atoms
    for atom, label in enumerate(labels, start=1):
        assert label is not None
        symbol = label[1].capitalize()
        if symbol == "H" and label[2] in ("2", "3"):
            atoms.masses[atom] = HEAVY_HYDROGEN["D" if label[2] == "2" else "T"]
        atoms.symbols.append(symbol)
    faults.raise_any()
    return atoms
