"""Files of an anharmonic run of CFOUR, which lie in one folder; any of them, or the folder, names all.

    cubic, quartic      7  7  9  46.106     full derivatives in cm-1, dimensionless normal coordinates
    corioliszeta        Coriolis Zeta matrix for IXYZ=  1 :  and rows  8  7  -0.9518  (zeta_87 = -zeta_78)
    didQ                1  2  9  -2.3034    dI_xy/dQ_9 in amu^1/2 bohr
    dipolex, y, z       7  9  0  0.0012     derivatives of a component of the dipole, zeros after the modes
    anharm.out          the output: frequencies, rotational constants of the axes 1, 2, 3, irreducible representations,
                        and the transitions that the program itself found

Modes are counted from 7, from 6 for a linear molecule. ``quartic`` has derivatives with two equal modes, and two values
of phi_iijj, whose mean is taken. In principal axes sum_k (dI_aa/dQ_k)^2 = 4 I_aa, as the Q_k span all vibrations: this
tells whether didQ is of the molecule of anharm.out. The harmonic intensities tell whether the dipole files are in
atomic units or debye.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.field import of_derivatives
from problems.quantum.hamiltonians.force_field.geometry import ANGSTROM
from problems.quantum.hamiltonians.force_field.molecule import DEBYE, Molecule, Surface
from problems.quantum.hamiltonians.force_field.rotation import INVERSE_INERTIA, Rotation
from problems.quantum.readers.cfour_output import Output, read_output
from problems.quantum.readers.polynomial import number
from problems.quantum.readers.quality import missing
from problems.quantum.readers.reader import KEY, beginning, text_lines
from problems.tables import FileFaults

CONSTANTS = {"cubic": 3, "quartic": 4}
DIPOLE = ("dipolex", "dipoley", "dipolez")
ZETA, SLOPES = "corioliszeta", "didQ"
OUTPUTS = ("anharm.out", "out", "output.dat", "output")
MADE_BY = "CFOUR Coupled-Cluster techniques"
ANHARMONIC = "HARMONIC AND FUNDAMENTAL FREQUENCIES"
AXIS = re.compile(r"\s*Coriolis Zeta matrix for IXYZ=\s*([123])\s*:\s*$")
SUM_RULE = 0.01  # relative, of the sum rule: a file of the same molecule keeps it to its printed digits
MOST_TEXT = 100_000_000  # characters of an output that are looked through
DIFFER = 1.0  # cm-1: what two routes to a constant may differ by, as the program itself has it
KILOMETRES = 2.506643  # km/mol per cm-1 and D^2, of an intensity at zero temperature
SAME_INTENSITY = 0.02  # relative
Row = tuple[int, tuple[int, ...], float]  # line, modes as printed, value


def reads(path: Path) -> bool:
    """Whether a file has the name of one of a run, and what such a file holds, or is its output."""
    if path.name in (*CONSTANTS, *DIPOLE, SLOPES):
        rows = [line.split() for line in beginning(path).splitlines()[:1]]
        return bool(rows) and len(rows[0]) >= 2 and all(cell.isdecimal() for cell in rows[0][:-1])
    if path.name == ZETA:
        return AXIS.match(beginning(path).partition("\n")[0]) is not None
    return MADE_BY in beginning(path)


def of_folder(folder: Path) -> Path | None:
    """The file that stands for a folder; None where no run of CFOUR lies in it."""
    return next((folder / name for name in CONSTANTS if (folder / name).is_file()), None)


def beside(path: Path) -> list[Path]:
    """The other files of the run that a file is of."""
    names = (*CONSTANTS, ZETA, SLOPES, *DIPOLE)
    found = [path.parent / name for name in names if (path.parent / name).is_file()]
    output = _output_beside(path)
    return [file for file in [*found, *([output] if output else [])] if file.name != path.name]


def _output_beside(path: Path) -> Path | None:
    if path.name not in (*CONSTANTS, ZETA, SLOPES, *DIPOLE):
        return path
    files = [path.parent / name for name in OUTPUTS] + sorted(path.parent.glob("*out*"))
    return next((file for file in files if file.is_file() and _is_anharmonic(file)), None)


def _is_anharmonic(path: Path) -> bool:
    return MADE_BY in beginning(path) and ANHARMONIC in beginning(path, MOST_TEXT)


def read(path: Path) -> Molecule:
    """The molecule of a run. Raises ProblemError with every fault, each ``file:line:column: ...``."""
    faults = FileFaults(path.name, KEY)
    source = _output_beside(path)
    if source is None:
        faults.add(f"no output of an anharmonic run beside it ({OUTPUTS[0]}): the frequencies stand only there")
        faults.raise_any()
    assert source is not None
    output = read_output(source, ANHARMONIC)
    first, d = output.first, len(output.frequencies)
    notes: list[str] = []
    derivatives: dict[tuple[int, ...], float] = {}
    files = [name for name in CONSTANTS if (path.parent / name).is_file()]
    for name, order in CONSTANTS.items():
        if name in files:
            derivatives.update(_constants(path.parent / name, order, first, d, notes))
        elif name == "cubic":
            faults.add(f"no file {name} beside it: the force constants stand only there")
        else:
            notes.append(f"there is no file {name}: the field ends at third order and has no bottom")
    faults.raise_any()
    name = path.parent.name if path.name in (*CONSTANTS, *DIPOLE, ZETA, SLOPES, *OUTPUTS) else path.stem
    field = of_derivatives(output.title or name or path.stem, output.frequencies, derivatives, path)
    if "quartic" in files:
        notes += missing(field)
    return Molecule(
        field,
        rotation=_rotation(path.parent, output, notes),
        dipole=_dipole(path.parent, output, notes),
        irreps=output.irreps,
        point_group=output.point_group,
        printed=output.printed,
        notes=tuple(notes),
    )


def _rows(path: Path, orders: Sequence[int], faults: FileFaults, padded: bool = False) -> Iterator[Row]:
    """Rows of whole numbers and a value."""
    for line, text in enumerate(text_lines(path), start=1):
        cells = text.split()
        if not cells:
            continue
        places = [cell for cell in cells[:-1] if not (padded and cell == "0")]
        if len(places) not in orders or not all(cell.isdecimal() for cell in places):
            told = " or ".join(map(str, orders))
            faults.add(f"expected {told} whole numbers and a value, found {text.strip()[:40]!r}", line)
            continue
        value = number(cells[-1], "value", line, len(cells), faults)
        if value is not None:
            yield line, tuple(map(int, places)), value


def _within(row: Row, first: int, d: int, faults: FileFaults) -> bool:
    for column, mode in enumerate(row[1], start=1):
        if not first <= mode < first + d:
            faults.add(f"a mode must be one of {first} to {first + d - 1}, found {mode}", row[0], column)
            return False
    return True


def _constants(path: Path, order: int, first: int, d: int, notes: list[str]) -> dict[tuple[int, ...], float]:
    """Sorted modes from 1 -> derivative; the mean where a set of modes has several values."""
    faults = FileFaults(path.name, KEY)
    found: dict[tuple[int, ...], list[float]] = defaultdict(list)
    for row in _rows(path, [order], faults):
        if _within(row, first, d, faults):
            found[tuple(sorted(mode - first + 1 for mode in row[1]))].append(row[2])
    if not found and not faults.found:
        faults.add(f"empty: expected rows of {order} modes and a value", 1)
    faults.raise_any()
    apart = {modes: max(values) - min(values) for modes, values in found.items()}
    worst = max(apart, key=lambda modes: apart[modes])
    if apart[worst] > DIFFER:
        told = "-".join(map(str, worst))
        notes.append(f"two values of a constant in {path.name} differ by up to {apart[worst]:.1f} cm⁻¹ (modes {told})")
    return {modes: float(np.mean(values)) for modes, values in found.items()}


def _rotation(folder: Path, output: Output, notes: list[str]) -> Rotation | None:
    """Inertia, zeta and, where they keep the sum rule, derivatives of the inertia."""
    path, d = folder / ZETA, len(output.frequencies)
    if not path.is_file() or output.constants is None:
        notes.append(f"no {ZETA} or no rotational constants: rotation terms are not known")
        return None
    faults = FileFaults(path.name, KEY)
    zeta = np.zeros((3, d, d))
    axis = -1
    for line, text in enumerate(text_lines(path), start=1):
        cells = text.split()
        head = AXIS.match(text)
        if head:
            axis = int(head[1]) - 1
        elif len(cells) == 3 and axis >= 0 and cells[0].isdecimal() and cells[1].isdecimal():
            k, m = int(cells[0]) - output.first, int(cells[1]) - output.first
            value = number(cells[2], "zeta", line, 3, faults)
            if max(k, m) >= d:
                faults.add(f"a mode must be at most {output.first + d - 1}, found {text.strip()[:30]!r}", line)
            elif value is not None and min(k, m) >= 0:
                zeta[axis, k, m], zeta[axis, m, k] = value, -value
        elif cells:
            faults.add(f"expected two modes and zeta below the name of an axis, found {text.strip()[:40]!r}", line)
    if axis < 2 and not faults.found:
        faults.add("fewer than three axes: is the file cut short?", 1)
    faults.raise_any()
    moments = np.array([0.5 * INVERSE_INERTIA / b if b > 0.0 else 0.0 for b in output.constants])
    return Rotation(np.diag(moments), zeta, _slopes(folder / SLOPES, output, moments, notes))


def _slopes(path: Path, output: Output, moments: np.ndarray, notes: list[str]) -> np.ndarray | None:
    """(d, 3, 3) dI/dQ in amu^1/2 Angstrom; None where there is no file, or one of another molecule."""
    d = len(output.frequencies)
    if not path.is_file():
        notes.append(f"there is no file {SLOPES}: the inverse inertia is known at equilibrium only")
        return None
    faults = FileFaults(path.name, KEY)
    slopes = np.zeros((d, 3, 3))
    for line, places, value in _rows(path, [3], faults):
        a, b, mode = places
        if not 1 <= a <= 3 or not 1 <= b <= 3:
            faults.add(f"an axis must be 1, 2 or 3, found {a} {b}", line)
        elif _within((line, (mode,), value), output.first, d, faults):
            slopes[mode - output.first, a - 1, b - 1] = value * ANGSTROM
    faults.raise_any()
    sums = np.einsum("kaa,kaa->a", slopes, slopes)
    if np.any(np.abs(sums - 4.0 * moments) > SUM_RULE * 4.0 * moments.max()):
        notes.append(f"{SLOPES} is not of this molecule: Σ (dI/dQ)² is not 4 I, and it is left out")
        return None
    return 0.5 * (slopes + slopes.transpose(0, 2, 1))


def _dipole(folder: Path, output: Output, notes: list[str]) -> Surface | None:
    """The dipole in debye; its value at equilibrium is not in the files."""
    paths = [folder / name for name in DIPOLE]
    if not all(path.is_file() for path in paths):
        return None
    components = [_component(path, output) for path in paths]
    slopes = np.array([[part.get((k,), 0.0) for k in range(len(output.frequencies))] for part in components])
    strengths = KILOMETRES * np.array(output.frequencies) * 0.5 * (slopes**2).sum(axis=0)
    known = [row.intensities[0] for row in output.fundamentals()]
    unit = _unit(strengths, known)
    if unit is None:
        notes.append("nothing tells the unit of the dipole files: atomic units are taken")
        unit = DEBYE
    return Surface(tuple({modes: unit * c for modes, c in part.items()} for part in components), "D")


def _unit(strengths: np.ndarray, known: Sequence[float | None]) -> float | None:
    """How many debye the unit is with which the printed intensities come out."""
    if not known or any(x is None for x in known):
        return None
    given = np.array(known, dtype=float)
    for unit in (DEBYE, 1.0):
        if np.all(np.abs(unit**2 * strengths - given) <= SAME_INTENSITY * given.max()):
            return unit
    return None


def _component(path: Path, output: Output) -> dict[tuple[int, ...], float]:
    """Sorted 0-based modes -> coefficient of their product, in the unit of the file."""
    faults = FileFaults(path.name, KEY)
    found: dict[tuple[int, ...], list[float]] = defaultdict(list)
    for row in _rows(path, [1, 2, 3], faults, padded=True):
        if _within(row, output.first, len(output.frequencies), faults):
            found[tuple(sorted(mode - output.first for mode in row[1]))].append(row[2])
    faults.raise_any()
    return {
        modes: float(np.mean(values)) / math.prod(math.factorial(m) for m in Counter(modes).values())
        for modes, values in found.items()
    }
