"""Chains of spins 1/2 with open ends, in time.

|0> is up; Sx Sx + Sy Sy = (S+ S- + S- S+)/2 keeps the operator real.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from problems.quantum.hamiltonians.system import System
from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.operator_check import checked_operator
from solvers.formats.trains.sum_of_products import sum_of_products

X = np.array([[0.0, 1.0], [1.0, 0.0]])
Z = np.diag([1.0, -1.0])
RAISE = np.array([[0.0, 1.0], [0.0, 0.0]])  # S+ takes down (index 1) to up (index 0)

Terms = list[tuple[float, dict[int, int]]]


def ising(coupling: float, field: float, state: Sequence[int]) -> System:
    """H = -coupling sum_k Z_k Z_(k+1) - field sum_k X_k, from the product ``state``."""
    d = len(state)
    terms: Terms = [(-coupling, {k: 2, k + 1: 2}) for k in range(d - 1)]
    terms += [(-field, {k: 1}) for k in range(d)]
    return _system(np.array([np.eye(2), X, Z]), terms, state)


def xxz(in_plane: float, along_z: float, state: Sequence[int]) -> System:
    """H = sum_k in_plane (Sx_k Sx_(k+1) + Sy_k Sy_(k+1)) + along_z Sz_k Sz_(k+1), from the product ``state``."""
    terms: Terms = []
    for k in range(len(state) - 1):
        terms += [(0.5 * in_plane, {k: 1, k + 1: 2}), (0.5 * in_plane, {k: 2, k + 1: 1})]
        terms.append((along_z, {k: 3, k + 1: 3}))
    return _system(np.array([np.eye(2), RAISE, RAISE.T, 0.5 * Z]), terms, state)


def _system(stack: np.ndarray, terms: Terms, state: Sequence[int]) -> System:
    d = len(state)
    zs = [Z] * d
    tt = sum_of_products([stack] * d, terms)
    return System(
        operator=tt,
        start=rank_one([np.eye(2)[s] for s in state]),
        site_operators={"z": zs},
        pair_operators={"szsz": zs},
        unit="model units",
        dissipative=False,
        terms=None,
        description=[],
        sites=[str(k + 1) for k in range(d)],
        looks=(checked_operator(tt, [stack] * d, terms, "operator against its terms"),),
    )
