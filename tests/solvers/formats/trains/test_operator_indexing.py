"""Rows and columns of operators by indices and slices: against the dense array."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

ROWS, COLUMNS = (2, 3, 4), (3, 2, 4)
RANKS, RNG = (1, 3, 2, 1), np.random.default_rng(0)
A = TTOperator(tuple(RNG.standard_normal(core) for core in zip(RANKS, ROWS, COLUMNS, RANKS[1:])))
FULL = A.full().reshape(ROWS + COLUMNS)
INDICES = st.one_of(st.integers(-2, 1), st.slices(2), st.just(slice(None, None, -1)))


def wide(key):
    """Integers as slices of one, for the dense array."""
    return tuple(slice(k, None if k == -1 else k + 1) if isinstance(k, int) else k for k in key)


@given(rows=st.tuples(INDICES, INDICES, INDICES), columns=st.tuples(INDICES, INDICES, INDICES))
@settings(max_examples=25, deadline=None)
def test_keys_are_those_of_the_dense_array(rows, columns):
    exact = FULL[wide(rows) + wide(columns)]
    if exact.size == 0:
        with pytest.raises(ValueError, match="selects nothing"):
            A[rows, columns]
        return
    found = A[rows, columns]
    if isinstance(found, TTOperator):
        dense = found.full()
        assert dense.shape == (np.prod(exact.shape[:3]), np.prod(exact.shape[3:]))
    elif isinstance(found, TensorTrain):
        dense = found.full()
        assert all(isinstance(k, int) for k in rows) or all(isinstance(k, int) for k in columns)
    else:
        dense = np.array(found)
    np.testing.assert_allclose(dense.ravel(), exact.ravel(), atol=1e-13)


def test_rows_columns_entries_and_vectors():
    np.testing.assert_allclose(A[(1, 2, 0), :].full(), FULL[1, 2, 0])
    np.testing.assert_allclose(A[..., (2, 1, 3)].full(), FULL[..., 2, 1, 3])
    assert A[(1, 2, 0), (2, 1, 3)] == pytest.approx(FULL[1, 2, 0, 2, 1, 3])
    part = A[(slice(None), [2, 0], 1), (..., 3)]
    assert part.shape == ((2, 2), (3, 2))
    np.testing.assert_allclose(part.full().ravel(), FULL[:, :, 1, :, :, 3][:, [2, 0]].ravel())
    assert A[1, 0].row_shape == (3, 4)


@pytest.mark.parametrize(
    ("key", "error", "text"),
    [
        (0, IndexError, "rows and those of its columns"),
        ((0, 0, 0), IndexError, "rows and those of its columns"),
        (((0, 0, 0, 0), 0), IndexError, "too many"),
        ((2, 0), IndexError, "out of range"),
        (((None, 0), 0), IndexError, "reshape"),
        ((([0], [0]), 0), ValueError, "one vector of integers for the rows"),
        ((1.5, 0), IndexError, "an index is"),
    ],
)
def test_what_is_no_key_is_told(key, error, text):
    with pytest.raises(error, match=text):
        A[key]
