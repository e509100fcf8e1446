"""The modes of a train in another order: neighbours are exchanged by SVD, the centre following.

Insertion sort: the mode that belongs to the first place goes there, then that of the second. Errors of the exchanges
add up in squares, each gets an equal share of the square. Cost O(n^3 r^3) an exchange. The reversed order needs none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.cores import spread
from solvers.formats.trains.factorisations import LeftSVD, frobenius, truncation_rank
from solvers.formats.trains.orthogonalisation import orthogonalise_cores, swept_cores
from solvers.formats.trains.rounding import check_truncation


def goals_of(axes: Sequence[int | Sequence[int]], d: int) -> list[int]:
    """The place of each mode after ``numpy.transpose(x, axes)``; reversed where there are no axes.

    Raises ValueError unless they are a permutation.
    """
    order = list(axes[0]) if len(axes) == 1 and not isinstance(axes[0], int | np.integer) else list(axes)
    wanted = [int(k) for k in order if isinstance(k, int | np.integer)] if axes else list(range(d))[::-1]
    if (axes and len(wanted) != len(order)) or sorted(k % d for k in wanted if -d <= k < d) != list(range(d)):
        raise ValueError(f"axes must be a permutation of the {d} modes, not {order}")
    return [int(place) for place in np.argsort([k % d for k in wanted])]


def permuted_cores(
    cores: Sequence[np.ndarray], goals: Sequence[int], tol: float
) -> tuple[tuple[np.ndarray, ...], int | None]:
    """Cores (a, n, b) with mode k at place ``goals[k]``, relative error ``tol``, and their centre or None.

    Raises ValueError unless ``goals`` is a permutation and 0 <= tol < 1.
    """
    check_truncation(tol, None)
    d = len(cores)
    places = [int(goal) for goal in goals]
    if sorted(places) != list(range(d)):
        raise ValueError(f"targets must be a permutation of {d} modes, not {list(goals)}")
    if places == list(range(d)):
        return tuple(cores), None
    if places == list(range(d))[::-1]:
        return tuple(core.transpose(2, 1, 0) for core in reversed(cores)), None
    swaps = sum(places[p] > places[q] for p in range(d) for q in range(p + 1, d))
    new, exponent = swept_cores(cores, None, 0)
    budget = tol * frobenius(new[0]) / math.sqrt(max(swaps, 1))
    centre = 0
    for target in range(d):
        position = places.index(target, target)
        if position == target:
            continue
        new, centre = list(orthogonalise_cores(new, centre, position - 1)), position - 1
        for k in range(position - 1, target - 1, -1):
            _exchange(new, k, budget)
            centre = max(k - 1, 0)
            new = list(orthogonalise_cores(new, k, centre))
            places[k], places[k + 1] = places[k + 1], places[k]
    return (spread(new, exponent, centre), None) if exponent else (tuple(new), centre)


def _exchange(cores: list[np.ndarray], k: int, budget: float) -> None:
    """Modes k and k + 1 exchanged, the centre at k before and after; discards at most ``budget``."""
    (a, n, _), (_, m, b) = cores[k].shape, cores[k + 1].shape
    pair = np.tensordot(cores[k], cores[k + 1], axes=(2, 0)).transpose(0, 2, 1, 3).reshape(a * m, n * b)
    # right singular vectors stay behind, right-orthogonal: those of the transpose are left ones
    svd = LeftSVD(np.array(pair.T, order="F"))
    rank, _ = truncation_rank(svd.s, budget, None)
    right = svd.vectors(rank)
    cores[k] = (pair @ right.conj()).reshape(a, m, rank)
    cores[k + 1] = np.ascontiguousarray(right.T).reshape(rank, n, b)
