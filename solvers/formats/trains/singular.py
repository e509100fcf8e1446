"""Singular values of the unfoldings of a train, and the SVD of one of them as two trains.

The unfolding behind mode k has rows of modes 1 ... k and columns of modes k+1 ... d. With the centre at core k, C
(a n, b), what stands around C has orthonormal rows or columns: the singular values are those of C = U diag(s) V, and

    left train   G_1 ... G_{k-1} U,  its last mode the singular vector,
    right train  V G_{k+1} ... G_d,  its first mode the singular vector.

Aliases: Schmidt values, entanglement spectrum. Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), section 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.contraction import beyond
from solvers.formats.trains.cores import moderate
from solvers.formats.trains.factorisations import (
    LeftSVD,
    freeze,
    frobenius,
    power_of_two,
    singular_vectors,
    truncation_rank,
)
from solvers.formats.trains.orthogonalisation import orthogonalise_cores, swept_cores


def singular_values_of(cores: Sequence[np.ndarray], known: int | None) -> list[np.ndarray]:
    """The singular values of the d-1 unfoldings, descending; ``known`` is the centre or None. Cost 10 d n r^3.

    Raises ValueError where they are beyond double precision.
    """
    new, exponent = swept_cores(cores, known, 0)
    carried = new[0]
    found = []
    for after in new[1:]:
        a, n, b = carried.shape
        unfolding = carried.reshape(a * n, b)
        left = LeftSVD(np.array(unfolding, order="F"))
        found.append(_scaled(left.s, exponent))
        u = left.vectors(len(left.s))
        carried, own = moderate(np.tensordot(u.conj().T @ unfolding, after, axes=(1, 0)))
        exponent += own
    return found


def svd_cores(
    cores: Sequence[np.ndarray], known: int | None, k: int, tol: float
) -> tuple[list[np.ndarray], np.ndarray, list[np.ndarray]]:
    """Cores of the left train, the singular values within ``tol`` of the norm, cores of the right train.

    Raises ValueError for a k that cuts nothing.
    """
    if len(cores) == 1:
        raise ValueError("a train of one mode has no unfolding to decompose")
    if not 1 <= k < len(cores):
        raise ValueError(f"k must lie between 1 and {len(cores) - 1}, the modes before the cut, not {k}")
    new = orthogonalise_cores(cores, known, k - 1)
    a, n, b = new[k - 1].shape
    u, s, v = singular_vectors(new[k - 1].reshape(a * n, b))
    rank, _ = truncation_rank(s, tol * frobenius(s), None)
    unit = np.eye(rank, dtype=u.dtype)
    left = [*new[: k - 1], u[:, :rank].reshape(a, n, rank), unit[:, :, None]]
    right = [unit[None], np.tensordot(v[:rank], new[k], axes=(1, 0)), *new[k + 1 :]]
    return left, freeze(s[:rank]), right


def _scaled(values: np.ndarray, exponent: int) -> np.ndarray:
    """values 2^exponent; ValueError where the largest is no double."""
    if exponent == 0:
        return values
    with np.errstate(over="ignore"):
        scaled = power_of_two(values, exponent)
    if not np.isfinite(scaled).all() or (scaled[0] == 0.0 < values[0]):
        raise ValueError(beyond("the largest singular value", float(values[0]), exponent))
    return scaled
