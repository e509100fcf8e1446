"""Whether the error still falls: floors, powers too small for the accuracy, and what is neither."""

import numpy as np
import pytest

from solvers.cross.progress import Progress

COUNTS = 1000 * 2.0 ** np.arange(0, 13)


def seen(errors, accuracy=1e-8, patience=1_000_000):
    progress = Progress(accuracy, 50_000_000, patience)
    ends = []
    for count, error in zip(COUNTS, errors, strict=True):
        progress.note(int(count), float(error))
        ends.append((progress.at_floor(), progress.out_of_reach()))
    return ends


def test_an_error_that_falls_and_stops_is_a_floor():
    ends = seen(np.maximum(1e-4, 10.0 ** -np.arange(13)))
    assert not any(reach for _, reach in ends[:10]) and not any(floor for floor, _ in ends[:7])
    assert ends[8][0]  # 256,000 evaluations, of which the last 230,000 brought nothing


def test_digits_that_still_come_are_no_floor():
    for errors in (10.0 ** -np.arange(13), np.exp(-0.5 * np.sqrt(COUNTS / 1000))):
        assert not any(floor or reach for floor, reach in seen(errors))


def test_an_error_that_never_fell_is_no_floor_but_out_of_reach_after_a_while():
    ends = seen(np.ones(13))
    assert not any(floor for floor, _ in ends)
    assert [reach for _, reach in ends] == [False] * 10 + [True] * 3
    assert not any(reach for _, reach in seen(np.ones(13), patience=10**8))


@pytest.mark.parametrize("accuracy, out", [(1e-8, True), (0.05, False)])
def test_a_power_is_held_against_the_evaluations_allowed(accuracy, out):
    assert seen((COUNTS / 1000) ** -0.5, accuracy)[-1][1] is out


def test_nothing_is_said_of_no_errors():
    assert not any(floor or reach for floor, reach in seen(np.zeros(13)))
