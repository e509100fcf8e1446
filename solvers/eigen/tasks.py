"""The independent pieces of the many-state method, as plain functions that worker processes can run.

Every list of tasks is fixed beforehand, so results do not depend on the number of workers. An operator is sent with
every task; a worker keeps the last ones it saw, so their tables are built once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, reachable
from solvers.eigen.block_dmrg import FIRST_TRUNCATION, BlockDMRGResult, Wanted, block_dmrg
from solvers.eigen.configuration_interaction import ProductTerms, TrainBuilder, lowest_vectors, matrix
from solvers.eigen.left_out import LeftOut, Outside
from solvers.eigen.left_out import left_out as outside_of
from solvers.eigen.shifted_solve import ShiftedSolve, StepOptions
from solvers.methods import BlockDMRG
from solvers.sectors.environments import sandwich
from solvers.sectors.estimates import rank_error
from solvers.sectors.operator import SectorOperator
from solvers.sectors.residual_sketch import residual_norm_sketch
from solvers.sectors.residuals import residual_norm
from solvers.sectors.train import SectorTrain, inner, linear_combination, truncate

CHUNK = 4  # states a task
START_ROUNDING = 1e-4  # of the trains of a start
BASIS_RANK = 24
EXACT_RESIDUAL_RANK = 300

_KNOWN: OrderedDict[str, SectorOperator] = OrderedDict()


def known(operator: SectorOperator) -> SectorOperator:
    """The copy of the operator this process already works with."""
    found = _KNOWN.setdefault(operator.key, operator)
    while len(_KNOWN) > 4:
        _KNOWN.popitem(last=False)
    return found


def run_tasks(
    executor: Executor | None,
    function: Callable[..., Any],
    tasks: Sequence[tuple],
    done: Callable[[int, int], None] | None = None,
) -> list[Any]:
    """Results of ``function(*task)`` in the order of the tasks; ``done(finished, total)`` after each one."""
    results: list[Any] = []
    if executor is None:
        for task in tasks:
            results.append(function(*task))
            if done:
                done(len(results), len(tasks))
        return results
    futures = [executor.submit(function, *task) for task in tasks]
    try:
        for future in futures:
            results.append(future.result())
            if done:
                done(len(results), len(tasks))
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return results


def chunks(items: Iterable[Any], size: int) -> list[list[Any]]:
    listed = list(items)
    return [listed[i : i + size] for i in range(0, len(listed), size)]


@dataclass(frozen=True)
class SolveTask:
    """An inverse-iteration step of state ``state``: right-hand side sum_k weights[k] basis[sources[k]]."""

    state: int
    sources: list[int]
    weights: list[float]
    shift: float
    options: StepOptions
    seed: int


@dataclass(frozen=True)
class Solved:
    """The new train of a state, of norm one, and the operator products it took."""

    state: int
    train: SectorTrain
    products: int


@dataclass(frozen=True)
class Sum:
    """State ``state`` as the sum of weights[k] times train sources[k], of at most ``max_rank``."""

    state: int
    sources: list[int]
    weights: list[float]
    max_rank: int


@dataclass(frozen=True)
class RankError:
    """Of a state: second-order estimate ``error`` of its rank error, ``residual`` norm, Rayleigh ``quotient``, and the
    squared norm ``undone`` of the residual that the iteration left within single cores."""

    state: int
    error: float
    residual: float
    quotient: float
    undone: float


def start_sector(
    terms: ProductTerms, configurations: np.ndarray, charge: int, count: int, cutoff: float, max_rank: int, seed: int
) -> tuple[np.ndarray, list[SectorTrain]]:
    """Lowest states of one symmetry sector by pruned configuration interaction, as trains of norm one."""
    h = matrix(terms, configurations, cutoff)
    energies, vectors = lowest_vectors(h, count, seed)
    builder = TrainBuilder(terms, configurations, charge)
    trains = [normalised(builder.train(v, max_rank, START_ROUNDING)) for v in vectors.T]
    return energies, trains


def normalised(x: SectorTrain) -> SectorTrain:
    norm = np.sqrt(inner(x, x))
    if not np.isfinite(norm) or norm == 0.0:
        raise FloatingPointError("a state has norm zero, NaN or infinity")
    return x.scaled(1.0 / norm)


def solve_states(
    operator: SectorOperator,
    basis: dict[int, SectorTrain],
    starts: dict[int, SectorTrain],
    jobs: Sequence[SolveTask],
) -> list[Solved]:
    """Inverse-iteration steps, each from its state's own start."""
    operator = known(operator)
    results = []
    for job in jobs:
        parts = [basis[j] for j in job.sources]
        rng = np.random.default_rng(job.seed)
        step = ShiftedSolve(operator, starts[job.state], parts, job.weights, job.shift, job.options, rng)
        y, products = step.solve()
        results.append(Solved(job.state, normalised(y), products))
    return results


