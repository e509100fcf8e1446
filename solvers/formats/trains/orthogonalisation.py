"""Orthogonalisation of a train, on bare core tuples.

A core G (a, n, b) is left-orthogonal when sum_{a,i} conj(G[a,i,b]) G[a,i,b'] = delta_bb', right-orthogonal
when sum_{i,b} G[a,i,b] conj(G[a',i,b]) = delta_aa'.  With centre c, cores before c are left- and cores
after c are right-orthogonal, so the norm of the train is the norm of core c.  Each step is one QR: 4 n r^3.
Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.contraction import beyond
from solvers.formats.trains.cores import WIDEST, moderate
from solvers.formats.trains.factorisations import (
    freeze,
    frobenius,
    power_of_two,
    qr_factors,
    row_compress,
    triangular_factor,
)

Cores = Sequence[np.ndarray]

COMPRESS_FROM = 40  # interfaces smaller than this are cheaper left as they are (tests/benchmarks/test_rounding.py)


def orthogonalise_cores(cores: Cores, known: int | None, centre: int) -> tuple[np.ndarray, ...]:
    """The same tensor with orthogonality centre ``centre``; ``known`` is the present centre or None.

    With a known centre only the cores between the two are touched.  Cost 6 n r^3 a core touched.
    Raises ValueError where the norm, which the centre has to carry, is beyond double precision.
    """
    new, exponent = swept_cores(cores, known, centre)
    if exponent:
        norm = frobenius(new[centre])
        if abs(math.frexp(norm)[1] + exponent) > WIDEST and norm > 0.0:
            raise ValueError(beyond("the norm, which the centre has to carry,", norm, exponent))
        new[centre] = freeze(power_of_two(new[centre], exponent))
    return tuple(new)


def swept_cores(cores: Cores, known: int | None, centre: int) -> tuple[list[np.ndarray], int]:
    """The cores with orthogonality centre ``centre`` and an exponent e: the tensor is theirs times 2^e."""
    new = list(cores)
    exponent = 0
    for k in range(0 if known is None else known, centre):
        left, n, right = new[k].shape
        q, r = qr_factors(new[k].reshape(left * n, right))
        r, taken = moderate(r)
        exponent += taken
        new[k] = freeze(q.reshape(left, n, -1))
        new[k + 1] = freeze(np.tensordot(r, new[k + 1], axes=(1, 0)))
    for k in range(len(new) - 1 if known is None else known, centre, -1):
        left, n, right = new[k].shape
        # A^T = Q R gives A = R^T Q^T, and the rows of Q^T are orthonormal for complex Q too
        q, r = qr_factors(new[k].reshape(left, n * right).T)
        r, taken = moderate(r)
        exponent += taken
        new[k] = freeze(q.T.reshape(-1, n, right))
        new[k - 1] = freeze(np.tensordot(new[k - 1], r, axes=(2, 1)))
    return new, exponent


def right_interfaces(
    cores: Cores, known: int | None, stop: int, compress: bool
) -> tuple[list[np.ndarray | None], list[int]]:
    """Small factors ``L[k]`` (r_k, t) of the interfaces, k >= stop: X_{>=k} = 2^e[k] L[k] Q with orthonormal rows of Q.

    X_{>=k} (r_k, n_k ... n_d) is the contraction of cores k to d-1.  None stands for the identity (a core
    known to be right-orthogonal, or past the end); the exponents e are 0 where sizes are ordinary.  ``compress`` also
    removes interface directions that vanish to machine precision, which halves the work after a sum.  No Q is
    formed: 4 n r^3 a core.
    """
    d = len(cores)
    factors: list[np.ndarray | None] = [None] * (d + 1)
    exponents = [0] * (d + 1)
    for k in range(d - 1 if known is None else known, stop - 1, -1):
        core, own = moderate(cores[k])
        a, n, b = core.shape
        after = factors[k + 1]
        if after is None:
            unfolding = np.array(core.reshape(a, n * b))  # copied, for LAPACK overwrites it
        else:
            unfolding = (core.reshape(a * n, b) @ after).reshape(a, -1)
        factor, taken = moderate(triangular_factor(unfolding.T).T)
        exponents[k] = exponents[k + 1] + own + taken
        factors[k] = row_compress(factor) if compress and min(factor.shape) >= COMPRESS_FROM else factor
    return factors, exponents
