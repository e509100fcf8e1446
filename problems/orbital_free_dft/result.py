"""What an orbital-free calculation returns; the report is made from this alone. Hartree atomic units throughout."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.solution import Checked, IterationState, Status
from solvers.trains.tensor_train import TensorTrain

COMPONENTS = ("weizsacker", "thomas_fermi", "external", "hartree", "exchange", "correlation", "nuclear")


@dataclass(frozen=True, eq=False)
class LevelResult:
    """The ground state on one grid of 2^level points an axis.

    ``components``: the parts of ``energy`` by the names of COMPONENTS; ``virial``, ``sum_rule``: residuals (hartree),
    zero for the exact ground state; ``errors``: estimates of the parts of the error of the energy on this grid:
    ``descent``, ``truncation``, ``box``; ``tucker_ranks`` of the orbital (empty in other formats); ``ranks``:
    TT-ranks of the density in quantics form; ``steps``, ``evaluations``: of the descent; ``boundary_charge``:
    electrons within a tenth of the box of its faces; ``electrostatic``: energy of the whole charge, Gaussians for point
    nuclei, and the same by a second way (second_look); empty in runs of earlier versions.
    """

    level: int
    spacing: float
    energy: float
    components: dict[str, float]
    chemical_potential: float
    virial: float
    sum_rule: float
    min_density: float
    max_density: float
    errors: dict[str, float]
    ranks: tuple[int, ...]
    tucker_ranks: tuple[int, ...]
    steps: int
    evaluations: int
    boundary_charge: float
    seconds: float
    converged: bool
    electrostatic: tuple[float, ...] = ()

    @property
    def points(self) -> int:
        """Grid points an axis."""
        return 1 << self.level


@dataclass(frozen=True, eq=False)
class Profile:
    """The density along a line parallel to an axis: ``position`` (p,), ``density`` (p,), and through what point."""

    axis: str
    through: tuple[float, float, float]
    position: np.ndarray
    density: np.ndarray


@dataclass(frozen=True, eq=False)
class Plane:
    """The density on the plane z = ``height``: ``x`` (p,), ``y`` (q,), ``density`` (p, q)."""

    height: float
    x: np.ndarray
    y: np.ndarray
    density: np.ndarray


@dataclass(frozen=True, eq=False)
class OrbitalFreeResult:
    """Everything of a run, coarse to fine.

    ``extrapolated_energy`` and its error; ``energy_error``: of the energy on the finest grid; ``error_parts``: its
    parts (grid, descent, truncation, box); ``component_errors``, ``chemical_potential_error``, ``virial_error``: from
    the two finest grids and the descent; ``order``: the power of the spacing in the extrapolation, None where the
    error falls faster than any power; ``radial``: (r, density) (2, p) about the only centre, or None; ``profiles``;
    ``plane``; ``format``: tucker, quantics or dense, what the descent was done in; ``density``, ``orbital``: quantics
    trains of the finest grid, axes in sequence, most significant bit first; ``history``: one state a descent step
    over all grids, extra: level, step, evaluations, ranks.
    """

    electrons: float
    format: str
    laplacian: str
    levels: list[LevelResult]
    extrapolated_energy: float
    extrapolated_error: float
    energy_error: float
    error_parts: dict[str, float]
    component_errors: dict[str, float]
    chemical_potential_error: float
    virial_error: float
    order: int | None
    profiles: list[Profile]
    plane: Plane
    radial: np.ndarray | None
    density: TensorTrain
    orbital: TensorTrain
    density_error: float
    status: Status
    history: list[IterationState]
    counts: dict[str, int]
    timing: dict[str, float]
    warnings: list[str] = field(default_factory=list)
    checked: tuple[Checked, ...] = ()

    @property
    def finest(self) -> LevelResult:
        return self.levels[-1]

    @property
    def density_megabytes(self) -> float:
        """Memory of the density as a train."""
        return sum(core.nbytes for core in self.density.cores) / 1e6


RESULTS = (OrbitalFreeResult,)
