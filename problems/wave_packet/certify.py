"""Other routes to a wave packet: another integrator, a higher rank at a tighter accuracy, half the steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from problems.problem import Quantity
from problems.route import TIGHTER, Route
from problems.wave_packet.keys import WavePacketSolver

OTHER = {"tdvp": "tdvp2", "tdvp2": "tdvp", "bug": "tdvp2", "implicit": "tdvp2"}
HIGHER = 1.5  # times max_rank


def allowed(solver: WavePacketSolver, quantity: Quantity, results: Mapping[str, Any]) -> float | np.ndarray:
    """What the accuracy asked for allows: absolute in a(t), relative to the largest value of an observable."""
    accuracy = float(solver.accuracy or 0.0)
    if quantity.name == "autocorrelation":
        return accuracy
    values = np.abs(quantity.values[np.isfinite(quantity.values)])
    return accuracy * max(1.0, float(values.max(initial=0.0)))


def routes(problem: Any, solver: WavePacketSolver, results: Mapping[str, Any]) -> list[Route]:
    """The routes to the motion of a run with these keys."""
    return routes_in_time(solver)


def routes_in_time(solver: WavePacketSolver) -> list[Route]:
    """The routes that any problem in time has."""
    method, rank = OTHER[solver.method], int(HIGHER * solver.max_rank) + 1
    # an order is a key of the integrators that have one, and half a step suits any of them
    changes: dict[str, Any] = {"solver.method": method, "solver.order": 2, "solver.check_rank": "none"}
    found = [Route("method", f"{method} in place of {solver.method}", changes)]
    changes = {"solver.max_rank": rank, "solver.accuracy": TIGHTER * float(solver.accuracy or 1e-3)}
    text = f"ranks up to {rank}, a tenth of the accuracy"
    if solver.time_step is not None:
        changes["solver.time_step"] = 0.5 * solver.time_step
        text += ", half the time step"
    return [*found, Route("accuracy", text, changes | {"solver.check_rank": "none"})]
