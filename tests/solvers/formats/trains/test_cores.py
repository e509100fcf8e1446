"""Scalars from both sides, broadcasting, powers; operators entry by entry and times dense arrays, against numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train_strategies import DTYPES, operators_of, trains_of

from solvers.formats.trains.construct import identity_operator, ones, random_train
from solvers.formats.trains.contraction import applied
from solvers.formats.trains.cores import aligned, as_scalar, contracted
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot

SCALARS = st.sampled_from([1.0, -2, 0, 1.5 - 2j, np.float64(0.3), np.array(2.0), np.int64(3), True, np.float32(0.5)])
few = settings(max_examples=20, deadline=None)


@few
@given(trains_of((2, 1, 3)), SCALARS)
def test_scalars_from_both_sides(x, scalar):
    a = x.full()
    for found, expected in (
        (x + scalar, a + scalar),
        (scalar + x, scalar + a),
        (x - scalar, a - scalar),
        (scalar - x, scalar - a),
        (scalar * x, scalar * a),
    ):
        np.testing.assert_allclose(found.full(), expected, atol=1e-13 * (1.0 + np.abs(a).max()))
        assert found.max_rank <= x.max_rank + 1


@few
@given(DTYPES, st.sampled_from([((4, 5, 6), (1, 1, 6)), ((2, 4, 5, 6), (1, 1, 6)), ((3,), (2, 1)), ((2, 1), (1, 3))]))
def test_broadcasting_is_that_of_numpy(dtype, shapes):
    rng = np.random.default_rng(0)
    x, y = random_train(shapes[0], 2, rng, dtype), random_train(shapes[1], 3, rng)
    a, b = x.full(), y.full()
    for found, expected in ((x + y, a + b), (y - x, b - a), (x * y, a * b)):
        np.testing.assert_allclose(found.full(), expected, atol=1e-13)


def test_powers_and_what_is_no_operand():
    x = random_train((2, 3), 2, np.random.default_rng(1))
    for power in range(4):
        np.testing.assert_allclose((x**power).full(), x.full() ** power, atol=1e-14)
    for bad in (0.5, -1):
        with pytest.raises(TypeError, match="whole number"):
            x**bad
    for act in (lambda: x + "a", lambda: x - None, lambda: np.ones((2, 3)) + x, lambda: x + np.ones(3)):
        with pytest.raises(TypeError):
            act()
    for act in (lambda: x + np.nan, lambda: np.inf - x, lambda: x * np.nan):
        with pytest.raises(ValueError, match="not finite"):
            act()
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\) do not fit"):
        x + ones((3, 2))
    assert as_scalar("1") is None and as_scalar(np.True_) == 1
    with pytest.raises(TypeError, match="no operand here"):
        as_scalar(np.ones(1))


@few
@given(operators_of((2, 3), (3, 1)), operators_of((2, 3), (3, 1)), SCALARS)
def test_operators_entry_by_entry(a, b, scalar):
    p, q = a.full(), b.full()
    for found, expected in (
        (a * b, p * q),
        (a + scalar, p + scalar),
        (scalar + a, p + scalar),
        (a - scalar, p - scalar),
        (scalar - a, scalar - p),
        (a / 2.0, p / 2.0),
    ):
        np.testing.assert_allclose(found.full(), expected, atol=1e-13 * (1.0 + np.abs(p).max() * np.abs(q).max()))
    wide = operators_shape_one() * a
    np.testing.assert_allclose(wide.full(), 2.0 * p, atol=1e-13)
    with pytest.raises(ZeroDivisionError):
        a / 0


def operators_shape_one():
    return TTOperator((np.full((1, 1, 1, 1), 2.0), np.ones((1, 1, 1, 1))))


@few
@given(operators_of((4, 1, 2), (2, 3, 2)), DTYPES)
def test_operators_times_dense_arrays(a, dtype):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((5, 2, 3, 2)).astype(dtype)
    dense = a.full()
    expected = (x.reshape(5, -1) @ dense.T).reshape(5, 4, 1, 2)
    size = 1e-13 * (1.0 + np.abs(expected).max())
    np.testing.assert_allclose(a @ x, expected, atol=size)
    np.testing.assert_allclose(a @ x[0], expected[0], atol=size)
    np.testing.assert_allclose(a @ x[0].ravel(), expected[0].ravel(), atol=size)
    np.testing.assert_allclose(applied(a.cores, x[:0]), expected[:0])
    y = rng.standard_normal((4, 1, 2))
    np.testing.assert_allclose(y @ a, (dense.T @ y.ravel()).reshape(2, 3, 2), atol=size * 10)
    with pytest.raises(ValueError, match="does not fit"):
        a @ np.ones((2, 2, 3))


def test_trains_times_operators_traces_and_diagonals():
    rng = np.random.default_rng(3)
    a = TTOperator((rng.standard_normal((1, 2, 2, 3)), rng.standard_normal((3, 4, 4, 1))))
    x = random_train((2, 4), 2, rng, complex)
    np.testing.assert_allclose((x @ a).full().ravel(), a.full().T @ x.full().ravel(), atol=1e-13)
    assert a.trace() == pytest.approx(np.trace(a.full()))
    np.testing.assert_allclose(a.diagonal().full().ravel(), np.diag(a.full()), atol=1e-14)
    assert identity_operator((2,) * 40).trace() == 2.0**40
    assert (identity_operator((2,) * 2000) * 1e-300).log_norm() == pytest.approx(np.log(2.0) * 1000 - 300 * np.log(10))
    with pytest.raises(ValueError, match="no diagonal"):
        TTOperator((np.ones((1, 2, 3, 1)),)).trace()


def test_aligned_cores_are_views():
    x, y = ones((1, 3)), ones((4, 3))
    p, q = aligned(x.cores, y.cores)
    assert p[0].shape == (1, 4, 1) and np.shares_memory(p[0], x.cores[0]) and q[0].shape == (1, 4, 1)


def test_the_way_to_an_entry_may_leave_double_precision():
    """Cores diag(1, 2^-80), then diag(1, 2^80), of which the second index is used: partial products reach 2^-2400."""
    small, large = (np.array([[[1.0], [0.0]], [[0.0], [p]]]).transpose(0, 2, 1) for p in (2.0**-80, 2.0**80))
    ends = np.array([[[0.0, 1.0]]]), np.array([[[0.0]], [[1.0]]])
    x = TensorTrain((ends[0], *[small] * 30, *[large] * 30, ends[1]))
    where = np.zeros((2, x.d), dtype=int)
    for train in (x, x * ones(x.shape), x * 1.0, x + 0.0 * x):
        np.testing.assert_array_equal(train.entries(where), 1.0)
        assert contracted(train.cores) == 1.0 and train.norm() == 1.0 and dot(train, x) == 1.0
        assert train.round(1e-10).entries(where)[0] == pytest.approx(1.0, abs=1e-12)
        assert train.entries(where[:0]).shape == (0,)


def test_entries_of_all_sizes_beside_each_other():
    """Partial products of one entry are 2^-2400, those of the other are 1; the entries are 1."""
    small, large = (np.array([[[1.0], [p]]]) for p in (2.0**-80, 2.0**80))
    x = TensorTrain((*[small] * 30, *[large] * 30))
    where = np.array([[0] * 60, [1] * 60, [0] * 59 + [1]])
    np.testing.assert_array_equal(x.entries(where), [1.0, 1.0, 2.0**80])
    halves = TensorTrain((*[small] * 6, *[small[:, 1:] * 2.0**-40] * 20, *[1.0 / small[:, 1:] * 2.0**40] * 20))
    np.testing.assert_array_equal(halves.full().reshape(-1), np.ldexp(1.0, [-80 * i.bit_count() for i in range(64)]))
