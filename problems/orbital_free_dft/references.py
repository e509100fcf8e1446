"""Independent ground states, found by what a problem is, not by what it is called.

``data/ground_states.csv``: atoms with a point or a smeared nucleus, electrons in a harmonic trap (radial equation) and
diatomic molecules (prolate spheroidal coordinates). ``data/clusters.csv``: m x m x m lattices of smeared nuclei from a
Fourier code in a periodic box, which differ from the free cluster by the accuracy stated. All have lambda = 1.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.result import COMPONENTS

if TYPE_CHECKING:
    from problems.orbital_free_dft.keys import OrbitalFreeProblem

DATA = Path(__file__).parent / "data"
SAME = 1e-6  # relative, and in bohr: numbers that mean the same
ELECTROSTATIC = ("external", "hartree", "nuclear")  # known only by their sum for a cluster
_SOURCES = {
    "atom": "radial equation, two meshes",
    "trap": "radial equation, two meshes",
    "diatomic": "prolate spheroidal coordinates",
}


@dataclass(frozen=True)
class GroundState:
    """One independent ground state, in hartree.

    ``components``: by the names of COMPONENTS; for a cluster, ``electrostatic`` is external + hartree + nuclear.
    ``orbital_at_centre``: phi at the nucleus or in the middle of the trap, rho = phi^2; it and the chemical potential
    are None where not known. ``accuracy``: of the energy, as one of the problem it is compared with, absolute.
    """

    label: str
    source: str
    energy: float
    components: dict[str, float]
    chemical_potential: float | None
    orbital_at_centre: float | None
    accuracy: float


def references(problem: OrbitalFreeProblem, nuclei: Nuclei) -> list[GroundState]:
    """The known ground states of a problem with these nuclei; empty for all others."""
    if problem.weizsacker != 1.0:
        return []
    return [*_ground_states(problem, nuclei), *_clusters(problem, nuclei)]


def references_of(problem: OrbitalFreeProblem) -> list[GroundState]:
    """The same from the problem alone: none where the positions depend on a seed."""
    return [] if problem.displaced else references(problem, problem.sites)


def _ground_states(problem: OrbitalFreeProblem, nuclei: Nuclei) -> Iterator[GroundState]:
    for row in _rows("ground_states.csv"):
        if row["functional"] != problem.functional or not _same(problem.count, row["electrons"]):
            continue
        if not _MATCHES[row["case"]](problem, nuclei, row):
            continue
        yield GroundState(
            label=_LABELS[row["case"]](row),
            source=_SOURCES[row["case"]],
            energy=float(row["energy"]),
            components={name: float(row[name]) for name in COMPONENTS},
            chemical_potential=float(row["chemical_potential"]),
            orbital_at_centre=float(row["orbital_at_centre"]) if row["orbital_at_centre"] else None,
            accuracy=float(row["accuracy"]),
        )


def _is_atom(problem: OrbitalFreeProblem, nuclei: Nuclei, row: dict[str, str]) -> bool:
    if problem.trap is not None or len(nuclei) != 1 or not _same(nuclei.charges[0], row["charge"]):
        return False
    return _same(nuclei.smearings[0], row["smearing"] or "inf")


def _is_trap(problem: OrbitalFreeProblem, nuclei: Nuclei, row: dict[str, str]) -> bool:
    return problem.trap is not None and not len(nuclei) and _same(problem.trap.omega, row["omega"])


def _is_diatomic(problem: OrbitalFreeProblem, nuclei: Nuclei, row: dict[str, str]) -> bool:
    if problem.trap is not None or len(nuclei) != 2 or not nuclei.points.all():
        return False
    distance = float(np.linalg.norm(nuclei.positions[0] - nuclei.positions[1]))
    return all(_same(z, row["charge"]) for z in nuclei.charges) and _same(distance, row["distance"])


def _clusters(problem: OrbitalFreeProblem, nuclei: Nuclei) -> Iterator[GroundState]:
    if problem.trap is not None or not len(nuclei) or not _same(problem.count, nuclei.charge):
        return
    for row in _rows("clusters.csv"):
        m, spacing = int(row["m"]), float(row["spacing"])
        if row["functional"] != problem.functional or len(nuclei) != m**3:
            continue
        if not np.allclose(nuclei.charges, float(row["charge"]), rtol=SAME, atol=0.0):
            continue
        if not np.allclose(nuclei.smearings, float(row["smearing"]), rtol=SAME, atol=0.0):
            continue
        sites = (nuclei.positions - nuclei.positions.min(axis=0)) / spacing
        numbers = np.rint(sites)
        if np.abs(sites - numbers).max() * spacing > SAME or numbers.max() > m - 1:
            continue
        if len(np.unique(numbers, axis=0)) != m**3:
            continue
        components = {name: float(row[name]) for name in ("weizsacker", "thomas_fermi", "exchange", "electrostatic")}
        yield GroundState(
            label=f"cluster of {m}^3 smeared nuclei",
            source=f"Fourier code, periodic box of {row['box']} bohr, {row['points']}^3 points",
            energy=float(row["energy"]),
            components=components | {"correlation": 0.0},
            chemical_potential=None,
            orbital_at_centre=None,
            accuracy=float(row["accuracy"]),
        )


def parts(components: dict[str, float]) -> dict[str, float]:
    """``components`` with the ``electrostatic`` sum added, to compare with any reference."""
    return components | {"electrostatic": sum(components[name] for name in ELECTROSTATIC)}


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def _same(number: float, other: str | float) -> bool:
    return math.isclose(number, float(other), rel_tol=SAME)


def _atom_label(row: dict[str, str]) -> str:
    smeared = f" smeared with a = {float(row['smearing']):g}" if row["smearing"] else ""
    return f"atom, nucleus of charge {row['charge']}{smeared}"


_MATCHES = {"atom": _is_atom, "trap": _is_trap, "diatomic": _is_diatomic}
_LABELS = {
    "atom": _atom_label,
    "trap": lambda row: f"trap with omega = {float(row['omega']):g} and {row['electrons']} electrons",
    "diatomic": lambda row: f"two nuclei of charge {row['charge']} at {row['distance']} bohr",
}
