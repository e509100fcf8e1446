"""A search for levels of a window that a list lacks.

A random start, orthogonal to the known states of its sector, is driven towards a shift inside the window by inverse
iteration (solvers.eigen.probe), once near each end and once in the middle. Its mean energy says nothing by itself, as a
vector made of levels below and above the window can have any. With its residual norm it does: in the space outside the
known states there is a level within sqrt((e - m)^2 + r^2) of the middle m (Temple; Parlett, The Symmetric Eigenvalue
Problem (SIAM 1998), theorem 4.5.1, of (H - m)^2), where e is the mean energy and r the residual norm. Where that is
less than the distance from the middle to the nearest end of the known levels, a state is missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.many_states import ManyStates
from solvers.eigen.probe import Probe, Search, probe
from solvers.eigen.residual_of import mean_and_residual
from solvers.methods import InverseIteration
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import SectorTrain

PLACES = (0.15, 0.5, 0.85)  # of the shifts, in widths of the window from its lower end


def look_inside(many: ManyStates, search: Search, number: int) -> tuple[dict[str, Any], list[list[SectorTrain]]]:
    """What was seen, and by sector the trains to take in; as ``solvers.eigen.probe.look``."""
    assert many.interval is not None
    lower, upper = many.interval
    middle = 0.5 * (lower + upper)
    jobs: list[tuple[Any, ...]] = []
    where: list[tuple[int, float]] = []
    for b, sector in enumerate(many.sectors):
        reach = _reach(sector.energies, middle, 0.5 * (upper - lower))
        for place in PLACES[: 3 if many.method.probes else 0]:
            seed = int(many.rng.integers(2**31))
            shift = lower + place * (upper - lower)
            rank = many.method.first_rank
            corner = len(jobs) % 2 == 1
            weights = None if corner else search.weights
            task = Probe(sector.charge, sector.trains, sector.energies, shift, rank, weights, seed)
            jobs.append((many.operator, task, many.method, many.scale, middle))
            where.append((b, reach))
    seen = tasks.run_tasks(many.executor, seen_inside, jobs, many.progress("search of the window", 0.9, 1.0))
    found: list[list[SectorTrain]] = [[] for _ in many.sectors]
    nearest = np.inf
    for (b, reach), (within, train) in zip(where, seen):
        nearest = min(nearest, within)
        if within < reach and len(many.sectors[b].states) + len(found[b]) < many.space_of(many.sectors[b]):
            found[b].append(train)
    search.starts += len(jobs)
    missing = sum(map(len, found))
    summary: dict[str, Any] = {
        "method": "random starts in the complement, driven into the window; their distance from its middle with the "
        "residual",
        "starts": len(jobs),
        "nearest_outside_to_the_middle": None if np.isinf(nearest) else float(nearest),
        "missing_states": missing,
        "completeness": f"searched {search.starts} times" if jobs and not missing else "unknown",
    }
    return summary, found if missing else []


def seen_inside(
    operator: SectorOperator, task: Probe, method: InverseIteration, scale: float, middle: float
) -> tuple[float, SectorTrain]:
    """How near to ``middle`` a level of the complement must be, and the train that says so."""
    z = probe(operator, task, method, scale).train
    known = tasks.known(operator)
    found = mean_and_residual(known, z, task.trains)
    if found is None:
        return np.inf, z
    mean, residual = found
    return float(np.hypot(mean - middle, residual)), z


def _reach(energies: np.ndarray, middle: float, half: float) -> float:
    """From the middle to the nearest end of the known levels, where these reach beyond the window."""
    return max(half, min(middle - float(energies.min()), float(energies.max()) - middle))
