"""Sums of products as TT operators: exact, of exact TT-ranks, with usable factors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sector_cases import dense_sum

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions, mode_charges, parity_generators
from problems.quantum.hamiltonians.force_field.field import coupled_oscillators, henon_heiles
from problems.quantum.hamiltonians.force_field.operators import operator, product_terms
from problems.quantum.readers.shipped import load_force_field
from solvers.formats.trains.sum_of_products import sum_of_products, sum_of_products_with_error


def matrix_of(a):
    full = a.full()
    rows = int(np.prod(a.row_shape))
    return full.reshape(rows, -1)


def exact_ranks(matrix, shape):
    """Ranks of the unfoldings of a dense operator; those of zero are one, as a train has at least that."""
    d = len(shape)
    tensor = matrix.reshape(*shape, *shape).transpose([i for k in range(d) for i in (k, d + k)])
    ranks = [1]
    for k in range(1, d):
        values = np.linalg.svd(tensor.reshape(np.prod([n * n for n in shape[:k]]), -1), compute_uv=False)
        ranks.append(max(1, int(np.sum(values > 1e-10 * values[0]))))
    return (*ranks, 1)


@st.composite
def sums(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    matrices = []
    for n in shape:
        stack = rng.standard_normal((3, n, n))
        stack[0] = np.eye(n)
        matrices.append(stack)
    count = draw(st.integers(1, 7))
    terms = []
    for _ in range(count):
        product = {k: int(rng.integers(1, 3)) for k in range(len(shape)) if rng.random() < 0.6}
        terms.append((float(rng.integers(-3, 4)) + 0.5, product))
    return matrices, terms


@given(sums())
@settings(max_examples=60, deadline=None)
def test_equal_to_the_sum_and_of_exact_ranks(case):
    matrices, terms = case
    expected = dense_sum(matrices, terms)
    a = sum_of_products(matrices, terms)
    np.testing.assert_allclose(matrix_of(a), expected, atol=1e-11 * max(1.0, np.abs(expected).max()))
    assert a.ranks == exact_ranks(expected, [m.shape[1] for m in matrices])
    for k, core in enumerate(a.cores):
        coefficients, one_mode = a.factors_at(k)
        np.testing.assert_allclose(np.einsum("pab,pij->aijb", coefficients, one_mode), core, atol=1e-12)


def test_dependent_matrices_do_not_raise_the_ranks():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3, 3))
    stack = np.array([np.eye(3), a, b, a + 2 * b - np.eye(3), 1e-9 * b])
    terms = [(1.0, {0: p, 1: q, 2: p}) for p in range(1, 5) for q in range(1, 5)]
    found = sum_of_products([stack] * 3, terms)
    expected = dense_sum([stack] * 3, terms)
    np.testing.assert_allclose(matrix_of(found), expected, rtol=1e-10, atol=1e-11)
    assert max(found.ranks) <= 3


def test_complex_terms():
    y = np.array([[0, -1j], [1j, 0]])
    terms = [(1.0, {0: 1, 1: 1}), (0.5j, {1: 1, 2: 1})]
    stack = np.array([np.eye(2), y])
    found = matrix_of(sum_of_products([stack] * 3, terms))
    np.testing.assert_allclose(found, dense_sum([stack] * 3, terms), atol=1e-14)


def test_known_ranks():
    d = 8
    stack = np.array([np.eye(2), np.diag([1.0, -1.0])])
    assert sum_of_products([stack] * d, [(1.0, {k: 1}) for k in range(d)]).ranks == (1, *[2] * (d - 1), 1)
    chain = [(1.0, {k: 1, k + 1: 1}) for k in range(d - 1)]
    assert sum_of_products([stack] * d, chain).ranks == (1, 2, *[3] * (d - 3), 2, 1)


@pytest.mark.parametrize("field", [coupled_oscillators(9, 0.1), henon_heiles(9, 0.111803)])
def test_model_ranks(field):
    bases = harmonic_functions(field, [5] * 9, np.zeros(9, dtype=np.int64))
    assert operator(product_terms(field, bases, range(9))).ranks == (1, *[3] * 8, 1)


def test_acetonitrile_has_the_published_ranks():
    """Rakhuba and Oseledets, J. Chem. Phys. 145, 124101 (2016), modes by ascending frequency."""
    field = load_force_field("acetonitrile")
    bases = harmonic_functions(field, [6] * 12, mode_charges(parity_generators(field), 12))
    found = operator(product_terms(field, bases, np.argsort(field.frequencies, kind="stable")))
    assert found.ranks == (1, 5, 9, 14, 21, 25, 26, 24, 18, 15, 8, 5, 1)


def test_terms_that_cancel():
    stack = np.array([np.eye(2), np.diag([1.0, 2.0])])
    zero = sum_of_products([stack] * 3, [(1.0, {0: 1}), (-1.0, {0: 1})])
    assert zero.ranks == (1, 1, 1, 1)
    assert not np.any(matrix_of(zero))


def test_refusals():
    stack = np.array([np.eye(2)])
    with pytest.raises(ValueError, match="at least one"):
        sum_of_products([stack], [])
    with pytest.raises(ValueError, match="at least one"):
        sum_of_products([], [(1.0, {})])
    with pytest.raises(ValueError, match="not finite"):
        sum_of_products([stack], [(np.nan, {})])
    with pytest.raises(ValueError, match="mode 1"):
        sum_of_products([stack, np.full((1, 2, 2), np.inf)], [(1.0, {})])
    with pytest.raises(ValueError, match="mode 0"):
        sum_of_products([stack[0]], [(1.0, {})])
    for product in ({0: 1}, {1: 0}, {-1: 0}, {0: -1}):
        with pytest.raises(ValueError, match="no matrix"):
            sum_of_products([stack], [(1.0, product)])


UP = np.array([[0.0, 1.0], [0.0, 0.0]])
SPIN = np.array([np.eye(2), UP @ UP.T, UP.T @ UP, UP + UP.T, 0.5 * (UP + UP.T)])  # 1, S+ S-, S- S+, X, Sx


def test_what_cancels_leaves_no_pivot():
    """Three spins and four terms, once -4.43 for -1.32: round-off of the second mode's products was a pivot."""
    terms = [(-1.0, {1: 1, 2: 3}), (0.3, {0: 2, 1: 4}), (0.3, {0: 1, 1: 4}), (-1.0, {0: 4, 1: 3})]
    found = matrix_of(sum_of_products([SPIN] * 3, terms))
    np.testing.assert_allclose(found, dense_sum([SPIN] * 3, terms), atol=1e-15)
    np.testing.assert_allclose(np.linalg.eigvalsh(found)[:2], [-1.32005, -1.11025], atol=1e-4)


