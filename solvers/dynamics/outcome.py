"""What an evolution came to: its records, the second looks at it, and the status that follows from both."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from solvers.dynamics.enlarge import energy
from solvers.dynamics.evolution import Evolution
from solvers.dynamics.evolving import Evolving
from solvers.dynamics.second_look import DIGITS, second_looks
from solvers.solution import Checked, Solution, Status


def record(run: Evolving) -> None:
    """Everything known at the output time reached."""
    x, time = run.state(), float(run.times[run.reached])
    norm, carried = run.norm, run.carried()
    if not np.isfinite(norm):
        raise ValueError(f"the state is not finite at t = {time:g}: shorten the time step")
    ahead = run.defect + max(run.slope * run.pending, 0.0)  # since the last measurement, until the next
    with np.errstate(over="ignore"):
        size = float(np.exp(run.log_norm))
    row: dict[str, Any] = {
        "norms": size,
        "log_norms": run.log_norm,
        "energies": energy(run.operator, run.stepper.train()),
        "ranks": np.array(x.ranks),
        "projection_errors": carried[0] + run.pending * ahead / norm,
        "truncation_errors": carried[1] + run.stepper.rounding,
        "step_errors": carried[2],
        "krylov_errors": carried[3],
    }
    for name, value in (run.observe(time, x) if run.observe else {}).items():
        row[f"observed_{name}"] = np.asarray(value)
    for name, value in row.items():
        run.rows.setdefault(name, []).append(value)


def outcome(run: Evolving) -> Solution:
    """The solution of an evolution that has come to its end, or as far as it could."""
    columns = {name: np.array(values) for name, values in run.rows.items()}
    columns["projection_errors"] = np.maximum.accumulate(columns["projection_errors"])
    observed = {name[9:]: columns.pop(name) for name in list(columns) if name.startswith("observed_")}
    times = run.times[: len(columns["norms"])]
    value = Evolution(times=times, state=run.state(), observed=observed, step_sizes=np.array(run.lengths), **columns)
    status, bound, looks = _judged(run, value)
    counts = {"rejected": run.rejected, **run.stepper.work, "steps": len(run.lengths)}
    extra = {"max_rank": int(value.ranks.max()), "route": run.route}
    converged = int(status is Status.CONVERGED)
    return Solution(value, status, converged, np.array([bound]), (), counts, {}, extra, tuple(looks))


def _judged(run: Evolving, value: Evolution) -> tuple[Status, float, list[Checked]]:
    """The status, the bound of the error at the last time asked for, and what was looked at."""
    if len(value.times) < len(run.times):
        return Status.STEP_LIMIT, math.inf, []  # nothing is known of a state that was not reached
    bound = float(value.errors[-1])
    status = Status.CONVERGED if bound <= run.accuracy else _limit(run, value)
    looks, error = second_looks(run, value, bound)
    if error is not None and error <= run.accuracy < bound:
        status, bound = Status.CONVERGED, max(error, DIGITS)  # known, and better than any bound
    elif status is Status.CONVERGED and not all(look.passed for look in looks):
        status = Status.CONTRADICTED
    if error is not None and error > max(bound, DIGITS):
        bound = error
    if not run.in_range:
        bound = max(bound, 1.0)  # of the state as it is returned
        status = Status.OUT_OF_RANGE if status is Status.CONVERGED else status
    return status, bound, looks


def _limit(run: Evolving, value: Evolution) -> Status:
    """Of ranks and steps the one that errs by more."""
    ranks = value.projection_errors[-1] + value.truncation_errors[-1]
    steps = value.step_errors[-1] + value.krylov_errors[-1]
    # a linear system that the ranks cannot solve is left with its residual
    capped = run.stepper.solves and int(value.ranks.max()) >= run.method.max_rank
    return Status.RANK_LIMIT if ranks > steps or capped else Status.STEP_LIMIT
