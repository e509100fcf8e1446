"""Inertia, Coriolis constants and derivatives of the inertia in a CSV file.

    quantity,axis1,axis2,mode1,mode2,value          or          quantity,axis,mode1,mode2,value

``quantity``: ``B_cm-1`` (a rotational constant, of principal axes), ``I0_amu_A2`` (the inertia at equilibrium),
``zeta`` (of an axis, zeta_kl for modes k and l, once a pair: zeta_lk = -zeta_kl) or ``dI_dQ_amu1/2_A`` (of two axes
and a mode).
What has no row is zero; the inertia, or the rotational constants, must be there: all three, or the two equal ones of a
linear molecule. Modes count from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.rotation import INVERSE_INERTIA, Rotation
from problems.tables import FileFaults, rows_below

SHORT = ["quantity", "axis", "mode1", "mode2", "value"]
LONG = ["quantity", "axis1", "axis2", "mode1", "mode2", "value"]
AXES = {"x": 0, "y": 1, "z": 2, "a": 0, "b": 1, "c": 2}
QUANTITIES = {"B_cm-1": (1, 0), "I0_amu_A2": (2, 0), "zeta": (1, 2), "dI_dQ_amu1/2_A": (2, 1)}  # axes, modes
MOST_MODES = 10_000
SAME = 1e-4  # relative: rotational constants and inertia given both agree to so much, as printed digits do


def read_rotation(path: Path, d: int, key: str) -> Rotation:
    """The rotation data of a molecule of ``d`` modes.

    Raises ProblemError with every fault, each ``file:line:column: ...``.
    """
    seen, inertia, faults = _looked_at(path, d, key)
    zeta, slopes = np.zeros((3, d, d)), np.zeros((d, 3, 3))
    for (quantity, axes, modes), (_, value) in seen.items():
        if quantity == "zeta":
            zeta[axes[0], modes[0], modes[1]], zeta[axes[0], modes[1], modes[0]] = value, -value
        elif quantity == "dI_dQ_amu1/2_A":
            slopes[modes[0]][axes] = slopes[modes[0]][axes[::-1]] = value
    known = any(quantity == "dI_dQ_amu1/2_A" for quantity, _, _ in seen)
    try:
        return Rotation(inertia, zeta, slopes if known else None)
    except ValueError as error:
        faults.add(str(error))
        faults.raise_any()
        raise


def check_rotation(path: Path, key: str) -> None:
    """Raise ProblemError with what is wrong in a file, the number of modes not being known."""
    _looked_at(path, MOST_MODES, key)


def _looked_at(path: Path, d: int, key: str) -> tuple[dict, np.ndarray, FileFaults]:
    """The rows of a file as ``_note`` has them, and the inertia; ProblemError with every fault."""
    faults = FileFaults(path.name, key)
    seen: dict[tuple, tuple[int, float]] = {}
    for line, header, row in rows_below(path, key, [LONG, SHORT], faults):
        _note(row, header, line, d, seen, faults)
    faults.raise_any()
    inertia = _inertia(seen, faults)
    faults.raise_any()
    return seen, inertia, faults


def _note(row: list[str], header: Sequence[str], line: int, d: int, seen: dict, faults: FileFaults) -> None:
    """One row into ``seen`` as (quantity, axes, modes) -> line, value; or what is wrong with it."""
    if len(row) != len(header):
        faults.add(f"expected {len(header)} columns ({','.join(header)}), found {len(row)}", line)
        return
    quantity, value = row[0], faults.number(row[-1], "value", line, len(row))
    if quantity not in QUANTITIES:
        faults.add(f"quantity must be one of {', '.join(QUANTITIES)}, found {quantity!r}", line)
        return
    n_axes, n_modes = QUANTITIES[quantity]
    of_axes = len(header) - 4
    axes, modes = [], []
    for column, cell in enumerate(row[1:-1], start=2):
        wanted = column - 1 <= n_axes if column - 1 <= of_axes else column - 1 - of_axes <= n_modes
        if column - 1 <= of_axes:
            if n_axes == 1 and column == 3 and cell in (row[1], ""):
                continue  # B of an axis may name it twice
            if wanted and cell in AXES:
                axes.append(AXES[cell])
            elif wanted or cell:
                faults.add(
                    f"axis of {quantity} must be {'x, y or z' if wanted else 'empty'}, found {cell!r}", line, column
                )
                return
        elif wanted and cell.isdecimal() and 1 <= int(cell) <= d:
            modes.append(int(cell) - 1)
        elif wanted or cell:
            expected = f"one of 1 to {d}" if wanted else "empty"
            faults.add(f"mode of {quantity} must be {expected}, found {cell!r}", line, column)
            return
    if len(axes) < n_axes:
        faults.add(f"{quantity} needs {n_axes} axes: the header must read {','.join(LONG)}", line)
        return
    if quantity == "zeta" and modes[0] == modes[1]:
        faults.add("zeta of a mode with itself is zero: leave it out", line, of_axes + 2)
        return
    if value is None:
        return
    if quantity == "zeta" and modes[0] > modes[1]:
        modes, value = modes[::-1], -value
    place = (quantity, tuple(sorted(axes)), tuple(modes))
    if place in seen:
        first, before = seen[place]
        said = "is listed twice" if before == value else f"contradicts {before:g} given before"
        faults.add(f"{quantity} {said} (line {first})", line)
        return
    seen[place] = (line, value)


def _inertia(seen: dict, faults: FileFaults) -> np.ndarray:
    """The inertia at equilibrium, from its own rows or from the rotational constants; compared where both are there."""
    inertia, constants = np.zeros((3, 3)), np.zeros(3)
    for (quantity, axes, _), (line, value) in seen.items():
        if quantity == "I0_amu_A2":
            inertia[axes] = inertia[axes[::-1]] = value
        elif quantity == "B_cm-1":
            constants[axes[0]] = value
            if value <= 0.0:
                faults.add(f"a rotational constant must be positive, found {value:g}", line)
    if faults.found:
        return inertia
    if not inertia.any():
        if np.count_nonzero(constants) < 2:
            faults.add(
                "no inertia: give I0_amu_A2 of all axes, or the three rotational constants B_cm-1 (two of a line)"
            )
            return inertia
        given = constants > 0.0
        return np.diag(np.divide(0.5 * INVERSE_INERTIA, constants, out=np.zeros(3), where=given))
    diagonal = not np.any(inertia - np.diag(np.diagonal(inertia)))
    if constants.all() and diagonal:
        other = 0.5 * INVERSE_INERTIA / constants
        if np.any(np.abs(other - np.diagonal(inertia)) > SAME * np.diagonal(inertia)):
            faults.add("the rotational constants B_cm-1 are not those of the inertia I0_amu_A2")
    return inertia
