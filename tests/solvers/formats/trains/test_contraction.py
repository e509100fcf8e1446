"""Modes contracted with vectors, matrices and other trains, against numpy; sizes beyond double precision."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from train_strategies import DTYPES

from solvers.formats.trains.construct import ones, random_train
from solvers.formats.trains.contraction import scalar
from solvers.formats.trains.tensor_train import TensorTrain, dot, log_dot

few = settings(max_examples=10, deadline=None)
SHAPE = (2, 3, 1, 4)


@few
@given(DTYPES)
def test_sums_means_and_marginals(dtype):
    x = random_train(SHAPE, 3, np.random.default_rng(1), dtype)
    a = x.full()
    for axes in (0, -1, [1, 3], (0, 2), [3, 0, 1]):
        axis = tuple(axes) if not isinstance(axes, int) else axes
        np.testing.assert_allclose(x.sum(axes).full(), a.sum(axis), atol=1e-14)
        np.testing.assert_allclose(x.mean(axes).full(), a.mean(axis), atol=1e-14)
    np.testing.assert_allclose(x.marginal([1, 3]).full(), a.sum((0, 2)), atol=1e-14)
    assert x.sum() == pytest.approx(a.sum(), abs=1e-14)
    assert x.mean() == pytest.approx(a.mean(), abs=1e-14)
    assert isinstance(x.sum(), complex if dtype == np.complex128 else float)
    assert all(r <= s for r, s in zip(x.sum(1).ranks, x.ranks))


@few
@given(DTYPES)
def test_mode_products(dtype):
    rng = np.random.default_rng(2)
    x = random_train(SHAPE, 3, rng, dtype)
    u, w = rng.standard_normal((5, 3)), rng.standard_normal(4)
    expected = np.einsum("ijkl,mj,l->imk", x.full(), u, w)
    np.testing.assert_allclose(x.mode_product({1: u, -1: w}).full(), expected, atol=1e-14)
    weights = [rng.random(n) for n in SHAPE]
    mean = x.mode_product(dict(enumerate(weights)))
    assert mean == pytest.approx(np.einsum("ijkl,i,j,k,l", x.full(), *weights), abs=1e-14)
    assert x.mode_product({}).full() == pytest.approx(x.full())


def test_modes_and_matrices_that_do_not_fit():
    x = ones(SHAPE)
    for bad in (4, -5, [0, 0], [0, -4], True, 1.0):
        with pytest.raises(IndexError, match="modes"):
            x.sum(bad)
    for bad in (np.ones(4), np.ones((3, 4)), np.ones((1, 1, 3)), np.ones((0, 3)), np.full(3, np.nan)):
        with pytest.raises(ValueError, match="mode 1"):
            x.mode_product({1: bad})


@pytest.mark.parametrize("size", [1e3, 1.0, 1e-200])
def test_a_thousand_modes_neither_overflow_nor_vanish(size):
    """Norms, inner products, sums and rounding, of a size that only its logarithm tells."""
    rng, d = np.random.default_rng(3), 1000
    unit = random_train((3,) * d, 3, rng)  # expected norm one
    x = TensorTrain(tuple(core * size for core in unit.cores))
    expected = d * math.log(size) + unit.log_norm()
    assert unit.log_norm() == pytest.approx(math.log(unit.norm()), abs=1e-10)
    assert x.log_norm() == pytest.approx(expected, rel=1e-12, abs=1e-9)
    scaled, logarithm = x.normalised()
    assert logarithm == pytest.approx(expected, rel=1e-12, abs=1e-9) and scaled.norm() == pytest.approx(1.0)
    sign, inner = log_dot(x, -x)
    assert sign == -1.0 and inner == pytest.approx(2.0 * expected, rel=1e-12, abs=1e-9)
    rounded = (x + x).round(1e-10)
    assert rounded.max_rank == 3
    assert (rounded - 2.0 * x).log_norm() - expected < math.log(1e-9)
    assert (x + x * 1e300).log_norm() == pytest.approx(expected + 300.0 * math.log(10.0), rel=1e-12)
    cut, error = x.round_with_error(0.5)
    assert (cut - x).log_norm() - expected == pytest.approx(math.log(error), abs=1e-6)
    if size == 1.0:
        assert x.norm() == pytest.approx(unit.norm())
        return
    with pytest.raises(ValueError, match="flow of double precision: use log_norm"):
        x.norm()
    with pytest.raises(ValueError, match=r"1e-?\d+, an (over|under)flow"):
        x.orthogonalise(5)
    if size > 1.0:
        with pytest.raises(ValueError, match="inner product is about"):
            dot(x, x)
        with pytest.raises(ValueError, match="overflow"):
            TensorTrain(tuple(np.full((1, 2, 1), size) for _ in range(d))).sum()


def test_zero_has_the_logarithm_minus_infinity():
    zero = ones((2, 3)) * 0.0
    assert zero.log_norm() == -math.inf and log_dot(zero, zero) == (0.0, -math.inf) and zero.norm() == 0.0
    with pytest.raises(ZeroDivisionError, match="zero"):
        zero.normalised()


def test_a_scalar_goes_to_all_cores_where_one_cannot_hold_it():
    x = ones((2,) * 5).orthogonalise(2)
    for exponent in (300, -300):
        y = x * 10.0**exponent * 10.0**exponent
        assert y.log_norm() == pytest.approx(2 * exponent * math.log(10.0) + x.log_norm(), rel=1e-13)
        assert (y * 10.0**-exponent * 10.0**-exponent).full() == pytest.approx(np.ones((2,) * 5))
    z = x * 1e200
    assert ((z * z) * 1e-200 * 1e-200).full() == pytest.approx(np.ones((2,) * 5))


def test_numbers_of_python():
    assert scalar(np.float64(1.5), 1, "x") == 3.0 and scalar(1j, 2, "x") == 4j and scalar(1.0, -5000, "x") == 0.0
    with pytest.raises(ValueError, match="x is about"):
        scalar(1.0, 2000, "x")
    with pytest.raises(ValueError, match="infinite"):
        scalar(math.inf, 0, "x")
