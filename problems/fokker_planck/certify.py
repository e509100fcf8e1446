"""Other routes to a density in time: another integrator, a larger box, a finer grid, a tighter accuracy.

The exact moments of the process are compared in every run; the routes judge what they do not know: ranks and steps,
and by box and grid what the discretisation costs.
"""

from __future__ import annotations

import numpy as np

from problems.fokker_planck.model import FokkerPlanckProblem, FokkerPlanckSolver
from problems.report_parts import Quantity
from problems.result import Results
from problems.route import TIGHTER, Route

WIDER, FINER = 1.25, 1.25


def allowed(solver: FokkerPlanckSolver, quantity: Quantity, results: Results) -> np.ndarray:
    """What the accuracy asked for allows in every moment, in the lengths that it is relative to."""
    lengths = np.array(results.get("lengths") or 1.0, dtype=float)  # runs of earlier versions: absolute
    scale = np.multiply.outer(lengths, lengths) if quantity.name == "covariance" else lengths
    return np.broadcast_to(solver.accuracy * scale, quantity.values.shape)


def routes(problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, results: Results) -> list[Route]:
    """The routes to the moments of a run with these keys."""
    points, half = np.asarray(problem.points), np.asarray(problem.half_widths)
    finer = [_even(FINER * n) for n in points]
    # the same spacing in a larger box
    wider = [_even(WIDER * n) for n in points]
    reach = [float(w * n / old) for w, n, old in zip(half, wider, points)]
    found = [
        Route("exact", "the process's own moments (Van Loan)", direct=exact),
        Route("grid", f"{FINER:g} times the points of every axis", {"problem.grid.points": finer}),
        Route(
            "box",
            f"a box {WIDER:g} times as wide, of the same spacing",
            {"problem.grid.points": wider, "problem.grid.half_width": reach},
        ),
        Route("accuracy", "a tenth of the accuracy", {"solver.accuracy": TIGHTER * solver.accuracy}),
    ]
    if solver.method != "implicit":
        found.append(Route("method", f"implicit in place of {solver.method}", {"solver.method": "implicit"}))
    return found


def _even(value: float) -> int:
    return 2 * int(np.ceil(0.5 * value))


def exact(problem: FokkerPlanckProblem, solver: FokkerPlanckSolver) -> Results:
    """Means and covariances of the linear process at the times of the report; the density is Gaussian."""
    known = problem.exact(solver.times)
    zero = np.zeros(len(solver.times))
    peak = [
        float(np.exp(-0.5 * m @ np.linalg.solve(c, m)) / np.sqrt(np.linalg.det(2.0 * np.pi * c)))
        for m, c in zip(known.means, known.covariances)
    ]
    return {
        "times": solver.times,
        "mean": known.means,
        "covariance": known.covariances,
        "mean_error": zero,
        "covariance_error": zero,
        "density_at_origin": peak,
    }
