"""The skip-gram problem: its bound, its values, and what it refuses."""

import numpy as np
import pytest
import scipy.sparse as sparse
from planted_counts import CASES, planted

from solvers.optimisation.skip_gram import problem as module
from solvers.optimisation.skip_gram.problem import SkipGram, checked_counts


@pytest.mark.parametrize("case", CASES, ids=["60x50", "120x100"])
def test_the_maximum_of_planted_counts_is_the_bound(case):
    *keys, exact = case
    given, x = planted(*keys)
    u, s, vt = np.linalg.svd(x)
    d = keys[2]
    assert given.bound == pytest.approx(exact, rel=1e-14)
    assert given.value(u[:, :d] * s[:d], vt[:d].T) == pytest.approx(exact, rel=1e-14)


def test_values_do_not_depend_on_the_blocks(monkeypatch):
    given, _ = planted(*CASES[0][:-1])
    rng = np.random.default_rng(1)
    words, contexts = rng.standard_normal((60, 4)), rng.standard_normal((50, 4))
    whole = given.value(words, contexts)
    monkeypatch.setattr(module, "BLOCK", 170)
    assert given.value(words, contexts) == pytest.approx(whole, rel=1e-14)
    assert given.transposed.value(contexts, words) == pytest.approx(whole, rel=1e-13)


def test_negative_samples_follow_the_frequencies():
    counts = sparse.csr_array(np.array([[4.0, 0.0, 1.0], [2.0, 9.0, 0.0]]))
    plain = SkipGram.of(counts, 5.0)
    np.testing.assert_allclose(np.outer(plain.rows, plain.columns), 5.0 * np.outer([5, 11], [6, 9, 1]) / 16)
    flat = SkipGram.of(counts, 5.0, 0.75)
    np.testing.assert_allclose(flat.columns, np.array([6, 9, 1]) ** 0.75 / (np.array([6, 9, 1]) ** 0.75).sum())


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (np.array([["a", "b"], ["c", "d"]]), "numbers"),
        (np.array([[1.0, np.nan], [0.0, 2.0]]), r"\[0, 1\] is nan"),
        (np.array([[1.0, 2.0], [-3.0, 2.0]]), r"\[1, 0\] is -3"),
        (np.zeros((3, 3)), "zero"),
        (np.ones(4), "matrix"),
        (np.ones((1, 4)), "least"),
    ],
)
def test_what_cannot_be_counts_is_refused_in_a_line(counts, said):
    with pytest.raises(ValueError, match=said) as refused:
        checked_counts(counts)
    assert "\n" not in str(refused.value)
