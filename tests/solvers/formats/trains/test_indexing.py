"""Indices of trains against those of numpy: what numpy gives, or one line why not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.trains.construct import ones, random_train
from solvers.formats.trains.indexing import indexed
from solvers.formats.trains.tensor_train import TensorTrain

SHAPE = (2, 3, 4, 5)
X = random_train(SHAPE, 3, np.random.default_rng(0), np.complex128)
A = X.full()


@st.composite
def keys(draw):
    """A key of numpy without vectors, and one vector of integers or a mask perhaps."""
    key = []
    for n in SHAPE:
        part = draw(st.sampled_from(["int", "slice", "all"]))
        if part == "int":
            key.append(draw(st.integers(-n, n - 1)))
        elif part == "slice":
            start = draw(st.integers(0, n - 1))
            key.append(draw(st.sampled_from([slice(start, None), slice(start, None, -1), slice(None, start + 1, 2)])))
        else:
            key.append(slice(None))
        if draw(st.integers(0, 4)) == 0:
            key.append(None)
    cut = draw(st.integers(0, len(key)))
    if draw(st.booleans()):
        key = [*key[:cut], Ellipsis] if draw(st.booleans()) else [Ellipsis, *key[cut:]]
    return tuple(key)


@settings(max_examples=30, deadline=None)
@given(keys())
def test_integers_slices_none_and_ellipsis(key):
    found, expected = X[key], A[key]
    if expected.ndim == 0:
        assert isinstance(found, complex) and found == pytest.approx(complex(expected), abs=1e-14)
        return
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.full(), expected, atol=1e-14)
    assert found.max_rank <= X.max_rank


@pytest.mark.parametrize(
    "key",
    [
        ([1, 0, 1],),
        (slice(None), [2, -1, 0, 0]),
        (slice(None), np.array([True, False, True])),
        (Ellipsis, np.array([4, 4]), None),
        ([0, 1], [2, 1]),
        (slice(None), [0, 2], [1, 3], slice(None, None, 2)),
        (1, [0, 2], [1, 3], [4, 4]),
        (slice(None), [0, 2], 1),
        ([0], [1, 2]),
        np.int64(-1),
        np.array(1),
        range(2),
    ],
)
def test_vectors_of_integers(key):
    found = X[key]
    expected = A[tuple(list(k) if isinstance(k, range) else k for k in key) if isinstance(key, tuple) else key]
    np.testing.assert_allclose(found.full(), expected, atol=1e-14)
    assert found.max_rank <= X.max_rank


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (2, IndexError, "out of range for mode 0 of size 2"),
        ((0, -4), IndexError, "out of range for mode 1"),
        (([0, 7],), IndexError, "out of range"),
        ((0, 0, 0, 0, 0), IndexError, "5 indices are too many for 4"),
        ((..., 0, ...), IndexError, "one Ellipsis"),
        (1.0, IndexError, "not 1.0"),
        (True, IndexError, "not True"),
        ("a", IndexError, "not 'a'"),
        ((np.ones((2, 2), dtype=int),), IndexError, "entries"),
        (([0.0, 1.0],), IndexError, "vector of integers"),
        (([],), ValueError, "selects nothing"),
        ((slice(2, 2),), ValueError, "nothing of mode 0"),
        ((np.array([False, False]),), ValueError, "selects nothing"),
        ((np.array([True]),), IndexError, "mask of 1 does not fit a mode of size 2"),
        (([0, 1], slice(None), [0, 1]), ValueError, "two steps"),
        ((0, slice(None), [0, 1]), ValueError, "two steps"),
        (([0, 1], [0, 1, 2]), IndexError, "together"),
    ],
)
def test_what_is_no_index(key, error, words):
    with pytest.raises(error, match=words):
        X[key]


def test_one_mode_and_many():
    x = TensorTrain((np.arange(5.0).reshape(1, 5, 1),))
    assert x[3] == 3.0 and list(x) == [0.0, 1.0, 2.0, 3.0, 4.0] and x[None].shape == (1, 5) and x[::2].shape == (3,)
    long = ones((2,) * 1000) * 3.0
    assert long[(0,) * 1000] == 3.0 and long[(0,) * 999].shape == (2,)
    (core,) = indexed(long.cores, (0,) * 500 + (slice(None),) + (1,) * 499)
    np.testing.assert_array_equal(core[0, :, 0], [3.0, 3.0])
