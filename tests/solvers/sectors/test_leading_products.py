"""The leading products of long trains are found without enumerating."""

from __future__ import annotations

import numpy as np

from solvers.sectors.leading_products import leading_products
from solvers.sectors.train import SectorTrain


def test_a_product_state_of_many_modes_keeps_the_beam() -> None:
    d = 60
    modes = (((0, 2),),) * d
    bonds = (((0, 1),),) * (d + 1)
    x = SectorTrain(modes, bonds, tuple(np.array([1.0, 0.0]) for _ in range(d)))
    found = leading_products(x, 2, beam=8)
    assert found[0] == (1.0, (0,) * d) and len(found) == 2 and abs(found[1][0]) == 0.0
