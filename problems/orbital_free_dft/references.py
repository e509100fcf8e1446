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
from typing import NamedTuple

import numpy as np

from problems.agreement import Agreement, Deviation
from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.result import COMPONENTS, ELECTROSTATIC, NAMES, OrbitalFreeResult, parts
from problems.report_parts import Table
from problems.result import Columns
from solvers.measured import Cell, Measured, bound

DATA = Path(__file__).parent / "data"
SAME = 1e-6  # relative, and in bohr: numbers that mean the same
SUM = "external + Hartree + nuclear"  # what a text calls the electrostatic sum
DIGITS = 12  # significant digits of a reference: all that it has
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


def reference_of(problem: OrbitalFreeProblem) -> GroundState | None:
    """The independent ground state of this problem, or None."""
    known = references_of(problem)
    return known[0] if known else None


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


class Compared(NamedTuple):
    """A number of the finest grid, or the extrapolated energy, beside the independent one (hartree)."""

    kind: str
    name: str
    value: float
    error: float
    true: float


def compared(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> list[Compared]:
    """Everything that has a reference."""
    known = reference_of(problem)
    if known is None:
        return []
    finest, errors = result.finest, result.component_errors
    extrapolated, error = result.extrapolated_energy, result.extrapolated_error
    found = [
        Compared("extrapolated_energy", "energy, extrapolated", extrapolated, error, known.energy),
        Compared("energy", "energy, finest grid", finest.energy, result.energy_error, known.energy),
    ]
    values = parts(finest.components)
    for name, true in known.components.items():
        error = sum(errors[part] for part in (ELECTROSTATIC if name == "electrostatic" else (name,)))
        found.append(Compared("components", NAMES.get(name, SUM), values[name], error, true))
    if (true_potential := known.chemical_potential) is not None:
        value, error = finest.chemical_potential, result.chemical_potential_error
        found.append(Compared("chemical_potential", "chemical potential", value, error, true_potential))
    return found


def agreements(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> list[Agreement]:
    """One entry a kind of quantity, the extrapolated energy first."""
    known, rows = reference_of(problem), compared(problem, result)
    found = []
    for kind in dict.fromkeys(row.kind for row in rows):
        assert known is not None
        deviation = Deviation.of(np.array([row.value - row.true for row in rows if row.kind == kind]))
        if deviation is not None:
            label = f"{kind.replace('_', ' ')} of the {known.label}"
            found.append(Agreement(kind, label, known.source, deviation, known.accuracy))
    return found


def comparison_table(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, result: OrbitalFreeResult) -> Table | None:
    """This run beside the independent ground state, with the estimates made without it."""
    known = reference_of(problem)
    if known is None:
        return None
    rows: list[list[Cell]] = []
    for _, name, value, error, true in compared(problem, result):
        rows.append([name, Measured(value, error), Measured(true, digits=DIGITS), bound(value - true)])
    note = (
        f"Reference: {known.label}; {known.source}; its energy is good to {bound(known.accuracy)} hartree here. "
        "Deviation: this run less the reference."
    )
    if "electrostatic" in known.components:
        note += " Its electrostatic parts depend on the periodic box, only their sum does not."
    columns = ["quantity", "this run (hartree)", "reference (hartree)", "deviation (hartree)"]
    return Table(columns, rows, (0,), note)


def columns(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> Columns:
    """The independent value of every number of the CSV file, and how far the run is from it."""
    known = reference_of(problem)
    true: dict[str, float] = {}
    if known is not None:
        true = {"energy": known.energy} | known.components
        if known.chemical_potential is not None:
            true["chemical_potential"] = known.chemical_potential
    rows = list(result.entries())
    return [
        ("reference", [repr(true[row.name]) if row.name in true else "" for row in rows]),
        ("deviation", [f"{row.value - true[row.name]:.3e}" if row.name in true else "" for row in rows]),
    ]
