"""Other routes to a completed tensor: other samples fitted and held out, another rank; compared entry by entry."""

from __future__ import annotations

import numpy as np

from problems.completion.model import CompletionProblem, CompletionSolver, options
from problems.report_parts import STANDARD, Quantity
from problems.result import Results
from problems.route import Route
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.completion.dimension import require_enough
from solvers.optimisation.losses import probability

ENTRIES = 20_000  # random entries at which two completions are compared


def allowed(solver: CompletionSolver, quantity: Quantity, results: Results) -> float:
    """What the accuracy asked for allows, relative, in the 2-norm."""
    return solver.accuracy


def routes(problem: CompletionProblem, solver: CompletionSolver, results: Results) -> list[Route]:
    """The routes to the tensor of a run with these keys."""
    what = "other entries of the file" if problem.file is not None else "other samples of the function"
    found = [Route("samples", f"{what} fitted and held out, another start", other_seed=True)]
    rank = int(solver.max_rank) + 1
    try:
        if not options(problem, solver).penalised:
            require_enough(problem.fitted, problem.shape, rank)
        found.append(Route("rank", f"ranks up to {rank}", {"solver.max_rank": rank}))
    except ValueError:  # the samples do not allow it
        pass
    return found


def between(
    first: tuple[Results, list[TensorTrain]], second: tuple[Results, list[TensorTrain]]
) -> list[tuple[Quantity, Quantity]]:
    """What both runs, each its ``results`` and its trains, are compared by beyond their own numbers.

    The relative difference of the two tensors at random entries, each run with the error it states, and what that may
    be off by: a bound, and no deviation of the difference.
    """
    x, y = first[1][0], second[1][0]
    indices = np.random.default_rng(0).integers(0, x.shape, size=(ENTRIES, x.d))
    a, b = x.entries(indices), y.entries(indices)
    if first[0].get("loss") == "logistic":
        a, b = probability(a), probability(b)
    difference = float(np.linalg.norm(a - b)) / max(float(np.linalg.norm(b)), 1e-300)

    def of(value: float, results: Results) -> Quantity:
        key = [f"{ENTRIES} entries"]
        name = "difference at random entries, relative"
        return Quantity(name, "", "part", key, np.array([value]), np.array([_stated(results)]))

    return [(of(difference, first[0]), of(0.0, second[0]))]


def _stated(results: Results) -> float:
    return float(results["test_error"]) + STANDARD * float(results["test_error_uncertainty"])
