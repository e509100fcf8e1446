"""What is said of a density on its way."""

from __future__ import annotations

from problems.fokker_planck.model import FokkerPlanckProblem, FokkerPlanckSolver
from problems.progress import Told, motion, rank
from solvers.solution import IterationState


def told(
    problem: FokkerPlanckProblem, solver: FokkerPlanckSolver, state: IterationState, before: IterationState | None
) -> list[Told]:
    """How far it is in time, the norm and the error of the density."""
    return [*motion(state, solver.t_final), *rank(state)]
