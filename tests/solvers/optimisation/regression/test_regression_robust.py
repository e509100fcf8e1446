"""Wrong values at points: found, told and left out; a peak is not taken for errors."""

import numpy as np

from solvers.fit_methods import Regression
from solvers.formats.trains.construct import rank_one
from solvers.optimisation.completion.given import Data
from solvers.optimisation.regression.bases import Polynomials
from solvers.optimisation.regression.regress import regress
from solvers.optimisation.regression.robust import off
from solvers.optimisation.samples import FunctionSamples

C = np.array([1.8, 0.6, 1.2])
HUBER = Regression(loss="huber", max_rank=2)


def waves(x):
    return np.cos(x @ C)


def test_distances_are_in_units_of_the_deviations_that_weights_say():
    data = Data(
        FunctionSamples(np.zeros((2, 1)), (np.array([[1.0], [2.0]]),)), np.array([1.0, 9.0]), np.array([4.0, 9.0])
    )
    np.testing.assert_allclose(off(rank_one([np.array([3.0])]), data), [2.0 * 2.0, 3.0 * 3.0])


def test_wrong_values_are_found_and_cost_nothing():
    rng = np.random.default_rng(0)
    x = rng.random((600, 3))
    values, wrong = waves(x), rng.random(600) < 0.08
    values[wrong] += 10.0 * rng.standard_normal(wrong.sum())
    solution = regress(x, values, Polynomials(6, (0.0, 1.0)), method=HUBER, accuracy=1e-4)
    fresh = rng.random((1000, 3))
    assert np.linalg.norm(solution.value(fresh) - waves(fresh)) < 1e-4 * np.linalg.norm(waves(fresh))
    rejected = np.concatenate(solution.extra["rejected"])
    far = x[wrong & (np.abs(values - waves(x)) > 1e-2)]
    assert {tuple(point) for point in far} <= {tuple(point) for point in rejected} <= {tuple(p) for p in x[wrong]}


def test_where_nothing_is_wrong_nothing_is_rejected():
    x = np.random.default_rng(1).random((400, 3))
    solution = regress(x, waves(x), Polynomials(6, (0.0, 1.0)), method=HUBER, accuracy=1e-4)
    assert solution.converged and [len(part) for part in solution.extra["rejected"]] == [0, 0, 0]


def test_a_peak_is_not_rejected_silently():
    x = np.random.default_rng(1).random((500, 2))
    values = 1.0 + 20.0 * np.exp(-200.0 * ((x - 0.3) ** 2).sum(axis=1))
    solution = regress(x, values, Polynomials(3, (0.0, 1.0)), method=HUBER, accuracy=1e-2, throw=False)
    assert not solution.converged
