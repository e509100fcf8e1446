"""What a wave packet returns; the report is made from this alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.solution import Checked, IterationState, Status
from solvers.trains.tensor_train import TensorTrain


@dataclass(frozen=True)
class Peak:
    """A line of the spectrum: where, how high, the share of the start it holds, and what supports it.

    ``trusted``: the second run (or the error bound) confirms the position to the resolution. ``eigenvalue``: the
    nearest computed one within the resolution, or None.
    """

    energy: float
    intensity: float
    weight: float
    resolution: float
    trusted: bool
    eigenvalue: float | None = None


@dataclass(frozen=True)
class Spectrum:
    """S(E) on a grid of energies, and its lines; ``resolution``: pi over the last time.

    ``noise``: what the error of a(t) can make of S at any energy; what is lower means nothing.
    """

    energies: np.ndarray
    intensities: np.ndarray
    resolution: float
    window: str
    peaks: list[Peak]
    noise: float = 0.0


@dataclass(frozen=True)
class Sticks:
    """Eigenvalues (n,) from the block eigensolver, error estimates, and weights |<start|state>|^2."""

    energies: np.ndarray
    errors: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Check:
    """The second run: its rank, its autocorrelation, and the running maximum (T,) of what that differs by.

    ``observables``: name -> the same (M,) of each observable in time, the largest of all sites.
    """

    rank: int
    difference: np.ndarray
    autocorrelation: np.ndarray
    observables: dict[str, np.ndarray]


@dataclass(frozen=True)
class WavePacketResult:
    """Times in the configuration's unit, energies in ``unit``.

    ``t``, ``autocorrelation``, ``error``, ``error_bound``: (T,) on the grid asked for. Everything recorded on the way
    is over ``times`` (M,), which end at half the last of ``t`` where the autocorrelation is ``doubled``: ``norms``,
    ``energies``, ``ranks`` (M, d+1), ``entropies`` (M, d-1) in nats, ``edge`` (M,) population of the last basis
    functions, the accumulated relative errors, and ``observables``: name -> (M,) or (M, sites).
    """

    t: np.ndarray
    autocorrelation: np.ndarray
    error: np.ndarray
    autocorrelation_bound: np.ndarray
    doubled: bool
    spectrum: Spectrum
    sticks: Sticks | None
    check: Check | None
    times: np.ndarray
    norms: np.ndarray
    energies: np.ndarray
    ranks: np.ndarray
    entropies: np.ndarray
    edge: np.ndarray | None
    projection_errors: np.ndarray
    truncation_errors: np.ndarray
    step_errors: np.ndarray
    krylov_errors: np.ndarray
    observables: dict[str, np.ndarray]
    step_sizes: np.ndarray
    operator_ranks: list[int]
    sites: list[str]
    unit: str
    time_unit: str
    facts: list[tuple[str, str]]
    dissipative: bool
    state: TensorTrain
    status: Status
    history: list[IterationState]
    counts: dict[str, int]
    timing: dict[str, float]
    warnings: list[str] = field(default_factory=list)
    checked: tuple[Checked, ...] = ()

    @property
    def energy_drift(self) -> float:
        """Largest change of the mean energy; what an absorber takes is included."""
        return float(np.max(np.abs(self.energies - self.energies[0])))

    @property
    def norm_drift(self) -> float:
        """Largest relative change of the norm; what an absorber takes is included."""
        return float(np.max(np.abs(self.norms / self.norms[0] - 1.0)))

    @property
    def error_bound(self) -> np.ndarray:
        """(M,) bound of the state's relative error."""
        return self.projection_errors + self.truncation_errors + self.step_errors + self.krylov_errors


RESULTS = (WavePacketResult,)
