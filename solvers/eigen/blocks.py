"""What the many-state method keeps of each symmetry block, and the small dense problems it solves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import eigh

from solvers.eigen.shifted_solve import StepOptions
from solvers.methods import InverseIteration
from solvers.solution import IterationState, Status
from solvers.trains.sectors import SectorTrain


@dataclass
class Block:
    """The states of one symmetry block, ascending in energy.

    ``trains``: one representative a state. ``basis``: the trains the last Rayleigh-Ritz used; state i is the sum of
    ``weights[i]`` times ``basis[sources[i]]``.
    """

    charge: int
    trains: list[SectorTrain]
    energies: np.ndarray
    basis: list[SectorTrain] = field(default_factory=list)
    sources: list[list[int]] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)
    errors: np.ndarray = field(default_factory=lambda: np.zeros(0))
    residuals: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ranks: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    next_ranks: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    mixed: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    quotients: np.ndarray = field(default_factory=lambda: np.zeros(0))
    before: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))  # estimate and quotient before the last solve
    names: list[int] = field(default_factory=list)  # a train keeps its number while it does not change
    elements: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)


@dataclass
class Outcome:
    """What the passes reached; ``blocks`` hold wanted and buffer states."""

    blocks: list[Block]
    status: Status
    history: list[IterationState]
    counts: dict[str, int]
    probe: dict[str, Any]
    safety: float


def step_options(method: InverseIteration, rank: int, scale: float) -> StepOptions:
    """Options of a solve at ``rank``; ``scale``: the lowest excitation energy."""
    tolerance = 1e-3 if method.local_tolerance is None else method.local_tolerance
    expansion = max(2, round(method.expansion * rank))
    return StepOptions(rank, expansion, method.local_steps, tolerance, method.local_block, 0.003 * scale)


def stable_eigh(h: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Generalised eigenpairs; directions in which the overlap matrix is singular are left out."""
    scale = 1.0 / np.sqrt(np.diag(s))
    values, vectors = eigh(s * np.outer(scale, scale))
    keep = values > 1e-9
    basis = scale[:, None] * vectors[:, keep] / np.sqrt(values[keep])
    energies, coefficients = eigh(basis.T @ h @ basis)
    return energies, basis @ coefficients
