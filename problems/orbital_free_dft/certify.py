"""Other routes to a density: a finer grid, a larger box, arrays in place of tensors, a tighter accuracy."""

from __future__ import annotations

import numpy as np

from problems.orbital_free_dft.keys import FINEST, OrbitalFreeProblem, OrbitalFreeSolver
from problems.report_parts import Quantity
from problems.result import Results
from problems.route import TIGHTER, Route

DENSE = 7  # level up to which dense arrays take minutes
WIDER = 1.5  # times the box, on twice the points
HIGHER = 1.5  # times max_rank


def allowed(solver: OrbitalFreeSolver, quantity: Quantity, results: Results) -> np.ndarray:
    """What the accuracy asked for allows: in the energy; the other parts have their estimates alone."""
    return np.array([solver.accuracy if str(key).startswith("energy") else 0.0 for key in quantity.keys])


def routes(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, results: Results) -> list[Route]:
    """The routes to the energy of a run with these keys; its seed places displaced nuclei and stays."""
    levels, found = list(problem.grids), []
    rank = int(HIGHER * solver.max_rank) + 1
    if levels[-1] < FINEST:
        finer = [level + 1 for level in levels]
        found += [
            Route("grid", "twice the points of every axis", {"problem.levels": finer}),
            Route(
                "box",
                f"a box {WIDER:g} times as wide on twice the points",
                {"problem.levels": finer, "problem.box": WIDER * problem.box},
            ),
        ]
    if levels[-1] <= DENSE and solver.format != "dense":
        found.append(Route("dense", "dense arrays in place of tensors", {"solver.format": "dense"}))
    changes = {"solver.accuracy": TIGHTER * solver.accuracy, "solver.max_rank": rank}
    return [*found, Route("accuracy", f"a tenth of the accuracy, ranks up to {rank}", changes)]
