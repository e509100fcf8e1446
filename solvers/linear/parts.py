"""Operators that are sums over groups of neighbouring modes, A = sum_g 1 x ... x A_g x ... x 1: their parts.

Across a bond A = sum_alpha L_alpha x R_alpha. With the identity as the first of an orthonormal basis on either side,
L_alpha = l_alpha 1 + L'_alpha, and so for R: nothing couples the two sides where

    sum_alpha L'_alpha x R'_alpha = 0.

    1. Every core (R, n n, R') is written in the identity and an orthonormal basis of what else its blocks span.
    2. Triangular factors of the interfaces pass from core to core from both ends, the identity's coordinate beside
       them; at each bond the norm of their product tells how much couples.
    3. Between bonds without coupling stand the groups; A_g is the partial trace over all others, divided by their
       dimension, without the mean, which all share alike.
Cost O(n^2 R^4) for each different core and O(d R^5); a group of N indices N^2 R.
Index letters: alpha, beta ranks; i coordinate of a block; t rank of an interface.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from solvers.formats.trains.factorisations import qr_factors, triangular_factor
from solvers.sweeping.local_operator import OperatorCore

COUPLED = 1e-11  # of the norm of A: below, the two sides are not; what that changes, the residual of x sees
LARGEST_RANK = 16  # of A: for more, the search is no longer free


def parts(cores: Sequence[OperatorCore], largest: int) -> tuple[list[np.ndarray], list[range]] | None:
    """Matrices A_g (N_g, N_g) and the modes of each group; None for one group, or one of more than ``largest`` indices.

    Equal cores best are one object.
    """
    if max(core.dims[3] for core in cores) > LARGEST_RANK:
        return None
    cuts = [0, *uncoupled(cores), len(cores)]
    groups = [range(a, b) for a, b in pairwise(cuts)]
    sizes = [math.prod(cores[k].dims[1] for k in group) for group in groups]
    if len(groups) == 1 or max(sizes) > largest:
        return None
    return partial_traces(cores, groups), groups


def partial_traces(cores: Sequence[OperatorCore], groups: Sequence[range]) -> list[np.ndarray]:
    """Step 3, for any groups that follow each other: of a coupled A the sum nearest to it in the Frobenius norm."""
    left, right = _traces(cores)
    mean = (left[-1][0]).item()
    found = []
    for group in groups:
        matrix = left[group.start][None, :]  # (i j, alpha)
        rows = 1
        for k in group:
            p, n, _, q = cores[k].dims
            matrix = (matrix @ cores[k].dense.reshape(p, -1)).reshape(rows, rows, n, n, q)
            rows *= n
            matrix = matrix.transpose(0, 2, 1, 3, 4).reshape(rows * rows, q)
        part = (matrix @ right[group.stop]).reshape(rows, rows)
        part[np.diag_indices(rows)] -= mean * (1.0 - 1.0 / len(groups))
        found.append(part)
    return found


def uncoupled(cores: Sequence[OperatorCore], floor: float = COUPLED) -> list[int]:
    """The bonds k, between cores k - 1 and k, across which nothing couples by more than ``floor`` times the norm."""
    small: dict[int, np.ndarray] = {}
    for core in cores:
        if id(core) not in small:
            small[id(core)] = _coordinates(core)
    reduced = [small[id(core)] for core in cores]
    left = _interfaces(reduced)
    right = _interfaces([core.transpose(2, 1, 0) for core in reversed(reduced)])[::-1]
    found = []
    for k in range(1, len(cores)):
        coupling = float(np.linalg.norm(left[k][1:] @ right[k][1:].T))
        if coupling <= floor * float(np.linalg.norm(left[k] @ right[k].T)):
            found.append(k)
    return found


def _coordinates(core: OperatorCore) -> np.ndarray:
    """The core in an orthonormal basis of its blocks, the identity first: (R, i, R')."""
    p, n, _, q = core.dims
    blocks = core.dense.transpose(1, 2, 0, 3).reshape(n * n, p * q)
    one = np.eye(n, dtype=blocks.dtype).reshape(-1, 1)
    factor = triangular_factor(np.asfortranarray(np.concatenate([one, blocks], axis=1)))
    return np.ascontiguousarray(factor[:, 1:].reshape(-1, p, q).transpose(1, 0, 2))


def _interfaces(cores: Sequence[np.ndarray]) -> list[np.ndarray]:
    """(t, R) at each bond, of largest entry one: first the coordinate of the identity, then the factor of the rest."""
    found = [np.ones((1, 1), dtype=cores[0].dtype)]
    for core in cores:
        ahead = np.tensordot(found[-1], core, axes=(1, 0)).reshape(-1, core.shape[2])  # (t i) (beta)
        rest = ahead[1:]
        if len(rest) > rest.shape[1]:
            rest = qr_factors(rest)[1]
        factor = np.concatenate([ahead[:1], rest])
        found.append(factor / (np.abs(factor).max() or 1.0))
    return found


def _traces(cores: Sequence[OperatorCore]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Partial traces over dimensions of all cores before a bond, and of all behind it, (R,)."""
    means = [core.trace / core.dims[1] for core in cores]
    left, right = [np.ones(1)], [np.ones(1)]
    for before, behind in zip(means, reversed(means)):
        left.append(left[-1] @ before)
        right.append(behind @ right[-1])
    return left, right[::-1]
