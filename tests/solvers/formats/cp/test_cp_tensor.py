"""The CP format: its arithmetic against dense arrays, and norms where terms cancel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensors_of_known_rank import random_terms

from solvers.formats.cp.tensor import CPTensor, dot, khatri_rao


@given(st.integers(0, 10**6), st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 4), st.integers(1, 3))
def test_arithmetic_is_that_of_dense_arrays(seed, shape, first, second):
    x, y = CPTensor(tuple(random_terms(shape, first, seed))), CPTensor(tuple(random_terms(shape, second, seed + 1)))
    a, b = x.full(), y.full()
    np.testing.assert_allclose((x + y).full(), a + b, atol=1e-12)
    np.testing.assert_allclose((x - 2.5 * y).full(), a - 2.5 * b, atol=1e-12)
    np.testing.assert_allclose((x * y).full(), a * b, atol=1e-12)
    np.testing.assert_allclose((-x).balanced().full(), -a, atol=1e-12)
    np.testing.assert_allclose(x.to_train().full(), a, atol=1e-12)
    assert dot(x, y) == pytest.approx(float((a * b).sum()), abs=1e-11)
    assert x.norm() == pytest.approx(np.linalg.norm(a), abs=1e-12)
    indices = np.argwhere(np.ones(shape))
    np.testing.assert_allclose(x.entries(indices), a.ravel(), atol=1e-12)


def test_term_norms_and_congruence_are_those_of_the_terms():
    x = CPTensor(tuple(random_terms((3, 4, 5), 3, 0)))
    terms = [CPTensor(tuple(u[:, [r]] for u in x.factors)).full().ravel() for r in range(3)]
    np.testing.assert_allclose(x.term_norms(), [np.linalg.norm(t) for t in terms], rtol=1e-13)
    cosines = [[s @ t / np.linalg.norm(s) / np.linalg.norm(t) for t in terms] for s in terms]
    np.testing.assert_allclose(x.congruence(), cosines, atol=1e-13)


def test_the_norm_is_exact_where_terms_cancel():
    """(b + h a)^(x)d / h - b^(x)d / h for orthonormal a, b: the sum of C(d, k) h^(2k-2), terms of norm 1 / h."""
    h, d = 1e-6, 3
    a, b = np.eye(2)
    terms = [np.column_stack([b + h * a, b]) for _ in range(d)]
    terms[0] = terms[0] * np.array([1 / h, -1 / h])
    x = CPTensor(tuple(terms))
    assert x.norm() == pytest.approx(np.sqrt(3 + 3 * h**2 + h**4), rel=1e-9)
    assert x.term_norms().max() == pytest.approx(1 / h, rel=1e-9) and x.least_congruence() == pytest.approx(-1.0)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_scales_far_from_one_are_kept(scale):
    x = CPTensor(tuple(scale ** (1 / 3) * u for u in random_terms((3, 4, 5), 2, 1)))
    y = CPTensor(tuple(random_terms((3, 4, 5), 2, 1)))
    assert x.norm() == pytest.approx(scale * y.norm(), rel=1e-10)
    np.testing.assert_allclose(x.balanced().full(), x.full(), rtol=1e-9)


def test_long_tensors_have_norms_from_gram_matrices():
    x = CPTensor(tuple(random_terms((2,) * 40, 3, 2)))
    assert x.norm() == pytest.approx(np.sqrt(dot(x, x)), rel=1e-10)
    assert x.norm() == pytest.approx(x.to_train().norm(), rel=1e-10)


def test_khatri_rao_has_products_of_rows():
    u, v = random_terms((2, 3), 2, 3)
    np.testing.assert_allclose(khatri_rao([u, v])[4], u[1] * v[1])


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ((), "needs matrices"),
        ((np.ones((2, 2)), np.ones((2, 3))), "as many columns"),
        ((np.ones((2, 0)),), "none empty"),
        ((np.array([[np.inf]]),), "factor 0 contains NaN or infinity"),
        ((np.ones((2, 1)) + 1j,), "real"),
    ],
)
def test_what_is_no_tensor_is_refused(factors, said):
    with pytest.raises(ValueError, match=said):
        CPTensor(factors)


def test_what_does_not_fit_is_refused():
    x, y = CPTensor((np.ones((2, 1)),) * 2), CPTensor((np.ones((3, 1)),) * 2)
    with pytest.raises(ValueError, match="do not fit together"):
        x + y
    with pytest.raises(IndexError, match="outside"):
        x.entries(np.array([[0, 2]]))
    with pytest.raises(ValueError, match="integers of shape"):
        x.entries(np.array([[0.0, 1.0]]))
    with pytest.raises(ValueError, match="max_size"):
        x.full(max_size=3)
