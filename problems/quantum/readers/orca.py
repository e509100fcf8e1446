"""Anharmonic runs of ORCA: the file ``NAME.vpt2``, and what the output ``NAME.out`` beside it adds.

    # Atomic coordinates in Angstroem                     atoms: element, number, mass, x, y, z
    # Hessian[i][j] in Eh/(bohr**2)                       i, j, value, from 0, of Cartesian coordinates
    # Dipole Derivatives[i][j] in (Eh*bohr)^1/2           d mu_j / dx_i
    # 2nd Dipole Derivatives[NVib][threeN][xyz] in ...    d^2 mu / dq_k dx_i,   3rd:  d^3 mu / dq_k^2 dx_i
    # Cubic[i][j][k] force field in 1/cm                  full derivatives in dimensionless normal coordinates
    # Semi-quartic[i][j][k][k] force field in 1/cm

each followed by its sizes and its rows. The normal modes are not in the file: those computed here from the Hessian
differ from ORCA's by signs, and within degenerate modes by rotations. The transition dipoles that the output prints
(T = d mu/dq / sqrt(2), atomic units) find ORCA's modes; what they leave open is found from d^2 mu / dq_k dq_l, which is
the same in k and l. Where neither tells, zeta and the dipole would contradict the cubic constants, and are left out.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.field import of_derivatives
from problems.quantum.hamiltonians.force_field.geometry import (
    ELECTRONS,
    HARTREE,
    Geometry,
    NormalModes,
    normal_modes,
    rotation_of,
)
from problems.quantum.hamiltonians.force_field.molecule import DEBYE, Molecule, Surface
from problems.quantum.readers.orca_output import OrcaOutput, is_output, read_output
from problems.quantum.readers.polynomial import number
from problems.quantum.readers.quality import missing
from problems.quantum.readers.reader import KEY, beginning, text_lines
from problems.tables import FileFaults

ATOMS = "# Atomic coordinates in Angstroem"
HESSIAN = "# Hessian[i][j]"
CUBIC, QUARTIC = "# Cubic[i][j][k]", "# Semi-quartic[i][j][k][k]"
DIPOLE = ("# Dipole Derivatives[i][j]", "# 2nd Dipole Derivatives", "# 3rd Dipole Derivatives")
DIFFER = 1.0  # cm-1: of two values of a constant, worth a note
TOGETHER = 0.5  # cm-1: modes that may be mixed with each other
MATCH = 0.1  # relative: how well transition dipoles agree in modes that are found
WEAK = 1e-4  # atomic units: a smaller transition dipole or derivative tells no sign
UNKNOWN = "the signs of the normal modes are not in the file, and {why}: zeta and the dipole are left out"


def reads(path: Path) -> bool:
    """Whether a file has the blocks of a .vpt2 file, or is the output of such a run."""
    if path.suffix.lower() == ".vpt2" or ATOMS in beginning(path):
        text = beginning(path)
        return ATOMS in text or "# VPT2 settings" in text
    return is_output(path)


def beside(path: Path) -> list[Path]:
    """The output beside the constants, or the other way round."""
    if is_output(path):
        return [file for file in [path.with_suffix(".vpt2")] if file.is_file()]
    files = [path.with_suffix(suffix) for suffix in (".out", ".log")]
    return [file for file in files if file.is_file() and is_output(file)][:1]


def read(path: Path) -> Molecule:
    """The molecule of a run. Raises ProblemError with every fault, each ``file:line:column: ...``."""
    constants, output = path, None
    if is_output(path):
        constants, output = path.with_suffix(".vpt2"), read_output(path)
        if not constants.is_file():
            faults = FileFaults(path.name, KEY)
            faults.add(f"an output has no force constants: they are in {constants.name}, which must lie beside it", 1)
            faults.raise_any()
    elif beside(path):
        output = read_output(beside(path)[0])
    return _read(constants, output, path)


def _read(path: Path, output: OrcaOutput | None, source: Path) -> Molecule:
    faults = FileFaults(path.name, KEY)
    lines = text_lines(path)
    starts = {text.strip(): k for k, text in enumerate(lines) if text.startswith("#")}
    geometry = _geometry(lines, starts, faults)
    hessian = _block(lines, starts, HESSIAN, 2, faults)
    cubic = _block(lines, starts, CUBIC, 3, faults)
    quartic = _block(lines, starts, QUARTIC, 3, faults)
    faults.raise_any()
    assert geometry is not None and hessian is not None and cubic is not None and quartic is not None
    if len(hessian) != 3 * len(geometry.symbols):
        faults.add(
            f"a Hessian of {len(hessian)} coordinates for {len(geometry.symbols)} atoms", _place(starts, HESSIAN)
        )
        faults.raise_any()
    modes = normal_modes(geometry, hessian)
    d = len(modes.frequencies)
    if modes.frequencies[0] <= 0.0:
        faults.add(f"mode 1 has an imaginary frequency ({-modes.frequencies[0]:.1f}i cm-1)", _place(starts, HESSIAN))
    for name, block in ((CUBIC, cubic), (QUARTIC, quartic)):
        if block.shape != (d, d, d):
            faults.add(f"constants of {len(block)} modes, the molecule has {d}", _place(starts, name))
    faults.raise_any()
    notes: list[str] = []
    derivatives = _derivatives(cubic, quartic, notes)
    field = of_derivatives(path.stem, list(modes.frequencies), derivatives, source)
    notes += missing(field)
    molecule = Molecule(field, geometry=geometry, printed=output.printed(d) if output else (), notes=tuple(notes))
    blocks = [_block(lines, starts, name, rank, faults, needed=False) for name, rank in zip(DIPOLE, (2, 3, 3))]
    faults.raise_any()
    return _with_modes(molecule, modes, blocks, output)


def _place(starts: Mapping[str, int], name: str) -> int:
    return next(k for text, k in starts.items() if text.startswith(name)) + 1


def _geometry(lines: Sequence[str], starts: Mapping[str, int], faults: FileFaults) -> Geometry | None:
    at = starts.get(ATOMS)
    count = lines[at + 1].strip() if at is not None and at + 1 < len(lines) else ""
    if at is None or not count.isdecimal():
        faults.add(f"no block {ATOMS!r} with the number of atoms", 1 if at is None else at + 2)
        return None
    symbols, numbers = [], []
    for k in range(at + 2, at + 2 + int(count)):
        cells = lines[k].split() if k < len(lines) else []
        if len(cells) != 6:
            faults.add(
                "expected element, number, mass and three coordinates: is the file cut short?", min(k + 1, len(lines))
            )
            return None
        values = [number(cell, "number", k + 1, column, faults) for column, cell in enumerate(cells[2:], start=3)]
        symbols.append(cells[0])
        numbers.append([np.nan if value is None else value for value in values])
    table = np.array(numbers)
    return Geometry(tuple(symbols), table[:, 0], table[:, 1:])


def _block(
    lines: Sequence[str], starts: Mapping[str, int], name: str, rank: int, faults: FileFaults, needed: bool = True
) -> np.ndarray | None:
    """The array of a block: its sizes, then a row a number with its places from 0."""
    at = next((k for text, k in starts.items() if text.startswith(name)), None)
    if at is None:
        if needed:
            faults.add(f"no block {name!r}", len(lines) or 1)
        return None
    head = lines[at + 1].split() if at + 1 < len(lines) else []
    if len(head) != rank or not all(cell.isdecimal() and 0 < int(cell) <= 3000 for cell in head):
        faults.add(f"expected {rank} sizes, found {' '.join(head)[:40]!r}", min(at + 2, len(lines)))
        return None
    found = np.zeros([int(cell) for cell in head])
    for k in range(at + 2, at + 2 + found.size):
        cells = lines[k].split() if k < len(lines) else []
        places = cells[:-1]
        if len(places) != rank or not all(c.isdecimal() and int(c) < n for c, n in zip(places, found.shape)):
            faults.add(f"expected {rank} places and a value: is the block cut short?", min(k + 1, len(lines)))
            return None
        value = number(cells[-1], "value", k + 1, rank + 1, faults)
        found[tuple(map(int, places))] = np.nan if value is None else value
    return found


def _derivatives(cubic: np.ndarray, quartic: np.ndarray, notes: list[str]) -> dict[tuple[int, ...], float]:
    """Sorted modes from 1 -> constant, the mean over the values that the blocks give."""
    values: dict[tuple[int, ...], list[float]] = defaultdict(list)
    for place in np.ndindex(cubic.shape):
        values[tuple(sorted(k + 1 for k in place))].append(float(cubic[place]))
        i, j, k = place
        values[tuple(sorted((i + 1, j + 1, k + 1, k + 1)))].append(float(quartic[place]))
    apart = {modes: max(found) - min(found) for modes, found in values.items()}
    worst = max(apart, key=lambda modes: apart[modes])
    if apart[worst] > DIFFER:
        told = "-".join(map(str, worst))
        notes.append(f"values of the same constant differ by up to {apart[worst]:.1f} cm⁻¹ (modes {told})")
    return {modes: float(np.mean(found)) for modes, found in values.items() if any(found)}


def _with_modes(
    molecule: Molecule, modes: NormalModes, blocks: Sequence[np.ndarray | None], output: OrcaOutput | None
) -> Molecule:
    """Rotation and dipole of ORCA's own modes, where those can be told."""
    d = len(modes.frequencies)
    geometry, first = molecule.geometry, blocks[0]
    assert geometry is not None
    if output is None or first is None or len(output.transitions) < d:
        why = UNKNOWN.format(why="no output NAME.out lies beside it")
        return replace(molecule, notes=(*molecule.notes, why))
    slopes = _projected(modes, geometry, first)  # d mu / dq, atomic units
    mixed = [None if block is None else _projected(modes, geometry, block) for block in blocks[1:]]
    turn = _turn(modes.frequencies, slopes, np.sqrt(2.0) * output.transitions[-d:], mixed[0])
    if turn is None:
        return replace(molecule, notes=(*molecule.notes, UNKNOWN.format(why="the output does not tell them")))
    vectors = np.einsum("kl,lic->kic", turn, modes.vectors)
    dipole = _dipole(turn @ slopes, [None if m is None else np.einsum("kl,mlc->mkc", turn, m) for m in mixed])
    return replace(molecule, rotation=rotation_of(geometry, vectors), dipole=dipole, vectors=vectors)


