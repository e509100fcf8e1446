"""What an orbital-free calculation returns; the report is made from this alone. Hartree atomic units throughout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from problems.published import HERE, declared, derived, looked_up, published
from problems.report_parts import Quantity
from problems.result import Columns, Result, Results
from solvers.formats.trains.tensor_train import TensorTrain

NAMES = {  # of the parts of the energy, as a text says them
    "weizsacker": "von Weizsaecker",
    "thomas_fermi": "Thomas-Fermi",
    "external": "external",
    "hartree": "Hartree",
    "exchange": "exchange",
    "correlation": "correlation",
    "nuclear": "nuclear repulsion",
}
COMPONENTS = tuple(NAMES)
ELECTROSTATIC = ("external", "hartree", "nuclear")  # known only by their sum for a cluster
INCLUDED = ("mesh", "descent", "rank", "box")  # in the errors: parts of that of the energy
UNIT, DENSITY_UNIT = "hartree", "bohr-3"
# what the finest grid says of the whole run, beside the energies
_OF_FINEST = (
    "components",
    "virial",
    "sum_rule",
    "min_density",
    "max_density",
    "ranks",
    "tucker_ranks",
    "boundary_charge",
)


def parts(components: dict[str, float]) -> dict[str, float]:
    """``components`` with the ``electrostatic`` sum added, to compare with any reference."""
    return components | {"electrostatic": sum(components[name] for name in ELECTROSTATIC)}


@dataclass(frozen=True, eq=False, kw_only=True)
class LevelResult:
    """The ground state on one grid of 2^level points an axis.

    ``components``: the parts of ``energy`` by the names of COMPONENTS; ``virial``, ``sum_rule``: residuals (hartree),
    zero for the exact ground state; ``errors``: estimates of the parts of the error of the energy on this grid:
    ``descent``, ``truncation``, ``box``; ``tucker_ranks`` of the orbital (empty in other formats); ``ranks``:
    TT-ranks of the density in quantics form; ``steps``, ``evaluations``: of the descent; ``boundary_charge``:
    electrons within a tenth of the box of its faces; ``electrostatic``: energy of the whole charge, Gaussians for point
    nuclei, and the same by a second way (second_look); empty in runs of earlier versions.
    """

    level: int = published()
    spacing: float = published()
    energy: float = published()
    components: dict[str, float] = published()
    chemical_potential: float = published()
    virial: float = published()
    sum_rule: float = published()
    min_density: float = published()
    max_density: float = published()
    errors: dict[str, float] = published()
    ranks: tuple[int, ...] = published()
    tucker_ranks: tuple[int, ...] = published()
    steps: int = published()
    evaluations: int = published()
    boundary_charge: float = published()
    seconds: float  # not told: results can be compared between runs
    converged: bool = published()
    electrostatic: tuple[float, ...] = ()

    @derived(key="grid_points_per_axis")
    def points(self) -> int:
        """Grid points an axis."""
        return 1 << self.level


@dataclass(frozen=True, eq=False)
class Profile:
    """The density along a line parallel to an axis: ``position`` (p,), ``density`` (p,), and through what point."""

    axis: str = published()
    through: tuple[float, float, float] = published()
    position: np.ndarray = published()
    density: np.ndarray = published()


@dataclass(frozen=True, eq=False)
class Plane:
    """The density on the plane z = ``height``: ``x`` (p,), ``y`` (q,), ``density`` (p, q)."""

    height: float
    x: np.ndarray
    y: np.ndarray
    density: np.ndarray


class Entry(NamedTuple):
    """One row of the CSV file: of a grid or the extrapolation, with its absolute error where known."""

    level: int | str
    points: int | str
    name: str
    value: float
    error: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class OrbitalFreeResult(Result):
    """Everything of a run, coarse to fine.

    ``extrapolated_energy`` and its error; ``energy_error``: of the energy on the finest grid; ``error_parts``: its
    parts (grid, descent, truncation, box); ``component_errors``, ``chemical_potential_error``, ``virial_error``: from
    the two finest grids and the descent; ``order``: the power of the spacing in the extrapolation, None where the
    error falls faster than any power; ``radial``: (r, density) (2, p) about the only centre, or None; ``profiles``;
    ``plane``; ``format``: tucker, quantics or dense, what the descent was done in; ``density``, ``orbital``: quantics
    trains of the finest grid, axes in sequence, most significant bit first; ``history``: one state a descent step
    over all grids, extra: level, step, evaluations, ranks.
    """

    electrons: float = published()
    format: str = published()
    laplacian: str = published()
    levels: list[LevelResult] = published(key="by_level")
    extrapolated_energy: float = published(errors="extrapolated_error", compared="energy, extrapolated")
    extrapolated_error: float = published()
    energy_error: float = published()
    error_parts: dict[str, float] = published()
    component_errors: dict[str, float] = published()
    chemical_potential_error: float = published()
    virial_error: float = published()
    order: int | None = published()
    profiles: list[Profile] = published()
    plane: Plane
    radial: np.ndarray | None
    density: TensorTrain
    orbital: TensorTrain
    density_error: float = published()

    csv_file = "energies.csv"

    @property
    def finest(self) -> LevelResult:
        """The last of the grids."""
        return self.levels[-1]

    @derived(errors="energy_error", compared="energy, finest grid")
    def energy(self) -> float:
        """On the finest grid."""
        return self.finest.energy

    @derived(errors="chemical_potential_error", compared="chemical potential")
    def chemical_potential(self) -> float:
        """On the finest grid."""
        return self.finest.chemical_potential

    @derived(key=HERE)
    def of_finest(self) -> dict[str, object]:
        """What else the finest grid says of the run."""
        return {name: getattr(self.finest, name) for name in _OF_FINEST}

    @derived(key="grid_points_per_axis")
    def points(self) -> int:
        """Of the finest grid."""
        return self.finest.points

    @derived(key="radial")
    def about_centre(self) -> dict[str, np.ndarray] | None:
        """``radial``, with names."""
        return None if self.radial is None else {"r": self.radial[0], "density": self.radial[1]}

    @derived()
    def density_megabytes(self) -> float:
        """Memory of the density as a train."""
        return sum(core.nbytes for core in self.density.cores) / 1e6

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """What two runs are compared by: the energies and the chemical potential, then the parts of the energy."""
        compared = [(name, how) for name, how in declared(cls) if how.compared]
        told = [(how.compared, looked_up(results, name), looked_up(results, how.errors)) for name, how in compared]
        errors = results["component_errors"]
        told += [(NAMES[name], value, errors.get(name)) for name, value in results["components"].items()]
        keys, values, estimates = ([entry[i] for entry in told] for i in range(3))
        numbers, uncertain = (np.array(column, dtype=float) for column in (values, estimates))
        return [Quantity("energies", UNIT, "part", keys, numbers, uncertain, INCLUDED)]

    def entries(self) -> Iterator[Entry]:
        """Every number of the CSV file: those of each grid, with errors on the finest, then the extrapolation."""
        estimates = self.component_errors | {
            "energy": self.energy_error,
            "chemical_potential": self.chemical_potential_error,
        }
        for level in self.levels:
            values = {
                "energy": level.energy,
                **parts(level.components),
                "chemical_potential": level.chemical_potential,
                "virial": level.virial,
                "sum_rule": level.sum_rule,
                "min_density": level.min_density,
            }
            for name, value in values.items():
                error = estimates.get(name) if level is self.finest else None
                yield Entry(level.level, level.points, name, value, error)
        yield Entry("extrapolated", "", "energy", self.extrapolated_energy, self.extrapolated_error)

    def columns(self) -> Columns:
        """A row a grid and quantity, the extrapolation last."""
        rows = list(self.entries())
        return [
            ("level", [row.level for row in rows]),
            ("points", [row.points for row in rows]),
            ("quantity", [row.name for row in rows]),
            ("value", [repr(float(row.value)) for row in rows]),
            ("error_estimate", ["" if row.error is None else f"{row.error:.3e}" for row in rows]),
            ("unit", [DENSITY_UNIT if row.name == "min_density" else UNIT for row in rows]),
        ]


RESULTS = (OrbitalFreeResult,)
