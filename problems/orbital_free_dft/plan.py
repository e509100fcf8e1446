"""What an orbital-free run would do, and what it is expected to take.

An evaluation of the energy samples about five r^2 fibres of n points: the ranks, which are only known afterwards,
decide. They grow with the digits asked of the energy, with the charge of point nuclei, and where nuclei stand in no
order.
"""

from __future__ import annotations

import math

from problems.effort import INTERPRETER, listed, megabytes
from problems.orbital_free_dft.model import OrbitalFreeProblem
from problems.orbital_free_dft.solve import Prepared
from problems.problem import Effort

EVALUATIONS = 14  # of the energy, on each grid
EVALUATION = 0.04  # seconds beside the points
FIBRES = 5.0  # times r^2, of n points each
POINT = 1e-7  # seconds a point
DISORDER = 2.0  # ranks of nuclei in no order over those of a lattice


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
        ("points an axis", f"{listed(points)}; spacing {problem.box / finest:.3g} bohr at the finest"),
        ("full grid", f"{float(finest) ** 3:.3g} points, {megabytes(8e-6 * float(finest) ** 3)} a function if stored"),
        ("grid functions", f"{solver.format}, " + ("" if dense else f"ranks of about {rank} (cap {solver.max_rank}), ")
                           + f"{megabytes(stored)} each"),
        ("Laplacian", solver.laplacian),
        ("plan", f"descent on {len(points)} grid{'s' * (len(points) > 1)}, coarse to fine, up to {solver.max_steps} "
                 f"steps each{'; extrapolation' * (len(points) > 1)}; density and orbital as quantics trains of "
                 f"{3 * problem.grids[-1]} cores"),
    ]  # fmt: skip


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory; one process, whatever the number of ``workers``."""
    del workers
    rank, seconds, largest = expected_rank(prepared), 0.3, 0.0
    for level in prepared.problem.grids:
        n = float(2**level)
        sampled = n**3 if prepared.solver.format == "dense" else FIBRES * n * min(rank, n) ** 2
        seconds += EVALUATIONS * (EVALUATION + POINT * min(sampled, 4.0 * n**3))
        largest = max(largest, sampled)
    return Effort(seconds, INTERPRETER + 50.0 + 15e-6 * largest)


def expected_rank(prepared: Prepared) -> int:
    """The ranks the grid functions are expected to have."""
    problem: OrbitalFreeProblem = prepared.problem
    nuclei = problem.sites
    energy = max(1.0, 0.5 * float((nuclei.charges ** (7.0 / 3.0)).sum()))  # of atoms, by the law of Thomas and Fermi
    digits = math.log10(energy / prepared.solver.accuracy)
    charges = nuclei.charges[nuclei.points]
    if len(charges):
        rank = 4.0 + 5.0 * digits + 3.0 * math.log2(max(1.0, float(charges.max())))
    else:
        rank = 3.0 + 3.3 * digits
    if problem.displaced:
        rank *= DISORDER * max(1.0, len(nuclei) / 8.0) ** (1.0 / 3.0)
    return max(2, min(round(rank), prepared.solver.max_rank))
