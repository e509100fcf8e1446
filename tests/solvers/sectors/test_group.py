"""Charges add as the groups they stand for, and a bond seen twice from the other end is itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers.sectors.group import LARGEST, added, all_added, negated, packed, taken, turned, unpacked

NUMBERS = st.tuples(st.integers(-900, 900), st.integers(0, 6), st.integers(-40, 40))
MODULI = (0, 7, 0)


def test_parities_add_by_exclusive_or():
    assert added(0b101, 0b110) == taken(0b101, 0b110) == 0b011 and negated(5) == 5


@given(NUMBERS, NUMBERS)
def test_whole_numbers_add_each_modulo_its_own(a, b):
    x, y = packed(a, MODULI), packed(b, MODULI)
    together = [a[0] + b[0], (a[1] + b[1]) % 7, a[2] + b[2]]
    assert [value for value, _ in unpacked(added(x, y))] == together
    assert added(x, y) == added(y, x) == packed(together, MODULI) and taken(added(x, y), y) == x
    assert added(x, negated(x)) == 0 and added(x, 0) == x
    assert all_added(np.array([x, 0]), np.array([y, x])).tolist() == [[added(x, y), added(x, x)], [y, x]]


def test_a_bond_turned_twice_is_itself():
    bond = tuple(sorted((packed((q,), (0,)), q + 3) for q in (-2, 0, 1)))
    assert turned(turned(bond)) == bond and dict(turned(bond))[packed((2,), (0,))] == 1
    assert turned(((0, 3), (5, 2))) == ((0, 3), (5, 2))


def test_a_number_that_does_not_fit_its_field_is_refused():
    with pytest.raises(OverflowError, match="up to"):
        packed((LARGEST + 1,), (0,))
