"""The phases that leave monomials as they are, against all of them tried."""

from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from problems.quantum.hamiltonians.force_field.phases import cyclic_parts, elements

rows = st.lists(st.lists(st.integers(-4, 4), min_size=2, max_size=2), min_size=0, max_size=4)


@settings(max_examples=60, deadline=None)
@given(rows)
def test_elements_are_all_that_leave_every_row_whole(rows):
    rows = [*rows, [6, 0], [0, 6]]  # a finite group: phases are sixths
    tried = {
        phases
        for phases in product([Fraction(n, 6) for n in range(6)], repeat=2)
        if all((row[0] * phases[0] + row[1] * phases[1]).denominator == 1 for row in rows)
    }
    found = list(elements(rows, 2))
    assert set(found) == tried and len(found) == len(tried)


def test_a_continuous_part_is_told():
    assert [d for d, _ in cyclic_parts([[1, -1]], 2)] == [0]  # both by the same phase
    assert cyclic_parts([[1, 0], [0, 1]], 2) == []
    assert (Fraction(1, 3), Fraction(1, 3)) in set(elements([[1, -1]], 2))
