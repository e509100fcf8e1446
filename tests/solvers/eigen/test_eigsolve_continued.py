"""A list of states that was stopped and goes on is that of a call left alone, by either method."""

import numpy as np
import option_cases as cases
import pytest

from solvers import checkpoint
from solvers.checkpoint import STOP, Stopped
from solvers.eigen import explicit
from solvers.eigen.eigsolve import eigsolve
from solvers.methods import BlockDMRG, InverseIteration
from solvers.solution import Status

LIMITED = InverseIteration(max_rank=4, first_rank=4, max_passes=2)
METHODS = [InverseIteration(first_rank=4), LIMITED, BlockDMRG(), BlockDMRG(tol=1e-5)]


@pytest.fixture(autouse=True)
def by_the_method(monkeypatch):
    monkeypatch.setattr(explicit, "SMALL", 0)


def levels(method, **options):
    operator, table = cases.oscillators(4, 4)
    return eigsolve(operator, 4, start=table, method=method, accuracy=1e-6, throw=False, **options)


def same(a, b):
    assert a.status is b.status and a.counts == b.counts and a.value.probe == b.value.probe
    for name in ("energies", "errors", "buffer"):
        np.testing.assert_array_equal(getattr(a.value, name), getattr(b.value, name))
    np.testing.assert_array_equal(a.residual, b.residual)
    assert [(s.step, s.label) for s in a.history] == [(s.step, s.label) for s in b.history]


@pytest.mark.parametrize("method", METHODS)
def test_a_stop_ends_it_after_every_pass_or_sweep(method, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "QUIET", np.inf)
    whole, stops = levels(method), 0
    (tmp_path / STOP).touch()
    while True:
        try:
            again = levels(method, checkpoint=tmp_path / "c.npz")
            break
        except Stopped:
            stops += 1
            assert stops < 100
    assert stops >= 2
    same(again, whole)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_done_is_answered_from_its_file(method, tmp_path, monkeypatch):
    """Passes that ended by their limit among them, of which the last one was written by no pause."""
    monkeypatch.setattr(checkpoint, "QUIET", 1e-9)  # nothing after the first writing, but for the end
    whole, told = levels(method, checkpoint=tmp_path / "c.npz"), []
    same(levels(method, checkpoint=tmp_path / "c.npz", callback=told.append), whole)
    assert [state.label for state in told if state.finished] == ["start"]


def test_numbers_and_times_are_those_of_the_loop():
    told = []
    solution = levels(InverseIteration(first_rank=4), callback=told.append)
    finished = [state for state in told if state.finished]
    assert solution.history == tuple(finished) and [s.step for s in finished] == list(range(1, len(finished) + 1))
    assert len(finished) == solution.counts["passes"] + 1
    assert {"start_s", "compile_s", "solve_s"} <= set(solution.timing)


def test_a_limit_on_the_passes_is_said_when_it_is_met_again(tmp_path):
    first = levels(LIMITED, checkpoint=tmp_path / "c.npz")
    assert first.status is Status.RANK_LIMIT
    further = levels(InverseIteration(first_rank=4), earlier=tmp_path / "c.npz")
    assert further.status is Status.CONVERGED and further.counts["passes"] >= 1
