"""The end of a cross approximation at a floor: what the values allow, and how large their errors seem to be.

Where values have errors of their own, ranks beyond the floor only repeat these errors, enlarged by the interpolation:
a train of the rank at which the floor was reached is nearer to the function. So
    1. the index sets grow once more, from the first pivot, to the error that fell no more: most values are known,
    2. of these trains the one that is nearest at fresh random points is kept, or the large one if it is much nearer,
    3. the root mean square of its errors there is the floor, over the largest value.
"""

from __future__ import annotations

import numpy as np

from solvers.cross.pivots import Pivots
from solvers.cross.sources import Exhausted

TOLERANCES = 2.0, 1.0  # times the lowest error that was seen, for the index sets that grow once more
MUCH = 2.0  # times nearer than a train of small ranks must the large one be to be kept
SWEEPS = 40  # in which they do
DEARER = 1.25  # times the evaluations so far: they may cost so much


def settled(pivots: Pivots, fresh: tuple[np.ndarray, np.ndarray], lowest: float) -> tuple[Pivots, float]:
    """The index sets to be kept, and the floor; ``fresh``: random points (p, d) with their values.

    ``lowest``: the error that fell no more, over the largest value.
    """
    source, (points, values) = pivots.source, fresh
    budget = source.budget
    source.budget = min(budget, int(DEARER * source.evaluations))

    def errors(x: Pivots) -> np.ndarray:
        return np.abs(x.train().entries(points) - values) / source.largest

    kept, least = pivots, errors(pivots)
    nearest = MUCH * float(least.max())
    small = Pivots(source, np.concatenate([pivots.left[0][0], pivots.right[0][0]]), pivots.rng)
    try:
        for share in TOLERANCES:
            _grow(small, share * lowest * source.largest, max(pivots.ranks))
            found = errors(small)
            if found.max() < nearest:
                kept, least, nearest = small, found, float(found.max())
                small = Pivots(source, None, pivots.rng)
                small.restore(kept.content())
    except Exhausted:
        pass
    finally:
        source.budget = budget
    return kept, float(np.sqrt(np.mean(least**2)))


def _grow(pivots: Pivots, tol: float, cap: int) -> None:
    """Pivots until no bond and no mode has an error above ``tol`` (absolute)."""
    for sweep in range(SWEEPS):
        bonds = range(pivots.d - 1)
        grown = sum(pivots.grow(k, tol, cap - pivots.ranks[k]) for k in (bonds if sweep % 2 == 0 else bonds[::-1]))
        wider = sum(pivots.widen(k, tol) for k in range(pivots.d))
        if not grown and not wider:
            break
        pivots.recondition(tol / pivots.source.largest)
