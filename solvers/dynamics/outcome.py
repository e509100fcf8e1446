"""What an evolution came to: its records, the second looks at it, and the status that follows from both."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.dynamics.enlarge import energy
from solvers.dynamics.evolution import Evolution
from solvers.dynamics.second_look import DIGITS, second_looks
from solvers.methods import Implicit
from solvers.solution import Checked, Solution, Status

if TYPE_CHECKING:
    from solvers.dynamics.driver import Driver


def record(driver: Driver, i: int) -> None:
    """Everything known at output time i."""
    x = driver.state()
    norm, carried = driver.norm, driver.carried()
    if not np.isfinite(norm):
        raise ValueError(f"the state is not finite at t = {driver.times[i]:g}: shorten the time step")
    ahead = driver.defect + max(driver.slope * driver.pending, 0.0)  # since the last measurement, until the next
    with np.errstate(over="ignore"):
        size = float(np.exp(driver.log_norm))
    row: dict[str, Any] = {
        "norms": size,
        "log_norms": driver.log_norm,
        "energies": energy(driver.operator, driver.stepper.train()),
        "ranks": np.array(x.ranks),
        "projection_errors": carried[0] + driver.pending * ahead / norm,
        "truncation_errors": carried[1] + getattr(driver.stepper, "rounding", 0.0),
        "step_errors": carried[2],
        "krylov_errors": carried[3],
    }
    for name, value in (driver.observe(float(driver.times[i]), x) if driver.observe else {}).items():
        row[f"observed_{name}"] = np.asarray(value)
    for name, value in row.items():
        driver.rows.setdefault(name, []).append(value)


def outcome(driver: Driver) -> Solution:
    """The solution of a driver that has come to its end, or as far as it could."""
    columns = {name: np.array(values) for name, values in driver.rows.items()}
    columns["projection_errors"] = np.maximum.accumulate(columns["projection_errors"])
    observed = {name[9:]: columns.pop(name) for name in list(columns) if name.startswith("observed_")}
    times = driver.times[: len(columns["norms"])]
    value = Evolution(
        times=times, state=driver.state(), observed=observed, step_sizes=np.array(driver.steps), **columns
    )
    status, bound, looks = _judged(driver, value)
    counts = {"rejected": driver.rejected, **driver.stepper.work, "steps": len(driver.steps)}
    timing = {"compile_s": driver.compile_s, "solve_s": time.perf_counter() - driver.begin}
    extra = {"max_rank": int(value.ranks.max()), "route": driver.route}
    return Solution(
        value, status, int(status is Status.CONVERGED), np.array([bound]), (), counts, timing, extra, tuple(looks)
    )


def _judged(driver: Driver, value: Evolution) -> tuple[Status, float, list[Checked]]:
    """The status, the bound of the error at the last time asked for, and what was looked at."""
    if len(value.times) < len(driver.times):
        return Status.STEP_LIMIT, math.inf, []  # nothing is known of a state that was not reached
    bound = float(value.errors[-1])
    status = Status.CONVERGED if bound <= driver.accuracy else _limit(driver, value)
    looks, error = second_looks(driver, value, bound)
    if error is not None and error <= driver.accuracy < bound:
        status, bound = Status.CONVERGED, max(error, DIGITS)  # known, and better than any bound
    elif status is Status.CONVERGED and not all(look.passed for look in looks):
        status = Status.CONTRADICTED
    if error is not None and error > max(bound, DIGITS):
        bound = error
    if not driver.in_range:
        bound = max(bound, 1.0)  # of the state as it is returned
        status = Status.OUT_OF_RANGE if status is Status.CONVERGED else status
    return status, bound, looks


def _limit(driver: Driver, value: Evolution) -> Status:
    """Of ranks and steps the one that errs by more."""
    ranks = value.projection_errors[-1] + value.truncation_errors[-1]
    steps = value.step_errors[-1] + value.krylov_errors[-1]
    # a linear system that the ranks cannot solve is left with its residual
    method = driver.method
    capped = isinstance(method, Implicit) and int(value.ranks.max()) >= method.max_rank
    return Status.RANK_LIMIT if ranks > steps or capped else Status.STEP_LIMIT
