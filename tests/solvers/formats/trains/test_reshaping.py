"""Modes split and merged, and in another order, against numpy; the ranks are those of TT-SVD."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train_strategies import DTYPES

from solvers.formats.trains.construct import ones, random_train, tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.permutation import permuted_cores
from solvers.formats.trains.reshaping import reshaped_cores, whole_shape
from solvers.formats.trains.tensor_train import TensorTrain


@st.composite
def factorisations(draw, n):
    """A shape of n indices, with ones."""
    shape = []
    while n > 1:
        factor = draw(st.sampled_from([k for k in range(1, n + 1) if n % k == 0]))
        shape.append(factor)
        n //= factor
    return tuple(shape) or (1,)


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from([1, 7, 12, 36, 60, 64]), DTYPES)
def test_every_reshape_is_that_of_numpy(data, n, dtype):
    old, new = data.draw(factorisations(n)), data.draw(factorisations(n))
    x = random_train(old, 3, np.random.default_rng(n), dtype)
    y = x.reshape(new)
    assert y.shape == new
    np.testing.assert_allclose(y.full(), x.full().reshape(new), atol=1e-13 * x.norm())
    if 1 not in old:  # new ranks are minimal; those that stay are those of x, minimal here
        assert y.ranks == tt_svd(x.full().reshape(new), 1e-12).ranks


def test_shapes_as_numpy_takes_them():
    x = random_train((6, 8, 9), [1, 4, 5, 1], np.random.default_rng(0))
    y = x.reshape(2, 6, 12, 3)
    assert y.shape == (2, 6, 12, 3)
    assert (y.reshape([6, 8, 9]) - x).norm() <= 1e-13 * x.norm()
    assert x.reshape(-1).shape == (432,) and x.reshape((4, -1, 4)).shape == (4, 27, 4)
    assert whole_shape(((2, -1),), (4, 3)) == (2, 6)
    for bad in ((5, 5), (-1, -1), (0, 432), (2.0, 216), (), ([],)):
        with pytest.raises(ValueError, match=r"shape|differ"):
            x.reshape(*bad)
    with pytest.raises(ValueError, match="round first"):
        ones((10,) * 9).reshape(10**9)
    with pytest.raises(ValueError, match="tol"):
        x.reshape(432, tol=2.0)


def test_bits_of_long_axes_and_back():
    """[256, 128, 1024] in bits, of ranks up to 40, and back: sizes that are never merged beyond an axis."""
    x = random_train((256, 128, 1024), [1, 20, 30, 1], np.random.default_rng(1))
    q = x.reshape((2,) * 25)
    assert (q.reshape(x.shape) - x).norm() <= 1e-12 * x.norm()
    assert q.ranks[8] == 20 and q.ranks[15] == 30


def test_splits_keep_sizes_beyond_double_precision():
    core = np.random.default_rng(2).standard_normal((1, 4, 1)) * 1e200
    x = TensorTrain((core,) * 6)
    y = x.reshape((2,) * 12)
    assert y.log_norm() == pytest.approx(x.log_norm()) and y.max_rank == 2
    assert x.transpose(1, 0, 2, 4, 3, 5).log_norm() == pytest.approx(x.log_norm())


@pytest.mark.parametrize(
    ("rows", "columns"), [((2, 2, 6, 2), (3, 2, 2, 3)), ((8, 6), (4, 9)), ((8, 1, 6, 1), (4, 1, 3, 3)), ((48,), (36,))]
)
def test_operators(rows, columns):
    rng = np.random.default_rng(3)
    a = TTOperator(tuple(rng.standard_normal(s) for s in [(1, 4, 6, 3), (3, 6, 2, 2), (2, 2, 3, 1)]))
    b = a.reshape(rows, columns)
    assert b.shape == (rows, columns)
    np.testing.assert_allclose(b.full(), a.full(), atol=1e-12)
    assert (b.reshape(*a.shape) - a).norm() <= 1e-12 * a.norm()
    with pytest.raises(ValueError, match="equally many"):
        a.reshape((48,), (6, 6))
    with pytest.raises(ValueError, match="differ"):
        reshaped_cores(a.cores, [(48, 35)], 1e-14)


@settings(max_examples=4, deadline=None)
@given(DTYPES, st.integers(0, 1000))
def test_every_order_of_modes(dtype, seed):
    x = random_train((2, 3, 4, 3), 4, np.random.default_rng(seed), dtype)
    for axes in itertools.permutations(range(4)):
        y = x.transpose(axes)
        np.testing.assert_allclose(y.full(), x.full().transpose(axes), atol=1e-13 * x.norm())
        assert y.ranks == tt_svd(x.full().transpose(axes), 1e-12).ranks
    np.testing.assert_allclose(x.transpose().full(), x.full().T, atol=1e-14)
    np.testing.assert_allclose(x.transpose(-1, 0, 2, 1).full(), x.full().transpose(-1, 0, 2, 1), atol=1e-13)


def test_orders_that_are_none():
    x = random_train((2, 3, 4), 2, np.random.default_rng(4))
    assert x.transpose(0, 1, 2).cores == x.cores
    for bad in ((0, 1), (0, 0, 1), (0, 1, 3), (0.0, 1, 2)):
        with pytest.raises(ValueError, match="permutation"):
            x.transpose(*bad)
    with pytest.raises(ValueError, match="permutation"):
        permuted_cores(x.cores, [0, 1, 1], 1e-14)
    far = random_train((3,) * 9, 6, np.random.default_rng(5))
    order = [4, 8, 0, 3, 7, 1, 5, 2, 6]
    y = far.transpose(order, tol=1e-3)
    assert 0.0 < np.linalg.norm(y.full() - far.full().transpose(order)) <= 1e-3 * far.norm() * (1.0 + 1e-12)
