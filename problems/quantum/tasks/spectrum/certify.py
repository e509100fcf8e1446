"""Other routes to levels: the problem's own, the other method, and more states at a tighter accuracy."""

from __future__ import annotations

import math

import numpy as np

from problems.quantum.tasks.spectrum.keys import MOST_SHARED, Asked, SpectrumSolver, WithLevels
from problems.report_parts import Quantity
from problems.result import Results
from problems.route import TIGHTER, Route


def allowed(solver: Asked, quantity: Quantity, results: Results) -> float | np.ndarray:
    """What the accuracy asked for allows in every level; of an intensity as much as its error."""
    if quantity.name == "energies" or quantity.errors is None:
        return solver.accuracy
    return np.asarray(quantity.errors)


def routes(problem: WithLevels, solver: SpectrumSolver, results: Results) -> list[Route]:
    """The routes to the levels of a run with these keys; those without tensor trains first."""
    n = solver.n_states
    own = problem.level_routes(solver, results)
    found = [route for route in own if route.direct is not None]
    method = "inverse_iteration" if _shared(problem, solver) or n > MOST_SHARED else "block_dmrg"
    found.append(Route("method", f"{method}, another seed", {"solver.method": method}, other_seed=True))
    more = n + max(4, n // 4)
    if not problem.grows:
        more = min(more, math.prod(int(size) for size in results["basis_functions"]))
    if more > n:
        text = f"{more} states, a tenth of the accuracy, another seed"
        changes = {"solver.n_states": more, "solver.accuracy": TIGHTER * solver.accuracy}
        found.append(Route("states", text, changes, other_seed=True))
    return found + [route for route in own if route.direct is None]


def _shared(problem: WithLevels, solver: SpectrumSolver) -> bool:
    """Whether the run, for all that its keys say, took one basis for all states."""
    if solver.method == "automatic":
        return problem.few(solver.n_states)
    return solver.method == "block_dmrg"
