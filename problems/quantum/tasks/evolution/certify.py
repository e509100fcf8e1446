"""Other routes to a wave packet: another integrator, a higher rank at a tighter accuracy, half the steps.

A small state is evolved as a full vector whatever the integrator; its other route is a train of full rank, whose
projector splitting is exact at any step and shares neither the matrix nor the exponential.
"""

from __future__ import annotations

import math

import numpy as np

from problems.quantum.tasks.evolution.keys import InTime, WavePacketSolver
from problems.report_parts import Quantity
from problems.result import Results
from problems.route import TIGHTER, Route
from solvers.dynamics.full_vectors import LARGEST

OTHER = {"tdvp": "tdvp2", "tdvp2": "tdvp", "bug": "tdvp2", "implicit": "tdvp2"}
HIGHER = 1.5  # times max_rank


def allowed(solver: WavePacketSolver, quantity: Quantity, results: Results) -> float | np.ndarray:
    """What the accuracy asked for allows: absolute in a(t), relative to the largest value of an observable."""
    accuracy = float(solver.accuracy or 0.0)
    if quantity.name == "autocorrelation":
        return accuracy
    values = np.abs(quantity.values[np.isfinite(quantity.values)])
    return accuracy * max(1.0, float(values.max(initial=0.0)))


def routes(problem: InTime, solver: WavePacketSolver, results: Results) -> list[Route]:
    """The routes to the motion of a run with these keys."""
    size = math.prod(problem.shape)
    method, rank = OTHER[solver.method], int(HIGHER * solver.max_rank) + 1
    # an order is a key of the integrators that have one, and half a step suits any of them
    changes: dict[str, object] = {"solver.method": method, "solver.order": 2, "solver.check_rank": "none"}
    text = f"{method} in place of {solver.method}"
    if size <= LARGEST and solver.time_step is None:
        text = "tdvp on trains of full rank in place of full vectors"
        step = solver.t_final / solver.outputs
        changes |= {"solver.method": "tdvp", "solver.time_step": step, "solver.max_rank": math.isqrt(size) + 1}
    return [Route("method", text, changes), _stricter(solver, rank)]


def _stricter(solver: WavePacketSolver, rank: int) -> Route:
    changes: dict[str, object] = {"solver.max_rank": rank, "solver.accuracy": TIGHTER * float(solver.accuracy or 1e-3)}
    text = f"ranks up to {rank}, a tenth of the accuracy"
    if solver.time_step is not None:
        changes["solver.time_step"] = 0.5 * solver.time_step
        text += ", half the time step"
    return Route("accuracy", text, changes | {"solver.check_rank": "none"})
