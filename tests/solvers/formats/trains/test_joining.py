"""Trains joined and padded, against numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train_strategies import DTYPES

from solvers.formats.trains.construct import ones, random_train
from solvers.formats.trains.joining import concatenate, pad, tensordot

SHAPE = (2, 3, 4)


@settings(max_examples=12, deadline=None)
@given(st.integers(-3, 2), DTYPES, st.integers(1, 3))
def test_joined_along_a_mode(axis, dtype, count):
    rng = np.random.default_rng(0)
    parts = []
    for k in range(count):
        shape = list(SHAPE)
        shape[axis] = k + 1
        parts.append(random_train(shape, 2, rng, dtype))
    x = concatenate(parts, axis)
    np.testing.assert_allclose(x.full(), np.concatenate([p.full() for p in parts], axis), atol=1e-14)
    assert x.max_rank <= sum(p.max_rank for p in parts)


@pytest.mark.parametrize("widths", [0, 2, (1, 3), [(0, 1), (2, 0), (0, 0)], np.array([[1, 1]] * 3)])
@pytest.mark.parametrize("value", [0.0, -1.5, 2j])
def test_padded(widths, value):
    x = random_train(SHAPE, 2, np.random.default_rng(1), complex)
    y = pad(x, widths, value)
    np.testing.assert_allclose(y.full(), np.pad(x.full(), widths, constant_values=value), atol=1e-14)
    assert y.max_rank <= x.max_rank + (2 if value else 0)
    assert pad(x.orthogonalise(1), 1).centre == 1


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="at least one"):
        concatenate([])
    with pytest.raises(ValueError, match="list of trains"):
        concatenate([ones(SHAPE), np.ones(SHAPE)])
    for other in (ones((2, 2, 4)), ones((2, 3))):
        with pytest.raises(ValueError, match="differ on another mode"):
            concatenate([ones(SHAPE), other])
    with pytest.raises(IndexError, match="modes"):
        concatenate([ones(SHAPE)], 3)
    for bad in (-1, (1, 2, 3), [(1, 1)] * 2, 0.5):
        with pytest.raises(ValueError, match="widths"):
            pad(ones(SHAPE), bad)
    with pytest.raises(ValueError, match="value"):
        pad(ones(SHAPE), 1, "edge")
    with pytest.raises(ValueError, match="not finite"):
        pad(ones(SHAPE), 1, np.nan)


@pytest.mark.parametrize(
    "axes",
    [
        ([0], [1]),
        ([0, 2], [1, 2]),
        ([2, 0], [2, 1]),
        ([1, 3], [0, 3]),
        ([2, 0, 3, 1], [2, 1, 3, 0]),
        ([], []),
        (2, 2),
        (-1, -1),
    ],
)
def test_contracted_with_each_other(axes):
    rng = np.random.default_rng(2)
    x, y = random_train((3, 2, 4, 5), 3, rng, complex), random_train((2, 3, 4, 5), 2, rng)
    found, expected = tensordot(x, y, axes), np.tensordot(x.full(), y.full(), axes)
    if expected.ndim == 0:
        assert isinstance(found, complex) and found == pytest.approx(complex(expected))
        return
    np.testing.assert_allclose(found.full(), expected, atol=1e-13)


def test_some_modes_with_a_whole_train():
    rng = np.random.default_rng(3)
    x = random_train((4, 5, 6, 7, 3), [1, 3, 4, 4, 2, 1], rng, complex)
    for shape, axes in (
        ((5, 7), ([1, 3], [0, 1])),
        ((7, 5), ([1, 3], [1, 0])),
        ((3,), (4, 0)),
        ((4, 3), ([0, 4], [0, 1])),
    ):
        y = random_train(shape, 2, rng)
        np.testing.assert_allclose(tensordot(x, y, axes).full(), np.tensordot(x.full(), y.full(), axes), atol=1e-13)
        back = (axes[1], axes[0])
        np.testing.assert_allclose(tensordot(y, x, back).full(), np.tensordot(y.full(), x.full(), back), atol=1e-13)
    y = random_train((7, 3, 2), 2, rng)
    np.testing.assert_allclose(tensordot(x, y).full(), np.tensordot(x.full(), y.full(), 2), atol=1e-13)
    with pytest.raises(ValueError, match="do not fit"):
        tensordot(x, y, 1)
    with pytest.raises(IndexError, match="modes"):
        tensordot(x, y, ([5], [0]))