def pair_elements(
    operator: SectorOperator, trains: dict[int, SectorTrain], pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int, float, float]]:
    """(i, j, <i|H|j>, <i|j>) of the pairs."""
    operator = known(operator)
    return [(i, j, sandwich(operator, trains[i], trains[j]), inner(trains[i], trains[j])) for i, j in pairs]


def pair_overlaps(trains: dict[int, SectorTrain], pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int, float]]:
    """(i, j, <i|j>) of the pairs."""
    return [(i, j, inner(trains[i], trains[j])) for i, j in pairs]


def recombine(trains: dict[int, SectorTrain], jobs: Sequence[Sum], tol: float) -> list[tuple[int, SectorTrain]]:
    """(state, train of norm one): sums of trains, rounded to the relative error ``tol``."""
    results = []
    for job in jobs:
        x = linear_combination([trains[j] for j in job.sources], job.weights)
        if len(job.sources) > 1:
            x, _ = truncate(x, job.max_rank, tol)
        results.append((job.state, normalised(x)))
    return results


def state_errors(operator: SectorOperator, trains: dict[int, SectorTrain], floor: float) -> list[RankError]:
    """The rank error of each train; ``floor``: the smallest energy denominator."""
    operator = known(operator)
    results = []
    for state, x in trains.items():
        error, norm2, energy, undone = rank_error(operator, x, floor)
        results.append(RankError(state, error, float(np.sqrt(norm2 + undone)), energy, undone))
    return results


def residual_norms(
    operator: SectorOperator, trains: dict[int, SectorTrain], energies: dict[int, float], seed: int
) -> list[tuple[int, float]]:
    """(state, ||H x - E x||): exact where the ranks of H x are small, else by a random sketch (about 10 per cent)."""
    operator = known(operator)
    rng = np.random.default_rng(seed)
    results = []
    for state, x in trains.items():
        if max(a * b for a, b in zip(operator.ranks, x.ranks)) <= EXACT_RESIDUAL_RANK:
            results.append((state, residual_norm(operator, x, energies[state])))
        else:
            results.append((state, residual_norm_sketch(operator, x, energies[state], rng)))
    return results


def left_out(space: Outside, trains: Sequence[SectorTrain], goal: float, floor: float) -> list[LeftOut]:
    """What the functions outside a basis add to each train."""
    # the leading part of a state says enough about the functions it lacks
    return [outside_of(space, truncate(x, BASIS_RANK)[0], goal, floor) for x in trains]


def shared_basis(
    operator: SectorOperator,
    charge: int,
    count: int,
    options: BlockDMRG,
    start: Sequence[SectorTrain],
    seed: int,
    checkpoint: Checkpoint | None = None,
    truncation: float | None = None,
    wanted: Wanted | None = None,
) -> BlockDMRGResult:
    """Block DMRG of one symmetry sector."""
    if checkpoint is not None and reachable(checkpoint.path) is None:
        checkpoint = None
    return block_dmrg(
        known(operator),
        charge,
        count,
        options,
        start=list(start),
        rng=np.random.default_rng(seed),
        checkpoint=checkpoint,
        truncation=FIRST_TRUNCATION if truncation is None else truncation,
        wanted=wanted,
    )
