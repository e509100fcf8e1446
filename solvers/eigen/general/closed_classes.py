"""The stationary vector of a generator that is a matrix: closed classes, elimination without a subtraction, and inverse
iteration.

1. Of transition rates (no element beside the diagonal is negative): the strongly connected classes that nothing leaves.
   One such class proves that one state is stationary.
2. Up to ``DENSE`` states: elimination of Grassmann, Taksar and Heyman (Oper. Res. 33, 1107 (1985)), which uses the
   rates beside the diagonal alone and subtracts nothing: every entry is found to 2 N relative errors of a rate,
   however slowly the classes of nearly closed states mix (C. A. O'Cinneide, Numer. Math. 65, 109 (1993)).
3. Else inverse iteration by the factors of A - s, s next to zero; the second eigenvalue in the complement.
Cost 2/3 N^3 of step 2, a sparse factorisation of step 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from solvers.measured import amount

DENSE = 1500  # states whose elimination takes seconds; chosen, not measured
ROUNDING = 1e-13  # of the largest rate: elements below it are rounding errors of the train
INVERSE_STEPS = 3
SEARCH_STEPS = 12  # of inverse iteration in the complement
SECOND = 1e-9  # of the size of A: an eigenvalue below it is zero
BESIDE = 1e-10  # of the size of A: the shift
EPS = float(np.finfo(float).eps)


@dataclass
class Vector:
    """``p`` with <weights, p> = 1, its relative error, and how it is known that no other is stationary."""

    p: np.ndarray
    error: float
    unique: str


def stationary_vector(
    a: sp.csc_matrix, start: np.ndarray, weights: np.ndarray, rates: bool, rng: np.random.Generator
) -> Vector:
    """The null vector of ``a``; ``rates``: it moves probabilities. Raises ValueError where there are several."""
    n = a.shape[0]
    off = _off_diagonal(a) if rates else None
    closed = 0 if off is None else _closed_classes(off)
    if closed > 1:
        raise ValueError(f"the stationary state is not unique: the transitions have {closed} closed classes")
    scale = float(abs(a).sum(axis=0).max())
    if scale == 0.0 and n > 1:
        raise ValueError("the stationary state is not unique: the operator is zero")
    shift = BESIDE * scale or 1.0
    factors = splu(sp.csc_matrix(a - shift * sp.identity(n)))
    p = start.astype(np.result_type(start, a))
    for _ in range(INVERSE_STEPS):
        p = factors.solve(p)
        p = p / (weights.conj() @ p)
    for _ in range(2):
        change = factors.solve(a @ p)
        change = change - p * (weights.conj() @ change)
        p = p - change
    error = float(np.linalg.norm(change) / np.linalg.norm(p)) + EPS
    unique = "one closed class" if closed == 1 else _second(factors, shift, scale, p, weights, rng)
    if closed == 1 and off is not None and n <= DENSE:
        positive = off.data[off.data > 0.0]
        spread = float(positive.max() / positive.min()) if len(positive) else 1.0
        relative = 2.0 * n * EPS * spread  # rates are known to eps times the largest of them
        if relative < error:
            p, error = _eliminated(off.toarray()), relative
            p = p / (weights.conj() @ p)
    return Vector(p, error, unique)


def _eliminated(rates: np.ndarray) -> np.ndarray:
    """Step 2: states are taken out one after another, the last first, those on the way to others at least.

    ``rates`` (N, N): from the column's state to the row's, zero diagonal. States that are left for good hold nothing.
    """
    n = len(rates)
    lasting = _lasting(rates)
    g = np.array(rates[np.ix_(lasting, lasting)])
    m = len(g)
    leaving = np.zeros(m)
    for k in range(m - 1, 0, -1):
        leaving[k] = g[:k, k].sum()
        g[:k, :k] += np.outer(g[:k, k] / leaving[k], g[k, :k])
    own = np.zeros(m)
    own[0] = 1.0
    for k in range(1, m):
        own[k] = g[k, :k] @ own[:k] / leaving[k]
        own[: k + 1] /= own[: k + 1].sum()
    p = np.zeros(n)
    p[lasting] = own
    return p


def _lasting(rates: np.ndarray) -> np.ndarray:
    """States of the one closed class."""
    _, labels, left = _classes(sp.csc_matrix(rates))
    return np.flatnonzero(labels == np.flatnonzero(~left)[0])


def _off_diagonal(a: sp.csc_matrix) -> sp.csc_matrix | None:
    """The rates; None where an element beside the diagonal is negative."""
    off = sp.csc_matrix(a - sp.diags(a.diagonal()))
    off.eliminate_zeros()
    floor = ROUNDING * float(abs(off).max()) if off.nnz else 0.0
    if off.nnz and off.data.min() < -floor:
        return None
    off.data[off.data <= floor] = 0.0
    off.eliminate_zeros()
    return off


def _classes(off: sp.csc_matrix) -> tuple[int, np.ndarray, np.ndarray]:
    """How many strongly connected classes, that of each state, and which are left."""
    count, labels = connected_components(off.T, directed=True, connection="strong")
    to, origin = off.nonzero()
    left = np.zeros(count, dtype=bool)
    left[labels[origin][labels[origin] != labels[to]]] = True
    return count, labels, left


def _closed_classes(off: sp.csc_matrix) -> int:
    count, _, left = _classes(off)
    return int(count - np.count_nonzero(left))


def _second(
    factors: Any, shift: float, scale: float, p: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> str:
    """Inverse iteration in the complement: the modulus of the second eigenvalue."""
    if len(p) == 1:
        return "one state"
    x = rng.standard_normal(len(p)).astype(p.dtype)
    growth = 0.0
    for _ in range(SEARCH_STEPS):
        x = x - p * (weights.conj() @ x)
        x = x / np.linalg.norm(x)
        y = factors.solve(x)
        growth = float(np.linalg.norm(y))
        x = y
    if 1.0 / growth - shift <= SECOND * scale:
        raise ValueError("the stationary state is not unique: zero is a repeated eigenvalue of the operator")
    return f"next eigenvalue about {amount(1.0 / growth)} from zero"
