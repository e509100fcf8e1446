"""The balanced gauge, and neighbours by cosine."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.optimisation.skip_gram.embedding import Embedding, directions, neighbours


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 5))
def test_the_gauge_keeps_the_matrix_and_balances(seed, d):
    rng = np.random.default_rng(seed)
    words, contexts = rng.standard_normal((9, d)), rng.standard_normal((7, d))
    e = Embedding.balanced(words, contexts)
    np.testing.assert_allclose(e.words @ e.contexts.T, words @ contexts.T, atol=1e-12)
    values = np.linalg.svd(words @ contexts.T, compute_uv=False)[:d]
    np.testing.assert_allclose(e.singular_values, values, atol=1e-12)
    for part in (e.words, e.contexts):
        np.testing.assert_allclose(part.T @ part, np.diag(values), atol=1e-11)
    np.testing.assert_allclose(e.train.full(), words @ contexts.T, atol=1e-12)


def test_a_matrix_of_lower_rank_has_vectors_of_zeros():
    e = Embedding.balanced(np.zeros((4, 2)), np.ones((5, 2)))
    assert not e.words.any() and np.isfinite(e.contexts).all()


def test_neighbours_are_those_of_all_cosines():
    vectors = np.random.default_rng(0).standard_normal((40, 3))
    vectors[7] = 0.0
    unit = directions(vectors)
    found = neighbours(vectors, np.array([3, 12]), 5)
    for row, i in zip(found, (3, 12)):
        order = [j for j in np.argsort(-(unit @ unit[i])) if j != i]
        assert list(row) == order[:5]
    assert neighbours(vectors[:3], np.array([0]), 10).shape == (1, 2)
