"""What a user may call a charge, and the sector it selects."""

import numpy as np
import pytest

from solvers.eigen.explicit import space_of
from solvers.sectors.charges import Charge, SectorSpace


@pytest.mark.parametrize(
    ("charges", "shape"),
    [
        ([0.5, -0.5], (2,) * 6),
        (range(4), (4,) * 4),
        ([[1, 0], [0.5, 0, -0.5], [3, 1]], (2, 3, 2)),
        ([0.1, 0.3, 0.7], (3,) * 4),
        ([-2, 5, 5], (3,) * 3),
    ],
)
def test_a_sector_has_the_product_functions_whose_charges_add_up_to_the_value(charges, shape):
    each = charges if np.ndim(next(iter(charges))) else [charges] * len(shape)
    total = np.zeros(1)
    for own in each:
        total = np.add.outer(total, np.array(list(own), float)).ravel()
    for value in np.unique(np.round(total, 9)):
        space = SectorSpace.of([Charge(charges, value)], shape)
        assert space_of(space.modes, space.total) == np.sum(np.abs(total - value) < 1e-8)


def test_several_charges_and_one_modulo_a_number():
    up, down = [0, 1, 0, 1], [0, 0, 1, 1]
    space = SectorSpace.of([Charge(up, 2), Charge(down, 1)], (4,) * 3)
    assert space_of(space.modes, space.total) == 9  # 3 over 2 times 3 over 1
    thirds = SectorSpace.of([Charge([0, 1, 2], 4, modulus=3)], (3,) * 4)
    assert space_of(thirds.modes, thirds.total) == 27


@pytest.mark.parametrize(
    ("charge", "told"),
    [
        (Charge([0.5, -0.5], 0.5), "from -2 to 2 in steps of 1"),
        (Charge([0, 1], 9), "from 0 to 4 in steps of 1"),
        (Charge([0, 1, 2], 1), "mode 0 has 2 functions"),
        (Charge([[0, 1]] * 3, 1), "of 3 modes are given; the operator has 4"),
        (Charge([0, np.nan], 1), "finite"),
        (Charge([0, 2**0.5 - 1 + 1e-5], 1), "no product function"),
        (Charge([[0, 1], [0, 1], [0, 3**0.5], [0, 1]], 1), "multiples of one unit"),
        (Charge([0, 0.5], 1, modulus=2), "whole numbers"),
    ],
)
def test_charges_that_do_not_fit_are_refused_in_one_line(charge, told):
    with pytest.raises(ValueError, match=told) as caught:
        SectorSpace.of([charge], (2,) * 4)
    assert "\n" not in str(caught.value)


def test_what_is_no_charge_at_all():
    with pytest.raises(ValueError, match="modulus"):
        Charge([0, 1], 0, modulus=1)
    with pytest.raises(ValueError, match="value"):
        Charge([0, 1], np.inf)
    with pytest.raises(ValueError, match="up to 3"):
        SectorSpace.of([Charge([0, 1], 0)] * 4, (2, 2))
