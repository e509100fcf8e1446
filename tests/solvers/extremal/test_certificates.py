"""Closed forms, counts and bounds of (p, q)-norms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.extremal.certificates import closed, dual, dual_vectors, ratio_bound, unique, upper_bound, vector_norms
from solvers.extremal.pq_norm import pq_norm

EXPONENTS = [1.0, 1.3, 2.0, 4.0, math.inf]


@pytest.mark.parametrize("p", EXPONENTS)
def test_dual_vectors_attain_the_norm(p):
    x = np.random.default_rng(0).standard_normal((5, 7))
    y = dual_vectors(x, p)
    np.testing.assert_allclose(vector_norms(y, dual(p)), 1.0, rtol=1e-14)
    np.testing.assert_allclose((x * y).sum(axis=0), vector_norms(x, p), rtol=1e-14)
    np.testing.assert_allclose(vector_norms(x, p), [np.linalg.norm(c, p) for c in x.T], rtol=1e-14)
    assert vector_norms(1e-200 * np.ones((2, 1)), 4.0)[0] == pytest.approx(2**0.25 * 1e-200)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(EXPONENTS), st.sampled_from(EXPONENTS))
def test_bounds_from_above_are_above_and_closed_forms_are_reached(seed, p, q):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((4, 5))
    best = closed(a, p, q)
    v = rng.standard_normal((5, 300))
    values = vector_norms(a @ v, q) / vector_norms(v, p)
    assert values.max() <= upper_bound(a, p, q) * (1 + 1e-12)
    if best is not None:
        assert np.linalg.norm(best.vector, p) == pytest.approx(1.0)
        assert np.linalg.norm(a @ best.vector, q) == pytest.approx(best.value, rel=1e-12)
        assert values.max() <= best.value * (1 + 1e-12)


def test_signs_of_the_image_are_counted_by_duality():
    a = np.random.default_rng(1).standard_normal((4, 40))
    found = closed(a, 3.0, 1.0)
    assert found is not None and "duality" in found.how
    assert pq_norm(a, 3.0, 1.0).value == found.value
    v = np.random.default_rng(2).standard_normal((40, 500))
    assert (vector_norms(a @ v, 1.0) / vector_norms(v, 3.0)).max() <= found.value


def test_uniqueness_asks_for_one_sign_one_piece_and_ordered_exponents():
    a = np.abs(np.random.default_rng(0).standard_normal((4, 4)))
    assert unique(a, 3.0, 2.0) and unique(-a, 3.0, 3.0)
    assert not unique(a, 2.0, 3.0) and not unique(a - 1.0, 3.0, 2.0)
    assert not unique(np.kron(np.eye(2), a), 3.0, 3.0)


def test_ratios_bound_from_above_and_meet_at_the_singular_vector():
    a = np.abs(np.random.default_rng(0).standard_normal((5, 4)))
    found = pq_norm(a, 3.0, 3.0)
    assert ratio_bound(a, np.ones(4), 3.0) > found.value
    assert ratio_bound(a, found.vector, 3.0) == pytest.approx(found.value, rel=1e-7)
    assert ratio_bound(a, np.array([1.0, 0.0, 1.0, 1.0]), 3.0) == math.inf
