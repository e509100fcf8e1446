"""A cross approximation that was stopped and goes on is that of a call left alone; others are refused."""

import numpy as np
import pytest
from continued_calls import check_that_it_goes_on, stopped_and_continued

from solvers import checkpoint as files
from solvers.checkpoint import CheckpointError
from solvers.cross import known
from solvers.cross.cross import cross, cross_of_trains
from solvers.cross.refinement import Refinement
from solvers.cross.sources import FunctionSource
from solvers.formats.trains.construct import random_train
from solvers.methods import Cross
from solvers.solution import Status

ALONE = Cross(whole=0)
GRIDS = [np.linspace(0.0, 1.0, 16)] * 4
TRAINS = [random_train((8,) * 5, 2, np.random.default_rng(seed)) for seed in (1, 2)]


@pytest.fixture(autouse=True)
def every_state_is_written(monkeypatch):
    monkeypatch.setattr(files, "QUIET", np.inf)


def rational(c):
    return 1.0 / (0.05 + np.abs(c - 0.5).sum(axis=1))


def steps(p):
    """Of many values, in few places: checks that find errors."""
    heights, edges = np.random.default_rng(3).random(24), np.sort(np.random.default_rng(4).random(23))
    return heights[np.searchsorted(edges, p @ 2.0 ** -np.arange(1, p.shape[1] + 1))]


def of_coordinates(f=rational, method=ALONE, accuracy=1e-5, grids=GRIDS, **options):
    return cross(f, (16,) * 4, grids=grids, method=method, accuracy=accuracy, throw=False, **options)


def of_steps(**options):
    return cross(steps, (2,) * 14, method=Cross(whole=0, check_points=50), accuracy=1e-6, throw=False, **options)


def of_outputs(**options):
    return of_coordinates(lambda c: np.column_stack([np.exp(1j * c.sum(axis=1)), c[:, 0]]), **options)


def of_trains(f=lambda u, v: u * np.abs(v), **options):
    return cross_of_trains(f, TRAINS, method=Cross(whole=0, max_rank=30), accuracy=1e-3, throw=False, **options)


@pytest.mark.parametrize("call", [of_coordinates, of_steps, of_outputs, of_trains])
def test_it_goes_on_to_the_same_train(call, tmp_path):
    whole = check_that_it_goes_on(call, tmp_path, least=3)
    assert call is not of_steps or [state.label for state in whole.history].count("check") > 1


@pytest.mark.parametrize(
    "method", [Cross(whole=0, max_rank=3), Cross(whole=0, sweeps=2), Cross(whole=0, max_evaluations=2000)]
)
def test_a_limit_is_met_again(method, tmp_path):
    whole = check_that_it_goes_on(lambda **options: of_coordinates(method=method, **options), tmp_path)
    assert whole.status in (Status.RANK_LIMIT, Status.ITERATION_LIMIT)


@pytest.mark.parametrize("most, sweeps", [(10_000, 0), (1000, 2)])
def test_a_tensor_taken_whole_at_once_or_in_the_end(most, sweeps, tmp_path):
    table = np.random.default_rng(0).standard_normal(8**4)

    def call(**options):
        f = lambda p: table[p @ 8 ** np.arange(4)]  # noqa: E731
        return cross(f, (8,) * 4, method=Cross(whole=most), accuracy=1e-3, throw=False, **options)

    whole = check_that_it_goes_on(call, tmp_path, least=1)
    assert whole.history[-1].label == "whole" and whole.counts["sweeps"] >= sweeps


def test_many_values_are_asked_for_again_and_not_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(known, "STORED", 0)
    check_that_it_goes_on(of_outputs, tmp_path)
    trains = of_trains()
    again, _ = stopped_and_continued(of_trains, tmp_path / "trains.npz", 3)
    assert again.counts == trains.counts and len(again.history) == len(trains.history)
    assert (again.value - trains.value).norm() <= 1e-10 * trains.value.norm()


def test_few_values_are_not_asked_for_again(tmp_path):
    asked = []

    def counted(c):
        asked.append(len(c))
        return rational(c)

    whole = of_coordinates(counted)
    every = whole.counts["evaluations"] + whole.counts["check_evaluations"]
    assert sum(asked) == every
    asked.clear()
    stopped_and_continued(lambda **options: of_coordinates(counted, **options), tmp_path / "x.npz", 3)
    assert sum(asked) == every + 1 + 2 * 16  # the first entry, and those that tell functions apart


def test_one_that_the_callback_ended_goes_on_too(tmp_path):
    whole, file = of_coordinates(), tmp_path / "x.npz"
    ended = of_coordinates(callback=lambda state: state.step == 3, checkpoint=file)
    assert ended.status is Status.INTERRUPTED and len(ended.history) == 3
    again = of_coordinates(checkpoint=file)
    assert again.status is Status.CONVERGED and again.counts == whole.counts
    assert all(np.array_equal(a, b) for a, b in zip(again.value.cores, whole.value.cores, strict=True))


def test_what_is_known_comes_back_as_it_was():
    def begun():
        source = FunctionSource(steps, (2,) * 14, None)
        return source, Refinement(source, ALONE, 1e-6, np.zeros((0, 14), dtype=np.int64), np.random.default_rng(0))

    (one, first), (other, second) = begun(), begun()
    states = first.steps()
    next(states), next(states)
    second.restore(*first.content())
    assert other.known.count == one.known.count > 100 and other.evaluations == one.evaluations
    points = one.known.indices(np.arange(one.known.count))
    assert np.array_equal(other.points(points), one.points(points)) and other.evaluations == one.evaluations
    assert first.pivots.ranks == second.pivots.ranks
    assert all(np.array_equal(first.pivots.quotient(k), second.pivots.quotient(k)) for k in range(13))


@pytest.mark.parametrize(
    "changed",
    [
        {"f": lambda c: rational(c) + 1e-4},
        {"grids": [np.linspace(0.0, 1.1, 16)] * 4},
        {"accuracy": 1e-4},
        {"method": Cross(whole=0, max_rank=300)},
        {"starts": np.array([[1, 2, 3, 4]])},
    ],
)
def test_another_function_is_refused(changed, tmp_path):
    of_coordinates(checkpoint=tmp_path / "x.npz")
    with pytest.raises(CheckpointError, match="another computation"):
        of_coordinates(checkpoint=tmp_path / "x.npz", **changed)


def test_another_function_of_trains_is_refused(tmp_path):
    of_trains(checkpoint=tmp_path / "x.npz")
    with pytest.raises(CheckpointError, match="another computation"):
        of_trains(lambda u, v: u * v, checkpoint=tmp_path / "x.npz")
