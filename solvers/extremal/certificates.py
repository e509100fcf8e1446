"""What is known of max ||A v||_q / ||v||_p without a search: closed forms, bounds from above, uniqueness.

    p = 1            the largest q-norm of a column                       (a convex function is largest at a corner)
    q = inf          the largest p*-norm of a row, 1/p + 1/p* = 1         (the same for A^T, by duality)
    p = q = 2        the largest singular value
    p = inf          corners v in {-1, 1}^n, counted for small n;  q = 1: corners of u in {-1, 1}^m as well
    A >= 0, q <= p   one positive critical point, reached by the power method from any positive start

Bounds from above for the rest, the least of: what the exact cases give by ||x||_b <= ||x||_a <= n^(1/a - 1/b) ||x||_b
for a <= b, and interpolation between (1, inf), (1, 1), (inf, inf), (2, 2) by the theorem of Riesz and Thorin (p = q).
Boyd, Linear Algebra Appl. 9, 95 (1974); Higham, Numer. Math. 62, 511 (1992); Khrulkov and Oseledets, CVPR 2018,
section 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

INF = math.inf
CORNERS = 20  # vertices of a cube of so many dimensions at most are counted: 2^19 up to the sign
CHUNK = 2**12  # of them at once


@dataclass(frozen=True)
class Closed:
    """A norm that is known: its value, the vector, and how."""

    value: float
    vector: np.ndarray
    how: str


def dual(p: float) -> float:
    """p* with 1/p + 1/p* = 1."""
    return INF if p == 1.0 else 1.0 if p == INF else p / (p - 1.0)


def vector_norms(x: np.ndarray, p: float) -> np.ndarray:
    """p-norms of the columns of x (n, s), scaled so that no power overflows."""
    size = np.abs(x).max(axis=0)
    if p == INF:
        return size
    safe = np.where(size > 0.0, size, 1.0)
    return size * ((np.abs(x) / safe) ** p).sum(axis=0) ** (1.0 / p)


def dual_vectors(x: np.ndarray, p: float) -> np.ndarray:
    """For each column the vector y with ||y||_{p*} = 1 and y.x = ||x||_p; signs where p = 1, the largest entry alone
    where p = inf."""
    if p == 1.0:
        return np.where(x < 0.0, -1.0, 1.0)
    if p == INF:
        found = np.zeros_like(x)
        largest = np.argmax(np.abs(x), axis=0)
        columns = np.arange(x.shape[1])
        found[largest, columns] = np.where(x[largest, columns] < 0.0, -1.0, 1.0)
        return found
    size = vector_norms(x, p)
    scaled = x / np.where(size > 0.0, size, 1.0)
    return np.sign(scaled) * np.abs(scaled) ** (p - 1.0)


def closed(a: np.ndarray, p: float, q: float) -> Closed | None:
    """The norm of a matrix (m, n) where a closed form or a count gives it; None elsewhere."""
    m, n = a.shape
    if p == 1.0:
        sizes = vector_norms(a, q)
        best = int(np.argmax(sizes))
        return Closed(float(sizes[best]), np.eye(n)[best], "the largest column")
    if q == INF:
        sizes = vector_norms(a.T, dual(p))
        best = int(np.argmax(sizes))
        return Closed(float(sizes[best]), dual_vectors(a[best][:, None], dual(p))[:, 0], "the largest row")
    if p == q == 2.0:
        _, values, vt = np.linalg.svd(a, full_matrices=False)
        return Closed(float(values[0]), vt[0], "the largest singular value")
    if p == INF and n <= CORNERS:
        value, vector = _corners(a, q)
        return Closed(value, vector, f"all {2 ** (n - 1)} corners of the cube, up to the sign")
    if q == 1.0 and m <= CORNERS:  # the norm of the transpose, from p* to infinity to p*
        value, signs = _corners(a.T, dual(p))
        vector = dual_vectors((a.T @ signs)[:, None], dual(p))[:, 0]
        return Closed(value, vector, f"all {2 ** (m - 1)} signs of A v, by duality")
    return None


def _corners(a: np.ndarray, q: float) -> tuple[float, np.ndarray]:
    """The largest ||A s||_q over signs s, the last of which is one. Cost 2^(n-1) m n flops."""
    n = a.shape[1]
    best, vector = -1.0, np.ones(n)
    for first in range(0, 2 ** (n - 1), CHUNK):
        numbers = np.arange(first, min(first + CHUNK, 2 ** (n - 1)))
        signs = np.ones((n, len(numbers)))
        signs[: n - 1] -= 2.0 * ((numbers >> np.arange(n - 1)[:, None]) & 1)
        sizes = vector_norms(a @ signs, q)
        largest = int(np.argmax(sizes))
        if sizes[largest] > best:
            best, vector = float(sizes[largest]), signs[:, largest]
    return best, vector


def unique(a: np.ndarray, p: float, q: float) -> bool:
    """Whether the power method from a positive start has only one place to go: A >= 0 or A <= 0, and q <= p, both
    finite; a bipartite graph of rows and columns that falls apart has one place for each part, so it must be one."""
    signs = (a >= 0.0).all() or (a <= 0.0).all()
    if not signs or q > p or p == INF or p == 1.0:
        return False
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    joined = csr_array((a != 0.0)[np.ix_((a != 0.0).any(axis=1), (a != 0.0).any(axis=0))].astype(float))
    if not joined.nnz:
        return False
    m, n = joined.shape
    graph = csr_array((joined.data, (joined.tocoo().coords[0], joined.tocoo().coords[1] + m)), shape=(m + n, m + n))
    return bool(connected_components(graph, directed=False)[0] == 1)


def ratio_bound(a: np.ndarray, v: np.ndarray, p: float) -> float:
    """A bound from above of the (p, p)-norm of A >= 0 by any v > 0 (Collatz and Wielandt): the largest ratio of
    A^T (A v)^(p-1) to v^(p-1), to the power 1/p; an equality at the singular vector."""
    used = a.any(axis=0)
    if not (v[used] > 0.0).all():
        return INF
    scale = float(a.max())
    image = a[:, used] / scale @ v[used]
    back = (a[:, used] / scale).T @ image ** (p - 1.0)
    return scale * float(np.max(back / v[used] ** (p - 1.0))) ** (1.0 / p)


def upper_bound(a: np.ndarray, p: float, q: float) -> float:
    """The least of the bounds from above that are known."""
    m, n = a.shape
    known = {
        (1.0, 1.0): float(vector_norms(a, 1.0).max()),
        (1.0, q): float(vector_norms(a, q).max()),
        (2.0, 2.0): float(np.linalg.norm(a, 2)),
        (p, INF): float(vector_norms(a.T, dual(p)).max()),
        (INF, INF): float(vector_norms(a.T, 1.0).max()),
    }
    bounds = [value * _raise(p, r, n) * _raise(s, q, m) for (r, s), value in known.items()]
    if p == q:
        bounds.append(known[1.0, 1.0] ** (1.0 / p) * known[INF, INF] ** (1.0 - 1.0 / p))
    return min(bounds)


def _raise(a: float, b: float, n: int) -> float:
    """The largest ||x||_b / ||x||_a in n dimensions."""
    exponent = (0.0 if b == INF else 1.0 / b) - (0.0 if a == INF else 1.0 / a)
    return float(n) ** max(0.0, exponent)
