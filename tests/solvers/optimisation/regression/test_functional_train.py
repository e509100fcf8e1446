"""A function as a train of coefficients: values, gradients and integrals against sums over dense coefficients."""

import numpy as np
import pytest

from solvers.formats.trains.construct import random_train
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.regression.bases import Fourier, Functions, Polynomials, Splines
from solvers.optimisation.regression.functional_train import FunctionalTrain

BOX = ((0.0, 2.0), (-1.0, 1.0), (0.0, 1.0), (1.0, 2.0))


def made(complex_values=False):
    bases = (Polynomials(3, BOX[0]), Splines(2, 2, BOX[1]), Fourier(1, BOX[2]), Functions(np.ones_like, np.log))
    bases = (*bases[:3], bases[3].on(*BOX[3]))
    train = random_train(tuple(basis.size for basis in bases), 3, np.random.default_rng(0))
    if complex_values:
        train = TensorTrain((train.cores[0] * (1.0 + 2.0j), *train.cores[1:]))
    return FunctionalTrain(train, bases, BOX)


def points(count, seed=1):
    low, high = np.array(BOX).T
    return np.random.default_rng(seed).uniform(low, high, (count, 4))


@pytest.mark.parametrize("complex_values", [False, True])
def test_values_gradients_and_integrals(complex_values):
    f, x, h = made(complex_values), points(30), 1e-6
    phi = [basis.values(column) for basis, column in zip(f.bases, x.T)]
    np.testing.assert_allclose(f(x), np.einsum("abcd,ja,jb,jc,jd->j", f.coefficients.full(), *phi), atol=1e-13)
    for k in range(4):
        up, down = x.copy(), x.copy()
        up[:, k], down[:, k] = x[:, k] + h, x[:, k] - h
        slopes = (f(up, outside="extrapolate") - f(down, outside="extrapolate")) / (2.0 * h)
        np.testing.assert_allclose(f.gradient(x)[:, k], slopes, atol=1e-7)
    nodes, weights = zip(*(basis.quadrature(*ends) for basis, ends in zip(f.bases, BOX)))
    grid = f.on_grid(*nodes).full()
    w = np.einsum("a,b,c,d->abcd", *weights)
    assert f.integral() == pytest.approx((w * grid).sum(), rel=1e-12)
    assert f.mean() == pytest.approx((w * grid).sum() / 4.0, rel=1e-12)
    assert f.variance() == pytest.approx((w * np.abs(grid - f.mean()) ** 2).sum() / 4.0, rel=1e-11)


def test_a_small_variation_on_a_large_mean_keeps_its_digits():
    basis = Polynomials(1, (0.0, 1.0))
    f = FunctionalTrain(TensorTrain((np.array([1e8, 1.0]).reshape(1, 2, 1),)), (basis,), ((0.0, 1.0),))
    assert f.variance() == pytest.approx(1.0, rel=1e-6) and f.mean() == pytest.approx(1e8)


def test_what_lies_outside_is_refused_clipped_or_extrapolated():
    f, x = made(), points(5)
    x[3, 1] = 1.25
    with pytest.raises(ValueError, match=r"coordinate 2 of point number 3 is 1.25, outside \[-1, 1\]"):
        f(x)
    assert not np.allclose(f(x, outside="clip")[3], f(x, outside="extrapolate")[3])
    clipped = x.copy()
    clipped[3, 1] = 1.0
    np.testing.assert_allclose(f(x, outside="clip"), f(clipped))
    periodic = points(5)
    periodic[:, 2] += 7.0  # a whole period is known: so is everything
    np.testing.assert_allclose(f(periodic), f(points(5)), atol=1e-12)
    for wrong, match in (
        (x[:, :3], r"\(m, 4\)"),
        (np.full((2, 4), np.nan), "not finite"),
        (x + 0j, "real coordinates"),
    ):
        with pytest.raises(ValueError, match=match):
            f(wrong)
    with pytest.raises(ValueError, match="outside is 'no'"):
        f(x, outside="no")
    with pytest.raises(ValueError, match="as many arrays"):
        f.on_grid(np.zeros(2))
    assert f(points(0)).shape == (0,)
