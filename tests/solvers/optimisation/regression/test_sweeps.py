"""Alternating least squares: each core is the minimiser of the objective, which no sweep raises, for any loss."""

import numpy as np
import pytest

from solvers.formats.trains.construct import random_train
from solvers.optimisation.least_squares import MANIFOLD, LeastSquares
from solvers.optimisation.losses import Huber, Squares
from solvers.optimisation.regression import sweeps
from solvers.optimisation.regression.sweeps import minimiser, sweep
from solvers.optimisation.samples import FunctionSamples, Samples


def problem(complex_values, weights=(-1.0, 1.0), **options):
    rng = np.random.default_rng(2)

    def normal(*size):
        return rng.standard_normal(size) + (1j * rng.standard_normal(size) if complex_values else 0.0)

    samples = FunctionSamples(rng.random((80, 3)), tuple(normal(80, n) for n in (4, 3, 5)))
    objective = LeastSquares(samples, normal(80), weights=10.0 ** rng.uniform(*weights, 80), **options)
    return objective, MANIFOLD.point(random_train((4, 3, 5), 2, rng))


@pytest.mark.parametrize("loss", [Squares(), Huber(0.4)])
@pytest.mark.parametrize("complex_values", [False, True])
def test_no_sweep_raises_the_objective_and_its_gradient_vanishes(loss, complex_values):
    objective, x = problem(complex_values, loss=loss, ridge=0.5)
    last = objective.evaluate(x).value
    first = objective.evaluate(x).gradient
    steep = MANIFOLD.inner(x, first, first)
    for _ in range(120):
        x, value = sweep(objective, x)
        assert value <= last * (1.0 + 1e-12)
        assert value == pytest.approx(objective.evaluate(x).value, rel=1e-10)
        last = value
    gradient = objective.evaluate(x).gradient
    assert MANIFOLD.inner(x, gradient, gradient) < 1e-6 * steep


@pytest.mark.parametrize("ridge", [0.0, 2.0])
@pytest.mark.parametrize("uneven", [False, True])
def test_a_core_solves_its_least_squares(ridge, uneven, monkeypatch):
    monkeypatch.setattr(sweeps, "CHUNK", 500)
    objective, _ = problem(True, (-5.0, 5.0) if uneven else (-1.0, 1.0), ridge=ridge)
    rng = np.random.default_rng(3)
    left, right, core = rng.standard_normal((80, 2)), rng.standard_normal((80, 2)), rng.standard_normal((2, 3, 2)) + 0j
    residual = objective.values
    step, along = minimiser(objective, 1, (left, right), objective.weights, residual, core)
    rows, roots = objective.samples.rows(1, left, right), np.sqrt(objective.weights)
    matrix = np.concatenate([roots[:, None] * rows, np.sqrt(ridge) * np.eye(12)])
    wanted = np.linalg.lstsq(matrix, np.concatenate([roots * residual, -np.sqrt(ridge) * core.ravel()]), rcond=None)[0]
    np.testing.assert_allclose(step.ravel(), wanted, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(along, rows @ step.ravel(), atol=1e-10 * max(1.0, np.abs(along).max()))


def test_entries_are_swept_too():
    rng = np.random.default_rng(5)
    train = random_train((6, 7, 5), 2, rng)
    indices = np.stack(np.unravel_index(rng.permutation(210)[:150], (6, 7, 5)), axis=1)
    objective = LeastSquares(Samples(indices, (6, 7, 5)), train.entries(indices))
    x = MANIFOLD.point(random_train((6, 7, 5), 2, rng))
    for _ in range(60):
        x, value = sweep(objective, x)
    assert value < 1e-12 and (x.train - train).norm() < 1e-4 * train.norm()
