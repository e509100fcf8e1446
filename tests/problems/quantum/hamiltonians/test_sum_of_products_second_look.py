"""Operators against the terms of the file, and what is left out below the accuracy."""

import numpy as np
import pytest

from problems.quantum.hamiltonians.terms import operators
from problems.quantum.hamiltonians.terms.second_look import norm_bound, second_look, terms_that_matter
from problems.quantum.kinds.sum_of_products import SumOfProductsProblem
from problems.quantum.tasks.either.keys import GivenSpectrum
from problems.quantum.tasks.either.solve import prepare, solve

MODES = [{"basis": "spin", "s": 0.5}, {"basis": "boson", "levels": 4}, {"basis": "spin", "s": 1}]
TERMS = [
    [1.0, {0: "Z"}],
    [0.7, {1: "n"}],
    [0.3, {0: "X", 1: "q"}],
    [0.2, {1: "q", 2: "Sx"}],
    [0.4, {2: "Sz^2"}],
    [0.1, {0: "S+", 2: "S-"}],
    [0.1, {0: "S-", 2: "S+"}],
]
NOISE = [[3e-12, {1: "q"}], [1e-11, {0: "Y"}], [-2e-12, {0: "Z", 2: "Sx"}]]


def prepared(terms, accuracy=1e-6):
    problem = SumOfProductsProblem(kind="sum_of_products", modes=MODES, terms=terms, task="spectrum")
    return prepare(problem, GivenSpectrum(n_states=4, accuracy=accuracy))


def test_every_run_compares_its_operator():
    ready = prepared(TERMS)
    assert [look.passed for look in ready.space.looks()] == [True]
    result = solve(ready)
    assert ready.space.looks()[0] in result.checked
    assert not any("left out" in warning for warning in result.warnings)


@pytest.mark.parametrize("change", [lambda h: h * (1 + 1e-10), lambda h: h.T + (h - h.T) * 0.9])
def test_another_operator_does_not_pass(change):
    ready = prepared([*TERMS, [0.05, {0: "X", 2: "Sy"}]])
    vectors = ready.space.turns
    given = ready.problem.products, ready.problem.bases, ready.space.order
    assert second_look(*given, ready.space.operator, vectors).passed
    changed = change(ready.space.operator)
    if (changed - ready.space.operator).norm() > 1e-12 * ready.space.operator.norm():
        assert not second_look(*given, changed, vectors).passed


def test_a_changed_table_does_not_pass(monkeypatch):
    """A fault between the terms and the operator, here in what removes round-off, shows."""
    original = operators._clean
    monkeypatch.setattr(operators, "_clean", lambda one: np.where(np.abs(one) < 0.5, 0.0, original(one)))
    assert not prepared(TERMS).space.looks()[0].passed


def test_noise_costs_no_parity_and_is_part_of_the_errors():
    clean, noisy = prepared(TERMS), prepared([*TERMS, *NOISE])
    assert clean.space.charges.any()
    np.testing.assert_array_equal(clean.space.charges, noisy.space.charges)
    assert noisy.space.looks()[0].passed
    assert "left out" in noisy.space.warnings[0]
    moved = noisy.space.operator_error - clean.space.operator_error
    assert 1e-12 < moved < 1e-10
    levels = [np.linalg.eigvalsh(p.space.operator.full())[:4] for p in (clean, prepared([*TERMS, *NOISE], 1e-14))]
    assert np.abs(levels[0] - levels[1]).max() <= moved + 1e-14
    assert np.all(solve(noisy).error_estimates >= noisy.space.operator_error)


def test_what_matters_is_kept():
    ready = prepared([*TERMS, *NOISE], accuracy=1e-11)
    assert not ready.space.charges.any()
    assert not ready.space.warnings
    problem = ready.problem
    assert terms_that_matter(problem.products, problem.bases, 1e-11) == (problem.products, {})
    kept, absent = terms_that_matter(problem.products, problem.bases, 1e-6)
    assert {**kept, **absent} == problem.products
    assert norm_bound(absent, problem.bases) > 0


def test_terms_that_cancel_widen_the_errors():
    """1e12 (X - S+ - S-) is nothing, but its round-off is not: errors of 1e-3 are said, and accuracy 1e-6 not met."""
    huge = [[1e12, {0: "X"}], [-1e12, {0: "S+"}], [-1e12, {0: "S-"}]]
    shifted = [[c, {**product, 2: "Sz"}] for c, product in huge]
    ready = prepared([*TERMS, *shifted])
    exact = np.linalg.eigvalsh(prepared(TERMS).space.operator.full())[:4]
    result = solve(ready)
    assert np.all(np.abs(result.energies - exact) <= result.error_estimates + 1e-12)
    assert ready.space.operator_error > 1e-6
    assert not result.state_converged.any()
