"""Perturbations of all inputs at once: known ones of linear learners, and what their makers promise."""

import itertools

import numpy as np
import pytest

from solvers.extremal import universal
from solvers.extremal.universal import (
    deepfool_perturbation,
    fooling_rates,
    gradient_signs,
    least_step,
    shifted,
    singular_perturbation,
    stacked,
)
from solvers.learning.differentiable import LOGITS, Network

FREE = np.ones(6, dtype=bool)


def linear(rng, classes=3, size=6):
    return Network([rng.standard_normal((size, classes))], [0.1 * rng.standard_normal(classes)])


def deep(rng):
    widths = [6, 9, 5, 3]
    return Network(
        [rng.standard_normal(pair) for pair in itertools.pairwise(widths)], [np.zeros(n) for n in widths[1:]]
    )


def test_products_and_matrix_are_one_operator(monkeypatch):
    rng = np.random.default_rng(0)
    learner, x = deep(rng), rng.standard_normal((8, 6))
    free = np.array([True, True, False, True, True, True])
    matrix = stacked(learner, x, "layer 2", free)
    assert isinstance(matrix, np.ndarray) and matrix.shape == (40, 5)
    monkeypatch.setattr(universal, "DENSE", 0)
    operator = stacked(learner, x, "layer 2", free)
    v, u = rng.standard_normal((5, 3)), rng.standard_normal((40, 2))
    assert np.allclose(operator @ v, matrix @ v) and np.allclose(operator.rmatmat(u), matrix.T @ u)
    assert np.allclose(operator.matvec(v[:, 0]), matrix @ v[:, 0])
    assert np.allclose(operator.rmatvec(u[:, 0]), matrix.T @ u[:, 0])
    by_products = singular_perturbation(learner, x, "layer 2", 10.0, free=free, starts=60, rng=rng)
    monkeypatch.undo()
    exact = singular_perturbation(learner, x, "layer 2", 10.0, free=free, starts=60, rng=rng)
    assert exact.kind == "exact" and by_products.value == pytest.approx(exact.value, rel=1e-10)


def test_the_vector_of_two_classes_is_that_of_the_weights():
    rng = np.random.default_rng(1)
    learner, x = linear(rng, classes=1), rng.standard_normal((7, 6))
    found = singular_perturbation(learner, x, LOGITS, 10.0, free=FREE, starts=5, rng=rng)
    weights = learner.weights[0][:, 0]
    assert abs(found.vector @ np.sign(weights)) == 6.0
    assert found.value == pytest.approx(7**0.1 * np.abs(weights).sum(), rel=1e-12)


def test_signs_of_the_mean_gradient():
    rng = np.random.default_rng(2)
    learner, x, targets = deep(rng), rng.standard_normal((20, 6)), rng.integers(0, 3, 20)
    v = gradient_signs(learner, x, targets, free=FREE)

    def loss(moved):
        at = learner.outputs(moved)
        largest = at.max(axis=1, keepdims=True)
        return np.mean(largest[:, 0] + np.log(np.exp(at - largest).sum(axis=1)) - at[np.arange(20), targets])

    slopes = [loss(x + 1e-6 * e) - loss(x - 1e-6 * e) for e in np.eye(6)]
    assert np.array_equal(v, np.sign(slopes))


@pytest.mark.parametrize("classes", [1, 3])
def test_the_least_step_of_a_linear_learner_is_the_distance_to_its_border(classes):
    rng = np.random.default_rng(3)
    learner = linear(rng, classes)
    for x in rng.standard_normal((5, 6)):
        step = least_step(learner, x, free=FREE)
        scores, weights = learner.outputs(x[None])[0], learner.weights[0]
        if classes == 1:
            distance = abs(scores[0]) / np.linalg.norm(weights)
        else:
            own = scores.argmax()
            gaps = [
                (scores[own] - scores[k]) / np.linalg.norm(weights[:, k] - weights[:, own]) for k in {0, 1, 2} - {own}
            ]
            distance = min(gaps)
        assert np.linalg.norm(step) == pytest.approx(1.02 * distance, rel=1e-9)
        assert learner.labels(shifted(x[None], step, FREE)) != learner.labels(x[None])


def test_no_step_where_nothing_depends_on_the_input():
    learner = Network([np.zeros((6, 3))], [np.arange(3.0)])
    assert least_step(learner, np.ones(6), free=FREE) is None
    v = deepfool_perturbation(learner, np.ones((4, 6)), 0.1, free=FREE, passes=1, rng=np.random.default_rng(0))
    assert not v.any()


def test_the_universal_perturbation_keeps_its_size_and_fools():
    rng = np.random.default_rng(4)
    learner, x = deep(rng), 0.3 * rng.standard_normal((60, 6))
    v = deepfool_perturbation(learner, x, 0.5, free=FREE, passes=3, rng=rng)
    assert np.abs(v).max() <= 0.5
    wide = np.full(6, 10.0)
    rate, cut = fooling_rates(learner, x, v, free=FREE, low=-wide, high=wide)
    small, _ = fooling_rates(learner, x, 1e-9 * v, free=FREE, low=-wide, high=wide)
    assert rate > 0.3 and rate == cut and small == 0.0


def test_rates_count_changes_and_take_the_better_sign():
    learner = Network([np.array([[1.0], [0.0]])], [np.array([0.0])])
    x = np.array([[-0.5, 1.0], [-1.5, 1.0], [-0.2, 1.0], [0.3, 1.0]])
    free = np.array([True, False])
    # to the right two change, to the left one; cut to at most 0.1 two still do
    rate, cut = fooling_rates(
        learner, x, np.array([0.7]), free=free, low=np.array([-2.0, 0.0]), high=np.array([0.1, 0.0])
    )
    assert (rate, cut) == (0.5, 0.5)
    _, none = fooling_rates(learner, x, np.array([0.7]), free=free, low=np.full(2, -9.0), high=np.array([-0.1, 0.0]))
    assert none == 0.25  # the one that is cut to the left of the border
    with pytest.raises(ValueError, match="no 'layer 1'"):
        stacked(learner, x, "layer 1", free)
