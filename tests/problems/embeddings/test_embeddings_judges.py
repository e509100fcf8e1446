"""Judges of vectors: held-out pairs, errors of ratios, correlations."""

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.stats import spearmanr

from problems.embeddings.data import HeldOut
from problems.embeddings.judges import LEAST_PAIRS, Similarity, correlations, held_out_values, kept_shares, ratio_error
from problems.embeddings.result import ROUNDING, MethodFit, value_error
from problems.embeddings.verdicts import verdicts
from solvers.optimisation.skip_gram.embedding import Embedding
from solvers.optimisation.skip_gram.pairs import cooccurrences
from solvers.optimisation.skip_gram.problem import SkipGram


def test_held_out_values_are_the_objective_where_the_fitted_pairs_are_held_out():
    rng = np.random.default_rng(0)
    counts = rng.poisson(2.0, (8, 6)).astype(float)
    given = SkipGram.of(sparse.csr_array(counts), 5.0)
    e = Embedding(rng.standard_normal((8, 2)), rng.standard_normal((6, 2)))
    rows, columns = np.nonzero(counts)
    held = HeldOut(rows, columns, counts[rows, columns], rows % 3)
    sums, numbers = held_out_values(e, given, held)
    assert numbers.sum() == counts.sum()
    assert sums.sum() == pytest.approx(given.value(e.words, e.contexts), rel=1e-12)


def test_the_error_of_a_ratio_is_its_spread():
    rng = np.random.default_rng(0)
    counts = rng.integers(50, 150, (2000, 30)).astype(float)
    sums = counts * (-2.5 + 0.3 * rng.standard_normal((2000, 30)))
    found = sums.sum(axis=1) / counts.sum(axis=1)
    errors = [ratio_error(s, c) for s, c in zip(sums, counts)]
    assert np.mean(errors) == pytest.approx(found.std(), rel=0.05)
    assert np.isnan(ratio_error(sums[0, :1], counts[0, :1]))


def test_correlations_are_spearmans_with_draws_around_them():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, 80).astype(float)
    y = x + 3.0 * rng.standard_normal(80)
    rho, draws = correlations(x, y, np.random.default_rng(1))
    assert rho == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    assert draws.mean() == pytest.approx(rho, abs=0.02) and draws.std() == pytest.approx(
        (1 - rho**2) / 80**0.5, rel=0.3
    )
    assert np.isnan(correlations(x[:2], y[:2], rng)[0])


def test_the_error_of_the_objective_is_one_deviation_and_unknown_before_convergence():
    nothing = float("nan")
    assert value_error("converged", -2.0, 3e-4, 4e-4) == pytest.approx(5e-4)
    assert value_error("converged", -2.0, 3e-4, nothing) == 3e-4
    assert value_error("exact", -2.0, nothing, nothing) == 2.0 * ROUNDING
    assert value_error("exact", -2.0, nothing, 4e-4) == pytest.approx(4e-4)
    assert np.isnan(value_error("iteration limit", -2.0, nothing, 4e-4))


def test_shares_of_neighbours_that_stay():
    np.testing.assert_array_equal(kept_shares(np.array([[1, 2, 3]]), np.array([[3, 4, 1]])), [[1.0, 0.0, 1.0]])


def test_pairs_within_a_window_are_counted_in_both_orders_and_within_their_block():
    ids, blocks = np.array([0, 1, 2, 0, 1]), np.array([0, 0, 0, 1, 1])
    found = cooccurrences(ids, blocks, np.array([1.0, 2.0]), 2, 3).toarray()
    np.testing.assert_array_equal(found, [[0.0, 3.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0]])


def fit(name, value, rho, pairs, error=0.02):
    score = Similarity(list_name="list.csv", pairs=pairs, listed=200, rho=rho, error=error)
    numbers = dict.fromkeys(
        ("remaining", "text_error", "held_out_error", "difference", "difference_error", "stability", "stability_error"),
        0.0,
    )
    return MethodFit(
        name=name,
        value=value,
        held_out=value,
        steps=1,
        seconds=0.0,
        status="",
        similarity=(score,),
        singular_values=np.ones(2),
        path=np.ones(1),
        **numbers,
    )


def test_verdicts_say_when_a_better_objective_is_no_better_similarity():
    def last(pairs, rho, error=0.02):
        return verdicts((fit("newton", -2.5, 0.3, pairs), fit("svd", -4.1, rho, pairs, error)), -2.4)[-1]

    assert "not a better similarity" in last(200, 0.6)
    assert "do not tell" in last(200, 0.32)
    assert "has the highest correlation as well" in last(200, 0.1)
    assert "nothing is claimed" in last(LEAST_PAIRS - 1, 0.6) and "better" not in last(LEAST_PAIRS - 1, 0.6)
