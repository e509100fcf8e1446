"""Other routes to the scores: other splits of the same rows from another start."""

from __future__ import annotations

from problems.report_parts import Quantity
from problems.result import Results
from problems.route import Route
from problems.supervised.model import SupervisedProblem, SupervisedSolver


def allowed(solver: SupervisedSolver, quantity: Quantity, results: Results) -> float:
    """What the accuracy asked for allows in a score, or a share."""
    return solver.accuracy


def routes(problem: SupervisedProblem, solver: SupervisedSolver, results: Results) -> list[Route]:
    """The routes to the scores of a run with these keys."""
    return [Route("splits", "other splits of the rows, other starts", other_seed=True)]
