"""Losses: derivatives, and quadratic functions that touch them and lie above."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.optimisation.losses import Huber, Logistic, Squares, probability, robust_scale

CASES = [(Squares(), 0.7), (Huber(0.5), -0.3), (Logistic(), 1.0), (Logistic(), 0.0)]


@settings(max_examples=40, deadline=None)
@given(x=st.floats(-30, 30), y=st.floats(-30, 30), case=st.sampled_from(CASES))
def test_a_quadratic_function_touches_the_loss_from_above(x, y, case):
    loss, b = case
    x, y, true = np.array([x]), np.array([y]), np.array([b])
    w, z = loss.above(x, true)
    np.testing.assert_allclose(w * (x - z), loss.derivative(x, true), atol=1e-12)
    above = loss.each(x, true) + 0.5 * w * ((y - z) ** 2 - (x - z) ** 2)
    assert above[0] >= loss.each(y, true)[0] - 1e-10 * (1.0 + above[0])


@pytest.mark.parametrize("loss, b", CASES)
def test_derivatives(loss, b):
    x, true, h = np.linspace(-3.0, 3.0, 40), np.full(40, b), 1e-6
    slope = (loss.each(x + h, true) - loss.each(x - h, true)) / (2.0 * h)
    np.testing.assert_allclose(loss.derivative(x, true), slope, atol=2e-6)


def test_probabilities_and_robust_sizes():
    np.testing.assert_allclose(probability(np.array([0.0, 800.0, -800.0])), [0.5, 1.0, 0.0])
    values = np.random.default_rng(0).standard_normal(20_000)
    values[:2000] = 1e6
    assert robust_scale(values) == pytest.approx(1.0, rel=0.2)