def _projected(modes: NormalModes, geometry: Geometry, block: np.ndarray) -> np.ndarray:
    """Derivatives by Cartesian coordinates (..., 3 atoms, 3) as those by dimensionless coordinates (..., d, 3)."""
    roots = np.repeat(np.sqrt(geometry.masses * ELECTRONS), 3)
    per_q = np.sqrt(HARTREE / modes.frequencies)[:, None] * modes.vectors.reshape(len(modes.frequencies), -1) / roots
    return np.einsum("ki,...ic->...kc", per_q, block)


def _turn(w: np.ndarray, mine: np.ndarray, theirs: np.ndarray, mixed: np.ndarray | None) -> np.ndarray | None:
    """The orthogonal matrix, (d, d), that makes their modes of mine; None where it cannot be told.

    Modes nearer than TOGETHER are rotated in each other (Schoenemann, Psychometrika 31, 1 (1966)), others have a sign.
    """
    d = len(w)
    turn = np.zeros((d, d))
    edges = [0, *(np.flatnonzero(np.diff(w) > TOGETHER) + 1).tolist(), d]
    for start, stop in itertools.pairwise(edges):
        part = slice(start, stop)
        u, sizes, v = np.linalg.svd(theirs[part] @ mine[part].T)
        if sizes[-1] > WEAK**2:
            turn[part, part] = u @ v
            if np.abs(turn[part, part] @ mine[part] - theirs[part]).max() > MATCH * np.abs(theirs[part]).max():
                return None
        elif stop - start > 1:
            return None
    open_modes = [k for k in range(d) if not turn[k].any()]
    while open_modes and mixed is not None:
        found = [(k, sign) for k in open_modes if (sign := _sign(k, turn, mixed)) != 0.0]
        if not found:
            break
        for k, sign in found:
            turn[k, k] = sign
            open_modes.remove(k)
    return None if open_modes else turn


