"""The enrichment of AMEn: what joins the basis of a core, and how many directions the train z has for it.

Dolgov, Savostyanov, SIAM J. Sci. Comput. 36, A2248 (2014), section 5.1: z is kept close to the residual by one ALS step
a core (solvers.linear.alternating). Its ranks grow with those of x.
"""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.factorisations import qr_factors, singular_vectors

CLEAR = 1e-5  # of the kick: what is new in it by that much keeps ten digits against the basis
NOTHING = 1e-8  # of the kick: directions outside the basis below this are rounding errors
SHARE = 0.125  # of the ranks of x has z at least: at ranks of 130 half the sweeps, measured


def complement(u: np.ndarray, kick: np.ndarray, max_rank: int, rng: np.random.Generator) -> np.ndarray:
    """As many orthonormal columns orthogonal to ``u`` as ``kick`` has and fit: what is new in it, then random ones.

    By singular values, for the columns of a kick may depend on each other. Random directions in their place give the
    next core a choice that a residual of low rank does not: the Laplacian in 16 dimensions, 5 sweeps for 16.
    """
    count = min(u.shape[0], max_rank) - u.shape[1]
    count = min(count, kick.shape[1])
    size = float(np.linalg.norm(kick))
    if count <= 0:
        return u[:, :0]
    adjoint = u.conj().T
    new = u[:, :0]
    if size > 0.0:
        kick = kick * (1.0 / size)
        kick -= u @ (adjoint @ kick)
        q, r = qr_factors(kick)
        if count == kick.shape[1] and float(np.abs(r.diagonal()).min()) > CLEAR:
            return q - u @ (adjoint @ q)
        left, s, _ = singular_vectors(r)
        new = q @ left[:, : min(count, int(np.count_nonzero(s > NOTHING)))]
    if new.shape[1] < count:
        fill = rng.standard_normal((len(u), count - new.shape[1])).astype(u.dtype)
        new = np.concatenate([new, fill / np.sqrt(len(u))], axis=1)
    return qr_factors(new - u @ (adjoint @ new))[0]  # again: what was small has lost digits against u


def widened(residual: np.ndarray, rank: int, rng: np.random.Generator) -> np.ndarray:
    """Beside random columns, as many as the z behind a bond of x of this ``rank`` is to have."""
    more = min(int(SHARE * rank), residual.shape[0]) - residual.shape[1]
    if more <= 0:
        return residual
    size = float(np.linalg.norm(residual)) or 1.0
    fill = rng.standard_normal((len(residual), more)).astype(residual.dtype)
    return np.concatenate([residual, fill * (size / np.sqrt(len(residual)))], axis=1)
