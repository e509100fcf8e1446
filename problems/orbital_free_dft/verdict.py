"""What a ground state is worth: converged or why not, and what would cure it."""

from __future__ import annotations

import math

import numpy as np

from problems.orbital_free_dft.extrapolation import Extrapolated
from problems.orbital_free_dft.ground_state import Task
from problems.orbital_free_dft.keys import FINEST
from problems.orbital_free_dft.result import LevelResult
from solvers.measured import amount, numeral
from solvers.solution import Checked, Status

WORTH = 0.25  # of the accuracy, that part of an error too large which is told: one of four has as much


def judge(
    task: Task,
    levels: list[LevelResult],
    order: int | None,
    energy: Extrapolated,
    error: float,
    looks: tuple[Checked, ...],
) -> tuple[Status, list[str]]:
    """The status, and one line for each thing that falls short.

    ``order``: the power of the spacing with which the error falls, None where it is faster than any; ``energy`` is
    extrapolated with it, ``error``: its whole error, hartree; ``looks``: the second looks taken.
    """
    solver, last = task.solver, levels[-1]
    accuracy, warnings = solver.accuracy, []
    if not np.isfinite(last.errors["box"]):
        mu = last.chemical_potential
        warnings.append(
            f"the electrons are not bound (chemical potential {numeral(mu)}): only the faces of the box hold them"
        )
        return Status.STAGNATED, warnings
    reached = error <= accuracy and last.converged
    least = np.inf if reached else WORTH * accuracy
    if last.errors["box"] > least:
        warnings.append(
            f"the box is too small for the density: its faces cost {amount(last.errors['box'])} hartree of the energy; "
            f"enlarge box ({task.problem.box:g})"
        )
    if energy.error > least:
        what = "the cusp at a nucleus" if task.nuclei.points.any() else "the density"
        # the error falls as a power of the spacing, or faster
        level = last.level + max(1, math.ceil(math.log2(energy.error / accuracy) / (order or 3)))
        cure = f"give level {level}" if level <= FINEST else "give a smaller box"
        warnings.append(
            f"too few levels for {what}: the grid costs {amount(energy.error)} hartree after extrapolation; {cure}"
        )
    if not last.converged:
        cure = f"allow more max_steps ({solver.max_steps})"
        if last.steps < solver.max_steps:
            cure = f"rounding hides the rest, ask for a smaller accuracy or allow more max_rank ({solver.max_rank})"
        warnings.append(f"the descent stopped with {amount(last.errors['descent'])} hartree to gain: {cure}")
    if last.errors["truncation"] > least:
        cost = amount(last.errors["truncation"], "hartree")
        told = f"rounding costs {cost}: ask for a smaller accuracy"
        if max(last.tucker_ranks or last.ranks) >= solver.max_rank:
            told = f"ranks were cut at max_rank {solver.max_rank}: {cost}; raise it"
        warnings.append(told)
    failed = [look for look in looks if not look.passed]
    warnings += [f"contradicted: {look.what}, by {look.how}: {look.result}" for look in failed]
    if reached:
        return Status.CONTRADICTED if failed else Status.CONVERGED, warnings
    if last.errors["truncation"] > 0.5 * accuracy:
        return Status.RANK_LIMIT, warnings
    if not last.converged:
        return Status.ITERATION_LIMIT, warnings
    return Status.BASIS_LIMIT, warnings
