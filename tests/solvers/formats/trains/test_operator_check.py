"""The comparison of an operator with its terms: it sees what is wrong, wherever that is, and nothing else."""

import numpy as np
import pytest

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.operator_check import DEVIATION, ProductTable, checked_operator, deviation
from solvers.formats.trains.sum_of_products import sum_of_products

UP = np.array([[0.0, 1.0], [0.0, 0.0]])


def chain(d, rng):
    stack = np.array([np.eye(2), UP, UP.T, np.diag([1.0, -1.0])])
    terms = [(float(rng.standard_normal()), {k: 1, k + 1: 2}) for k in range(d - 1)]
    return [stack] * d, terms + [(1.0, {k: 3}) for k in range(d)]


@pytest.mark.parametrize("d", [2, 7, 60, 150])
def test_right_operators_pass(d):
    matrices, terms = chain(d, np.random.default_rng(d))
    check = checked_operator(sum_of_products(matrices, terms), matrices, terms)
    assert check.passed
    assert "48 random elements" in check.how


@pytest.mark.parametrize("d", [2, 7, 60])
def test_an_element_that_should_be_zero_is_seen(d):
    """One more product, nowhere near the terms: no element that they touch tells of it."""
    matrices, terms = chain(d, np.random.default_rng(d))
    wrong = sum_of_products(matrices, [*terms, (1e-6, {0: 1, d - 1: 1})])
    check = checked_operator(wrong, matrices, terms)
    assert not check.passed
    assert deviation(wrong, ProductTable.of(matrices, terms)) > DEVIATION


def test_norms_beyond_double_precision_do_not_blind_it():
    """50 matrices of 1e10 in a product, with coefficients of 1e-300."""
    stack = np.array([np.eye(2), 1e10 * np.array([[1.0, 2.0], [0.5, 1.0]])])
    terms = [(1e-300, dict.fromkeys(range(50), 1)), (2e-300, dict.fromkeys(range(50), 1) | {50: 1})]
    operator = sum_of_products([stack] * 60, terms)
    assert deviation(operator, ProductTable.of([stack] * 60, terms)) <= DEVIATION
    changed = [terms[0], (terms[1][0] * (1 + 1e-9), terms[1][1])]
    assert deviation(operator, ProductTable.of([stack] * 60, changed)) > DEVIATION


def test_no_terms_but_an_operator():
    one = TTOperator((np.ones((1, 2, 2, 1)),))
    empty = ProductTable((np.eye(2)[None],), np.zeros((0, 1), dtype=np.int64), np.zeros(0))
    assert deviation(one, empty) > DEVIATION
    assert deviation(one * 0.0, empty) == 0.0


def test_work_is_bounded():
    """Many terms are looked at in fewer places, never in none."""
    rng = np.random.default_rng(0)
    stack = np.array([np.eye(2), UP, UP.T, np.diag([1.0, -1.0])])
    drawn = zip(rng.standard_normal(200_000), rng.integers(4, size=(200_000, 2)))
    terms = [(float(c), {0: int(p), 1: int(q)}) for c, (p, q) in drawn]
    check = checked_operator(sum_of_products([stack] * 3, terms), [stack] * 3, terms)
    assert check.passed
    assert int(check.how.split()[0]) < 48
