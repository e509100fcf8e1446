"""Pruned configuration interaction: its matrix, its vectors and the trains made of them, against dense ones."""

import numpy as np
import pytest
from sector_cases import PARITY_MODES, dense_sum, mode_charge, random_terms, total_charges

from solvers.eigen.configuration_interaction import (
    ProductTerms,
    TrainBuilder,
    lowest_configurations,
    lowest_vectors,
    matrix,
)

SHAPE = tuple(sum(n for _, n in mode) for mode in PARITY_MODES)


def case(seed):
    rng = np.random.default_rng(seed)
    matrices, terms = random_terms(rng, PARITY_MODES)
    energies = tuple(np.sort(rng.random(n)) for n in SHAPE)
    charges = tuple(mode_charge(mode) for mode in PARITY_MODES)
    return rng, dense_sum(matrices, terms), ProductTerms(tuple(matrices), tuple(terms), energies, charges)


def flat(configurations):
    return np.ravel_multi_index(configurations.T.astype(int), SHAPE)


def test_modes_of_the_terms():
    assert case(0)[2].modes == PARITY_MODES


@pytest.mark.parametrize("count", [1, 7, 40, 10**6])
def test_the_lowest_configurations(count):
    terms = case(1)[2]
    found, charges = lowest_configurations(terms, count)
    sums = sum(np.ix_(*terms.energies)[k] for k in range(4)).ravel()
    own = sums[flat(found)]
    assert len(found) <= max(count, 1)
    assert np.all(np.diff(own) >= -1e-9)
    # none below the highest one is left out, none is there twice
    assert len(np.unique(flat(found))) == len(found)
    assert len(found) == np.sum(sums <= own[-1] + 1e-12)
    np.testing.assert_array_equal(charges, total_charges(PARITY_MODES)[flat(found)])
    if count >= sums.size:
        assert len(found) == sums.size


@pytest.mark.parametrize("seed", range(3))
def test_the_matrix_is_that_of_the_sum(seed):
    _, exact, terms = case(seed)
    configurations, _ = lowest_configurations(terms, 60)
    at = flat(configurations)
    found = matrix(terms, configurations, 0.0)
    np.testing.assert_allclose(found.toarray(), exact[np.ix_(at, at)], atol=1e-12 * np.abs(exact).max())


def test_small_products_are_left_out():
    _, exact, terms = case(4)
    configurations, _ = lowest_configurations(terms, 60)
    at = flat(configurations)
    pruned, full = matrix(terms, configurations, 0.3).toarray(), exact[np.ix_(at, at)]
    np.testing.assert_allclose(np.diagonal(pruned), np.diagonal(full), atol=1e-12)
    assert np.count_nonzero(pruned) < np.count_nonzero(np.abs(full) > 1e-12)
    assert np.abs(pruned - full).max() <= 0.3 * len(terms.terms)


@pytest.mark.parametrize("charge", [0, 1])
def test_vectors_become_trains(charge):
    rng, exact, terms = case(5)
    configurations, charges = lowest_configurations(terms, 10**6)
    own = configurations[charges == charge]
    h = matrix(terms, own, 0.0)
    energies, vectors = lowest_vectors(h, 4, 0)
    at = flat(own)
    block = exact[np.ix_(at, at)]
    np.testing.assert_allclose(energies, np.linalg.eigvalsh(block)[:4], atol=1e-10)
    builder = TrainBuilder(terms, own, charge)
    for vector in (*vectors.T, rng.standard_normal(len(own))):
        expected = np.zeros(exact.shape[0])
        expected[at] = vector
        x = builder.train(vector, 10**6, 0.0)
        assert x.charge == charge
        np.testing.assert_allclose(x.to_train().full().ravel(), expected, atol=1e-7 * np.linalg.norm(vector))
        short = builder.train(vector, 2, 0.0)
        assert short.max_rank <= 2
        assert np.linalg.norm(short.to_train().full().ravel() - expected) < np.linalg.norm(vector)
        rough = builder.train(vector, 10**6, 0.2)
        error = np.linalg.norm(rough.to_train().full().ravel() - expected)
        assert error <= 0.2 * np.linalg.norm(vector) * (1 + 1e-9)


def test_lowest_vectors_of_a_large_sparse_matrix():
    """The Laplacian of a path, 2000 points: 2 - 2 cos(pi j / 2001) + its shift."""
    from scipy.sparse import diags_array

    n = 2000
    potential = np.linspace(0, 400.0, n)
    h = diags_array([np.full(n - 1, -1.0), 2.0 + potential, np.full(n - 1, -1.0)], offsets=[-1, 0, 1]).tocsr()
    energies, vectors = lowest_vectors(h, 5, 0)
    exact = np.linalg.eigvalsh(h.toarray()[:200, :200])[:5]  # the vectors are far from the end
    np.testing.assert_allclose(energies, exact, atol=1e-7)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(5), atol=1e-9)
