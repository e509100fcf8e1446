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

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.factorisations import qr_factors, triangular_factor
from solvers.sweeping.chain import Chain
from solvers.sweeping.local_operator import OperatorCore, advance, half, mirrored

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


def missed_at_root(
    inside: np.ndarray, ahead: np.ndarray, before: np.ndarray, behind: np.ndarray, core: OperatorCore, x: np.ndarray
) -> float:
    """||(1 - P) A y|| for the core ``x`` between fixed orthonormal interfaces, P the projector on all such y.

    ``inside`` (a', alpha, a) and ``ahead`` (beta, b, b') are the environments of the interfaces, ``before`` and
    ``behind`` what A makes of them outside of their spans (``beyond``; the latter of the mirrored train).
    """
    closed = ahead.reshape(-1, ahead.shape[2]).T
    lost = behind.reshape(len(behind), behind.shape[1] * behind.shape[2])
    total = 0.0
    if len(before):
        total += float(np.linalg.norm(half(before, core, x) @ np.concatenate([closed, lost]).T)) ** 2
    if len(lost):
        total += float(np.linalg.norm(half(inside, core, x) @ lost.T)) ** 2
    return float(np.sqrt(total))


def beyond(operator: Sequence[OperatorCore], cores: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """What A makes of the interface behind left-orthogonal ``cores`` outside of its span: a factor (m, alpha, a)."""
    *_, outside = [np.zeros((0, 1, 1), dtype=dtype), *_outside(operator, cores, dtype)]
    return outside


def _right_factors(chain: Chain, sites: int) -> list[np.ndarray]:
    """F behind core k for k = 0 .. d-2, (m, beta b) with b in the chain's own order."""
    cores = mirrored(chain.x)[:-1]
    found = [f.reshape(len(f), -1) for f in _outside(chain.operators[1 - chain.side], cores, chain.dtype)]
    return found[::-1]


def _outside(operator: Sequence[OperatorCore], cores: Sequence[np.ndarray], dtype: np.dtype) -> list[np.ndarray]:
    """Behind each of the left-orthogonal ``cores``: the factor (m, alpha, a) of A U outside the span of U."""
    inside, outside = np.ones((1, 1, 1), dtype=dtype), np.zeros((0, 1, 1), dtype=dtype)
    rng = np.random.default_rng(0)
    found: list[np.ndarray] = []
    for core, x in zip(operator, cores):
        bra = x.reshape(-1, x.shape[2])
        kept = half(inside, core, x)
        lost = kept - bra @ (bra.conj().T @ kept)
        inside = advance(kept, x, core.dims[3])
        if len(outside):
            lost = np.concatenate([lost, half(outside, core, x)])
        outside = _shortened(lost, rng).reshape(-1, core.dims[3], x.shape[2])
        found.append(outside)
    return found


def _shortened(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A matrix with fewer rows and the same inner products of its columns, those of a sketch where they are many."""
    m, n = rows.shape
    if m > SKETCH and n > SKETCH:
        sketch = rng.standard_normal((SKETCH, m)) / np.sqrt(SKETCH)
        return np.ascontiguousarray(sketch @ rows)
    if m > n:
        return np.ascontiguousarray(triangular_factor(np.array(rows, order="F")))
    return np.ascontiguousarray(rows)
