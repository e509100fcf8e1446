"""Between Tucker tensors, dense arrays and quantics trains."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.trains.construct import random_train
from solvers.formats.tucker.convert import from_full, from_quantics, to_quantics, to_train
from solvers.formats.tucker.tensor import TuckerTensor, rank_one

QUICK = settings(max_examples=30, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
LEVELS = st.lists(st.integers(1, 3), min_size=1, max_size=3)


def smooth(shape, rng):
    """A tensor whose singular values decay."""
    return rng.standard_normal(shape) * np.exp(-1.5 * np.indices(shape).sum(axis=0))


@QUICK
@given(levels=LEVELS, seed=SEEDS, tol=st.sampled_from([1e-2, 1e-6, 1e-13]))
def test_from_full_keeps_its_tolerance(levels, seed, tol):
    array = smooth(tuple(2**k + 1 for k in levels), np.random.default_rng(seed))
    x = from_full(array, tol)
    assert np.linalg.norm(x.full() - array) <= (tol + 1e-13) * np.linalg.norm(array)


@QUICK
@given(levels=LEVELS, seed=SEEDS, tol=st.sampled_from([1e-2, 1e-6, 1e-13]))
def test_there_and_back(levels, seed, tol):
    rng = np.random.default_rng(seed)
    shape = tuple(2**k for k in levels)
    array = smooth(shape, rng)
    norm = np.linalg.norm(array)
    x = from_full(array, 1e-15)
    train = to_quantics(x, tol)
    assert train.shape == (2,) * sum(levels)
    # most significant bit first, axes in sequence: plain C order
    assert np.linalg.norm(train.full().reshape(shape) - array) <= (tol + 1e-12) * norm
    back = from_quantics(train, levels, tol)
    assert back.shape == shape
    assert np.linalg.norm(back.full() - array) <= (2.0 * tol + 1e-12) * norm


@QUICK
@given(levels=LEVELS, seed=SEEDS)
def test_any_train_becomes_a_tensor(levels, seed):
    rng = np.random.default_rng(seed)
    train = random_train((2,) * sum(levels), 3, rng)
    array = train.full().reshape(tuple(2**k for k in levels))
    assert np.linalg.norm(from_quantics(train, levels).full() - array) <= 1e-11 * np.linalg.norm(array)


def test_the_train_over_the_axes_is_exact():
    rng = np.random.default_rng(1)
    x = TuckerTensor(
        rng.standard_normal((3, 4, 2, 3)),
        tuple(rng.standard_normal((n, r)) for n, r in zip((6, 5, 7, 4), (3, 4, 2, 3), strict=True)),
    )
    train = to_train(x)
    assert train.shape == (6, 5, 7, 4)
    assert np.allclose(train.full(), x.full(), rtol=0, atol=1e-12 * np.abs(x.full()).max())


def test_ranks_of_closed_forms():
    """A product of exponentials is one of bits: all ranks one; x + y + z has ranks two, x alone two within its axis."""
    x = np.linspace(-1.0, 1.0, 64)
    one = np.ones(64)
    product = to_quantics(rank_one([np.exp(-x), np.exp(0.5 * x), np.exp(2.0 * x)]), 1e-10)
    assert set(product.ranks) == {1}
    line = to_quantics(rank_one([x, one, one]), 1e-10)
    assert line.ranks == (1, *[2] * 5, *[1] * 13)
    wave = to_quantics(rank_one([np.sin(20.0 * x), np.cos(3.0 * x), one]), 1e-10)
    assert wave.ranks == (1, *[2] * 5, 1, *[2] * 5, *[1] * 7)
    total = from_full(x[:, None, None] + x[None, :, None] + x[None, None, :])
    assert total.ranks == (2, 2, 2)
    assert max(to_quantics(total, 1e-10).ranks) == 2
    # 1 / (x + y + z) on [1, 2]: a few exponentials; the ranks are those of its unfoldings
    axis = np.linspace(1.0, 2.0, 32)
    inverse = 1.0 / (axis[:, None, None] + axis[None, :, None] + axis[None, None, :])
    values = np.linalg.svd(inverse.reshape(32, -1), compute_uv=False)
    tails = np.sqrt(np.cumsum(values[::-1] ** 2))[::-1]
    for tol in (1e-3, 1e-6, 1e-9):
        rank = int(np.sum(tails > tol * tails[0] / np.sqrt(3.0)))
        assert rank <= 5 and from_full(inverse, tol).ranks == (rank,) * 3


def test_what_is_refused():
    with pytest.raises(ValueError, match="2, 4, 8"):
        to_quantics(rank_one([np.ones(6), np.ones(4)]))
    with pytest.raises(ValueError, match="modes of size 2"):
        from_quantics(random_train((2,) * 5, 2, np.random.default_rng(0)), [3, 3])
