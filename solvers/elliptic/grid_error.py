"""How far the energy of a grid is from that of no grid: Richardson's extrapolation from two coarser ones.

An error of order p in the step h changes, from a grid to the one of steps c h, by c^p - 1 of itself. With the energies
E_0, E_1, E_2 on 2^L, 2^(L-1) and 2^(L-2) points the error of E_0 is then both |E_0 - E_1| / (c^p - 1) and, through
the error of E_1, |E_1 - E_2| / (c^p (c^p - 1)). The larger is told: where a change happens to vanish the other does
not. Where the changes fall by less than they should, the order seen takes the place of p.

Roache, Verification and Validation in Computational Science and Engineering (1998), chapter 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from solvers.elliptic.leaves import step_of

SLOWER = 0.8  # of the fall that the order promises: less is another order
LEAST_FALL = 1.25  # of changes from grid to grid; of less nothing can be extrapolated


def grid_error(
    energy: float,
    on: Callable[[int], float | None],
    levels: Sequence[int],
    ends: Sequence[tuple[str, str]],
    order: float = 2.0,
) -> float | None:
    """The error of ``energy`` as one of the grid, from the energies ``on`` grids of 2^k times fewer points an axis.

    From one coarser grid where no second is left, or where that is too coarse for the problem (``on`` gives None); None
    without any.
    """
    once = on(1) if min(levels) > 1 else None
    if once is None:
        return None
    first = abs(energy - once)
    fall = coarsened(levels, ends) ** order
    told = first / (fall - 1.0)
    twice = on(2) if min(levels) > 2 and first > 0.0 else None
    if twice is None:
        return told
    second = abs(once - twice)
    told = max(told, second / (fall * (coarsened([n - 1 for n in levels], ends) ** order - 1.0)))
    seen = second / first
    return told if seen >= SLOWER * fall else max(told, first / (max(seen, LEAST_FALL) - 1.0))


def coarsened(levels: Sequence[int], ends: Sequence[tuple[str, str]]) -> float:
    """How many times longer the steps of the grid of half as many points are: 2, less on few points."""
    return min(step_of(n - 1, pair) / step_of(n, pair) for n, pair in zip(levels, ends))
