"""The hierarchical Tucker format: arithmetic against dense arrays, truncation within its bound, any tree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.hierarchical.tensor import HierarchicalTensor, dot, random_tree
from solvers.formats.hierarchical.tree import balanced, checked, levels, linear, modes_of, nodes, text
from solvers.formats.hierarchical.truncation import error_bound, truncate, unfolding_values

TREES = [balanced(4), linear(4), ((0, 2), (3, 1)), (2, ((0, 3), 1))]
SHAPE = (3, 4, 2, 5)


def any_tree(rng, modes):
    if len(modes) == 1:
        return modes[0]
    cut = int(rng.integers(1, len(modes)))
    modes = list(rng.permutation(modes))
    return any_tree(rng, [int(m) for m in modes[:cut]]), any_tree(rng, [int(m) for m in modes[cut:]])


@given(st.integers(0, 10**6), st.integers(2, 5), st.sampled_from([0.0, 1e-3, 0.1, 0.5]), st.sampled_from([None, 1, 2]))
@settings(max_examples=40)
def test_the_error_of_a_truncation_is_below_its_bound(seed, d, tol, max_rank):
    """On any tree, of full and of nearly low rank; the bound is what was discarded, at most that of the unfoldings."""
    rng = np.random.default_rng(seed)
    shape, tree = tuple(int(n) for n in rng.integers(1, 5, d)), any_tree(rng, list(range(d)))
    array = random_tree(shape, 2, tree, rng).full() + 10.0 ** rng.integers(-9, 1) * rng.standard_normal(shape)
    norm = np.linalg.norm(array)
    found = truncate(array, tol, tree=tree, max_rank=max_rank)
    error = np.linalg.norm(found.value.full() - array)
    guaranteed = error_bound(unfolding_values(array, tree), found.value.ranks, tree)
    assert error == pytest.approx(found.bound * norm, abs=1e-12 * norm)
    assert error <= guaranteed + 1e-12 * norm
    assert max_rank is not None or error <= tol * norm + 1e-12 * norm
    assert max_rank is None or found.value.max_rank <= max_rank


@given(st.integers(0, 10**6), st.integers(2, 5), st.sampled_from([1e-13, 1e-3, 0.2]), st.sampled_from([None, 1, 3]))
@settings(max_examples=40)
def test_rounding_keeps_its_bound(seed, d, tol, max_rank):
    rng = np.random.default_rng(seed)
    shape, tree = tuple(int(n) for n in rng.integers(1, 5, d)), any_tree(rng, list(range(d)))
    x = random_tree(shape, 2, tree, rng) + 1e-2 * random_tree(shape, 2, tree, rng)
    y, bound = x.round_with_bound(tol, max_rank)
    error = np.linalg.norm(y.full() - x.full()) / x.norm()
    assert error <= bound + 1e-12
    assert max_rank is not None or bound <= tol
    guaranteed = error_bound(unfolding_values(x.full(), tree), y.ranks, tree) / x.norm()
    assert bound <= guaranteed + 1e-12


@pytest.mark.parametrize("tree", TREES, ids=text)
def test_arithmetic_is_that_of_dense_arrays(tree):
    rng = np.random.default_rng(0)
    x, y = random_tree(SHAPE, 2, tree, rng), random_tree(SHAPE, 3, tree, rng)
    a, b = x.full(), y.full()
    np.testing.assert_allclose((x + y).full(), a + b, atol=1e-12)
    np.testing.assert_allclose((2.0 * x - y).full(), 2 * a - b, atol=1e-12)
    np.testing.assert_allclose((x * y).full(), a * b, atol=1e-11)
    assert dot(x, y) == pytest.approx(float((a * b).sum()), rel=1e-12)
    assert x.norm() == pytest.approx(np.linalg.norm(a), rel=1e-13)
    np.testing.assert_allclose(x.entries(np.argwhere(np.ones(SHAPE))), a.ravel(), atol=1e-12)


@pytest.mark.parametrize("tree", TREES, ids=text)
def test_a_sum_with_itself_is_rounded_to_the_ranks_it_has(tree):
    x = random_tree(SHAPE, 2, tree, np.random.default_rng(1))
    twice = (x + x).round()
    assert twice.ranks == x.round().ranks and twice.max_rank <= 2 < (x + x).max_rank
    assert (twice - 2.0 * x).norm() < 1e-12 * x.norm()
    assert (x - x).norm() < 1e-13 * x.norm()


def test_small_singular_values_keep_their_digits():
    """A second term of 1e-10 is kept at 1e-11; Gram matrices would lose it."""
    rng = np.random.default_rng(2)
    x, y = random_tree((4,) * 6, 1, balanced(6), rng), random_tree((4,) * 6, 1, balanced(6), rng)
    z = x + (1e-10 * x.norm() / y.norm()) * y
    kept = z.round(1e-11)
    assert set(list(kept.ranks.values())[:-1]) == {2} and (kept - z).norm() < 1e-11 * x.norm()
    assert z.round(1e-9).max_rank == 1


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_scales_change_nothing(scale):
    array = random_tree(SHAPE, 2, balanced(4), np.random.default_rng(3)).full()
    found = truncate(scale * array, 1e-10)
    assert found.value.ranks == truncate(array, 1e-10).value.ranks
    np.testing.assert_allclose(found.value.full(), scale * array, rtol=0, atol=1e-10 * scale * np.abs(array).max())
    assert found.value.norm() == pytest.approx(scale * np.linalg.norm(array), rel=1e-10)


@pytest.mark.parametrize("array", [np.zeros((3, 2, 4)), np.full((2, 3, 4), 5.0)])
def test_constant_arrays_have_ranks_one(array):
    found = truncate(array).value
    assert found.max_rank == 1
    np.testing.assert_allclose(found.full(), array, atol=1e-14)
    np.testing.assert_allclose(found.round().full(), array, atol=1e-14)


def test_trees():
    assert balanced(5) == (((0, 1), 2), (3, 4)) and linear(3) == (0, (1, 2)) and text(linear(3)) == "(1 (2 3))"
    assert [len(depth) for depth in levels(balanced(8))] == [1, 2, 4, 8]
    assert list(nodes(((0, 1), 2))) == [0, 1, (0, 1), 2, ((0, 1), 2)] and modes_of((2, (0, 1))) == (2, 0, 1)
    assert checked([[0, 1], 2], 3) == ((0, 1), 2)


@pytest.mark.parametrize("tree", [(0, 1), ((0, 1), 1), "01", ((0, 1, 2),), (0, (1, 3)), (0, (1, True))])
def test_wrong_trees_are_refused(tree):
    with pytest.raises(ValueError, match=r"tree"):
        truncate(np.ones((2, 2, 2)), tree=tree)


def test_what_cannot_be_truncated_is_refused():
    for array, said in (
        (np.ones(3), "two axes"),
        (np.ones((2, 0)), "with entries"),
        (np.ones((2, 2)) * 1j, "real"),
        (np.array([[np.inf, 1.0]]), "NaN or infinity"),
    ):
        with pytest.raises(ValueError, match=said):
            truncate(array)
    with pytest.raises(TypeError, match="the array"):
        truncate(np.array([["a"]]))
    with pytest.raises(ValueError, match="tol"):
        truncate(np.ones((2, 2)), 1.5)


def test_nodes_that_do_not_fit_are_refused():
    leaves = (np.ones((2, 1)), np.ones((3, 2)))
    for made, said in (
        (lambda: HierarchicalTensor((0, 1), leaves, (np.ones((2, 2, 1)),)), "does not fit the ranks"),
        (lambda: HierarchicalTensor((0, 1), leaves, (np.ones((1, 2, 2)),)), "one column"),
        (lambda: HierarchicalTensor((0, 1), leaves, ()), "transfer tensors"),
        (lambda: HierarchicalTensor((0, 1), leaves, (np.ones((1, 2)),)), "axes"),
    ):
        with pytest.raises(ValueError, match=said):
            made()
    x = HierarchicalTensor((0, 1), leaves, (np.ones((1, 2, 1)),))
    with pytest.raises(ValueError, match="do not fit together"):
        x + random_tree((2, 2), 1, (0, 1), np.random.default_rng(0))
    with pytest.raises(IndexError, match="outside"):
        x.entries(np.array([[2, 0]]))
