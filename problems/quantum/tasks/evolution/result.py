"""What a wave packet returns; the report is made from this alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from problems.published import HERE, derived, published
from problems.report_parts import Quantity
from problems.result import Columns, Result, Results
from solvers.formats.trains.tensor_train import TensorTrain

CONSTANT = ("energy", "norm")  # in an exact evolution without an absorber
UNITS_OF_TIME = {"fs": "fs", "natural": "natural units"}  # in words


@dataclass(frozen=True)
class Peak:
    """A line of the spectrum: where, how high, the share of the start it holds, and what supports it.

    ``trusted``: the second run (or the error bound) confirms the position to the resolution. ``eigenvalue``: the
    nearest computed one within the resolution, or None.
    """

    energy: float = published()
    intensity: float = published()
    weight: float = published()
    resolution: float = published()
    trusted: bool = published()
    eigenvalue: float | None = published(default=None)


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """S(E) on a grid of energies, and its lines; ``resolution``: pi over the last time.

    ``noise``: what the error of a(t) can make of S at any energy; what is lower means nothing.
    """

    energies: np.ndarray = published(key="energy")
    intensities: np.ndarray = published(key="intensity")
    resolution: float = published()
    window: str = published()
    peaks: list[Peak]
    noise: float = published(default=0.0)


@dataclass(frozen=True)
class Sticks:
    """Eigenvalues (n,) from the block eigensolver, error estimates, and weights |<start|state>|^2."""

    energies: np.ndarray
    errors: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Check:
    """The second run: its rank, its autocorrelation, and the running maximum (T,) of what that differs by.

    ``observables``: name -> the same (M,) of each observable in time, the largest of all sites.
    """

    rank: int = published()
    difference: np.ndarray = published()
    autocorrelation: np.ndarray = published(key=HERE)
    observables: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False, kw_only=True)
class EvolutionResult(Result):
    """Times in the configuration's unit, energies in ``unit``.

    ``t``, ``autocorrelation``, ``error``, ``autocorrelation_bound``: (T,) on the grid asked for. Everything recorded on
    the way is over ``times`` (M,), which end at half the last of ``t`` where the autocorrelation is ``doubled``:
    ``norms``, ``energies``, ``ranks`` (M, d+1), ``entropies`` (M, d-1) in nats, ``edge`` (M,) population of the last
    basis functions, the accumulated relative errors, and ``observables``: name -> (M,) or (M, sites). ``state``: at the
    last of ``times``.
    """

    t: np.ndarray = published(key="autocorrelation.t", column="t", digits=".10g")
    autocorrelation: np.ndarray = published(
        along="autocorrelation.t", errors="autocorrelation.error", compared="autocorrelation", column=HERE
    )
    error: np.ndarray = published(key="autocorrelation.error", column="error_estimate", digits=".3e")
    autocorrelation_bound: np.ndarray = published(key="autocorrelation.error_bound", column="error_bound", digits=".3e")
    doubled: bool = published()
    spectrum: Spectrum = published()
    sticks: Sticks | None
    check: Check | None = published()
    times: np.ndarray = published()
    norms: np.ndarray
    energies: np.ndarray
    ranks: np.ndarray = published(key="ranks_over_time")
    entropies: np.ndarray
    edge: np.ndarray | None
    projection_errors: np.ndarray = published(key="projection_error")
    truncation_errors: np.ndarray = published(key="truncation_error")
    step_errors: np.ndarray = published(key="step_error")
    krylov_errors: np.ndarray = published(key="krylov_error")
    observables: dict[str, np.ndarray] = published()
    step_sizes: np.ndarray
    operator_ranks: list[int] = published()
    sites: list[str] = published()
    unit: str = published(key="energy_unit")
    time_unit: str = published()
    facts: list[tuple[str, str]]
    dissipative: bool = published()
    state: TensorTrain

    csv_file = "autocorrelation.csv"

    @derived()
    def peaks(self) -> list[Peak]:
        """The lines of the spectrum."""
        return self.spectrum.peaks

    @derived()
    def eigenvalues(self) -> list[dict[str, float]]:
        """Those beneath the spectrum; empty where none were asked for."""
        if self.sticks is None:
            return []
        rows = zip(self.sticks.energies, self.sticks.errors, self.sticks.weights)
        return [{"energy": e, "error_estimate": error, "weight": w} for e, error, w in rows]

    @derived()
    def energy_drift(self) -> float:
        """Largest change of the mean energy; what an absorber takes is included."""
        return float(np.max(np.abs(self.energies - self.energies[0])))

    @derived()
    def norm_drift(self) -> float:
        """Largest relative change of the norm; what an absorber takes is included."""
        return float(np.max(np.abs(self.norms / self.norms[0] - 1.0)))

    @derived()
    def error_bound(self) -> np.ndarray:
        """(M,) bound of the state's relative error."""
        return self.projection_errors + self.truncation_errors + self.step_errors + self.krylov_errors

    @derived()
    def max_rank(self) -> int:
        """The largest TT-rank of all times."""
        return int(self.ranks.max())

    @derived()
    def basis_edge(self) -> float | None:
        """The largest population of the last functions of a mode; None where nothing was cut."""
        return None if self.edge is None else float(self.edge.max())

    @derived(key=HERE)
    def differences(self) -> dict[str, Mapping[str, np.ndarray]]:
        """What the second run differs by in each observable; nothing where there was none."""
        return {} if self.check is None else {"observable_differences": self.check.observables}

    def columns(self) -> Columns:
        """a(t), which is a pure number, and the unit of its times."""
        return [*super().columns(), ("t_unit", [self.time_unit] * len(self.t))]

    @property
    def time_in_words(self) -> str:
        """The unit of time."""
        return UNITS_OF_TIME.get(self.time_unit, self.time_unit)

    @property
    def output_step(self) -> float:
        """Distance of two times of a(t)."""
        return float(self.t[1] - self.t[0])

    @property
    def squared_norms(self) -> np.ndarray:
        """Of that of the start, (M,)."""
        return (self.norms / self.norms[0]) ** 2

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """a(t), and every observable over time; of an observable only a second run at a lower rank tells an error."""
        axis = f"t ({results['time_unit']})"
        cut = () if results.get("basis_edge") is None else ("basis",)
        found = [
            replace(quantity, axis=axis, includes=("rank", "time step"), leaves_out=cut)
            for quantity in super().quantities(results)
        ]
        differences = results.get("observable_differences") or {}
        for name, observed in results["observables"].items():
            errors = np.array(differences[name], dtype=float) if name in differences else None
            values = np.array(observed, dtype=float)
            unit = str(results.get("energy_unit") or "") if name == "energy" else ""
            drifts = name in CONSTANT and not results.get("dissipative", True)
            if drifts:  # from a value that is known: its error
                errors = np.abs(values - values[0])
            known = ("rank", "time step") if drifts else ("rank",) if errors is not None else ()
            lacking = (*(part for part in ("rank", "time step") if part not in known), *cut)
            found.append(Quantity(name, unit, axis, results["times"], values, errors, known, lacking))
        return found


RESULTS = (EvolutionResult,)
