"""Other routes to levels: the problem's own, the other method, and more states at a tighter accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from problems.quantum.tasks.spectrum.keys import MOST_SHARED, Asked, SpectrumSolver, WithLevels
from problems.report_parts import Quantity
from problems.result import Results
from problems.route import TIGHTER, Route

WIDER = 1.1  # times the limit of a run up to an energy


def allowed(solver: Asked, quantity: Quantity, results: Results) -> float | np.ndarray:
    """What the accuracy asked for allows in every level; of an intensity as much as its error."""
    if quantity.name == "energies" or quantity.errors is None:
        return solver.accuracy
    return np.asarray(quantity.errors)


def routes(problem: WithLevels, solver: SpectrumSolver, results: Results) -> list[Route]:
    """The routes to the levels of a run with these keys; those without tensor trains first."""
    n = len(results["energies"])
    own = _own(problem, solver, results, n)
    found = [route for route in own if route.direct is not None]
    method = "inverse_iteration" if _shared(problem, solver, n) or n > MOST_SHARED else "block_dmrg"
    found.append(Route("method", f"{method}, another seed", {"solver.method": method}, other_seed=True))
    if solver.n_states is None:
        value: object
        key, value = ("window", list(solver.window or ())) if solver.up_to is None else ("up_to", WIDER * solver.up_to)
        text = f"{key} {value}, a tenth of the accuracy, another seed"
        changes = {f"solver.{key}": value, "solver.accuracy": TIGHTER * solver.accuracy}
        return [*found, Route("range", text, changes, other_seed=True), *(r for r in own if r.direct is None)]
    more = n + max(4, n // 4)
    if not problem.grows:
        more = min(more, math.prod(int(size) for size in results["basis_functions"]))
    if more > n:
        text = f"{more} states, a tenth of the accuracy, another seed"
        changes = {"solver.n_states": more, "solver.accuracy": TIGHTER * solver.accuracy}
        found.append(Route("states", text, changes, other_seed=True))
    return found + [route for route in own if route.direct is None]


def _own(problem: WithLevels, solver: SpectrumSolver, results: Results, n: int) -> list[Route]:
    """The problem's routes to the levels of a run; of a window those from below need the levels below it."""
    below = results["completeness"].get("levels_below", 0)
    counted = solver.model_copy(update={"n_states": n + (below or 0), "up_to": None, "window": None})
    routes = []
    for route in problem.level_routes(counted, results):
        if route.direct is None or below == 0:
            routes.append(route)
        elif below is not None:
            routes.append(replace(route, direct=_above(route.direct, below)))
    return routes


def _above(direct: Callable[[Any, Any], Results], below: int) -> Callable[[Any, Any], Results]:
    """The levels of a route without the lowest ones."""

    def cut(problem: object, solver: object) -> Results:
        found = direct(problem, solver)
        return {**found, **{name: found[name][below:] for name in ("energies", "error_estimates")}}

    return cut


def _shared(problem: WithLevels, solver: SpectrumSolver, n: int) -> bool:
    """Whether the run, for all that its keys say, took one basis for all states."""
    if solver.method == "automatic":
        return problem.few(n)
    return solver.method == "block_dmrg"
