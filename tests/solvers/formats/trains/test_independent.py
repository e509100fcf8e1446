"""Dependent one-mode matrices expressed by independent ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.trains.independent import LARGEST_WEIGHT, exact_sum, independent, multiplied_out, schur_norms


def expressed(stack, expansion):
    return sum((c * stack[p] for p, c in expansion), np.zeros(stack.shape[1:]))


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 9), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_matrix_is_what_its_expression_says(seed, n, count, scaled):
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, n * n + 1))
    stack = np.tensordot(rng.standard_normal((count, rank)), rng.standard_normal((rank, n, n)), 1)
    if scaled:
        stack *= 10.0 ** rng.integers(-150, 150, size=count)[:, None, None]
    expansions, left = independent(stack, range(count))
    kept = [p for p, one in expansions.items() if one == [(p, 1.0)]]
    assert len(kept) == np.linalg.matrix_rank(stack.reshape(count, -1) / np.linalg.norm(stack, axis=(1, 2))[:, None])
    for p, one in expansions.items():
        size = max([np.abs(c * stack[j]).max() for j, c in one])
        assert np.abs(expressed(stack, one) - stack[p]).max() <= left[p] * (1 + 1e-12) + 1e-15 * size
        assert left[p] <= 1e-13 * n * np.linalg.norm(stack[p])


def test_the_first_are_kept_and_zero_is_nothing():
    stack = np.array([np.eye(2), np.diag([1.0, -1.0]), np.diag([1.0, 0.0]), np.zeros((2, 2))])
    expansions, _ = independent(stack, range(4))
    assert expansions[0] == [(0, 1.0)]
    assert expansions[1] == [(1, 1.0)]
    assert expansions[2] == [(0, pytest.approx(0.5)), (1, pytest.approx(0.5))]
    assert expansions[3] == []
    assert independent(stack, [2, 3])[0] == {2: [(2, 1.0)], 3: []}


def test_what_costs_digits_is_kept_apart():
    """Known only by a difference of 1e-8, a matrix would lose half of its digits: taken itself, nothing is lost."""
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 1.0], [1.0, 1.0]])
    stack = np.array([a, a + 1e-8 * b, b])
    expansions, left = independent(stack, range(3))
    assert max(abs(c) for one in expansions.values() for _, c in one) <= LARGEST_WEIGHT
    for p in range(3):
        np.testing.assert_allclose(expressed(stack, expansions[p]), stack[p], rtol=1e-15, atol=1e-15)
        assert left[p] <= 1e-15


def test_norms_bound_the_operator_norm():
    rng = np.random.default_rng(1)
    stack = rng.standard_normal((20, 4, 4))
    assert np.all(schur_norms(stack) >= np.linalg.norm(stack, 2, axis=(1, 2)) * (1 - 1e-14))
    np.testing.assert_allclose(schur_norms(np.array([np.diag([3.0, -4.0])])), [4.0])


def test_products_that_cancel_are_dropped_and_counted():
    stack = np.array([np.eye(2), np.diag([1.0, 0.0]), np.diag([0.0, 1.0])])
    expansions, _ = independent(stack, range(3))
    keys = np.array([[1, 0], [2, 0], [0, 0], [0, 1]])
    norms = [schur_norms(stack)] * 2
    out = multiplied_out(keys, np.array([0.1, 0.1, -0.1, 2.0]), [expansions] * 2, norms)
    found, values, dropped = out
    assert found.tolist() == [[0, 1]]
    assert values.tolist() == [2.0]
    assert dropped <= 1e-16


def test_sums_are_rounded_once():
    assert exact_sum([1e16, 1.0, -1e16]) == 1.0
    assert exact_sum([1e16 + 1e16j, 1.0, -1e16 - 1e16j]) == 1.0
    assert exact_sum([1e308, 1e308]) == np.inf
