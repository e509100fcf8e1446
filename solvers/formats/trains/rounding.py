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

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from solvers.formats.trains.cores import MODERATE, WIDEST, moderate, spread
from solvers.formats.trains.factorisations import LeftSVD, freeze, frobenius, power_of_two, truncation_rank
from solvers.formats.trains.orthogonalisation import Cores, right_interfaces

Largest: TypeAlias = "int | Sequence[int] | None"  # a rank for all bonds, or the d+1 ranks


def round_cores(
    cores: Cores, known: int | None, tol: float, max_rank: Largest
) -> tuple[tuple[np.ndarray, ...], int | None, float]:
    """Round bare cores (r_k, n_k, r_{k+1}) with centre ``known`` -> new cores, centre, relative error made.

    The new centre is the last core, or the first when ``known`` lies in the second half (the shorter way); None where
    the norm is too large or too small for one core, so that all share it.
    ``tol`` in [0, 1): ||x - y|| <= tol ||x|| unless ``max_rank`` binds; the third value is
    ||x - y|| / ||x|| (up to rounding errors).  ``tol = 0`` discards nothing.
    Raises ValueError for a tol or max_rank out of range.
    """
    check_truncation(tol, max_rank)
    d = len(cores)
    caps = largest_ranks(max_rank, d)
    if known is not None and known > d - 1 - known:
        mirrored = [core.transpose(2, 1, 0) for core in reversed(cores)]
        new, exponent, error = _round_left_to_right(mirrored, d - 1 - known, tol, caps[::-1])
        new, centre = [core.transpose(2, 1, 0) for core in reversed(new)], 0
    else:
        new, exponent, error = _round_left_to_right(list(cores), known, tol, caps)
        centre = d - 1
    if exponent and abs(exponent) + MODERATE > WIDEST:
        return spread(new, exponent, centre), None, error
    new[centre] = power_of_two(new[centre], exponent) if exponent else new[centre]
    return tuple(freeze(core) for core in new), centre, error


def check_truncation(tol: float, max_rank: Largest) -> None:
    """Raise ValueError unless 0 <= tol < 1 and max_rank is None, an integer >= 1, or such integers."""
    if not 0.0 <= tol < 1.0:
        raise ValueError(f"tol must lie in [0, 1), not {tol!r}")
    listed = list(max_rank) if isinstance(max_rank, Sequence | np.ndarray) else [] if max_rank is None else [max_rank]
    if any(not isinstance(rank, int | np.integer) or isinstance(rank, bool) or rank < 1 for rank in listed):
        raise ValueError(f"max_rank must be None, an integer >= 1 or a list of them, not {max_rank!r}")


def largest_ranks(max_rank: Largest, d: int) -> Sequence[int | None]:
    """The largest rank allowed at each of the d-1 bonds between cores.

    Raises ValueError for a list that is not of the d+1 ranks.
    """
    if not isinstance(max_rank, Sequence | np.ndarray):
        return [max_rank] * (d - 1)
    if len(max_rank) != d + 1:
        raise ValueError(f"max_rank must be one number or {d + 1} ranks, the outer ones 1, not {list(max_rank)}")
    return list(max_rank)[1:-1]


def _round_left_to_right(
    cores: list[np.ndarray], known: int | None, tol: float, caps: Sequence[int | None]
) -> tuple[list[np.ndarray], int, float]:
    """New cores, the last one the centre, the exponent of two it lacks, and the relative error."""
    d = len(cores)
    interfaces, exponents = right_interfaces(cores, known, stop=1, compress=tol > 0.0)
    new: list[np.ndarray] = []
    carried, taken = moderate(np.ascontiguousarray(cores[0]))
    norm, unit = 0.0, 0  # the norm is norm 2^unit
    spent = 0.0  # squared, relative to the norm
    for k in range(d - 1):
        a, n, b = carried.shape
        factor = interfaces[k + 1]
        unfolding = carried.reshape(a * n, b)
        # transposed product: Fortran order for LAPACK without a copy
        left = LeftSVD((factor.T @ unfolding.T).T if factor is not None else np.array(unfolding, order="F"))
        own = taken + exponents[k + 1]
        if k == 0:
            norm, unit = frobenius(left.s), own
        here = math.ldexp(norm, unit - own) if unit != own else norm
        budget = here * np.sqrt(max(tol**2 / (d - 1), (tol**2 - spent) / (d - 1 - k)))
        rank, discarded = truncation_rank(left.s, budget, caps[k])
        if here > 0.0:
            spent += (discarded / here) ** 2
        u = left.vectors(rank)
        new.append(u.reshape(a, n, rank))
        core, more = moderate(cores[k + 1])
        carried, again = moderate((u.conj().T @ unfolding) @ core.reshape(b, -1))
        carried = carried.reshape(rank, *core.shape[1:])
        taken += more + again
    new.append(carried)
    return new, taken, float(np.sqrt(spent))
