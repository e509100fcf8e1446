"""Losses: gradients and curvatures are those of their values."""

import numpy as np
import pytest

from solvers.learning import losses

TARGETS = {"squared": np.array([0.3, -2.0]), "logistic": np.array([0.0, 1.0]), "softmax": np.array([2, 0])}


@pytest.mark.parametrize("loss", losses.LOSSES)
def test_gradient(loss):
    rng, targets = np.random.default_rng(0), TARGETS[loss]
    scores = rng.standard_normal((2, 3 if loss == "softmax" else 1))
    gradient, _ = losses.derivatives(loss, scores, targets)
    for place in np.ndindex(*scores.shape):
        step = np.zeros_like(scores)
        step[place] = 1e-6
        up, down = (losses.value(loss, scores + sign * step, targets) for sign in (1, -1))
        assert (up - down) / 2e-6 == pytest.approx(gradient[place] / 2, abs=1e-8)


@pytest.mark.parametrize("loss", losses.LOSSES)
def test_the_best_constant_has_no_gradient(loss):
    targets = {"squared": np.array([1.0, 4.0, 4.0]), "logistic": np.array([0, 1, 1]), "softmax": np.array([0, 2, 1])}
    offset = losses.offset(loss, targets[loss], losses.outputs(loss, targets[loss]))
    gradient, _ = losses.derivatives(loss, np.tile(offset, (3, 1)), targets[loss])
    assert np.abs(gradient.sum(axis=0)).max() < 1e-12


def test_probabilities_of_far_scores_are_finite():
    assert losses.probabilities("logistic", np.array([[-1e4], [1e4]])).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert losses.probabilities("softmax", np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="squared, logistic, softmax"):
        losses.check_loss("hinge")
