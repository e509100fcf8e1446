"""Rounding: the train of smaller ranks within a given relative error.

Two sweeps.  Right to left, only the triangular factors L_k of the right interfaces X_{>k} = L_k Q_k are
formed. Left to right, with C the current core carrying everything before it, the left singular vectors U of
C L_k give the new core and U^H C moves on.  Every step is an orthogonal projection of the exact tensor, so
the squares of the discarded parts add up to the square of the true error, and what one interface does not
spend of the budget tol^2 ||x||^2 passes on to the next; no interface gets less than tol ||x|| / sqrt(d-1),
the choice of the paper.

Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), algorithm 2 (alias: truncation, compression; ``tol`` is
``eps``, ``max_rank`` is ``rmax``).  Quasi-optimal within sqrt(d-1) (corollary 2.4).  Cost at most
16 d n r^3, and 5 d n r^3 where half the ranks are redundant, as after a sum of two trains.
"""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.factorisations import LeftSVD, freeze, frobenius, truncation_rank
from solvers.formats.trains.orthogonalisation import Cores, right_interfaces


def round_cores(
    cores: Cores, known: int | None, tol: float, max_rank: int | None
) -> tuple[tuple[np.ndarray, ...], int, float]:
    """Round bare cores (r_k, n_k, r_{k+1}) with centre ``known`` -> new cores, centre, relative error made.

    The new centre is the last core, or the first when ``known`` lies in the second half (the shorter way).
    ``tol`` in [0, 1): ||x - y|| <= tol ||x|| unless ``max_rank`` binds; the third value is
    ||x - y|| / ||x|| (up to rounding errors).  ``tol = 0`` discards nothing.
    Raises ValueError for a tol or max_rank out of range.
    """
    check_truncation(tol, max_rank)
    d = len(cores)
    if known is not None and known > d - 1 - known:
        mirrored = [core.transpose(2, 1, 0) for core in reversed(cores)]
        new, error = _round_left_to_right(mirrored, d - 1 - known, tol, max_rank)
        return tuple(freeze(core.transpose(2, 1, 0)) for core in reversed(new)), 0, error
    new, error = _round_left_to_right(list(cores), known, tol, max_rank)
    return tuple(freeze(core) for core in new), d - 1, error


def check_truncation(tol: float, max_rank: int | None) -> None:
    """Raise ValueError unless 0 <= tol < 1 and max_rank is None or an integer >= 1."""
    if not 0.0 <= tol < 1.0:
        raise ValueError(f"tol must lie in [0, 1), not {tol!r}")
    if max_rank is not None and (not isinstance(max_rank, int | np.integer) or max_rank < 1):
        raise ValueError(f"max_rank must be None or an integer >= 1, not {max_rank!r}")


def _round_left_to_right(
    cores: list[np.ndarray], known: int | None, tol: float, max_rank: int | None
) -> tuple[list[np.ndarray], float]:
    d = len(cores)
    interfaces = right_interfaces(cores, known, stop=1, compress=tol > 0.0)
    new: list[np.ndarray] = []
    carried = np.ascontiguousarray(cores[0])
    norm = 0.0
    spent = 0.0  # squared, relative to the norm
    for k in range(d - 1):
        a, n, b = carried.shape
        factor = interfaces[k + 1]
        unfolding = carried.reshape(a * n, b)
        # transposed product: Fortran order for LAPACK without a copy
        left = LeftSVD((factor.T @ unfolding.T).T if factor is not None else np.array(unfolding, order="F"))
        if k == 0:
            norm = frobenius(left.s)
        budget = norm * np.sqrt(max(tol**2 / (d - 1), (tol**2 - spent) / (d - 1 - k)))
        rank, discarded = truncation_rank(left.s, budget, max_rank)
        if norm > 0.0:
            spent += (discarded / norm) ** 2
        u = left.vectors(rank)
        new.append(u.reshape(a, n, rank))
        carried = (u.conj().T @ unfolding) @ cores[k + 1].reshape(b, -1)
        carried = carried.reshape(rank, *cores[k + 1].shape[1:])
    new.append(carried)
    return new, float(np.sqrt(spent))
