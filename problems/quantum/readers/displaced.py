"""Constants of a field from Hessians and dipoles at geometries displaced along the modes.

A program that differentiates a Hessian H along mass-weighted normal modes Q_k gives dH/dQ_k and d^2H/dQ_k^2. With
l_k the vectors and i, j, k, m modes,

    1. project:    T_k[i, j] = l_i . M^-1/2 dH/dQ_k M^-1/2 l_j,   and in the same way the second derivatives;
    2. turn:       T_k changes its sign with the displacement, the true constants do not care which mode was
                   displaced: signs s_k with s_k T_k[k', j] = s_k' T_k'[k, j]. The dipole at the displaced
                   geometries fixes what is left, against the dipole derivatives of the undisplaced one;
    3. average:    phi_ijk over the two or three modes that can have been displaced, phi_iijj over both; what they
                   differ by is the noise of the differences (Barone, J. Chem. Phys. 122, 014108 (2005));
    4. reduce:     q_k = sqrt(w_k) Q_k in atomic units.

Constants phi_ijkm of four different modes are not among them: the field is semi-diagonal.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from itertools import combinations_with_replacement

import numpy as np

from problems.quantum.hamiltonians.force_field.geometry import ELECTRONS, HARTREE
from problems.quantum.hamiltonians.force_field.molecule import Surface

Modes = tuple[int, ...]
Routes = Mapping[Modes, tuple[float, ...]]  # sorted modes -> the constant by every route
ROUNDING = 1e-9  # of the largest coefficient of a surface: files have nine digits
CLEAR = 1e-3  # of the largest: dipole derivatives and cubic constants above it tell a sign


def projected(tensors: np.ndarray, vectors: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Cartesian matrices (..., 3 atoms, 3 atoms) in mass-weighted modes (d, atoms, 3): (..., d, d), amu^-1."""
    rows = (vectors / np.sqrt(masses)[None, :, None]).reshape(len(vectors), -1)
    return rows @ tensors @ rows.T


def reduction(frequencies: np.ndarray) -> np.ndarray:
    """dQ_k/dq_k in amu^1/2 bohr, (d,), for frequencies in cm-1."""
    return 1.0 / np.sqrt(ELECTRONS * frequencies / HARTREE)


def signs(cubic: np.ndarray, measured: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Signs (d,) of the displacements against the modes, step 2.

    ``cubic`` (d, d, d): displaced mode first; ``measured``, ``expected`` (d, 3): derivatives of the dipole along the
    displacements and along the modes.
    """
    d = len(cubic)
    overlap = np.einsum("ka,ka->k", measured, expected)
    found = np.where(np.abs(overlap) > CLEAR * np.abs(overlap).max(initial=0.0), np.sign(overlap), 0.0)
    # evidence that two modes have the same sign: T_k[l, .] . T_l[k, .]
    evidence = np.einsum("klm,lkm->kl", cubic, cubic)
    np.fill_diagonal(evidence, 0.0)
    threshold = CLEAR**2 * np.abs(evidence).max(initial=0.0)
    for _ in range(d):
        unknown = np.flatnonzero(found == 0.0)
        if not unknown.size:
            break
        votes = evidence[unknown] @ found
        strongest = int(np.argmax(np.abs(votes)))
        # a group that nothing ties to the others may have either sign: q -> -q of all of it is the same field
        found[unknown[strongest]] = np.sign(votes[strongest]) if abs(votes[strongest]) > threshold else 1.0
    return found


def cubic_routes(cubic: np.ndarray) -> Routes:
    """phi_ijk by every mode that was displaced, of (d, d, d) with the displaced mode first."""
    found: dict[Modes, tuple[float, ...]] = {}
    for i, j, k in combinations_with_replacement(range(len(cubic)), 3):
        by = {i: cubic[i, j, k], j: cubic[j, i, k], k: cubic[k, i, j]}
        found[i, j, k] = tuple(float(value) for value in by.values())
    return found


def quartic_routes(quartic: np.ndarray) -> Routes:
    """phi_kkij by every mode that was displaced twice, of (d, d, d)."""
    found: dict[Modes, tuple[float, ...]] = {}
    d = len(quartic)
    for k in range(d):
        for i, j in combinations_with_replacement(range(d), 2):
            modes = tuple(sorted((k, k, i, j)))
            found[modes] = (*found.get(modes, ()), float(quartic[k, i, j]))
    return found


def means(routes: Routes, least: float) -> dict[Modes, float]:
    """The averages of the routes; below ``least``, hartree amu^(-n/2) bohr^-n, a route and an average are zero."""
    found = {}
    for modes, values in routes.items():
        value = float(np.mean([value if abs(value) > least else 0.0 for value in values]))
        if abs(value) > least:
            found[modes] = value
    return found


def surface_of(
    derivatives: dict[tuple[int, ...], np.ndarray], scale: np.ndarray, size: int, unit: float, name: str
) -> Surface:
    """Derivatives with respect to Q, atomic units, as a surface in q; what is rounding is left out."""
    reduced = {
        modes: unit
        * values
        * math.prod(scale[k] for k in modes)
        / math.prod(math.factorial(m) for m in Counter(modes).values())
        for modes, values in derivatives.items()
    }
    least = ROUNDING * max(float(np.abs(values).max()) for values in reduced.values())
    components = [
        {modes: float(values[a]) for modes, values in reduced.items() if abs(values[a]) > least} for a in range(size)
    ]
    return Surface(tuple(components), name)
