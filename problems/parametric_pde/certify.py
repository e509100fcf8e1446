"""Other routes to the statistics of a parametric PDE: the other method, more Gauss points, exact solves at all of them.

The quadrature takes no train, no reduced basis and no cross: the quantities at every point of a full tensor grid of
Gauss points by a direct solve each, on more points than the run's, and on two fewer to tell what the grid costs.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from problems.parametric_pde.assembled import check_size
from problems.parametric_pde.finite_elements import FiniteElements
from problems.parametric_pde.gauss import rule
from problems.parametric_pde.model import ParametricProblem, ParametricSolver
from problems.parametric_pde.system import Discrete, solve_at
from problems.report_parts import Effort, Quantity
from problems.result import Results
from problems.route import TIGHTER, Route

MOST_SOLVES = 3000  # of the quadrature
MORE_POINTS = 3  # a parameter
MOST_POINTS = 64
VARIANCE = 10.0  # a variance may err this many times more than a mean


def allowed(solver: ParametricSolver, quantity: Quantity, results: Results) -> float | np.ndarray:
    """What the accuracy asked for allows, relative to the value of a mean and of a variance."""
    if quantity.name not in ("mean", "variance"):
        return 0.0
    return solver.accuracy * (VARIANCE if quantity.name == "variance" else 1.0) * np.abs(quantity.values)


def routes(problem: ParametricProblem, solver: ParametricSolver, results: Results) -> list[Route]:
    """The routes to the statistics of a run with these keys."""
    points = [min(int(n) + MORE_POINTS, MOST_POINTS) for n in results["parameters"]["points"]]
    found = []
    if math.prod(points) <= MOST_SOLVES:
        text = f"exact solves at all {math.prod(points)} points of a Gauss grid"
        cells = problem.mesh.cells ** (2 if problem.domain == "square" else 1)
        effort = Effort(2.0 + math.prod(points) * (1e-3 + 1e-5 * cells), 300.0)
        found.append(Route("quadrature", text, direct=lambda p, s: by_quadrature(p, points), effort=effort))
    other = "als_cross" if solver.method == "amen" else "amen"
    try:
        if other == "amen":
            check_size(problem)
        found.append(Route("method", f"{other} in place of {solver.method}", {"solver.method": other}, other_seed=True))
    except ValueError:  # too many nodes for that method
        pass
    changes = {"problem.points": points, "solver.accuracy": TIGHTER * solver.accuracy}
    text = f"{MORE_POINTS} Gauss points more a parameter, a tenth of the accuracy, another seed"
    return [*found, Route("points", text, changes, other_seed=True)]


def by_quadrature(problem: ParametricProblem, points: list[int]) -> Results:
    """Means and variances by Gauss quadrature over exact solves; errors: against two points a parameter fewer."""
    fine, coarse = _moments(problem, points), _moments(problem, [max(1, n - 2) for n in points])
    found: dict[str, dict[str, object]] = {}
    for i, quantity in enumerate(problem.wanted):
        entry: dict[str, object] = {"sobol_first": [], "sobol_total": [], "quantiles": [], "exceedance": None}
        for key, value, other in zip(("mean", "variance"), fine, coarse):
            entry |= {key: value[i], f"{key}_error": abs(value[i] - other[i]) + 1e-13 * abs(value[i])}
        found[quantity.name] = entry
    return {"quantities": found}


def _moments(problem: ParametricProblem, points: list[int]) -> tuple[np.ndarray, np.ndarray]:
    elements = FiniteElements(problem)
    # the quantities do not look at the separated coefficient
    discrete = Discrete(problem, elements, None, tuple(elements.functionals(problem)))  # type: ignore[arg-type]
    rules = [rule(problem.coefficient.distribution, n) for n in points]
    y = np.array(list(itertools.product(*(x for x, _ in rules))))
    weights = np.array([math.prod(w) for w in itertools.product(*(w for _, w in rules))])
    values = discrete.quantities(y, solve_at(elements, problem, y))
    mean = weights @ values
    return mean, weights @ (values - mean) ** 2
