"""Lengths of steps: they follow the residual within bounds."""

from solvers.eigen.general.pace import CUT, FALL, FIRST, RISE, ROUGHEST, Pace


def test_steps_grow_no_faster_than_by_a_factor_and_shrink_where_the_residual_rises() -> None:
    pace = Pace(2.0)
    assert pace.shift == FIRST * 2.0 and pace.cut == ROUGHEST
    pace.moved(1e-6)
    assert pace.shift == FALL * FIRST * 2.0 and pace.cut == CUT * 1e-6 / 2.0
    before = pace.shift
    pace.moved(1e-5)
    assert pace.shift == RISE * before
    for rate in (1.0, 2.0, 3.0, 4.0):
        pace.moved(rate)
    assert pace.shift == FIRST * 2.0 and pace.cut == ROUGHEST  # and not beyond the first
