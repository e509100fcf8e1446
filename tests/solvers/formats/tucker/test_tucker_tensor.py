"""The Tucker format and its arithmetic, against dense arrays."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.tucker.convert import from_full
from solvers.formats.tucker.tensor import TuckerTensor, combine, dot, left_singular, multiply, rank_one, separable

QUICK = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def random_tensor(shape, rng, most=5):
    """Any ranks and factors of any columns, also more columns than points."""
    ranks = tuple(int(r) for r in rng.integers(1, most + 1, len(shape)))
    factors = tuple(rng.standard_normal((n, r)) for n, r in zip(shape, ranks, strict=True))
    return TuckerTensor(rng.standard_normal(ranks), factors)


def dense(x):
    """All entries, by one sum for each index of the core."""
    total = np.zeros(x.shape)
    for place in np.ndindex(*x.core.shape):
        columns = [u[:, p] for u, p in zip(x.factors, place, strict=True)]
        total += x.core[place] * reduce(np.multiply.outer, columns)
    return total


@st.composite
def shapes(draw):
    return tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=4)))


@QUICK
@given(shape=shapes(), seed=SEEDS)
def test_entries_blocks_and_fibres(shape, seed):
    rng = np.random.default_rng(seed)
    x = random_tensor(shape, rng)
    truth = dense(x)
    size = np.abs(truth).max() + 1e-300
    assert np.allclose(x.full(), truth, rtol=0, atol=1e-13 * size)
    assert x.norm() == pytest.approx(np.linalg.norm(truth), rel=1e-11)
    rows = [rng.integers(0, n, 4) for n in shape]
    assert np.allclose(x.block(rows), truth[np.ix_(*rows)], rtol=0, atol=1e-13 * size)
    if len(shape) < 2:
        return
    for axis in range(len(shape)):
        rest = [n for m, n in enumerate(shape) if m != axis]
        others = np.column_stack([rng.integers(0, n, 5) for n in rest])
        lines = np.moveaxis(truth, axis, 0)[(slice(None), *others.T)]
        assert np.allclose(x.fibres(axis, others), lines, rtol=0, atol=1e-13 * size)


@QUICK
@given(shape=shapes(), seed=SEEDS, count=st.integers(1, 4))
def test_sums_and_products(shape, seed, count):
    rng = np.random.default_rng(seed)
    terms = [(float(c), random_tensor(shape, rng)) for c in rng.standard_normal(count)]
    truth = sum(c * dense(x) for c, x in terms)
    size = sum(abs(c) * x.norm() for c, x in terms)
    total = combine(terms, tol=1e-14)
    assert np.linalg.norm(total.full() - truth) <= 1e-12 * size
    x, y = terms[0][1], terms[-1][1]
    assert dot(x, y) == pytest.approx(np.vdot(dense(x), dense(y)), abs=1e-11 * x.norm() * y.norm())
    assert np.allclose((2.5 * x).full(), 2.5 * dense(x)) and np.allclose((x * 2.5).full(), 2.5 * dense(x))
    # ranks never exceed the points of an axis, whatever was joined
    assert all(r <= n for r, n in zip(total.ranks, shape, strict=True))


@QUICK
@given(shape=shapes(), seed=SEEDS, tol=st.sampled_from([1e-1, 1e-2, 1e-4, 1e-8]), decay=st.floats(0.5, 4.0))
def test_rounding_keeps_its_tolerance_and_is_quasi_optimal(shape, seed, tol, decay):
    rng = np.random.default_rng(seed)
    grid = np.indices(shape).sum(axis=0)
    array = rng.standard_normal(shape) * np.exp(-decay * grid)
    x = combine([(1.0, from_full(array, 1e-15)), (0.0, random_tensor(shape, rng))], tol=1e-15)
    rounded = x.round(tol)
    error, norm = np.linalg.norm(rounded.full() - array), np.linalg.norm(array)
    assert error <= tol * norm * (1 + 1e-10) + 1e-13 * norm
    # no tensor of these ranks is better than the largest tail of an unfolding; this one is within sqrt(d) of the best
    tails = []
    for m, rank in enumerate(rounded.ranks):
        values = np.linalg.svd(np.moveaxis(array, m, 0).reshape(shape[m], -1), compute_uv=False)
        tails.append(np.linalg.norm(values[rank:]))
    assert error <= np.sqrt(len(shape)) * np.sqrt(np.sum(np.square(tails))) + 1e-12 * norm
    # and no axis has a rank that its share of the tolerance did not need
    for m, rank in enumerate(rounded.ranks):
        values = np.linalg.svd(np.moveaxis(array, m, 0).reshape(shape[m], -1), compute_uv=False)
        assert rank == 1 or np.linalg.norm(values[rank - 1 :]) > (1 - 1e-9) * tol * norm / np.sqrt(len(shape))


@pytest.mark.parametrize("tol", [1e-2, 1e-5, 1e-9])
def test_ranks_of_a_known_decay(tol):
    """Orthogonal directions of sizes 2^-k along the diagonal: the rank follows from the tolerance."""
    sizes = 0.5 ** np.arange(40)
    core = np.zeros((40, 40, 40))
    core[range(40), range(40), range(40)] = sizes
    rng = np.random.default_rng(1)
    bases = tuple(np.linalg.qr(rng.standard_normal((64, 40)))[0] for _ in range(3))
    x = TuckerTensor(core, bases)
    rounded = x.round(tol)
    tails = np.sqrt(np.cumsum(sizes[::-1] ** 2))[::-1]
    expected = int(np.sum(tails > tol * np.linalg.norm(sizes) / np.sqrt(3)))
    assert rounded.ranks == (expected,) * 3
    assert np.linalg.norm(rounded.full() - x.full()) <= tol * x.norm()


def test_scale_is_what_the_tolerance_is_relative_to():
    rng = np.random.default_rng(3)
    array = rng.standard_normal((12, 12, 12)) * np.exp(-np.indices((12, 12, 12)).sum(axis=0))
    x = from_full(array, 1e-15)
    norm = x.norm()
    coarse = combine([(1.0, x)], tol=1e-6, scale=1e4 * norm)
    assert 1e-6 * norm < np.linalg.norm(coarse.full() - array) <= 1e-2 * norm
    assert coarse.ranks == combine([(1.0, x)], tol=1e-2).ranks
    # two tensors that cancel: relative to their size one is left, relative to the difference all digits are kept
    y = combine([(1.0, x), (1e-7, from_full(rng.standard_normal((12, 12, 12))))], tol=1e-15)
    terms = [(1.0, x), (-1.0, y)]
    difference = x.full() - y.full()
    assert np.linalg.norm(combine(terms, tol=1e-3).full() - difference) <= 1e-3 * np.linalg.norm(difference)
    assert max(combine(terms, tol=1e-3, scale=norm).ranks) == 1


def test_the_cap_on_the_rank():
    rng = np.random.default_rng(4)
    x = from_full(rng.standard_normal((9, 8, 7)))
    capped = x.round(1e-12, max_rank=3)
    assert capped.ranks == (3, 3, 3)
    best = [np.linalg.svd(np.moveaxis(x.full(), m, 0).reshape(n, -1))[1][3:] for m, n in enumerate(x.shape)]
    assert np.linalg.norm(capped.full() - x.full()) <= np.sqrt(sum(np.sum(s**2) for s in best)) * (1 + 1e-12)


@QUICK
@given(shape=shapes(), seed=SEEDS, terms=st.integers(1, 30))
def test_separable_is_the_sum_of_products(shape, seed, terms):
    rng = np.random.default_rng(seed)
    factors = [rng.standard_normal((n, terms)) for n in shape]
    weights = rng.standard_normal(terms)
    truth = np.zeros(shape)
    for k in range(terms):
        truth += weights[k] * reduce(np.multiply.outer, [f[:, k] for f in factors])
    x = separable(factors, weights)
    size = sum(abs(weights[k]) * np.prod([np.linalg.norm(f[:, k]) for f in factors]) for k in range(terms))
    assert np.linalg.norm(x.full() - truth) <= 1e-12 * size
    assert all(r <= min(n, terms) for r, n in zip(x.ranks, shape, strict=True))


def test_separable_of_many_terms_on_few_places():
    """A lattice of 6^3 Gaussians: only 6 distinct columns an axis."""
    x = np.linspace(-8, 8, 50)
    lines = np.exp(-((x[:, None] - np.arange(-5, 6, 2)) ** 2))
    places = np.indices((6, 6, 6)).reshape(3, -1)
    tensor = separable([lines[:, p] for p in places], np.ones(216))
    assert tensor.ranks == (1, 1, 1)
    assert np.allclose(tensor.full(), reduce(np.multiply.outer, [lines.sum(axis=1)] * 3))


def test_maps_of_the_axes():
    rng = np.random.default_rng(5)
    x, a = random_tensor((5, 6, 4), rng), rng.standard_normal((3, 6))
    mapped = x.mapped([None, lambda u: a @ u, lambda u: np.cumsum(u, axis=0)])
    assert mapped.shape == (5, 3, 4)
    truth = np.cumsum(np.einsum("ijk,lj->ilk", x.full(), a), axis=2)
    assert np.allclose(mapped.full(), truth)
    assert np.allclose(multiply(x.core, [None, x.factors[1], None]), np.einsum("abc,jb->ajc", x.core, x.factors[1]))


def test_rank_one():
    vectors = [np.arange(1.0, 4.0), np.arange(2.0), np.ones(5)]
    x = rank_one(vectors)
    assert x.ranks == (1, 1, 1) and x.size == 1 + 3 + 2 + 5
    assert np.array_equal(x.full(), reduce(np.multiply.outer, vectors))


@pytest.mark.parametrize("wide", [False, True])
def test_left_singular_vectors_of_wide_matrices(wide):
    matrix = np.random.default_rng(6).standard_normal((5, 200 if wide else 7))
    u, s = left_singular(matrix)
    assert np.allclose(s, np.linalg.svd(matrix, compute_uv=False))
    assert np.allclose(u.T @ u, np.eye(5)) and np.allclose(np.linalg.norm(u.T @ matrix, axis=1), s)


def test_zero_stays_zero():
    x = rank_one([np.ones(4), np.zeros(4), np.ones(4)])
    rounded = x.round(1e-8)
    assert rounded.ranks == (1, 1, 1) and rounded.norm() == 0.0
    assert combine([(1.0, x), (-3.0, x)]).norm() == 0.0
    assert separable([np.zeros((4, 2))] * 3, np.ones(2)).norm() == 0.0


def test_a_tensor_does_not_change():
    core, factor = np.ones((1, 1)), np.ones((3, 1))
    x = TuckerTensor(core, (factor, factor))
    core[0, 0] = factor[0, 0] = 7.0
    assert x.full().max() == 1.0
    with pytest.raises(ValueError, match="read-only"):
        x.core[0, 0] = 2.0


def test_what_is_refused():
    good = np.ones((4, 2))
    with pytest.raises(ValueError, match="as many factor matrices"):
        TuckerTensor(np.ones((2, 2, 2)), (good, good))
    with pytest.raises(ValueError, match="columns"):
        TuckerTensor(np.ones((2, 3)), (good, good))
    with pytest.raises(ValueError, match="NaN"):
        TuckerTensor(np.full((2, 2), np.nan), (good, good))
    with pytest.raises(ValueError, match="one shape"):
        combine([(1.0, rank_one([np.ones(3)] * 2)), (1.0, rank_one([np.ones(4)] * 2))])
    with pytest.raises(ValueError, match="at least one"):
        combine([])
    with pytest.raises(ValueError):
        rank_one([np.ones(2000)] * 3).full()
