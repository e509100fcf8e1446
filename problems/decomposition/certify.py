"""Other routes to the numbers: bounds from singular values, other starts.

By singular values alone, without a decomposition: at ranks r no approximation has an error below the largest tail of
singular values, and none that is made by truncations an error above the root of the sum of all tails. A run whose
errors lie outside contradicts itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.decomposition.model import DecompositionProblem, DecompositionSolver
from problems.decomposition.result import ROUNDING
from problems.decomposition.tensors import made_arrays
from problems.report_parts import Effort, Quantity
from problems.result import Results
from problems.route import Route
from solvers.formats.trains.factorisations import frobenius

MORE_STARTS = 2
ROOM = 1e-6  # of a bound: rounding of its sums


def allowed(solver: DecompositionSolver, quantity: Quantity, results: Results) -> float:
    """What the accuracy asked for allows: of an error the accuracy; numbers kept may differ by one in ten."""
    if quantity.name == "numbers kept":
        return 0.1 * float(np.max(quantity.values))
    return solver.accuracy


def routes(problem: DecompositionProblem, solver: DecompositionSolver, results: Results) -> list[Route]:
    """The routes to the errors of a run with these keys."""

    def direct(problem: DecompositionProblem, solver: DecompositionSolver) -> Results:
        return within_bounds(problem, results)

    found = [
        Route(
            "singular-values",
            "bounds of each error by the singular values of all unfoldings, from their Gram matrices",
            direct=direct,
            effort=Effort(2.0, 300.0),
        )
    ]
    verdicts = {one["verdict"] for one in results["approximations"] if one["format"] == "cp"}
    if "cp" in problem.formats and verdicts <= {"converged", "minimum"}:
        more = {"solver.starts": solver.starts + MORE_STARTS}
        found.append(Route("starts", f"{MORE_STARTS} more starts for each sum of terms", more))
    return found


def within_bounds(problem: DecompositionProblem, results: Results) -> dict[str, Any]:
    """The results with each error moved to the interval that singular values allow."""
    arrays = made_arrays(problem, int(results["seed"])) if "seed" in results else made_arrays(problem, 0)
    errors = np.array(results["errors"], dtype=float)
    for number, one in enumerate(results["approximations"]):
        array = arrays[one["tensor"]]
        low, high = interval(array, one["format"], [int(r) for r in one["ranks"]])
        errors[number] = min(max(errors[number], low - ROUNDING), high * (1.0 + ROOM) + ROUNDING)
    return {**results, "errors": errors.tolist()}


def interval(array: np.ndarray, format: str, ranks: list[int]) -> tuple[float, float]:
    """The least and the largest relative error at these ranks, by Gram matrices; of trees and sums the least alone."""
    d = array.ndim
    scaled = array / frobenius(array)
    if format == "tt":
        sets, given = [tuple(range(k)) for k in range(1, d)], ranks
    else:
        sets, given = [(k,) for k in range(d)], ranks if format == "tucker" else []
    if format == "cp":
        given = ranks * d
    tails = []
    for modes, rank in zip(sets, given):
        rest = [k for k in range(d) if k not in modes]
        matrix = scaled.transpose([*modes, *rest]).reshape(int(np.prod([array.shape[k] for k in modes])), -1)
        wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        values = np.clip(np.linalg.eigvalsh(wide @ wide.T)[::-1], 0.0, None)
        values[values < 1e-15] = 0.0  # of a Gram matrix nothing smaller is known
        tails.append(float(values[rank:].sum()))
    if not tails:
        return 0.0, np.inf
    high = np.sqrt(sum(tails)) + 1e-7 if format != "cp" else np.inf
    return float(np.sqrt(max(tails))), float(high)
