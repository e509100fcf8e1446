"""What a run of a parametric PDE would do, and what it is expected to take.

The number of solutions the basis needs grows with the digits asked for and with the root of the number of parameters;
the TT-rank is as large for discs, and some times larger for fields of sines, which fall off slowly.
"""

from __future__ import annotations

import math

from problems.effort import INTERPRETER, entries, listed, megabytes
from problems.parametric_pde.fields import Discs
from problems.parametric_pde.solve import Prepared
from problems.report_parts import Effort

SNAPSHOTS = {True: 6.5, False: 2.0}  # of the basis, over digits and root of d; for discs and for sines
RANKS = {True: 1.0, False: 4.5}  # TT-rank over that number
SWEEPS = 5.0
CHECKS = 100.0  # exact solves that measure the errors
REDUCED = 3e-5  # seconds of a reduced solve beside its flops
SPEED = 6e9


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come."""
    problem, solver = prepared.problem, prepared.solver
    field, snapshots = problem.coefficient, _snapshots(prepared)
    nodes, dimensions = _nodes(prepared), problem.midpoints.shape[1]
    how = {
        "als_cross": f"about {snapshots} PDE solves at chosen parameter points (cap {solver.max_solves}), a train over "
        "the parameters by ALS-cross in their span; errors against exact solves at other points",
        "amen": "one linear system over mesh and parameters by AMEn; errors against exact solves",
    }
    return [
        ("mesh", f"{problem.mesh.cells} cells an axis in {dimensions}-D, {nodes} nodes"),
        ("field", f"{field.type}, {field.d} parameters, {field.distribution}"),
        ("Gauss points", listed(prepared.points)),
        ("tensor of the solution", entries([nodes, *prepared.points])),
        ("train", f"TT-ranks of about {_rank(prepared)} (cap {solver.max_rank}), {megabytes(_stored(prepared))}"),
        ("quantities", ", ".join(quantity.name for quantity in problem.wanted)),
        ("plan", how[solver.method]),
    ]


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory; ``workers`` only share solves on very large meshes."""
    del workers
    d, snapshots, nodes = prepared.problem.coefficient.d, _snapshots(prepared), _nodes(prepared)
    solve = 1e-3 + (1.5e-6 * nodes**1.15 if prepared.problem.midpoints.shape[1] == 2 else 2e-6 * nodes)
    points, rank = sum(prepared.points) / d, _rank(prepared)
    count = SWEEPS * 2.0 * d * points * rank
    reduced = REDUCED + (snapshots**3 / 3.0 + 2.0 * (d + 1) * snapshots**2) / SPEED
    trains = 20.0 * d * points * float(rank) ** 3 / SPEED
    seconds = 0.3 + (snapshots + CHECKS) * solve + count * reduced + trains
    return Effort(seconds, INTERPRETER + 30.0 + 5.0 * _stored(prepared) + 1e-3 * nodes)


def _nodes(prepared: Prepared) -> int:
    return int((prepared.problem.mesh.cells + 1) ** prepared.problem.midpoints.shape[1])


def _snapshots(prepared: Prepared) -> int:
    """Solutions the basis is expected to need."""
    field, digits = prepared.problem.coefficient, -math.log10(prepared.solver.accuracy)
    expected = SNAPSHOTS[isinstance(field, Discs)] * digits * math.sqrt(field.d)
    return max(1, min(round(expected), prepared.solver.max_solves, math.prod(prepared.points)))


def _rank(prepared: Prepared) -> int:
    """The expected TT-rank of the solution."""
    expected = RANKS[isinstance(prepared.problem.coefficient, Discs)] * _snapshots(prepared)
    return max(1, min(round(expected), prepared.solver.max_rank))


def _stored(prepared: Prepared) -> float:
    """Megabytes of the solution."""
    rank, d = _rank(prepared), prepared.problem.coefficient.d
    return 8e-6 * (_nodes(prepared) * rank + max(0, d - 1) * rank * rank * sum(prepared.points) / d / 3.0)
