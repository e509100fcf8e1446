"""The loop around every method: its history, its stop, what it writes and goes on from."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from solvers import checkpoint
from solvers.checkpoint import STOP, Checkpoint, CheckpointError, Question, Stopped
from solvers.iteration import drive
from solvers.solution import IterationState, NotConverged, Solution, Status


class Halving:
    """x -> x / 2 until it is small."""

    def __init__(self, x, enough=0.1, most=10):
        self.x, self.enough, self.most = x, enough, most
        self.done = 0

    def steps(self):
        while self.x > self.enough and self.done < self.most:
            self.x, self.done = self.x / 2, self.done + 1
            yield IterationState(0, "half", 1, 0.0, residuals=np.array([self.x]))

    def content(self):
        return {"x": np.array(self.x)}, {"done": self.done}

    def restore(self, arrays, data):
        self.x, self.done = float(arrays["x"]), data["done"]

    def solution(self):
        status = Status.CONVERGED if self.x <= self.enough else Status.ITERATION_LIMIT
        return Solution(self.x, status, int(self.x <= self.enough), np.array([self.x]), (), {"steps": self.done}, {})


@pytest.fixture(autouse=True)
def every_step_is_written(monkeypatch):
    monkeypatch.setattr(checkpoint, "QUIET", np.inf)


def test_states_are_numbered_timed_and_told():
    told = []
    solution = drive(Halving(1.0), callback=told.append, compile_s=3.0)
    assert solution.value == 0.0625 and solution.history == tuple(told)
    assert [state.step for state in told] == [1, 2, 3, 4]
    assert all(b.seconds >= a.seconds for a, b in pairwise(told))
    assert solution.timing["compile_s"] == 3.0 and solution.timing["solve_s"] >= told[-1].seconds


def test_what_is_not_converged_is_raised_with_its_solution():
    with pytest.raises(NotConverged) as raised:
        drive(Halving(1.0, most=2))
    assert raised.value.solution.value == 0.25 and len(raised.value.solution.history) == 2
    assert drive(Halving(1.0, most=2), throw=False).status is Status.ITERATION_LIMIT


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_it_goes_on_where_it_was_left(tmp_path, after):
    whole = drive(Halving(1.0))

    def leave(state):
        if state.step == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(Halving(1.0), callback=leave, checkpoint=Checkpoint(tmp_path / "a.npz"))
    told = []
    again = drive(Halving(1.0), callback=told.append, checkpoint=Checkpoint(tmp_path / "a.npz"))
    assert again.value == whole.value and again.counts == whole.counts
    assert [state.step for state in told] == list(range(after + 1, 5))  # nothing is done twice
    left = [replace(state, seconds=0.0, residuals=None) for state in again.history]
    assert left == [replace(state, seconds=0.0, residuals=None) for state in whole.history]


def test_a_stop_that_is_asked_for_ends_it_after_the_writing(tmp_path):
    (tmp_path / STOP).touch()
    with pytest.raises(Stopped):
        drive(Halving(1.0), checkpoint=Checkpoint(tmp_path / "a.npz"))
    (tmp_path / STOP).unlink()
    assert len(drive(Halving(1.0), checkpoint=Checkpoint(tmp_path / "a.npz")).history) == 4


def test_the_end_is_written_whatever_it_costs(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "QUIET", 1e-9)  # nothing after the first writing
    drive(Halving(1.0), checkpoint=Checkpoint(tmp_path / "a.npz"))
    told = []
    assert drive(Halving(1.0), callback=told.append, checkpoint=Checkpoint(tmp_path / "a.npz")).value == 0.0625
    assert not told


class Quartering(Halving):
    """The same, told of every second halving only."""

    def steps(self):
        for state in super().steps():
            yield state if self.done % 2 == 0 else None


def test_what_is_between_two_states_is_kept_and_not_told(tmp_path):
    told = []
    (tmp_path / STOP).touch()
    with pytest.raises(Stopped):
        drive(Quartering(1.0), callback=told.append, checkpoint=Checkpoint(tmp_path / "a.npz"))
    (tmp_path / STOP).unlink()
    assert not told
    again = Quartering(1.0)
    solution = drive(again, callback=told.append, checkpoint=Checkpoint(tmp_path / "a.npz"))
    assert solution.value == 0.0625 and [state.step for state in told] == [1, 2]


def test_a_file_of_another_question_is_refused(tmp_path):
    drive(Halving(1.0), checkpoint=Checkpoint(tmp_path / "a.npz", Question([np.ones(2)], ["one"])))
    with pytest.raises(CheckpointError, match="another computation"):
        drive(Halving(1.0), checkpoint=Checkpoint(tmp_path / "a.npz", Question([np.ones(2)], ["two"])))


class Told(Halving):
    """Tells of every half way too."""

    def steps(self):
        for state in super().steps():
            yield replace(state, finished=False)
            yield state


def test_states_from_within_a_step_are_told_and_not_kept(tmp_path):
    told = []
    solution = drive(Told(1.0), callback=told.append, checkpoint=Checkpoint(tmp_path / "a.npz"))
    assert [(state.step, state.finished) for state in told] == [(k, end) for k in (1, 2, 3, 4) for end in (False, True)]
    assert solution.history == tuple(state for state in told if state.finished)


def test_the_history_of_an_earlier_computation_comes_first(tmp_path):
    first = drive(Halving(1.0, most=2), throw=False)
    for _ in range(2):  # the second is all from the file, which holds it
        on = drive(Halving(0.25), before=first.history, checkpoint=Checkpoint(tmp_path / "a.npz"))
        assert [state.step for state in on.history] == [1, 2, 3, 4] and on.history[:2] == first.history


@pytest.mark.parametrize("changed", ["seconds", "history", "done"])
def test_a_file_of_another_version_is_refused(tmp_path, changed):
    file = tmp_path / "a.npz"
    drive(Halving(1.0), checkpoint=Checkpoint(file))
    arrays, data = checkpoint.read(file)
    checkpoint.write(file, arrays, {name: entry for name, entry in data.items() if name != changed})
    with pytest.raises(CheckpointError, match="another version") as raised:
        drive(Halving(1.0), checkpoint=Checkpoint(file))
    assert "\n" not in str(raised.value)
