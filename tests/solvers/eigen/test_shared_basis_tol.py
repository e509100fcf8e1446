"""A residual asked of block DMRG holds for the trains that ``eigsolve`` returns, or the status says no."""

import numpy as np
import pytest

from solvers.eigen import shared_basis
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.eigsolve import eigsolve
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import BlockDMRG
from solvers.solution import Status


def oscillators(n, d, coupling, scale):
    q = np.diag(np.sqrt(np.arange(1, n) / 2), 1)
    matrices = (np.array([np.eye(n), q + q.T, np.diag(np.arange(n) + 0.5)]),) * d
    terms = tuple((scale * (1.0 + 0.1 * k), {k: 2}) for k in range(d))
    terms += tuple((scale * coupling, {k: 1, k + 1: 1}) for k in range(d - 1))
    levels = tuple(scale * (1.0 + 0.1 * k) * (np.arange(n) + 0.5) for k in range(d))
    table = ProductTerms(matrices, terms, levels, (np.zeros(n, dtype=np.int64),) * d)
    return sum_of_products(matrices, terms), table


def true_residuals(operator, solution):
    trains = [x.to_train() for x in solution.value.trains]
    return np.array([(operator @ x - x * float(e)).norm() for x, e in zip(trains, solution.value.energies)])


def test_a_tol_holds_for_the_rounded_states(monkeypatch):
    """One round of sweeps leaves 1.04 where 0.8 is asked: another, which cuts finer, follows."""
    operator, table = oscillators(8, 4, 0.05, 1000.0)
    question = {"start": table, "method": BlockDMRG(tol=0.8), "accuracy": 1e-2, "throw": False}
    solution = eigsolve(operator, 3, **question)
    assert solution.status is Status.CONVERGED and solution.n_converged == 3
    assert true_residuals(operator, solution).max() <= 0.8
    monkeypatch.setattr(shared_basis, "_finer", lambda *_: None)
    short = eigsolve(operator, 3, **question)
    residuals = true_residuals(operator, short)
    assert residuals.max() > 0.8 and short.value.errors.max() <= 1e-2
    assert short.status is Status.STAGNATED and short.n_converged == np.sum(residuals <= 0.8) < 3


def test_a_tol_that_the_ranks_do_not_allow_is_not_converged():
    operator, table = oscillators(5, 3, 0.3, 1000.0)
    solution = eigsolve(operator, 3, start=table, method=BlockDMRG(tol=1e-3, max_rank=8), accuracy=1e-2, throw=False)
    assert solution.value.errors.max() <= 1e-2 and solution.residual.min() > 1e-3
    assert solution.status is Status.RANK_LIMIT and solution.n_converged == 0


@pytest.mark.parametrize("n", [5, 6])
def test_the_counts_are_those_of_the_sweeps(n):
    """Zeros among them: local problems of few functions are solved without a product."""
    operator, table = oscillators(n, 3, 0.3, 1.0)
    solution = eigsolve(operator, 2, start=table, method=BlockDMRG(), accuracy=1e-2)
    assert list(solution.counts) == ["sweeps", "matvecs", "local_solves"]
    assert solution.counts["local_solves"] == 3 * solution.counts["sweeps"]
