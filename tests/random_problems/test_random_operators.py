"""No sum of products becomes another operator: random tables against dense matrices in extended precision."""

import sys

import numpy as np
import pytest
from random_problems.operators import Case, draw, exact_product

from solvers.formats.trains.operator_check import checked_operator
from solvers.formats.trains.sum_of_products import sum_of_products, sum_of_products_with_error

sums = sys.modules["solvers.formats.trains.sum_of_products"]  # the package holds a function of this name
SHORT = 120
LONG = 6000


def failures(seeds) -> list[str]:
    """What is wrong, in words, for each seed where something is."""
    found = []
    for seed in seeds:
        case = draw(seed)
        message = fault(case)
        if message:
            found.append(f"seed {seed} ({case.name}): {message}")
    return found


def fault(case: Case) -> str:
    exact, size = case.dense()
    operator, error = sum_of_products_with_error(case.matrices, case.terms)
    wrong = np.abs(exact_product(operator.cores) - exact).astype(float)
    largest = float(np.abs(exact).max())
    if wrong.max() > 1e-11 * largest + 1e-14 * size:
        return f"elements off by {wrong.max():.1e} of {largest:.1e}, parts {size:.1e}"
    if wrong.max() > error + 1e-300:
        return f"elements off by {wrong.max():.1e}, the bound says {error:.1e}"
    if largest and error > 1e-11 * max(size, largest) * len(exact) ** 0.5 * len(case.terms):
        return f"a bound of {error:.1e} beside parts of {size:.1e}"
    check = checked_operator(operator, case.matrices, case.terms)
    return "" if check.passed else f"refused by its check: {check.result}"


def test_elements_and_bounds():
    assert not failures(range(SHORT))


@pytest.mark.slow
def test_elements_and_bounds_of_many():
    assert not failures(range(SHORT, SHORT + LONG))


def test_a_wrong_decomposition_is_found_and_repaired(monkeypatch):
    """Rows dropped at 1e-6 make wrong operators; the comparison inside sees it, and so does the check of a report."""
    monkeypatch.setattr(sums, "RANK_TOLERANCE", 1e-6)
    assert not failures(range(66))
    monkeypatch.setattr(sums, "DEVIATION", np.inf)
    found = failures(range(66))
    assert len(found) >= 3
    refused = 0
    for seed in range(66):
        case = draw(seed)
        operator = sum_of_products(case.matrices, case.terms)
        refused += not checked_operator(operator, case.matrices, case.terms).passed
    assert refused >= 3


@pytest.mark.parametrize("seed", range(12))
def test_a_changed_term_is_refused(seed):
    """A term left out, or 1e-9 of one changed: neither passes for the operator of its table."""
    case = draw(11 * seed)
    operator = sum_of_products(case.matrices, case.terms)
    (c, product), *rest = case.terms
    assert not checked_operator(operator, case.matrices, [(c * (1 + 1e-9), product), *rest]).passed
    assert not checked_operator(operator, case.matrices, [(c, product), (c, product), *rest]).passed
