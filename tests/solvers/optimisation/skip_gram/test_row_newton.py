"""Newton steps of all rows: exact derivatives, never down, and each row's maximum alone."""

import numpy as np
import pytest
from planted_counts import CASES, planted
from scipy.optimize import minimize

from solvers.optimisation.skip_gram import row_newton as module
from solvers.optimisation.skip_gram.row_newton import newton_step


def start(d=4):
    given, _ = planted(*CASES[0][:-1])
    rng = np.random.default_rng(0)
    return given, rng.standard_normal((60, d)), rng.standard_normal((50, d))


def test_steps_lead_to_the_maximum_of_each_row():
    given, words, contexts = start()
    for _ in range(30):
        words, gained = newton_step(given, words, contexts, 0.3)
    assert 0.0 <= gained < 1e-8

    def minus(w, i):
        rows = words.copy()
        rows[i] = w
        return 0.15 * w @ w - float(given.of_rows(rows, contexts, slice(i, i + 1))[0])

    for i in (0, 31, 59):
        found = minimize(minus, np.zeros(4), args=(i,), method="BFGS", options={"gtol": 1e-6})
        np.testing.assert_allclose(words[i], found.x, atol=1e-5)


def test_no_row_goes_down_from_far_away():
    given, words, contexts = start()
    words, contexts = 30.0 * words, 3.0 * contexts
    before = given.of_rows(words, contexts, slice(0, 60))
    new, gained = newton_step(given, words, contexts, 0.0)
    after = given.of_rows(new, contexts, slice(0, 60))
    assert (after >= before - 1e-12 * np.abs(before)).all() and gained > 0.0
    assert gained == pytest.approx((after - before).sum(), rel=1e-10)


def test_blocks_of_rows_and_columns_change_nothing(monkeypatch):
    given, words, contexts = start()
    whole, _ = newton_step(given, words, contexts, 0.3)
    monkeypatch.setattr(module, "OUTER", 130)
    parts, _ = newton_step(given, words, contexts, 0.3)
    np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-12)


def test_a_word_without_counts_and_directions_without_evidence_stay_finite():
    given, words, contexts = start()
    contexts[:, 1] = contexts[:, 0]
    new, _ = newton_step(given, words, contexts, 0.0)
    assert np.isfinite(new).all()
