"""Results of pyVPT2 in JSON: full derivatives in dimensionless normal coordinates, cm-1.

    {"molecule": {"symbols": ["O", ...], "geometry": [...bohr], "masses": [...]}, "omega": [...], "phi_ijk": [...],
     "phi_iijj": [...], "zeta": [...], "rotational_constants": [...], "nu": [...], "harmonic_intensity": [...], ...}

Every array counts all 3 N motions, those of the molecule as a whole first; nested or flat. Of the quartic constants
only phi_iijj are there: phi_iijk and phi_ijkl are not in the file. zeta and the rotational constants are of principal
axes.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.field import of_derivatives
from problems.quantum.hamiltonians.force_field.geometry import ANGSTROM, Geometry
from problems.quantum.hamiltonians.force_field.molecule import Molecule, Printed
from problems.quantum.hamiltonians.force_field.rotation import INVERSE_INERTIA, Rotation
from problems.quantum.readers.reader import KEY, beginning
from problems.tables import FileFaults, decoded

NEEDED = ("molecule", "omega", "phi_ijk", "phi_iijj")
ZERO = 1e-9  # cm-1: a smaller constant is none
SEMI = "such files hold only quartic constants of two pairs of modes (φᵢᵢⱼⱼ): all others are taken as zero"


def reads(path: Path) -> bool:
    """Whether a file is a JSON object with the constants of pyVPT2."""
    if not beginning(path, 200).lstrip().startswith("{"):
        return False
    text = beginning(path, 50_000_000)
    return all(f'"{key}"' in text for key in NEEDED[2:])


def read(path: Path) -> Molecule:
    """The field, and what else a result holds. Raises ProblemError with the key of every fault."""
    faults = FileFaults(path.name, KEY)
    try:
        data = json.loads(decoded(path, KEY))
    except json.JSONDecodeError as error:
        raise ProblemError(f"{path.name}:{error.lineno}:{error.colno}: no JSON: {error.msg}", KEY) from None
    if not isinstance(data, dict):
        faults.add("expected an object with the keys of a result", 1)
        faults.raise_any()
    for key in NEEDED:
        if key not in data:
            faults.add("missing", part=key)
    faults.raise_any()
    molecule = data["molecule"] if isinstance(data["molecule"], dict) else {}
    symbols = molecule.get("symbols", [])
    n = 3 * len(symbols)
    if not n:
        faults.add("missing", part="molecule.symbols")
    faults.raise_any()
    positions = _array(molecule.get("geometry"), (n // 3, 3), "molecule.geometry", faults)
    masses = _array(molecule.get("masses"), (n // 3,), "molecule.masses", faults) if molecule.get("masses") else None
    omega = _array(data["omega"], (n,), "omega", faults)
    cubic = _array(data["phi_ijk"], (n, n, n), "phi_ijk", faults)
    quartic = _array(data["phi_iijj"], (n, n), "phi_iijj", faults)
    zeta = _array(data["zeta"], (3, n, n), "zeta", faults) if data.get("zeta") else None
    constants = _array(data["rotational_constants"], (3,), "rotational_constants", faults) if zeta is not None else None
    faults.raise_any()
    assert positions is not None and omega is not None and cubic is not None and quartic is not None
    away = positions - positions.mean(axis=0)
    sizes = np.linalg.svd(away, compute_uv=False)
    d = n - (5 if sizes[1] < 1e-4 * sizes[0] else 6)
    kept = slice(n - d, n)
    frequencies = omega[kept]
    for k, w in enumerate(frequencies, start=n - d):
        if w <= 0.0:
            faults.add(f"a frequency must be positive, found {w:g}", part=f"omega[{k}]")
    faults.raise_any()
    derivatives = _derivatives(cubic[kept, kept, kept], quartic[kept, kept])
    field = of_derivatives(path.stem, list(frequencies), derivatives, path)
    geometry = None if masses is None else Geometry(tuple(map(str, symbols)), masses, positions * ANGSTROM)
    rotation = None
    if zeta is not None and constants is not None and np.any(constants > 0.0):
        moments = np.where(constants > 0.0, 0.5 * INVERSE_INERTIA / np.where(constants > 0.0, constants, 1.0), 0.0)
        of_modes = zeta[:, kept, kept]
        rotation = Rotation(np.diag(moments), 0.5 * (of_modes - of_modes.transpose(0, 2, 1)))
    return Molecule(field, rotation=rotation, geometry=geometry, printed=_printed(data, n, d), notes=(SEMI,))


def _array(value: Any, shape: tuple[int, ...], key: str, faults: FileFaults) -> np.ndarray | None:
    """The numbers under a key, of this shape; None, and a fault, for anything else."""
    try:
        found = np.asarray(value, dtype=float).reshape(shape)
    except (TypeError, ValueError):
        faults.add(f"expected {' x '.join(map(str, shape))} numbers", part=key)
        return None
    if not np.isfinite(found).all():
        faults.add("must be finite", part=key)
        return None
    return found


def _derivatives(cubic: np.ndarray, quartic: np.ndarray) -> dict[tuple[int, ...], float]:
    """Sorted modes from 1 -> constants other than zero, the mean over what is the same by symmetry."""
    d = len(cubic)
    mean = np.mean([cubic.transpose(order) for order in itertools.permutations(range(3))], axis=0)
    found: dict[tuple[int, ...], float] = {}
    for i in range(d):
        for j in range(i, d):
            for k in range(j, d):
                found[i + 1, j + 1, k + 1] = float(mean[i, j, k])
            found[i + 1, i + 1, j + 1, j + 1] = 0.5 * float(quartic[i, j] + quartic[j, i])
    return {modes: c for modes, c in found.items() if abs(c) > ZERO}


def _printed(data: dict[str, Any], n: int, d: int) -> tuple[Printed, ...]:
    """The fundamentals that the program found."""
    try:
        omega, nu = (np.asarray(data[key], dtype=float).reshape(n)[n - d :] for key in ("omega", "nu"))
        given = data.get("harmonic_intensity")
        strengths = [None] * d if given is None else [float(x) for x in np.asarray(given, dtype=float).ravel()[-d:]]
    except (KeyError, TypeError, ValueError):
        return ()
    units = np.eye(d, dtype=int)
    return tuple(
        Printed(tuple(int(x) for x in units[k]), float(omega[k]), float(nu[k]), (strengths[k], None)) for k in range(d)
    )
