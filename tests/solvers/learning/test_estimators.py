"""Estimators: the conventions of scikit-learn, shares of variance, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from solvers.learning.estimators import InteractionClassifier, InteractionRegressor, TensorClassifier

SMALL = [
    InteractionClassifier(rank=2, ridge=1e-2, tol=1e-3),
    InteractionRegressor(rank=2, ridge=1e-2, tol=1e-3),
    TensorClassifier(form="cp", width=2, features=2, epochs=12, rate=0.05),
]


@parametrize_with_checks(SMALL)
def test_conventions(estimator, check):
    check(estimator)


def table(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.standard_normal((rows, 2)), rng.integers(0, 3, rows)])
    return x, x[:, 0] * x[:, 1] + 2.0 * (x[:, 2] == 1)


def test_shares_of_variance_are_those_of_the_function():
    x, y = table()
    model = InteractionRegressor(rank=4, ridge=1e-8, categorical=[2], random_state=0).fit(x, y)
    assert model.score(x, y) > 1.0 - 1e-8
    orders, pairs = model.shares_by_order(), model.shares_by_pair()
    assert orders.sum() == pytest.approx(1.0) and orders[0] == 0.0 and orders[3] < 1e-6
    spread = x.std(axis=0)[:2] ** 2
    mean, category = x.mean(axis=0)[:2], 4.0 * np.var(x[:, 2] == 1)
    parts = np.array([mean[1] ** 2 * spread[0], mean[0] ** 2 * spread[1], category])
    whole = spread[0] * spread[1] + parts.sum()
    assert np.diag(pairs) == pytest.approx(parts / whole, rel=1e-5)
    assert pairs[0, 1] == pytest.approx(spread[0] * spread[1] / whole, rel=1e-5)
    assert orders[1] == pytest.approx(np.trace(pairs)) and orders[2] == pytest.approx(np.triu(pairs, 1).sum())


def test_classes_have_probabilities_and_shares():
    x, y = table()
    kinds = np.array(["low", "middle", "high"])[np.digitize(y, [0.0, 1.5])]
    model = InteractionClassifier(rank=[2, 4], ridge=1e-3, categorical=[2], random_state=0).fit(x, kinds)
    assert model.score(x, kinds) > 0.9 and len(model.chosen_.trials) == 2
    p = model.predict_proba(x)
    assert np.allclose(p.sum(axis=1), 1.0) and list(model.classes_) == ["high", "low", "middle"]
    assert model.shares_by_order().sum() == pytest.approx(1.0) and model.train_.shape == (2, 2, 3, 3)


@pytest.mark.parametrize(
    "model, message",
    [
        (InteractionClassifier(categorical=[7]), "categorical is"),
        (InteractionClassifier(categorical=[0]), "numbered from 0"),
        (InteractionClassifier(ridge=0.0), "ridges above zero"),
        (TensorClassifier(form="tucker"), "tt, ht, cp"),
        (TensorClassifier(image_shape=(2, 2)), "have not the 3 columns"),
        (TensorClassifier(width=0), "at least 1"),
    ],
)
def test_impossible_options_are_refused(model, message):
    x, y = table(20)
    with pytest.raises(ValueError, match=message):
        model.fit(x, y > 0.5)


def test_nobody_waits_for_scikit_learn_who_does_not_ask_for_it():
    code = "import ttsuite, sys; ttsuite.InteractionClassifier if 0 else 0; print('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
    code = "import sys; sys.modules['sklearn'] = None; import ttsuite; ttsuite.TensorClassifier"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert told.strip().endswith('the estimators need scikit-learn: pip install "ttsuite[learning]"')
