"""The YAML keys of kind ``orbital_free_dft``: the ground state of electrons by their density alone.

    E[rho] = lambda/2 int |grad phi|^2 + C_TF int rho^(5/3) + int v rho + 1/2 int int rho rho'/|r - r'|
             - C_X int rho^(4/3) + int rho e_c(rho),     rho = phi^2,   int rho = N

    C_TF = (3/10) (3 pi^2)^(2/3),   C_X = (3/4) (3/pi)^(1/3);     hartree and bohr throughout

The fields below are the keys; their descriptions are what ``ttsuite describe orbital_free_dft`` prints. No numerics are
imported here.
"""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise
from typing import Literal, TypeVar

import numpy as np
from pydantic import Field, field_validator
from pydantic.config import JsonDict

from problems.keys import AUTOMATIC, WORKERS, Keys, ProblemKeys, SolverKeys, WorkerCount, is_number, shown
from problems.orbital_free_dft.nuclei import Nuclei

N = TypeVar("N", int, float)
COARSEST_LEVEL, FINEST = 4, 16
MOST_NUCLEI = 10_000
_SMEARING: JsonDict = {"values": "a number; absent: a point", "unit": "1/bohr^2"}


def _three(value: object, kinds: tuple[type[N], ...], what: str) -> tuple[N, N, N]:
    """A list of three finite entries, each of one of ``kinds``, as a tuple."""
    if not isinstance(value, (list, tuple)) or len(value) != 3 or not all(type(x) in kinds for x in value):
        raise ValueError(f"must be a list of three {what}, found {shown(value)}")
    if not all(map(math.isfinite, value)):
        raise ValueError(f"must be finite, found {shown(value)}")
    return value[0], value[1], value[2]


class Atom(Keys):
    """One nucleus."""

    charge: float = Field(gt=0, description="Nuclear charge Z.")
    position: tuple[float, float, float] = Field(
        description="Where it is; the box is centred at the origin.",
        json_schema_extra={"values": "a list of three numbers", "unit": "bohr"},
    )
    smearing: float | None = Field(
        default_factory=lambda: None,
        gt=0,
        description="a of the nuclear charge density Z (a/pi)^(3/2) exp(-a r^2).",
        json_schema_extra=_SMEARING,
    )

    @field_validator("position", mode="plain")
    @classmethod
    def _numbers(cls, value: object) -> tuple[float, float, float]:
        x, y, z = _three(value, (int, float), "numbers")
        return float(x), float(y), float(z)


class Lattice(Keys):
    """A block of equal nuclei on a cubic lattice, centred at the origin."""

    charge: float = Field(gt=0, description="Nuclear charge Z of each.")
    smearing: float | None = Field(
        default_factory=lambda: None,
        gt=0,
        description="a of the nuclear charge density Z (a/pi)^(3/2) exp(-a r^2).",
        json_schema_extra=_SMEARING,
    )
    shape: tuple[int, int, int] = Field(
        description="Nuclei along x, y and z.", json_schema_extra={"values": "a list of three numbers"}
    )
    spacing: float = Field(gt=0, description="Distance of neighbours.", json_schema_extra={"unit": "bohr"})
    displacement: float = Field(
        default=0.0,
        ge=0,
        description="Each nucleus is moved at random, from the seed, by up to this along each axis.",
        json_schema_extra={"unit": "bohr"},
    )

    @field_validator("shape", mode="plain")
    @classmethod
    def _counts(cls, value: object) -> tuple[int, int, int]:
        shape = _three(value, (int,), "whole numbers")
        if min(shape) < 1 or math.prod(shape) > MOST_NUCLEI:
            raise ValueError(f"must be at least 1 each and {MOST_NUCLEI} nuclei at most, found {list(shape)}")
        return shape

    @property
    def sites(self) -> np.ndarray:
        """The undisplaced positions (K, 3), z fastest."""
        axes = [self.spacing * (np.arange(n) - 0.5 * (n - 1)) for n in self.shape]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


class Trap(Keys):
    """A harmonic trap omega^2 r^2 / 2 about the origin."""

    omega: float = Field(gt=0, description="Frequency of the trap.", json_schema_extra={"unit": "hartree"})


