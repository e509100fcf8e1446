"""Block-sparse trains against their dense counterparts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sector_cases import PARITY_MODES, PLAIN_MODES, dense, random_sector_train, total_charges

from solvers.sectors.leading_products import leading_products
from solvers.sectors.train import (
    absorb_left,
    inner,
    layout,
    linear_combination,
    mirror_core,
    mirrored,
    product_state,
    random_train,
    right_orthogonal,
    split_right,
    truncate,
    views,
)

CASES = st.tuples(st.sampled_from([(PARITY_MODES, 0), (PARITY_MODES, 1), (PLAIN_MODES, 0)]), st.integers(0, 10**6))


def trains(case, count=1):
    (modes, charge), seed = case
    rng = np.random.default_rng(seed)
    found = [random_sector_train(rng, modes, charge) for _ in range(count)]
    return found[0] if count == 1 else found


def test_layout_by_hand():
    blocks, size = layout(((0, 2), (1, 3)), ((0, 4), (1, 5)), ((0, 6), (1, 7)))
    assert [b[:2] for b in blocks] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [b[3:] for b in blocks] == [(2, 4, 6), (2, 5, 7), (3, 5, 6), (3, 4, 7)]
    assert [b[2] for b in blocks] == [0, 48, 118, 208]
    assert size == 292
    # charges that no mode function joins have no block
    assert layout(((0, 1),), ((0, 2),), ((0, 1), (1, 1)))[1] == 2


def test_views_share_memory():
    core = np.zeros(292)
    views(core, ((0, 2), (1, 3)), ((0, 4), (1, 5)), ((0, 6), (1, 7)))[1, 1][0, 0, 0] = 5.0
    assert core[208] == 5.0


@given(CASES)
@settings(max_examples=30, deadline=None)
def test_a_train_lives_in_its_charge_block(case):
    x = trains(case)
    vector = dense(x)
    assert np.all(vector[total_charges(x.modes) != x.charge] == 0.0)
    assert np.any(vector)


@given(CASES)
@settings(max_examples=30, deadline=None)
def test_inner_is_that_of_the_vectors(case):
    x, y = trains(case, 2)
    u, v = dense(x), dense(y)
    assert inner(x, y) == pytest.approx(u @ v, abs=1e-12 * np.linalg.norm(u) * np.linalg.norm(v))
    assert inner(x, x) == pytest.approx(u @ u, rel=1e-12)


def test_inner_between_charges_vanishes():
    rng = np.random.default_rng(0)
    assert inner(random_sector_train(rng, PARITY_MODES, 0), random_sector_train(rng, PARITY_MODES, 1)) == 0.0


@given(CASES)
@settings(max_examples=30, deadline=None)
def test_right_orthogonal_keeps_the_vector(case):
    x = trains(case)
    z = right_orthogonal(x)
    np.testing.assert_allclose(dense(z), dense(x), atol=1e-12 * np.linalg.norm(dense(x)))
    for k in range(1, z.d):
        for l, r in z.bonds[k]:
            rows = np.concatenate([b.reshape(r, -1) for (a, _), b in z.blocks(k).items() if a == l], axis=1)
            np.testing.assert_allclose(rows @ rows.T, np.eye(r), atol=1e-12)


@given(CASES)
@settings(max_examples=20, deadline=None)
def test_split_and_absorb_keep_the_vector(case):
    x = trains(case)
    core, bond, factors = split_right(x.cores[0], x.bonds[0], x.modes[0], x.bonds[1])
    following = absorb_left(factors, bond, x.cores[1], x.bonds[1], x.modes[1], x.bonds[2])
    bonds = (x.bonds[0], bond, *x.bonds[2:])
    z = type(x)(x.modes, bonds, (core, following, *x.cores[2:]))
    np.testing.assert_allclose(dense(z), dense(x), atol=1e-12 * np.linalg.norm(dense(x)))


@given(CASES)
@settings(max_examples=20, deadline=None)
def test_mirroring_twice_is_the_identity(case):
    x = trains(case)
    bonds, cores = mirrored(x)
    for k in range(x.d):
        j = x.d - 1 - k
        back = mirror_core(cores[j], bonds[j], x.modes[k], bonds[j + 1])
        np.testing.assert_array_equal(back, x.cores[k])


@given(CASES, st.sampled_from([0.3, 1e-2, 1e-8]))
@settings(max_examples=40, deadline=None)
def test_truncation_keeps_its_promise(case, tol):
    x, y = trains(case, 2)
    big = linear_combination([x, y, x], [1.0, 0.03, 0.5])
    rounded, discarded = truncate(big, 10**6, tol)
    norm = np.linalg.norm(dense(big))
    error = np.linalg.norm(dense(rounded) - dense(big))
    assert error <= tol * norm * (1 + 1e-10) + 1e-12 * norm
    # the cuts are orthogonal projections one after the other: their errors add in squares
    assert error**2 == pytest.approx(norm**2 * discarded.sum(), rel=1e-6, abs=1e-24 * norm**2)
    assert all(a <= b for a, b in zip(rounded.ranks, big.ranks))


def test_truncation_to_a_rank_is_the_best_at_a_single_cut():
    rng = np.random.default_rng(3)
    modes = (((0, 3), (1, 2)), ((0, 4), (1, 3)))
    x = random_sector_train(rng, modes, 0, rank=5)
    matrix = x.to_train().full().reshape(5, 7)
    values = np.linalg.svd(matrix, compute_uv=False)
    rounded, _ = truncate(x, 2)
    assert rounded.max_rank == 2
    error = np.linalg.norm(rounded.to_train().full().reshape(5, 7) - matrix)
    assert error == pytest.approx(np.linalg.norm(values[2:]), rel=1e-10)


def test_truncating_zero_gives_zero():
    x = random_sector_train(np.random.default_rng(0), PARITY_MODES, 0).scaled(0.0)
    rounded, discarded = truncate(x, 4, 1e-3)
    assert not np.any(dense(rounded))
    assert not np.any(discarded)


@given(CASES)
@settings(max_examples=20, deadline=None)
def test_linear_combinations(case):
    xs = trains(case, 3)
    weights = [2.0, -0.7, 0.1]
    expected = sum(w * dense(x) for w, x in zip(weights, xs))
    np.testing.assert_allclose(dense(linear_combination(xs, weights)), expected, atol=1e-12 * np.linalg.norm(expected))


def test_linear_combination_refuses_unequal_charges():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="one charge"):
        linear_combination([random_sector_train(rng, PARITY_MODES, c) for c in (0, 1)], [1.0, 1.0])


def test_product_states():
    shape = [sum(n for _, n in mode) for mode in PARITY_MODES]
    for functions in [(0, 0, 0, 0), (3, 2, 1, 2), (2, 0, 2, 1)]:
        x = product_state(PARITY_MODES, functions)
        expected = np.zeros(shape)
        expected[functions] = 1.0
        np.testing.assert_array_equal(dense(x), expected.ravel())
        assert x.charge == total_charges(PARITY_MODES)[np.ravel_multi_index(functions, shape)]


def test_random_trains_are_normalised_and_seeded():
    weights = [np.ones(sum(n for _, n in mode)) for mode in PARITY_MODES]
    for charge in (0, 1):
        x = random_train(PARITY_MODES, charge, 6, weights, np.random.default_rng(1))
        assert x.charge == charge
        assert np.linalg.norm(dense(x)) == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_array_equal(
            dense(x), dense(random_train(PARITY_MODES, charge, 6, weights, np.random.default_rng(1)))
        )
    with pytest.raises(ValueError, match="charge 2"):
        random_train(PARITY_MODES, 2, 6, weights, np.random.default_rng(1))


@given(CASES)
@settings(max_examples=20, deadline=None)
def test_leading_products_are_the_largest_coefficients(case):
    x = trains(case)
    shape = [sum(n for _, n in mode) for mode in x.modes]
    vector = dense(x).reshape(shape)
    found = leading_products(x, 5, beam=vector.size)
    expected = np.sort(np.abs(vector).ravel())[::-1][:5]
    np.testing.assert_allclose([abs(c) for c, _ in found], expected, rtol=1e-9)
    for coefficient, functions in found:
        assert coefficient == pytest.approx(vector[functions], rel=1e-9)
