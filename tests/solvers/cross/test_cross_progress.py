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
        ends.append((progress.stays(), progress.out_of_reach()))
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


def worked(errors, work, accuracy=1e-3):
    progress = Progress(accuracy, 50_000_000, 1_000_000)
    for error, done in zip(errors, work, strict=True):
        progress.note(1_200_000, float(error), float(done))
    return progress.too_dear()


def test_a_power_is_held_against_the_work_it_would_take():
    """A kink in modes of 2000 indices: few evaluations, hours of factorisations."""
    work = 1e10 * np.linspace(0.05, 1.0, 20)
    noisy = np.exp(0.5 * np.random.default_rng(0).standard_normal(20))
    assert worked(0.01 * (work / 1e10) ** -0.4 * noisy, work)
    assert not worked(0.01 * (work / 1e10) ** -3.0 * noisy, work)  # 22,000 times within what is allowed
    assert not worked(1e-2 * 10.0 ** (-3.0 * work / 1e10), work)
    assert not worked(0.01 * (work / 1e10) ** -0.4, 1e-6 * work, accuracy=5e-3)
    assert not worked([0.1] * 5, work[:5])  # too few to tell
    assert worked(np.full(20, 0.01), work)