class OrbitalFreeProblem(ProblemKeys):
    """Electrons of a Thomas-Fermi-von Weizsaecker model in the field of nuclei, a trap, or both."""

    kind: Literal["orbital_free_dft"] = Field(description="The kind of problem.")
    functional: Literal["TFW", "TFDW", "TFDW+pw92", "TFDW+vwn5"] = Field(
        description="Thomas-Fermi-von Weizsaecker, with Dirac exchange (D), with correlation pw92 or vwn5."
    )
    weizsacker: float = Field(default=1.0, gt=0, description="lambda, the factor of the von Weizsaecker term.")
    atoms: tuple[Atom, ...] = Field(default=(), description="Nuclei, one by one.")
    lattice: Lattice | None = Field(default_factory=lambda: None, description="Nuclei on a lattice, beside the atoms.")
    trap: Trap | None = Field(default_factory=lambda: None, description="A harmonic trap, alone or beside nuclei.")
    electrons: float | Literal["automatic"] = Field(
        default=AUTOMATIC,
        description="Number of electrons N, whole or not; automatic: the sum of the nuclear charges.",
        json_schema_extra={"values": "automatic or a number"},
    )
    box: float = Field(
        gt=0, description="Full edge length of the cube centred at the origin.", json_schema_extra={"unit": "bohr"}
    )
    levels: int | tuple[int, ...] = Field(
        description="Grids of 2^level points an axis; a list runs coarse to fine and extrapolates.",
        json_schema_extra={"values": f"a number from {COARSEST_LEVEL} to {FINEST}, or an ascending list of such"},
    )

    @field_validator("atoms", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("electrons", mode="plain")
    @classmethod
    def _automatic_or_positive(cls, value: object) -> float | Literal["automatic"]:
        if value == AUTOMATIC and isinstance(value, str):
            return AUTOMATIC
        if is_number(value) and value > 0:
            return float(value)
        raise ValueError(f"must be automatic or a positive number, found {shown(value)}")

    @field_validator("levels", mode="plain")
    @classmethod
    def _ascending(cls, value: object) -> int | tuple[int, ...]:
        entries = value if isinstance(value, (list, tuple)) else [value]
        levels = tuple(x for x in entries if type(x) is int and COARSEST_LEVEL <= x <= FINEST)
        if not entries or len(levels) < len(entries):
            raise ValueError(
                f"must be a number from {COARSEST_LEVEL} to {FINEST} (2^level points an axis), or a list of such, "
                f"found {shown(value)}"
            )
        if any(b <= a for a, b in pairwise(levels)):
            raise ValueError(f"must ascend, each level once, found {shown(entries)}")
        return levels if isinstance(value, (list, tuple)) else levels[0]

    @property
    def grids(self) -> tuple[int, ...]:
        """The levels, coarse to fine."""
        return self.levels if isinstance(self.levels, tuple) else (self.levels,)

    @property
    def exchange(self) -> bool:
        """Whether the functional has Dirac exchange."""
        return self.functional != "TFW"

    @property
    def correlation(self) -> str | None:
        """pw92, vwn5 or None."""
        return self.functional.partition("+")[2] or None

    @cached_property
    def sites(self) -> Nuclei:
        """The nuclei before any displacement: atoms first, then the lattice."""
        charges = [atom.charge for atom in self.atoms]
        positions = [np.array([atom.position for atom in self.atoms]).reshape(-1, 3)]
        smearings = [atom.smearing for atom in self.atoms]
        keys = [f"problem.atoms.{k}" for k in range(len(self.atoms))]
        if self.lattice is not None:
            sites = self.lattice.sites
            positions.append(sites)
            charges += [self.lattice.charge] * len(sites)
            smearings += [self.lattice.smearing] * len(sites)
            keys += ["problem.lattice"] * len(sites)
        widths = np.array([np.inf if a is None else a for a in smearings], dtype=float)
        return Nuclei(np.array(charges, dtype=float), np.concatenate(positions), widths, tuple(keys))

    def nuclei(self, seed: int) -> Nuclei:
        """The nuclei of a run: ``sites``, those of the lattice displaced at random from ``seed``."""
        if not self.displaced:
            return self.sites
        assert self.lattice is not None
        sites, first, reach = self.sites, len(self.atoms), self.lattice.displacement
        positions = sites.positions.copy()
        positions[first:] += np.random.default_rng(seed).uniform(-reach, reach, (len(sites) - first, 3))
        return Nuclei(sites.charges, positions, sites.smearings, sites.keys)

    @property
    def displaced(self) -> bool:
        """Whether the positions depend on the seed."""
        return self.lattice is not None and self.lattice.displacement > 0.0

    @property
    def count(self) -> float:
        """Number of electrons."""
        return self.sites.charge if isinstance(self.electrons, str) else self.electrons


class OrbitalFreeSolver(SolverKeys):
    """How the density is computed."""

    accuracy: float = Field(
        default=1e-4, gt=0, lt=1, description="Error asked of the energy.", json_schema_extra={"unit": "hartree"}
    )
    max_rank: int = Field(default=120, ge=2, description="Largest rank of the grid functions.")
    format: Literal["automatic", "tucker", "quantics", "dense"] = Field(
        default=AUTOMATIC,
        description="Of the grid functions in the descent; automatic: tucker. The density is kept as a quantics train.",
    )
    laplacian: Literal["automatic", "spectral", "differences"] = Field(
        default=AUTOMATIC,
        description="Sine-spectral or 7-point differences; automatic: spectral, and differences for quantics.",
    )
    max_steps: int = Field(default=200, ge=1, description="Most descent steps on a grid.")
    workers: WorkerCount = WORKERS
