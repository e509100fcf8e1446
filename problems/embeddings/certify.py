"""Other routes to the objective: another text set aside and another start, random vectors, a tenth of the accuracy."""

from __future__ import annotations

from problems.embeddings.counts import planted_problem
from problems.embeddings.model import EmbeddingsProblem, EmbeddingsSolver
from problems.report_parts import Effort, Quantity
from problems.result import Results
from problems.route import TIGHTER, Route


def allowed(solver: EmbeddingsSolver, quantity: Quantity, results: Results) -> float:
    """What the accuracy asked for allows in a value, absolute: the objective is of the size of its bound."""
    return solver.accuracy * abs(float(results["full_rank_bound"]))


def routes(problem: EmbeddingsProblem, solver: EmbeddingsSolver, results: Results) -> list[Route]:
    """The routes to the values of a run with these keys."""
    tighter = {"solver.accuracy": TIGHTER * solver.accuracy, "solver.max_sweeps": 3 * solver.max_sweeps}
    found = [Route("accuracy", f"accuracy {TIGHTER * solver.accuracy:g}, three times the sweeps", tighter)]
    if problem.planted is not None:
        found.append(Route("closed", "the maximum in closed form", direct=closed_form, effort=Effort(0.1, 1.0)))
    else:
        found.append(Route("text", "other parts set aside, another start", other_seed=True))
    return found


def closed_form(problem: EmbeddingsProblem, solver: EmbeddingsSolver) -> Results:
    """The results of a run that found the planted maximum: Newton's value alone."""
    p = problem.planted
    assert p is not None
    given, exact = planted_problem(p.shape, p.rank, p.amplitude, p.alpha, p.total)
    value = exact / given.pairs
    nothing = ("text_error", "held_out", "held_out_error")
    newton = {"status": "converged", "value": value, "remaining": 1e-13 * abs(value), **dict.fromkeys(nothing)}
    return {"methods": {"newton": newton}, "full_rank_bound": given.bound / given.pairs, "vector_size": p.rank}
