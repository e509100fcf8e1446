"""Independent values of the shipped problems, found by what a problem is, not by what it is called.

``data/`` holds autocorrelation functions, entropies and magnetisations from propagations in the full product space, a
value every unit of time. An XX chain (Jz = 0) is free fermions: with G(t) = exp(-iht), h the hopping matrix Jxy/2, and
the up sites occupied, a(t) = det G[occupied, occupied] and <Z_k> = 2 sum_j |G_kj|^2 - 1 over the occupied j
(Lieb, Schultz, Mattis, Ann. Phys. 16, 407 (1961)); so every such chain has exact values. Any configuration that states
a known problem is compared where the times agree.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from problems.agreement import Deviation
from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.force_field.keys import HenonHeiles
from problems.quantum.keys import NONE, GaussianInitial, ProductInitial
from problems.quantum.kinds.wave_packet import WavePacketProblem
from problems.quantum.tasks.evolution.result import EvolutionResult

DATA = Path(__file__).parents[2] / "data" / "motion"
SAME = 1e-9  # numbers, and times, that mean the same
COUPLING = 0.111803
_FULL = "propagation in the full product space"
_FERMIONS = "free fermions (Lieb, Schultz, Mattis 1961)"
# case -> modes, functions, centre
_HENON_HEILES = {
    "henon-heiles-2d": (2, 28, 2.0),
    "henon-heiles-3d": (3, 28, 2.0),
    "henon-heiles-4d": (4, 16, 1.0),
    "henon-heiles-6d": (6, 8, 1.0),
}
_LABELS = {
    "autocorrelation": "exact autocorrelation",
    "entropy": "exact entropy of half the chain",
    "z": "exact <Z> of each site",
}


@dataclass(frozen=True)
class Series:
    """Independent values over times (M,): ``quantity`` is autocorrelation (complex), entropy (middle cut) or z."""

    quantity: str
    label: str
    source: str
    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Compared:
    """A series beside a run: the common times, and the largest deviation at each of them."""

    series: Series
    times: np.ndarray
    deviations: np.ndarray

    @property
    def summary(self) -> Deviation:
        return Deviation(len(self.times), float(self.deviations.max()), float(self.deviations.mean()))


def references_of(problem: WavePacketProblem) -> list[Series]:
    """Independent values of a problem from the data files; empty for an unknown one."""
    case = _case(problem)
    if case is None:
        return []
    rows = [row for row in _rows("autocorrelations.csv") if row["case"] == case]
    t = np.array([float(row["t"]) for row in rows])
    values = np.array([complex(float(row["real"]), float(row["imag"])) for row in rows])
    found = [Series("autocorrelation", _LABELS["autocorrelation"], _FULL, t, values)]
    rows = [row for row in _rows("spin_chains.csv") if row["case"] == case]
    if rows:
        t = np.array([float(row["t"]) for row in rows])
        found.append(Series("entropy", _LABELS["entropy"], _FULL, t, np.array([float(row["entropy"]) for row in rows])))
        z = [[float(row[f"z{k}"]) for k in range(1, problem.d + 1)] for row in rows]
        found.append(Series("z", _LABELS["z"], _FULL, t, np.array(z)))
    return found


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def _case(problem: WavePacketProblem) -> str | None:
    if isinstance(problem.initial, ProductInitial):
        state = problem.initial.indices(problem.d)
        if problem.d != 12:
            return None
        if problem.model == "ising" and _same((problem.J, problem.h), (1.0, 0.5)) and state == [0] * 12:
            return "ising-12"
        neel = [k % 2 for k in range(12)]
        if problem.model == "xxz" and _same((problem.Jxy, problem.Jz), (1.0, 1.0)) and state == neel:
            return "heisenberg-12"
        return None
    field = problem.vibrational.force_field
    if not isinstance(field, HenonHeiles) or not _same((field.coupling,), (COUPLING,)):
        return None
    if problem.absorber != NONE or problem.basis.type != "harmonic" or problem.basis.functions == AUTOMATIC:
        return None
    if problem.time_unit != "natural" or not isinstance(problem.initial, GaussianInitial):
        return None
    d = problem.d
    functions = problem.basis.functions
    sizes = (functions,) * d if isinstance(functions, int) else functions
    centres, momenta = problem.initial.lists(d)
    for case, (modes, n, centre) in _HENON_HEILES.items():
        if d == modes and tuple(sizes) == (n,) * d and _same(centres, (centre,) * d) and _same(momenta, (0.0,) * d):
            return case
    return None


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(math.isclose(a, b, rel_tol=SAME, abs_tol=SAME) for a, b in zip(one, other))


def exact(problem: WavePacketProblem, t: np.ndarray, times: np.ndarray) -> list[Series]:
    """Free fermions: a at ``t`` and <Z> at ``times``, where the problem is an XX chain; else nothing."""
    if problem.model != "xxz" or problem.Jz != 0.0 or not isinstance(problem.initial, ProductInitial):
        return []
    d = problem.d
    hopping = 0.5 * problem.Jxy * (np.eye(d, k=1) + np.eye(d, k=-1))
    energies, vectors = np.linalg.eigh(hopping)
    occupied = np.flatnonzero(np.array(problem.initial.indices(d)) == 0)

    def columns(s: float) -> np.ndarray:
        return (vectors * np.exp(-1j * energies * s)) @ vectors[occupied].T

    a = np.array([np.linalg.det(columns(s)[occupied]) for s in t])
    z = np.array([2.0 * (np.abs(columns(s)) ** 2).sum(axis=1) - 1.0 for s in times])
    return [
        Series("autocorrelation", _LABELS["autocorrelation"], _FERMIONS, t, a),
        Series("z", _LABELS["z"], _FERMIONS, times, z),
    ]


def compare(problem: WavePacketProblem, result: EvolutionResult) -> list[Compared]:
    """Everything of a run that has independent values, at the times both have."""
    known = references_of(problem) + exact(problem, result.t, result.times)
    found = []
    for series in known:
        own = _own(series, result)
        if own is None:
            continue
        times, values = own
        places = np.searchsorted(times, series.times - SAME * max(1.0, times[-1]))
        places = np.minimum(places, len(times) - 1)
        common = np.abs(times[places] - series.times) <= 1e-6
        if not common.any():
            continue
        difference = np.abs(values[places[common]] - series.values[common])
        deviations = difference.reshape(len(difference), -1).max(axis=1)
        found.append(Compared(series, series.times[common], deviations))
    return found


def _own(series: Series, result: EvolutionResult) -> tuple[np.ndarray, np.ndarray] | None:
    """The run's own times and values of a series, where it has them."""
    if series.quantity == "autocorrelation":
        return result.t, result.autocorrelation
    if series.quantity == "entropy":
        return result.times, result.entropies[:, (result.entropies.shape[1] - 1) // 2]
    values = result.observables.get(series.quantity)
    return None if values is None else (result.times, values)
