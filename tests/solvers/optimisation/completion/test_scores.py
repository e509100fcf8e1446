"""Scores beside scikit-learn's, and their spreads beside those over many samples."""

import numpy as np
import pytest

from solvers.optimisation.completion.scores import known, score


def test_scores_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    rows = np.repeat(np.arange(12), 15)
    true = rng.integers(0, 6, 180).astype(float)
    found = np.round(true + rng.standard_normal(180))  # with ties
    for k in (3, 10):
        wanted = metrics.ndcg_score(true.reshape(12, 15), found.reshape(12, 15), k=k)
        assert score(f"ndcg@{k}", found, true, rows).value == pytest.approx(wanted, rel=1e-12)
    assert score("rmse", found, true, rows).value == pytest.approx(metrics.root_mean_squared_error(true, found))
    assert score("mae", found, true, rows).value == pytest.approx(metrics.mean_absolute_error(true, found))
    yes, p = (true > 2.0).astype(float), rng.uniform(0.01, 0.99, 180)
    assert score("log_loss", p, yes, rows).value == pytest.approx(metrics.log_loss(yes, p))
    assert score("accuracy", p, yes, rows).value == pytest.approx(metrics.accuracy_score(yes, p > 0.5))


def test_spreads():
    rng = np.random.default_rng(1)
    true = rng.standard_normal((300, 400))
    found = true + rng.standard_normal(true.shape)
    scores = [score("rmse", f, t, np.zeros(400, dtype=int)) for f, t in zip(found, true)]
    spread = np.std([s.value for s in scores])
    assert np.mean([s.uncertainty for s in scores]) == pytest.approx(spread, rel=0.15)
    assert scores[0].less(scores[0]) == (0.0, 0.0)


def test_what_tells_nothing():
    alone = np.arange(5)
    assert score("ndcg@10", alone + 0.0, alone + 0.0, alone) is None
    assert known("ndcg@5") and not known("ndcg@0") and not known("ndcg")
    with pytest.raises(ValueError, match="no score is called 'auc'"):
        score("auc", alone, alone, alone)
