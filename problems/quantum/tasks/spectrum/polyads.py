"""Polyads: states that share configurations, and the block of the effective Hamiltonian that makes them.

States i and j share a configuration if it has at least ``SHARED`` of either. With C (n states, n configurations) the
coefficients of n configurations of a polyad of n states, each the one that has most beyond those before it (QR with
pivoting), C = U S V^T, the nearest orthogonal matrix
O = U V^T gives H = O^T diag(E) O (des Cloizeaux, Nucl. Phys. 20, 321 (1960)): unperturbed levels and couplings.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr

SHARED = 0.05  # of a state
LARGEST = 12  # states of a polyad whose block is told


@dataclass(frozen=True, eq=False)
class Block:
    """``states`` (n,), the keys of the ``configurations``, the effective Hamiltonian ``matrix`` (n, n), and the least
    squared singular value, the share of the states in these configurations."""

    states: list[int]
    configurations: list[Hashable]
    matrix: np.ndarray
    share: float


def polyads(
    coefficients: Sequence[Mapping[Hashable, float]], levels: np.ndarray, sectors: Sequence[Hashable]
) -> list[Block]:
    """The polyads of two to ``LARGEST`` states; states of one sector alone share any. Cost O(n^2 configurations)."""
    n = len(coefficients)
    large = [{key for key, c in one.items() if c * c >= SHARED} for one in coefficients]
    group = list(range(n))
    for j in range(n):
        for i in range(j):
            if sectors[i] == sectors[j] and large[i] & large[j] and group[i] != group[j]:
                old, new = group[j], group[i]
                group = [new if g == old else g for g in group]
    found = []
    for g in sorted(set(group), key=group.index):
        states = [i for i in range(n) if group[i] == g]
        if not 2 <= len(states) <= LARGEST:
            continue
        weights: dict[Hashable, float] = {}
        for i in states:
            for key, c in coefficients[i].items():
                weights[key] = weights.get(key, 0.0) + c * c
        if len(weights) < len(states):
            continue
        every = sorted(weights, key=lambda key: -weights[key])
        whole = np.array([[coefficients[i].get(key, 0.0) for key in every] for i in states])
        chosen = qr(whole, mode="r", pivoting=True)[1][: len(states)]
        keys, mixing = [every[c] for c in chosen], whole[:, chosen]
        u, s, v = np.linalg.svd(mixing)
        turn = u @ v
        found.append(Block(states, keys, turn.T @ np.diag(levels[states]) @ turn, float(s[-1] ** 2)))
    return found
