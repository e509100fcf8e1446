"""A diagonal operator that is zero in a sector and positive outside: charges counted along the train."""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.operator import TTOperator
from solvers.sectors.charges import SectorSpace
from solvers.sectors.group import added


def outside(space: SectorSpace, height: float) -> TTOperator:
    """``height`` on every product function of another charge, zero on those of ``space``.

    A bond index a charge that can have been reached: ranks up to the number of charges. Functions in the order of
    ``space.modes``.
    """
    bonds = [[0]]
    for mode in space.modes:
        bonds.append(sorted({added(l, m) for l in bonds[-1] for m, _ in mode}))
    cores = []
    for k, mode in enumerate(space.modes):
        own = [c for c, n in mode for _ in range(n)]
        place = {c: i for i, c in enumerate(bonds[k + 1])}
        core = np.zeros((len(bonds[k]), len(own), len(own), len(place)))
        for a, l in enumerate(bonds[k]):
            for f, m in enumerate(own):
                core[a, f, f, place[added(l, m)]] = 1.0
        cores.append(core)
    last = np.array([[0.0 if c == space.total else height] for c in bonds[-1]])
    cores[-1] = cores[-1] @ last
    return TTOperator(tuple(cores))
