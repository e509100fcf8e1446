"""Molecules whose field is known, as the files in which Gaussian would give them.

``made`` draws normal modes of a geometry and constants in dimensionless coordinates; ``checkpoint`` and ``output``
write them in the layouts of formatted checkpoint files and of outputs with freq=anharm.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace

import numpy as np

from problems.quantum.hamiltonians.force_field.elements import SYMBOLS
from problems.quantum.hamiltonians.force_field.geometry import (
    ANGSTROM,
    ELECTRONS,
    HARTREE,
    Geometry,
    rotation_of,
)

WATER = Geometry(
    ("O", "H", "H"),
    np.array([15.99491, 1.00783, 1.00783]),
    np.array([[0.0, 0.0, 0.12], [0.0, 0.76, -0.47], [0.0, -0.76, -0.47]]),
)
BENT4 = Geometry(  # no symmetry, four atoms
    ("O", "C", "H", "F"),
    np.array([15.99491, 12.0, 2.01410, 18.99840]),
    np.array([[0.1, 0.0, 1.2], [0.0, 0.1, 0.0], [0.9, 0.0, -0.6], [-1.0, 0.2, -0.7]]),
)
LINEAR = Geometry(
    ("O", "C", "S"),
    np.array([15.99491, 12.0, 31.97207]),
    np.array([[0.0, 0.0, -1.7], [0.0, 0.0, -0.53], [0.0, 0.0, 1.03]]),
)


@dataclass(frozen=True, eq=False)
class Made:
    """A molecule: phi in cm-1, dipole in atomic units, both full derivatives with respect to q; modes as numbered."""

    geometry: Geometry
    vectors: np.ndarray
    frequencies: np.ndarray
    phi: dict[tuple[int, ...], float]
    dipole: dict[tuple[int, ...], np.ndarray]
    polarisability: dict[tuple[int, ...], np.ndarray] = field(default_factory=dict)

    @property
    def d(self) -> int:
        return len(self.frequencies)

    @property
    def scale(self) -> np.ndarray:
        """dQ/dq in amu^1/2 bohr."""
        return 1.0 / np.sqrt(ELECTRONS * self.frequencies / HARTREE)

    def atomic(self, modes: tuple[int, ...]) -> float:
        """A constant in hartree amu^(-n/2) bohr^-n."""
        return self.phi.get(tuple(sorted(modes)), 0.0) / HARTREE / math.prod(self.scale[k] for k in modes)


def made(geometry: Geometry = WATER, frequencies: tuple[float, ...] = (3900.0, 3700.0, 1600.0), seed: int = 0) -> Made:
    """Modes and constants drawn at random: cubic ones to a third, quartic ones to a tenth of the frequencies."""
    rng = np.random.default_rng(seed)
    d, w = len(frequencies), np.array(frequencies)
    still = geometry.still()
    _, _, rows = np.linalg.svd(still)
    turn, _ = np.linalg.qr(rng.standard_normal((d, d)))
    vectors = (turn @ rows[len(still) :][:d]).reshape(d, -1, 3)
    phi, dipole, alpha = {}, {(): rng.standard_normal(3)}, {(): rng.standard_normal(6)}
    for order, size in ((3, 0.3), (4, 0.1)):
        for modes in itertools.combinations_with_replacement(range(d), order):
            if order == 3 or len(set(modes)) < 4:
                phi[modes] = (
                    size * rng.uniform(0.2, 1.0) * rng.choice([-1, 1]) * float(np.prod(w[list(modes)])) ** (1 / order)
                )
    for order in (1, 2, 3):
        for modes in itertools.combinations_with_replacement(range(d), order):
            if len(set(modes)) < 3:
                dipole[modes] = 0.1**order * rng.standard_normal(3)
                if len(set(modes)) == 1 and order < 3:
                    alpha[modes] = 0.1**order * rng.standard_normal(6)
    return Made(geometry, vectors, w, phi, dipole, alpha)


def _cartesian(molecule: Made) -> dict[str, np.ndarray]:
    """Derivatives of energy and dipole in Cartesian coordinates, and along displacements by one mode each."""
    d, roots = molecule.d, np.repeat(np.sqrt(molecule.geometry.masses), 3)
    rows = molecule.vectors.reshape(d, -1) * roots  # dx = rows^T Q: derivatives transform with its inverse transposed
    s = molecule.scale
    hessian = np.diag((molecule.frequencies / HARTREE) ** 2 * ELECTRONS)
    once = np.array([[[molecule.atomic((k, i, j)) for j in range(d)] for i in range(d)] for k in range(d)])
    twice = np.array([[[molecule.atomic((k, k, i, j)) for j in range(d)] for i in range(d)] for k in range(d)])

    def mu(modes: tuple[int, ...], of: dict, size: int) -> np.ndarray:
        return of.get(tuple(sorted(modes)), np.zeros(size)) / math.prod(s[k] for k in modes)

    dipole, alpha = molecule.dipole, molecule.polarisability
    slopes = np.array([mu((k,), dipole, 3) for k in range(d)])
    mixed = np.array([[mu((k, i), dipole, 3) for i in range(d)] for k in range(d)])
    third = np.array([[mu((k, k, i), dipole, 3) for i in range(d)] for k in range(d)])
    return {
        "hessian": rows.T @ hessian @ rows,
        "once": np.einsum("ia,kij,jb->kab", rows, once, rows),
        "twice": np.einsum("ia,kij,jb->kab", rows, twice, rows),
        "slopes": rows.T @ slopes,
        "dipoles": np.array([slopes, np.array([mixed[k, k] for k in range(d)])]),
        "mixed": np.array([np.einsum("ia,kix->kax", rows, mixed), np.einsum("ia,kix->kax", rows, third)]),
        "alphas": np.array([[mu((k,) * n, alpha, 6) for k in range(d)] for n in (1, 2)]),
    }


def _packed(matrices: np.ndarray) -> np.ndarray:
    rows, columns = np.tril_indices(matrices.shape[-1])
    return matrices[..., rows, columns].ravel()


def _record(name: str, values: np.ndarray, kind: str = "R") -> str:
    values = np.ravel(values)
    cells = [f"{v:16.8E}" if kind == "R" else f"{int(v):12d}" for v in values]
    width = 5 if kind == "R" else 6
    lines = ["".join(cells[k : k + width]) for k in range(0, len(cells), width)]
    return "\n".join([f"{name:40s}   {kind}   N={len(values):12d}", *lines]) + "\n"


def checkpoint(molecule: Made, signs: tuple[int, ...] = (), displacements: bool = False) -> str:
    """A formatted checkpoint file; the modes by rising frequency.

    ``signs``: of the displacements against Vib-Modes; ``displacements``: whether they are in the file, as Gaussian 16
    has them.
    """
    order = np.argsort(molecule.frequencies, kind="stable")
    sign = np.array(signs or (1,) * molecule.d)
    c = _cartesian(molecule)
    n, masses = len(molecule.geometry.symbols), molecule.geometry.masses
    plain = molecule.vectors / np.sqrt(masses)[None, :, None]
    plain = plain / np.sqrt((plain**2).sum(axis=(1, 2)))[:, None, None]

    def along(once: np.ndarray, twice: np.ndarray) -> np.ndarray:
        turned = once * sign.reshape(-1, *(1,) * (once.ndim - 1))
        return np.array([turned[order], twice[order]])

    text = f"made\nFreq      RMP2-FC                       cc-pVDZ\n{'Number of atoms':40s}   I     {n:12d}\n"
    text += _record("Atomic numbers", np.array([SYMBOLS.index(one) + 1 for one in molecule.geometry.symbols]), "I")
    text += _record("Current cartesian coordinates", molecule.geometry.positions / ANGSTROM)
    text += _record("Real atomic weights", masses)
    text += _record("Cartesian Gradient", np.zeros(3 * n))
    text += _record("Cartesian Force Constants", _packed(c["hessian"]))
    text += _record("Cartesian 3rd/4th derivatives", _packed(along(c["once"], c["twice"])))
    text += _record("Dipole Moment", molecule.dipole[()])
    text += _record("Dipole Derivatives", c["slopes"])
    text += _record("Polarizability", molecule.polarisability[()])
    text += _record("Dipole Moment num derivs", along(*c["dipoles"]))
    text += _record("Dipole Derivatives num derivs", along(*c["mixed"]))
    text += _record("Polarizability num derivs", along(*c["alphas"]))
    text += f"{'Number of Normal Modes':40s}   I     {molecule.d:12d}\n"
    text += _record("Vib-AtMass", masses)
    text += _record("Vib-E2", np.concatenate([molecule.frequencies[order], np.zeros(13 * molecule.d)]))
    text += _record("Vib-Modes", plain[order])
    if displacements:
        text += _record("Anharmonic displacements", (sign[:, None, None] * plain)[order])
    return text


def _fortran(value: float, digits: int = 6) -> str:
    """0.123456D+01."""
    if value == 0.0:
        return f"0.{'0' * digits}D+00"
    exponent = math.floor(math.log10(abs(value))) + 1
    return f"{'-' if value < 0 else ''}{abs(value) / 10.0**exponent:.{digits}f}D{exponent:+03d}"


def _triangle(title: str, matrix: np.ndarray) -> list[str]:
    d, lines = len(matrix), [f" {title}", " " + "-" * len(title)]
    for start in range(0, d, 5):
        columns = range(start, min(start + 5, d))
        lines.append("      " + "".join(f"{j + 1:14d}" for j in columns))
        lines += [
            f"{i + 1:7d}" + "".join(f"{_fortran(matrix[i, j]):>14s}" for j in columns if j <= i)
            for i in range(start, d)
        ]
    return [*lines, ""]


def constants(molecule: Made, order: int, least: float = 3.71e-5, sixteen: bool = False) -> list[str]:
    """The table of one order, the mode with the largest number first."""
    name = {2: "QUADRATIC", 3: "CUBIC", 4: "QUARTIC"}[order]
    letters = "IJKL"[:order]
    rows = []
    if order == 2:
        values = {(k, k): w for k, w in enumerate(molecule.frequencies)}
    else:
        values = {modes: value for modes, value in molecule.phi.items() if len(modes) == order}
    for modes, value in sorted(values.items(), key=lambda item: item[0][::-1]):
        atomic = value / HARTREE / math.prod(molecule.scale[k] for k in modes)
        if abs(atomic) > least:
            cells = "".join(f"{k + 1:3d}" for k in reversed(modes))
            rows.append(f"  {cells} {value:15.5f} {0.0:11.5f} {atomic:11.5f}")
    nth, total = {2: "2nd", 3: "3rd", 4: "4th"}[order], math.comb(molecule.d + order - 1, order)
    count = f"     {len(rows):3d} {nth} derivatives larger than {_fortran(least, 3)} over {total:7d}"
    if sixteen:
        count = f" Num. of {nth} derivatives larger than  {_fortran(least, 3)}: {len(rows):3d} over {total:3d}"
    heading = f" :  {name} FORCE CONSTANTS IN NORMAL MODES  :"
    columns = f"  {'  '.join(letters)}   FI({','.join(letters)})  k({','.join(letters)})  K({','.join(letters)})"
    return [heading, " : FI = Reduced values [cm-1]  (default input) :", "", columns, "", *rows, "", count, ""]


def output(molecule: Made, irreps: tuple[str, ...] = (), sixteen: bool = False, archive: bool = True) -> str:
    """An output; the modes in the anharmonic section are numbered as those of ``molecule``."""
    d, geometry = molecule.d, molecule.geometry
    rising = np.argsort(molecule.frequencies, kind="stable")
    harmonic = np.argsort(rising)
    numbers = [SYMBOLS.index(one) + 1 for one in geometry.symbols]
    lines = [" Entering Gaussian System, Link 0=g16", f" Gaussian {'16' if sixteen else '09'}, Revision A.01,", ""]
    lines += [" Full point group                 C1      NOp   1"]
    lines += ["                         Standard orientation:", " " + "-" * 69, " Center", " Number", " " + "-" * 69]
    for k, (z, place) in enumerate(zip(numbers, geometry.positions, strict=True), start=1):
        lines.append(f"{k:7d}{z:11d}{0:12d}    " + "".join(f"{x:12.6f}" for x in place))
    lines += [" " + "-" * 69, " Harmonic frequencies (cm**-1), IR intensities (KM/Mole), Raman scattering"]
    for start in range(0, d, 3):
        some = rising[start : start + 3]
        lines.append("".join(f"{start + k + 1:23d}" for k in range(len(some))))
        lines.append("".join(f"{irreps[k] if irreps else 'A':>23s}" for k in some))
        lines.append(" Frequencies --" + "".join(f"{molecule.frequencies[k]:12.4f}           " for k in some))
    lines += ["", " - Thermochemistry -"]
    for k, (z, mass) in enumerate(zip(numbers, geometry.masses, strict=True), start=1):
        lines.append(f" Atom {k:5d} has atomic number {z:2d} and mass {mass:9.5f}")
    lines += ["", "   (H) is reported in the present equivalency table:"]
    for start in range(0, d, 9):
        some = range(start, min(start + 9, d))
        lines.append(" (H) |" + "".join(f"{k + 1:6d}|" for k in some))
        lines.append(" (A) |" + "".join(f"{rising[k] + 1:6d}|" for k in some))
    rotation = rotation_of(geometry, molecule.vectors)
    for axis in range(3):
        table = np.zeros((d, d))
        for i, j in itertools.combinations(range(d), 2):
            late, early = sorted((i, j), key=lambda k: -int(harmonic[k]))
            value = rotation.zeta[axis, late, early]  # whichever of the two is the row
            table[j, i] = value if abs(value) > 1e-3 else 0.0
        lines += _triangle(f"Coriolis Couplings along the {'XYZ'[axis]} axis", table)
    lines += ["    2 Coriolis couplings larger than .100D-02 along the Y axis", ""]
    for order in (2, 3, 4):
        lines += constants(molecule, order, sixteen=sixteen)
    lines += ["              Ixx        Ixy        Iyy        Ixz        Iyz        Izz"]
    assert rotation.derivatives is not None
    for k, a in enumerate(rotation.derivatives, start=1):
        cells = (a[0, 0], a[0, 1], a[1, 1], a[0, 2], a[1, 2], a[2, 2])
        lines.append(f" Q({k:3d})  " + "".join(f"{value:11.5f}" for value in cells))
    lines += ["", "          Vibrational Energies at Anharmonic Level", "     " + "=" * 50, " Fundamental Bands"]
    for k, w in enumerate(molecule.frequencies, start=1):
        lines.append(f"   {k}(1) active {w:13.3f}{w - 50.0:13.3f}   26.628836   14.480493    9.127440")
    lines.append(
        f"   2(1)    1(1) {molecule.frequencies[:2].sum():13.3f}      *******   25.487046   14.012213    8.804344"
    )
    lines += ["", "              Anharmonic Infrared Spectroscopy", "     " + "=" * 50, " Fundamental Bands"]
    for k, w in enumerate(molecule.frequencies, start=1):
        lines.append(f"     {k}(1)   {w:13.3f}{w - 50.0:13.3f}{10.0 * k:16.8f}{9.0 * k:16.8f}")
    lines += [" Overtones", f"     1(2)   {2 * w:13.3f}{2 * w - 150.0:13.3f}{' ' * 16}{0.5:16.8f}", ""]
    if archive:
        c = _cartesian(molecule)
        text = "1\\1\\GINC-X\\Freq\\RMP2-FC\\cc-pVDZ\\X\\Y\\01-Jan-2020\\0\\\\#N Freq\\\\made\\\\"
        text += "0,1\\O,0.,0.,0.\\\\Version=A\\Dipole="
        text += ",".join(f"{x:.8f}" for x in molecule.dipole[()])
        text += "\\DipoleDeriv=" + ",".join(f"{x:.8f}" for x in np.ravel(c["slopes"])) + "\\PG=C01 [X(O1)]\\NImag=0\\\\"
        text += ",".join(f"{x:.10f}" for x in _packed(c["hessian"])) + "\\\\0.,0.,0.\\\\\\@"
        lines += [" " + text[k : k + 69] for k in range(0, len(text), 69)]
    lines += ["", f" Normal termination of Gaussian {'16' if sixteen else '09'} at Thu Oct  8 22:57:28 2020."]
    return "\n".join(lines) + "\n"


def reordered(molecule: Made, order: tuple[int, ...]) -> Made:
    """The same with its modes in another order."""
    place = {old: new for new, old in enumerate(order)}

    def renamed(of: dict) -> dict:
        return {tuple(sorted(place[k] for k in modes)): value for modes, value in of.items()}

    return replace(
        molecule,
        vectors=molecule.vectors[list(order)],
        frequencies=molecule.frequencies[list(order)],
        phi=renamed(molecule.phi),
        dipole=renamed(molecule.dipole),
        polarisability=renamed(molecule.polarisability),
    )
