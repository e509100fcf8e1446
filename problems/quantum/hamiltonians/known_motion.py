"""Independent values of a few motions, found by what a problem is, not by what it is called.

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

DATA = Path(__file__).parents[1] / "data" / "motion"
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


def of_chain(model: str, couplings: Sequence[float], state: Sequence[int]) -> list[Series]:
    """Of a spin chain from a product state: ising with its coupling and field, xxz with those in the plane and along z;
    empty where nothing is known."""
    neel = [k % 2 for k in range(12)]
    if model == "ising" and _same(couplings, (1.0, 0.5)) and list(state) == [0] * 12:
        return _stored("ising-12", len(state))
    if model == "xxz" and _same(couplings, (1.0, 1.0)) and list(state) == neel:
        return _stored("heisenberg-12", len(state))
    return []


def of_henon_heiles(
    coupling: float, sizes: Sequence[int], centres: Sequence[float], momenta: Sequence[float]
) -> list[Series]:
    """Of a Henon-Heiles chain in ``sizes`` harmonic functions, from a gaussian; empty where nothing is known."""
    d = len(sizes)
    for case, (modes, n, centre) in _HENON_HEILES.items():
        alike = d == modes and tuple(sizes) == (n,) * d and _same((coupling,), (COUPLING,))
        if alike and _same(centres, (centre,) * d) and _same(momenta, (0.0,) * d):
            return _stored(case, d)
    return []


def _stored(case: str, d: int) -> list[Series]:
    """The values of one case in the data files."""
    rows = [row for row in _rows("autocorrelations.csv") if row["case"] == case]
    t = np.array([float(row["t"]) for row in rows])
    values = np.array([complex(float(row["real"]), float(row["imag"])) for row in rows])
    found = [Series("autocorrelation", _LABELS["autocorrelation"], _FULL, t, values)]
    rows = [row for row in _rows("spin_chains.csv") if row["case"] == case]
    if rows:
        t = np.array([float(row["t"]) for row in rows])
        found.append(Series("entropy", _LABELS["entropy"], _FULL, t, np.array([float(row["entropy"]) for row in rows])))
        z = [[float(row[f"z{k}"]) for k in range(1, d + 1)] for row in rows]
        found.append(Series("z", _LABELS["z"], _FULL, t, np.array(z)))
    return found


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(math.isclose(a, b, rel_tol=SAME, abs_tol=SAME) for a, b in zip(one, other))


def of_free_fermions(in_plane: float, state: Sequence[int], t: np.ndarray, times: np.ndarray) -> list[Series]:
    """Of an XX chain from a product state: a at ``t`` and <Z> at ``times``, exact. Cost O(d^3) a time."""
    d = len(state)
    hopping = 0.5 * in_plane * (np.eye(d, k=1) + np.eye(d, k=-1))
    energies, vectors = np.linalg.eigh(hopping)
    occupied = np.flatnonzero(np.array(state) == 0)

    def columns(s: float) -> np.ndarray:
        return (vectors * np.exp(-1j * energies * s)) @ vectors[occupied].T

    a = np.array([np.linalg.det(columns(s)[occupied]) for s in t])
    z = np.array([2.0 * (np.abs(columns(s)) ** 2).sum(axis=1) - 1.0 for s in times])
    return [
        Series("autocorrelation", _LABELS["autocorrelation"], _FERMIONS, t, a),
        Series("z", _LABELS["z"], _FERMIONS, times, z),
    ]
