"""Other routes to the rates and norms: other splits, and norms without Jacobians or a power method.

The second has every entry of the Jacobians from central differences of the learner, and the largest norm from corners
of the cube alone: all of them where they are few, else ascents by single flips from random ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.perturbation.attacks import fit, methods
from problems.perturbation.model import PerturbationProblem, PerturbationSolver
from problems.report_parts import Effort, Quantity
from problems.result import Results
from problems.route import NotReached, Route
from solvers.extremal.certificates import CORNERS, closed, vector_norms
from solvers.learning.differentiable import Differentiable
from solvers.measured import numeral

STEP = 1e-6  # of central differences
ASCENTS = 20  # from random corners
ROOM = 0.02  # relative, of norms: corners that ascents do not reach


def allowed(solver: PerturbationSolver, quantity: Quantity, results: Results) -> float | np.ndarray:
    """What the accuracy asked for allows in a rate; of a norm what ascents from few corners may miss."""
    if quantity.name == "singular value":
        return ROOM * np.abs(np.asarray(quantity.values, dtype=float))
    return solver.accuracy


def routes(problem: PerturbationProblem, solver: PerturbationSolver, results: Results) -> list[Route]:
    """The routes to the results of a run with these keys."""

    def direct(problem: PerturbationProblem, solver: PerturbationSolver) -> Results:
        return by_differences(problem, solver, results)

    text = "Jacobians from central differences, norms from corners of the cube"
    return [
        Route("splits", "other splits of the rows, other starts", other_seed=True),
        Route("differences", text, direct=direct, effort=Effort(3.0 * problem.splits, 400.0)),
    ]


def by_differences(problem: PerturbationProblem, solver: PerturbationSolver, results: Results) -> dict[str, Any]:
    """The results with each norm computed again; NotReached where one is another, beyond what ascents may miss."""
    data, seed = problem.rows, int(results["seed"])
    held = problem.held(len(data.targets))
    used = [method for method in methods(problem, solver) if method.kind == "layer"]
    found = np.zeros((problem.splits, len(used)))
    for number in range(problem.splits):
        one = fit(data, held, problem.patch, solver, seed, number)
        seen, rng = one.scaled.rows[one.batch], np.random.default_rng([seed, number, 2])
        matrices: dict[str, np.ndarray] = {}
        for i, method in enumerate(used):
            if method.layer not in matrices:
                matrices[method.layer] = differences(one.learner, seen, method.layer, one.scaled.free)
            found[number, i] = from_corners(matrices[method.layer], method.q, rng)
    means = found.mean(axis=0)
    for entry, value in zip(results["singular_values"], means):
        if abs(value - entry["norm"]) > ROOM * value:  # errors over splits would allow more
            said = f"{entry['layer']}, q = {entry['q']:g}: {numeral(value)} in place of {numeral(entry['norm'])}"
            raise NotReached(f"the same Jacobians have other norms, {said}: give more starts")
    norms = [{**entry, "norm": float(value)} for entry, value in zip(results["singular_values"], means)]
    return {**results, "singular_values": norms}


def differences(learner: Differentiable, x: np.ndarray, layer: str, free: np.ndarray) -> np.ndarray:
    """The stacked Jacobian (B m, n) at inputs (B, d), a column a free entry."""
    columns = []
    for k in np.flatnonzero(free):
        ends = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[:, k] += sign * STEP
            ends.append(learner.outputs(moved, layer))
        columns.append(((ends[0] - ends[1]) / (2.0 * STEP)).ravel())
    return np.column_stack(columns)


def from_corners(a: np.ndarray, q: float, rng: np.random.Generator) -> float:
    """The largest ||a s||_q over signs s: of all where they are few, else of what ascents by flips reach."""
    n = a.shape[1]
    if n <= CORNERS:
        known = closed(a, np.inf, q)
        assert known is not None
        return known.value
    best = 0.0
    for _ in range(ASCENTS):
        signs = rng.choice([-1.0, 1.0], n)
        image = a @ signs
        value = float(vector_norms(image[:, None], q)[0])
        while True:
            sizes = vector_norms(image[:, None] - 2.0 * a * signs, q)
            k = int(np.argmax(sizes))
            if sizes[k] <= value * (1.0 + 1e-12):
                break
            image = image - 2.0 * signs[k] * a[:, k]
            signs[k], value = -signs[k], float(sizes[k])
        best = max(best, value)
    return best
