"""Approximate states to begin with: by pruned configuration interaction from a table of products, or by a rough DMRG.

With the operator given as a table, the configuration interaction tells how many states each symmetry sector holds below
the energy wanted, and where the next gap in the spectrum lies. States up to that gap are computed as a buffer, so that
the last wanted level is not cut out of a group.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.block_dmrg import block_dmrg
from solvers.eigen.configuration_interaction import ProductTerms, lowest_configurations
from solvers.eigen.low_products import low_products
from solvers.eigen.many_states import Sector
from solvers.formats.trains.operator import TTOperator
from solvers.methods import BlockDMRG, InverseIteration
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import product_state, random_train

START_RANK = 20
START_CUTOFF = 1e-3  # of the lowest excitation energy: smaller couplings are left out of the start's matrix
CORNERS, CORNER_RANK = 4, 4  # random trains beside the low-energy bases of one product state
COLD_RANK = 40  # of the rough states without a table
START_WORK = 5_000_000  # configurations times terms, at most: a few seconds


@dataclass(frozen=True)
class Start:
    """Sectors of approximate states, wanted and buffer; ``gap``: from the last of them to the next state, if known."""

    sectors: list[Sector]
    gap: float | None


def space_size(terms: ProductTerms) -> float:
    """Number of product functions (as a float: it may be astronomical)."""
    return float(np.prod([float(len(e)) for e in terms.energies]))


def excitation_scale(terms: ProductTerms) -> float:
    """The smallest one-mode excitation energy: the natural unit of shifts, windows and energy denominators."""
    gaps = [float(np.diff(np.sort(e))[0]) for e in terms.energies if len(e) > 1]
    positive = [g for g in gaps if g > 0]
    return min(positive) if positive else 1.0


def start_states(
    terms: ProductTerms,
    n_states: int,
    *,
    configurations: int = InverseIteration.configurations,
    executor: Executor | None = None,
    seed: int = 0,
) -> Start:
    """Approximate states by pruned configuration interaction: the wanted ones and a buffer up to the next gap."""
    scale = excitation_scale(terms)
    affordable = START_WORK // max(len(terms.terms), 1)
    count = max(min(configurations, affordable, 2000 + 200 * n_states), 40 * n_states)
    products, charges = lowest_configurations(terms, count)
    most = n_states + max(6, n_states // 8)
    factor = 1
    while True:
        jobs, exhausted = [], []
        for c in np.unique(charges):
            own = products[charges == c]
            likely = max(1, int(np.sum(charges[: 2 * most + 20] == c)))
            wanted = min(factor * likely, len(own))
            jobs.append((terms, own, int(c), wanted, START_CUTOFF * scale, START_RANK, seed))
            exhausted.append(wanted == len(own))
        results = tasks.run_tasks(executor, tasks.start_sector, jobs)
        energies = np.concatenate([e for e, _ in results])
        # beyond the top of a sector that has more states to give, the list has holes
        top = min((float(e[-1]) for (e, _), full in zip(results, exhausted) if not full), default=np.inf)
        order = np.sort(energies[energies <= top])
        if len(order) > n_states or all(exhausted):
            break
        factor *= 2  # many sectors of few states each: the list is as long as the shortest of them allows
    total = min(n_states, len(order))
    if len(order) > n_states + 1:
        # the widest gap above the last wanted state, at least one buffer state beneath it
        total = n_states + 1 + int(np.argmax(np.diff(order[n_states : most + 1])))
    gap = float(order[total] - order[total - 1]) if len(order) > total else None
    sectors = []
    for (_, _, c, *_), (e, trains) in zip(jobs, results):
        keep = np.flatnonzero(e <= order[total - 1])
        if len(keep):
            sectors.append(Sector.of(c, [trains[i] for i in keep], e[keep]))
    return Start(sectors, gap)


def cold_start(
    sector: SectorOperator, operator: TTOperator, n_states: int, size: float, rng: np.random.Generator, charge: int = 0
) -> Start:
    """Rough states without a table of products: a block DMRG of low rank, two states more than asked for.

    It begins from the bases of a mean field, random trains, and the products on which the diagonal is lowest.
    """
    count = int(min(n_states + 2, size))
    weights = [np.ones(sum(n for _, n in mode)) for mode in sector.modes]
    corners = [random_train(sector.modes, charge, CORNER_RANK, weights, rng) for _ in range(CORNERS)]
    low = [product_state(sector.modes, [int(i) for i in p]) for p in low_products(operator, count, rng)[0]]
    corners += [x for x in low if x.charge == charge]
    options = BlockDMRG(max_rank=max(COLD_RANK, count), sweeps=4)
    rough = block_dmrg(sector, charge, count, options, start=corners, rng=rng)
    return Start([Sector.of(charge, rough.states, rough.energies)], None)


def level_spacing(start: Start) -> float:
    """An energy scale from the start's own levels: the mean spacing of the distinct ones."""
    levels = np.sort(np.concatenate([sector.energies for sector in start.sectors]))
    steps = np.diff(levels)
    distinct = steps[steps > max(1e-6 * np.ptp(levels), 1e-10 * np.abs(levels).max(), 1e-300)]
    return float(distinct.mean()) if len(distinct) else max(abs(float(levels[0])), 1.0)
