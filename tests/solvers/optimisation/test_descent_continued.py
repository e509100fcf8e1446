"""A descent that was stopped and goes on is that of a call left alone; another one is refused."""

import numpy as np
import option_cases as cases
import pytest
from continued_calls import check_that_it_goes_on

from solvers import checkpoint as files
from solvers.checkpoint import CheckpointError
from solvers.fit_methods import ConjugateGradients
from solvers.formats.trains.construct import random_train
from solvers.optimisation.descent import minimise
from solvers.optimisation.least_squares import MANIFOLD, LeastSquares
from solvers.optimisation.samples import Samples


@pytest.fixture(autouse=True)
def every_step_is_written(monkeypatch):
    monkeypatch.setattr(files, "QUIET", np.inf)


def sphere(accuracy=1e-10, **options):
    verb, arguments, _ = cases.descent()
    return verb(*arguments, accuracy=accuracy, throw=False, **options)


def trains(**options):
    rng = np.random.default_rng(0)
    points = np.stack(np.unravel_index(rng.permutation(120)[:90], (4, 5, 6)), axis=1)
    values = 1.0 / (1.0 + points.sum(axis=1))
    objective = LeastSquares(Samples(points, (4, 5, 6)), values)
    start = MANIFOLD.point(random_train((4, 5, 6), 2, np.random.default_rng(1)))
    return minimise(objective, MANIFOLD, start, method=ConjugateGradients(steps=8), throw=False, **options)


@pytest.mark.parametrize("call", [sphere, trains])
def test_it_goes_on_to_the_same_point(call, tmp_path):
    check_that_it_goes_on(call, tmp_path, least=5)


def test_a_direction_that_was_given_up_is_not_tried_again(tmp_path):
    method = ConjugateGradients(first_step=1e3, slope=0.9, corrections=0)
    solution = check_that_it_goes_on(lambda **options: sphere(1e-14, method=method, **options), tmp_path)
    assert solution.counts["restarts"]


class Steeper(cases.Sphere):
    a = np.arange(1.0, 7.0) + 1e-6


@pytest.mark.parametrize("changed", ["objective", "start", "method", "accuracy"])
def test_another_descent_is_refused(changed, tmp_path):
    file = tmp_path / "x.npz"
    _, (objective, manifold, start), _ = cases.descent()
    minimise(objective, manifold, start, checkpoint=file)
    options = {"method": {"method": ConjugateGradients(steps=3)}, "accuracy": {"accuracy": 1e-3}}.get(changed, {})
    objective = Steeper() if changed == "objective" else objective
    start = start[::-1].copy() if changed == "start" else start
    with pytest.raises(CheckpointError, match="another computation"):
        minimise(objective, manifold, start, checkpoint=file, **options)


class Points(cases.Sphere):
    """Points of a kind of their own."""

    class Point:
        def __init__(self, x):
            self.x = x

    def evaluate(self, x):
        return super().evaluate(x.x)


def test_points_that_no_file_takes_are_refused_before_anything_is_done(tmp_path):
    with pytest.raises(ValueError, match="no file takes a Point: give the manifold point_arrays and stored_point"):
        minimise(Points(), Points(), Points.Point(np.ones(6)), checkpoint=tmp_path / "x.npz")
