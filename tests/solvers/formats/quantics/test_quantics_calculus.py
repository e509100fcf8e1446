"""Derivatives and antiderivatives against numpy.gradient and scipy's cumulative trapezoids."""

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid

from solvers.formats import quantics
from solvers.formats.quantics.calculus import antiderivative, derivative


@pytest.mark.parametrize("levels", [2, 3, 6])
def test_matrices(levels):
    n, h = 2**levels, 0.1
    eye = np.eye(n)
    open_ends = derivative(levels, h)
    np.testing.assert_allclose(open_ends.full(), np.gradient(eye, h, axis=0, edge_order=2), atol=1e-13)
    around = (np.roll(eye, 1, axis=1) - np.roll(eye, -1, axis=1)) / (2 * h)
    np.testing.assert_allclose(derivative(levels, h, "periodic").full(), around, atol=1e-13)
    zero = (np.eye(n, k=1) - np.eye(n, k=-1)) / (2 * h)
    np.testing.assert_allclose(derivative(levels, h, "dirichlet").full(), zero, atol=1e-13)
    trapezoid = antiderivative(levels, h)
    np.testing.assert_allclose(trapezoid.full(), cumulative_trapezoid(eye, dx=h, axis=0, initial=0), atol=1e-13)
    np.testing.assert_allclose(antiderivative(levels, h, "cell").full(), h * (np.tri(n) - 0.5 * eye), atol=1e-14)
    assert open_ends.max_rank <= 7 and trapezoid.max_rank <= 3 and antiderivative(levels, h, "cell").max_rank <= 3


def test_functions_on_many_points():
    levels = 20
    h = 2.0 / 2**levels
    x = quantics.sine(levels, 3.0, 0.2, 0.0, h)
    slope = derivative(levels, h) @ x
    assert (slope - 3.0 * quantics.cosine(levels, 3.0, 0.2, 0.0, h)).norm() <= 1e-9 * slope.norm()
    parabola = quantics.polynomial(levels, [1.0, -2.0, 3.0], 0.0, h)
    expected = quantics.polynomial(levels, [-2.0, 6.0], 0.0, h)
    assert (derivative(levels, h) @ parabola - expected).norm() <= 1e-9 * expected.norm()
    whole = antiderivative(levels, h) @ x
    exact = (quantics.cosine(levels, 3.0, 0.2, 0.0, h) - np.cos(0.2)) * (-1.0 / 3.0)
    assert (whole - exact).norm() <= 1e-10 * exact.norm()


def test_what_is_refused():
    with pytest.raises(ValueError, match="three points"):
        derivative(1)
    with pytest.raises(ValueError, match="ends"):
        derivative(3, ends="face")
    with pytest.raises(ValueError, match="rule"):
        antiderivative(3, rule="simpson")
    for step in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="step"):
            derivative(3, step)
        with pytest.raises(ValueError, match="step"):
            antiderivative(3, step)