def _sign(k: int, turn: np.ndarray, mixed: np.ndarray) -> float:
    """Of mode k from d^2 mu / dq_k dq_l = d^2 mu / dq_l dq_k with modes l that are known; zero where none tells.

    ``mixed``: (their mode, mine, component).
    """
    known = [m for m in range(len(turn)) if turn[m].any()]
    by_k = np.einsum("lm,mc->lc", turn[known], mixed[k])  # along their k, then their l
    by_l = mixed[known, k]  # along their l, then my k
    total = float(np.sum(by_k * by_l))
    return float(np.sign(total)) if abs(total) > WEAK**2 else 0.0


def _dipole(slopes: np.ndarray, mixed: Sequence[np.ndarray | None]) -> Surface:
    """The dipole in debye; its value at equilibrium is not in the files."""
    d = len(slopes)
    second, third = mixed
    components: list[dict[tuple[int, ...], float]] = []
    for c in range(3):
        part: dict[tuple[int, ...], float] = {(k,): float(slopes[k, c]) for k in range(d)}
        for k, m in itertools.product(range(d), repeat=2):
            if second is not None and m >= k:
                part[k, m] = 0.5 * float(second[k, m, c] + second[m, k, c]) * (0.5 if k == m else 1.0)
            if third is not None:
                part[tuple(sorted((k, k, m)))] = float(third[k, m, c]) / (6.0 if k == m else 2.0)
        components.append({modes: DEBYE * value for modes, value in part.items() if value})
    return Surface(tuple(components), "D")
