"""What the tangent space of a train misses: ||(1 - P) A x||, and the same for two-site tangent spaces.

With left-orthogonal cores before the centre and right-orthogonal ones behind it, (1 - P) A x is an orthogonal sum over
the cores k of parts in which the left half, cores up to k, lies in (left interface before k) x (mode k) but outside
the interface behind k, and the right half lies outside the right interface behind k:

    ||(1 - P) A x||^2 = sum_k || (1 - Q_k Q_k^H) h_k F_k^T ||_F^2 .

h_k (a n, beta b) is the left environment and the operator core on the centre core k, Q_k the orthogonal factor of the
latter; F_k (m, beta b) is the triangular factor of the right half A_beta x_b projected out of its interface, and is
passed on from the right: a core adds what its own projection leaves. Two sites: only what misses the interface behind
the next core counts. Nothing is squared before it is subtracted, so small defects keep their digits. Long factors
are multiplied by a Gaussian matrix of ``SKETCH`` rows with variance 1/SKETCH, which keeps the expectation of the
squared norm (spread about 10 per cent). Cost O(d n (R r)^2 min(R r, SKETCH)).
Error bound: Lubich, Oseledets, Vandereycken, SIAM J. Numer. Anal. 53, 917 (2015), theorem 2.1 without splitting.
"""

from __future__ import annotations

import numpy as np

from solvers.dynamics.chain import Chain
from solvers.local_operator import advance, half, mirrored
from solvers.trains.factorisations import qr_factors, triangular_factor

SKETCH = 200


def defect(chain: Chain, sites: int = 1) -> float:
    """||(1 - P) A x|| for the tangent space of one site or two."""
    factors = _right_factors(chain, sites)
    total = 0.0
    left = np.ones((1, 1, 1), dtype=chain.dtype)
    center = chain.x[0]
    for k in range(len(chain.x) - sites):
        a, n, b = center.shape
        q, rest = qr_factors(center.reshape(a * n, b))
        core = chain.core(k)
        h = half(left, core, center)
        h = h - q @ (q.conj().T @ h)
        if sites == 2:
            h = half(h.reshape(a * n, core.dims[3], b), chain.core(k + 1), chain.x[k + 1])
        total += float(np.linalg.norm(h @ factors[k + sites - 1].T)) ** 2
        q = np.ascontiguousarray(q).reshape(a, n, -1)
        left = advance(half(left, core, q), q, core.dims[3])
        following = chain.x[k + 1]
        center = (rest @ following.reshape(len(following), -1)).reshape(-1, *following.shape[1:])
    return float(np.sqrt(total))


def _right_factors(chain: Chain, sites: int) -> list[np.ndarray]:
    """F behind core k for k = 0 .. d-2, (m, beta b) with b in the chain's own order."""
    d = len(chain.x)
    operator = chain.operators[1 - chain.side]
    cores = mirrored(chain.x)
    one = np.ones((1, 1, 1), dtype=chain.dtype)
    inside, outside = one, np.zeros((0, 1, 1), dtype=chain.dtype)
    rng = np.random.default_rng(0)
    found: list[np.ndarray] = []
    for j in range(d - 1):
        core, x = operator[j], cores[j]
        bra = x.reshape(-1, x.shape[2])
        kept = half(inside, core, x)
        lost = kept - bra @ (bra.conj().T @ kept)
        inside = advance(kept, x, core.dims[3])
        if len(outside):
            lost = np.concatenate([lost, half(outside, core, x)])
        outside = _shortened(lost, rng).reshape(-1, core.dims[3], x.shape[2])
        found.append(outside.reshape(len(outside), -1))
    return found[::-1]


def _shortened(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A matrix with fewer rows and the same inner products of its columns, those of a sketch where they are many."""
    m, n = rows.shape
    if m > SKETCH and n > SKETCH:
        sketch = rng.standard_normal((SKETCH, m)) / np.sqrt(SKETCH)
        return np.ascontiguousarray(sketch @ rows)
    if m > n:
        return np.ascontiguousarray(triangular_factor(np.array(rows, order="F")))
    return np.ascontiguousarray(rows)
