"""An evolution that was stopped and goes on is that of a call left alone, wherever it was stopped."""

import numpy as np
import pytest
from dynamics_cases import ising, overlap, product

from solvers import checkpoint
from solvers.checkpoint import STOP, CheckpointError, Stopped, read, write
from solvers.dynamics.evolve import evolve
from solvers.methods import BUG, TDVP, Implicit

METHODS = [TDVP(max_rank=8), TDVP(time_step=0.1, max_rank=8), BUG(max_rank=8), Implicit(time_step=0.1)]
TIMES = [0.0, 0.5, 1.0]


def motion(method, **options):
    return evolve(ising(6), product([0] * 6), TIMES, method=method, accuracy=1e-3, throw=False, **options)


@pytest.fixture(autouse=True)
def every_step_is_written(monkeypatch):
    monkeypatch.setattr(checkpoint, "QUIET", np.inf)


@pytest.mark.parametrize("method", METHODS)
def test_a_stop_ends_it_after_any_step(method, tmp_path):
    """One step a call: the file says where to go on, and no step is made twice."""
    whole = motion(method)
    steps, told = whole.counts["steps"], []
    (tmp_path / STOP).touch()
    for _ in range(steps + 1):  # the start is told of before the first step
        with pytest.raises(Stopped):
            motion(method, checkpoint=tmp_path / "x.npz", callback=told.append)
    (tmp_path / STOP).unlink()
    again = motion(method, checkpoint=tmp_path / "x.npz", callback=told.append)
    assert again.counts == whole.counts and again.status is whole.status
    assert (again.value.state - whole.value.state).norm() <= 1e-12
    assert [state.step for state in told] == [1, 2, 3] == [state.step for state in again.history]
    assert [state.extra["time"] for state in again.history] == TIMES
    np.testing.assert_allclose(again.value.errors, whole.value.errors, rtol=1e-6, atol=1e-13)


def test_history_and_seconds_go_on():
    told = []
    solution = motion(TDVP(max_rank=8), callback=told.append)
    assert solution.history == tuple(told) and len(told) == 3
    assert told[-1].extra["steps"] == solution.counts["steps"] and told[-1].fraction == 1.0
    assert solution.timing["solve_s"] >= told[-1].seconds > 0.0


def test_the_file_of_an_earlier_version_is_refused(tmp_path):
    """Written before the loop kept history and seconds."""
    file = tmp_path / "x.npz"
    motion(TDVP(max_rank=8), checkpoint=file)
    arrays, data = read(file)
    del data["history"], data["seconds"]
    write(file, arrays, data)
    with pytest.raises(CheckpointError, match="another version") as raised:
        motion(TDVP(max_rank=8), checkpoint=file)
    assert "\n" not in str(raised.value)


def test_the_file_of_another_evolution_is_refused(tmp_path):
    motion(TDVP(max_rank=8), checkpoint=tmp_path / "x.npz")
    for other in (TDVP(max_rank=9), BUG(max_rank=8)):
        with pytest.raises(CheckpointError, match="another computation"):
            motion(other, checkpoint=tmp_path / "x.npz")


def test_what_was_observed_before_is_kept(tmp_path):
    start = product([0] * 6)
    (tmp_path / STOP).touch()
    with pytest.raises(Stopped):
        motion(TDVP(max_rank=8), checkpoint=tmp_path / "x.npz", observe=overlap(start))
    (tmp_path / STOP).unlink()
    again = motion(TDVP(max_rank=8), checkpoint=tmp_path / "x.npz", observe=overlap(start))
    np.testing.assert_allclose(
        again.value.observed["a"], motion(TDVP(max_rank=8), observe=overlap(start)).value.observed["a"], atol=1e-12
    )
