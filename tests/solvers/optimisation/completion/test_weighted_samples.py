"""Weighted, repeated and complex entries, through every way of completing."""

import numpy as np
import pytest

from solvers.fit_methods import Completion
from solvers.formats.trains.construct import random_train
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.completion.completion import complete
from solvers.optimisation.completion.given import checked
from solvers.solution import Status

SHAPE = (7, 8, 6)
WAYS = [
    Completion(max_rank=2, validation=0.1),
    Completion(max_rank=2, validation=0.1, loss="huber"),
    Completion(max_rank=2, validation=0.1, ridge=1e-8),
    Completion(max_rank=4, validation=0.1, effects=True),
]
NAMES = ["squares", "huber", "ridge", "effects"]


def problem(seed=0, complex_values=True):
    rng = np.random.default_rng(seed)
    train = random_train(SHAPE, 2, rng)
    if complex_values:
        train = TensorTrain(tuple(core * np.exp(1j * rng.uniform(0.0, 6.0, core.shape)) for core in train.cores))
    indices = np.stack(np.unravel_index(rng.permutation(336)[:230], SHAPE), axis=1)
    return rng, train, indices, train.entries(indices)


def error(solution, train):
    return (solution.value - train).norm() / train.norm()


@pytest.mark.parametrize("method", WAYS, ids=NAMES)
def test_complex_values(method):
    _, train, indices, values = problem()
    solution = complete(indices, values, SHAPE, method=method, accuracy=1e-4)
    assert solution.value.dtype == np.complex128 and error(solution, train) < 1e-4


@pytest.mark.parametrize("method", [WAYS[0], WAYS[1], WAYS[2]], ids=NAMES[:3])
def test_weights_say_which_values_to_trust_and_their_unit_says_nothing(method):
    rng, train, indices, values = problem(1, complex_values=False)
    deviation = np.where(rng.random(len(values)) < 0.25, 0.3, 1e-3) * np.sqrt(np.mean(values**2))
    noisy = values + deviation * rng.standard_normal(len(values))
    if method.loss == "huber" or not method.penalised:
        method = Completion(max_rank=2, validation=0.1, loss=method.loss)
    plain = complete(indices, noisy, SHAPE, method=method, accuracy=1e-2, throw=False)
    found = [
        complete(indices, noisy, SHAPE, weights=unit * deviation**-2, method=method, accuracy=1e-2, throw=False)
        for unit in (1.0, 1e-8, 1e8)
    ]
    assert error(found[0], train) < 1e-2
    if method.loss == "squares":
        assert error(found[0], train) < 0.2 * error(plain, train)
    for other in found[1:]:
        np.testing.assert_allclose(other.value.full(), found[0].value.full(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", WAYS, ids=NAMES)
def test_repeated_entries(method):
    """Each three times with noise of one per cent: averaged, and the noise is told (of Huber's loss each is seen)."""
    rng, train, indices, values = problem(2)
    size = np.sqrt(np.mean(np.abs(values) ** 2))
    noise = 0.01 * size * (rng.standard_normal((3, 230)) + 1j * rng.standard_normal((3, 230))) / np.sqrt(2.0)
    again, noisy = np.tile(indices, (3, 1)), (values + noise).ravel()
    solution = complete(again, noisy, SHAPE, method=method, accuracy=0.03)
    assert error(solution, train) < 0.02
    if method.loss == "squares":
        assert solution.extra["sigma"] == pytest.approx(0.01 * size, rel=0.1)
        assert solution.extra["fitted"] + solution.extra["validation"] == 230
        assert [look.passed for look in solution.checked if look.what == "repeated samples"] == [True]


def test_repeated_entries_that_differ_by_more_than_the_accuracy_contradict():
    """Ten per cent of the samples come twice, far apart, and everything else fits: the noise they show is told."""
    _, train, indices, values = problem(3, complex_values=False)
    size = np.sqrt(np.mean(values**2))
    doubled = np.concatenate([indices, indices[:20]])
    twice = np.concatenate([values, values[:20]])
    twice[:20] += size
    twice[230:] -= size  # the mean is right
    solution = complete(doubled, twice, SHAPE, method=WAYS[0], accuracy=1e-3, throw=False)
    assert solution.status is Status.CONTRADICTED and error(solution, train) < 1e-3
    assert [look.what for look in solution.checked if not look.passed] == ["repeated samples"]


def test_weights_that_leave_few_a_say_are_not_trusted():
    rng, _, indices, values = problem(4, complex_values=False)
    weights = 10.0 ** rng.uniform(-8.0, 8.0, 230)
    method = Completion(max_rank=1, validation=0.1)
    assert not complete(indices, values, SHAPE, weights=weights, method=method, throw=False).converged


def test_means_are_by_weight_and_equal_values_stay_as_they_are():
    at = np.array([[0, 0], [1, 1], [0, 0], [1, 0], [1, 1]])
    data, said = checked(at, np.array([1.0, 0.1, 4.0, 7.0, 0.1]), (2, 2), "samples", weights=np.array([2, 1, 1, 1, 1]))
    np.testing.assert_array_equal(data.samples.indices, [[0, 0], [1, 1], [1, 0]])
    np.testing.assert_array_equal(data.values, [2.0, 0.1, 7.0])
    np.testing.assert_allclose(data.weights, np.array([3.0, 2.0, 1.0]) / 1.2, rtol=1e-14)
    assert said.count == 2 and said.sigma == pytest.approx(np.sqrt((2.0 * 1.0 + 4.0) / 1.2 / 2.0))


def test_outcomes_given_more_than_once_are_shares():
    rng = np.random.default_rng(5)
    indices = np.stack([rng.integers(0, n, 3000) for n in (6, 5)], axis=1)
    odds = np.linspace(-2.0, 2.0, 6)[:, None] + np.linspace(-1.0, 1.0, 5)
    yes = rng.random(3000) < (1.0 / (1.0 + np.exp(-odds)))[tuple(indices.T)]
    method = Completion(loss="logistic", effects=True, max_rank=1)
    solution = complete(indices, yes.astype(float), (6, 5), method=method, accuracy=0.5, throw=False)
    assert np.abs(solution.value.full().reshape(6, 5) - odds).max() < 0.7


def test_refusals():
    _, _, indices, values = problem(6, complex_values=False)
    weights = np.ones(230)
    for wrong, match in [
        (weights[1:], "one a sample"),
        (weights * (np.arange(230) != 4), "number 4 is 0.0"),
        (np.full(230, np.nan), "finite and above zero"),
        (-weights, "above zero"),
        (weights + 0j, "real numbers"),
    ]:
        with pytest.raises(ValueError, match=match):
            complete(indices, values, SHAPE, weights=wrong, method=WAYS[0])
    both = Completion(loss="huber", effects=True)
    with pytest.raises(ValueError, match="leave one of them out"):
        complete(indices, values, SHAPE, weights=weights, method=both)
    with pytest.raises(ValueError, match="logistic loss needs"):
        complete(indices, values + 0j, SHAPE, method=Completion(loss="logistic"))
