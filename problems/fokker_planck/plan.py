"""What a Fokker-Planck run would do, and what it is expected to take.

Measured for the implicit method: about a second a pair of coordinates on 64 points an axis to 1e-4 over a few
relaxation times; the steps are as long as the accuracy allows, so that a longer time hardly costs more.
"""

from __future__ import annotations

import math

import numpy as np

from problems.effort import INTERPRETER, entries, listed, megabytes, size
from problems.fokker_planck.model import AUTOMATIC_RANK
from problems.fokker_planck.solve import Prepared
from problems.keys import AUTOMATIC
from problems.report_parts import Effort

PAIR = 1.1  # seconds for each pair of coordinates: 64 points an axis, accuracy 1e-4
RANK_OF_DENSITY = 12  # mostly, for neighbours that are coupled


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come."""
    problem, solver, operator = prepared.problem, prepared.solver, prepared.discrete.operator
    rank = _cap(prepared)
    step = "adapted to the accuracy" if solver.time_step == AUTOMATIC else f"{solver.time_step:g}"
    return [
        ("coordinates", str(problem.dimension)),
        ("points", listed(problem.points)),
        ("half widths of the box", ", ".join(f"{w:g}" for w in problem.half_widths[:12])),
        ("tensor of the density", entries(problem.points)),
        ("operator TT-ranks", listed(operator.ranks)),
        (
            "density",
            f"TT-ranks up to {rank}, mostly about {min(RANK_OF_DENSITY, rank)}; "
            f"{megabytes(size(problem.points, min(RANK_OF_DENSITY, rank)))}",
        ),
        ("times", ", ".join(f"{t:g}" for t in solver.times[:12])),
        (
            "plan",
            f"{solver.method}, steps {step}: twice, loosely and strictly, to tell the error; moments against the "
            "exact ones",
        ),
        *(("warning", text) for text in prepared.warnings),
    ]


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory; one process, whatever the number of ``workers``."""
    del workers
    problem, solver = prepared.problem, prepared.solver
    d, n = problem.dimension, float(np.mean(problem.points))
    digits = -math.log10(solver.accuracy)
    seconds = 0.3 + PAIR * d * d * (n / 64.0) ** 1.5 * (digits / 4.0) ** 3
    if solver.method != "implicit":  # explicit steps follow the largest eigenvalue
        spacing = float((2.0 * problem.half_widths / problem.points).min())
        steps = solver.t_final * problem.diffusion * (math.pi / spacing) ** 2
        seconds = 0.3 + 1e-3 * d * (20.0 + steps)
    return Effort(seconds, INTERPRETER + 40.0 * size(problem.points, min(2 * RANK_OF_DENSITY, _cap(prepared))))


def _cap(prepared: Prepared) -> int:
    solver = prepared.solver
    return AUTOMATIC_RANK if solver.max_rank == AUTOMATIC else int(solver.max_rank)
