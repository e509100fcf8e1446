"""What an orbital-free run would do, and what it is expected to take.

An evaluation of the energy samples about five r^2 fibres of n points and works on cores of r^3: the ranks, which are
only known afterwards, decide. They grow with the digits of the format's tolerance, with the charge of point nuclei, and
where nuclei stand in no order. A dense start on few points takes most of the memory of a small run.
"""

from __future__ import annotations

import math

import numpy as np

from problems.effort import INTERPRETER, listed, megabytes
from problems.orbital_free_dft.ground_state import Task
from problems.orbital_free_dft.keys import OrbitalFreeProblem
from problems.orbital_free_dft.solve import Prepared
from problems.report_parts import Effort
from solvers.measured import numeral

FIRST, NEXT = 30, 9  # evaluations of the energy on the first grid, on each after it
EVALUATION = 0.04  # seconds beside the points
FIBRES = 5.0  # times r^2, of n points each
POINT = 1e-7  # seconds a point
CUBE = 2e-5  # seconds times r^3: cores, and the blocks that crosses look at
START = 5e-7  # seconds a point and evaluation of the dense start,
STARTS, WIDER = 20.0, 4.0  # and evaluations: of an atom, and more for each nucleus along an axis (some 80 for 16^3)
FUNCTIONS = 20.0  # of the dense start, held at once
PAIRS = 5e-8  # seconds a pair of nuclei
DISORDER = 2.0  # ranks of nuclei in no order over those of a lattice
# places of nuclei along an axis that ranks grow with, at most, and their powers: of cusps (methane: 3 places, ranks of
# 39 where one nucleus has 17), and of smeared nuclei
CROWD, CUSPS, SMOOTH = 6.0, 0.65, 0.2


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come."""
    problem, solver = prepared.problem, prepared.solver
    points = [2**level for level in problem.grids]
    finest, rank = points[-1], expected_rank(prepared)
    trap = "" if problem.trap is None else f"; a trap, omega = {problem.trap.omega:g}"
    dense = solver.format == "dense"
    stored = 8e-6 * finest**3 if dense else 8e-6 * (rank**3 + 3 * finest * rank)
    return [
        ("nuclei", f"{len(problem.sites)} of total charge {problem.sites.charge:g}{trap}; {problem.count:g} electrons"),
        ("functional", f"{problem.functional}, lambda = {problem.weizsacker:g}"),
        ("points an axis", f"{listed(points)}; spacing {numeral(problem.box / finest)} bohr at the finest"),
        (
            "full grid",
            f"{numeral(float(finest) ** 3)} points, {megabytes(8e-6 * float(finest) ** 3)} a function if stored",
        ),
        (
            "grid functions",
            f"{solver.format}, "
            + ("" if dense else f"ranks of about {rank} (cap {solver.max_rank}), ")
            + f"{megabytes(stored)} each",
        ),
        ("Laplacian", solver.laplacian),
        (
            "plan",
            f"descent on {len(points)} grid{'s' * (len(points) > 1)}, coarse to fine, up to {solver.max_steps} "
            f"steps each{'; extrapolation' * (len(points) > 1)}; density and orbital as quantics trains of "
            f"{3 * problem.grids[-1]} cores",
        ),
    ]


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory; one process, whatever the number of ``workers``."""
    del workers
    problem, solver, rank = prepared.problem, prepared.solver, expected_rank(prepared)
    task = Task(problem, solver, problem.sites, 0)
    started = 8.0 ** task.start_level()
    starts = STARTS + WIDER * len(problem.sites) ** (1.0 / 3.0)
    seconds = 0.3 + starts * START * started + PAIRS * len(problem.sites) ** 2
    largest = started * FUNCTIONS / 2.0
    for k, level in enumerate(task.levels()):
        n = float(2**level)
        sampled = n**3 if solver.format == "dense" else FIBRES * n * min(rank, n) ** 2
        cube = 0.0 if solver.format == "dense" else CUBE * min(rank, n) ** 3
        seconds += (NEXT if k else FIRST) * (EVALUATION + POINT * min(sampled, 4.0 * n**3) + cube)
        largest = max(largest, sampled)
    return Effort(seconds, INTERPRETER + 50.0 + 15e-6 * largest)


def expected_rank(prepared: Prepared) -> int:
    """The ranks the grid functions are expected to have."""
    problem: OrbitalFreeProblem = prepared.problem
    nuclei = problem.sites
    digits = -math.log10(Task(problem, prepared.solver, nuclei, 0).tolerance)
    charges, places = nuclei.charges[nuclei.points], nuclei.positions[nuclei.points]
    if len(charges):
        rank = 1.0 + 2.0 * digits + 3.0 * math.log2(max(1.0, float(charges.max())))
        rank *= _crowd(places) ** CUSPS
    else:
        rank = (5.0 + 1.2 * digits) * _crowd(nuclei.positions) ** SMOOTH
    if problem.displaced:
        rank *= DISORDER * max(1.0, len(nuclei) / 8.0) ** (1.0 / 3.0)
    return max(2, min(round(rank), prepared.solver.max_rank))


def _crowd(positions: np.ndarray) -> float:
    """Places along an axis where nuclei are, the mean of the three, at most CROWD."""
    along = [min(CROWD, max(1.0, float(len(np.unique(positions[:, m].round(6)))))) for m in range(3)]
    return math.prod(along) ** (1.0 / 3.0)