def test_terms_below_round_off_are_dropped_and_counted():
    """Noise of 1e-18 moves no element and no rank; noise of 1e-9 is kept to all its digits."""
    field = load_force_field("acetonitrile")
    order = np.argsort(field.frequencies, kind="stable")
    bases = harmonic_functions(field, [4] * 12, np.zeros(12, dtype=np.int64))
    terms = product_terms(field, bases, order)
    rng = np.random.default_rng(3)
    for size in (1e-18, 1e-9):
        noise = []
        for _ in range(20):
            k, j = rng.permutation(12)[:2]
            noise.append((size * rng.standard_normal(), {int(k): 3, int(j): 1}))
        found, error = sum_of_products_with_error(terms.matrices, [*terms.terms, *noise])
        assert error < 1e-8  # the norms of the terms add up to some 1e6 cm-1
        if size < 1e-12:
            assert found.ranks == operator(terms).ranks
        lacking = found - sum_of_products(terms.matrices, terms.terms)
        only = sum_of_products(terms.matrices, noise)
        assert (lacking - only).norm() <= 1e-15 * found.norm()


@pytest.mark.parametrize("scale", [1e-250, 1e-12, 1e12, 1e250])
def test_all_coefficients_times_a_number(scale):
    rng = np.random.default_rng(5)
    stack = rng.standard_normal((4, 3, 3))
    stack[0] = np.eye(3)
    terms = [(float(rng.standard_normal()), {k: int(p) for k, p in enumerate(rng.integers(0, 4, 4))}) for _ in range(9)]
    plain = matrix_of(sum_of_products([stack] * 4, terms))
    scaled = matrix_of(sum_of_products([stack] * 4, [(scale * c, p) for c, p in terms]))
    np.testing.assert_allclose(scaled / scale, plain, rtol=1e-12, atol=1e-13)


def test_norms_in_the_matrices_are_seen():
    """A row of coefficients of 1e-10 that stands for matrices of 1e12 is the largest."""
    stack = np.array([np.eye(2), np.diag([1.0, 2.0]), 1e12 * UP, 1e-12 * UP.T])
    terms = [(1.0, {0: 1, 1: 1}), (1e-10, {0: 2, 1: 2, 2: 3}), (3.0, {0: 3, 2: 2}), (1e-3, {1: 1, 2: 1})]
    exact = dense_sum([stack] * 3, terms)
    found, error = sum_of_products_with_error([stack] * 3, terms)
    assert np.abs(matrix_of(found) - exact).max() <= min(error, 1e-15 * np.abs(exact).max())


def test_equal_products_are_added_up_exactly():
    terms = [(1e16, {0: 1}), (1.0, {0: 1}), (-1e16, {0: 1}), (0.1, {1: 1}), (0.2, {1: 1}), (-0.3, {1: 1})]
    stack = np.array([np.eye(2), np.diag([1.0, -1.0])])
    found, error = sum_of_products_with_error([stack] * 2, [*terms, (2.0, {0: 1, 1: 1})])
    assert found.ranks == (1, 1, 1)
    np.testing.assert_allclose(np.diag(matrix_of(found)), [2, -2, -2, 2], atol=error)


def test_many_dependent_matrices_are_not_multiplied_out():
    """Strings of 40 projectors beside strings of Z: 2^40 products over independent matrices, so they stay apart."""
    stack = np.array([np.eye(2), np.diag([1.0, 0.0]), np.diag([0.0, 1.0]), np.diag([1.0, -1.0])])
    terms = [(1.0, dict.fromkeys(range(40), p)) for p in (1, 2, 3)]
    found = sum_of_products([stack] * 40, terms)
    assert found.max_rank == 3
    up = np.array([core[:, 0, 0, :] for core in found.cores], dtype=object)
    assert np.linalg.multi_dot(list(up)).item() == pytest.approx(2.0)


def test_beyond_double_precision():
    stack = np.array([np.eye(2), 1e200 * np.diag([1.0, 2.0])])
    with pytest.raises(ValueError, match="rescale"):
        sum_of_products([stack] * 3, [(1.0, {0: 1, 1: 1})])
    with pytest.raises(ValueError, match="rescale"):
        sum_of_products([stack] * 2, [(1e308, {0: 0}), (1e308, {0: 0})])
    found = sum_of_products([stack] * 3, [(1e-300, {0: 1, 1: 1})])
    np.testing.assert_allclose(np.diag(matrix_of(found))[::2], 1e100 * np.array([1, 2, 2, 4]), rtol=1e-14)
