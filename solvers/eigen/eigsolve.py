"""``eigsolve``: the lowest states of a Hermitian TT operator, by the method asked for.

The start (pruned configuration interaction of a table of products) also tells how many states each symmetry block
holds below the energy wanted, and where the next gap in the spectrum lies: states up to that gap are computed as a
buffer, so that the last wanted level is not cut out of a group.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.configuration_interaction import ProductTerms, lowest_configurations
from solvers.eigen.inverse_iteration import Block, Outcome, Passes
from solvers.environments import SectorOperator
from solvers.methods import InverseIteration
from solvers.solution import IterationState, NotConverged, Solution, Status
from solvers.trains.operator import TTOperator
from solvers.trains.sectors import SectorTrain

START_RANK = 20
START_WORK = 5_000_000  # configurations times terms, at most: a few seconds
MARGIN = 0.6  # of the accuracy is the goal for the estimates; the rest is left to what they cannot see
START_CUTOFF = 1e-3  # of the lowest excitation energy: smaller couplings are left out of the start's matrix


@dataclass(frozen=True)
class EigenStates:
    """Ascending energies (n,), a train and its symmetry charge for each, and the buffer energies above them.

    ``errors``: estimated energy still to be gained by larger ranks, (n,); ``probe``: what the search of the
    orthogonal complement found.
    """

    energies: np.ndarray
    trains: list[SectorTrain]
    charges: list[int]
    errors: np.ndarray
    buffer: np.ndarray
    probe: dict[str, Any]


def space_size(terms: ProductTerms) -> float:
    """Number of product functions (as a float: it may be astronomical)."""
    return float(np.prod([float(len(e)) for e in terms.energies]))


def excitation_scale(terms: ProductTerms) -> float:
    """The smallest one-mode excitation energy: the natural unit of shifts, windows and energy denominators."""
    gaps = [float(np.diff(np.sort(e))[0]) for e in terms.energies if len(e) > 1]
    positive = [g for g in gaps if g > 0]
    return min(positive) if positive else 1.0


def start_blocks(
    terms: ProductTerms,
    n_states: int,
    method: InverseIteration,
    *,
    executor: Executor | None = None,
    seed: int = 0,
) -> list[Block]:
    """Blocks of approximate states: the wanted ones and a buffer up to the next gap."""
    scale = excitation_scale(terms)
    count = min(method.configurations, START_WORK // max(len(terms.terms), 1))
    configurations, charges = lowest_configurations(terms, max(count, 40 * n_states))
    extra = max(6, n_states // 8)
    most = n_states + extra
    present = np.unique(charges)
    counts = {int(c): int(np.sum(charges[: 2 * most + 20] == c)) for c in present}
    jobs = [
        (terms, configurations[charges == c], c, max(1, min(n, int(np.sum(charges == c)))), START_CUTOFF * scale, START_RANK, seed)
        for c, n in counts.items()
        if n
    ]
    results = tasks.run_tasks(executor, tasks.start_block, jobs)
    energies = np.concatenate([r[0] for r in results])
    # beyond the top of a block that has more states to give, the list has holes
    tops = [e[-1] for (_, c, _, n, *_), (e, _) in zip(jobs, results) if n < len(c)]
    order = np.sort(energies[energies <= min(tops, default=np.inf)])
    total = min(most, len(order))
    if len(order) > n_states + 1:
        # the widest gap above the last wanted state, at least one buffer state beneath it
        gaps = np.diff(order[n_states : min(most + 1, len(order))])
        total = n_states + 1 + int(np.argmax(gaps)) if len(gaps) else n_states
    limit = order[total - 1]
    blocks = []
    for (_, _, c, *_), (e, trains) in zip(jobs, results):
        keep = np.flatnonzero(e <= limit)
        if len(keep):
            blocks.append(Block(c, [trains[i] for i in keep], e[keep].copy()))
    return blocks


def eigsolve(
    operator: TTOperator,
    n_states: int,
    *,
    start: ProductTerms,
    blocks: list[Block] | None = None,
    method: InverseIteration | None = None,
    accuracy: float = 1e-2,
    executor: Executor | None = None,
    rng: np.random.Generator | None = None,
    callback: Callable[[IterationState], None] | None = None,
    throw: bool = True,
) -> Solution:
    """The ``n_states`` lowest states of a real symmetric TT operator, each as a train of its own.

    ``start``: the operator as a table of products with the charges of its mode functions (ascending in each
    mode); ``blocks``: approximate states (``start_blocks``) where the caller has them already. ``accuracy``: requested error of each energy, in the operator's unit. ``value`` of the Solution is an EigenStates, ``residual`` the two-site residual norms. Raises
    ValueError for more states than product functions, NotConverged (with the solution) when ``throw``.
    """
    method = method or InverseIteration()
    rng = rng or np.random.default_rng(0)
    if not 1 <= n_states <= space_size(start):
        raise ValueError(f"n_states = {n_states}, but the space has {space_size(start):.0f} product functions")
    begin = time.perf_counter()
    sector = SectorOperator(operator, start.modes)
    if blocks is None:
        blocks = start_blocks(start, n_states, method, executor=executor, seed=int(rng.integers(2**31)))
    scale = excitation_scale(start)
    weights = [np.exp(-(e - e.min()) / (4.0 * scale + np.ptp(e) * 0.05)) for e in start.energies]
    passes = Passes(
        sector, blocks, n_states, scale, MARGIN * accuracy, method,
        executor=executor, rng=rng, callback=callback, probe_weights=weights,
    )  # fmt: skip
    passes.report("start", 0.05)
    outcome = passes.run()
    return _solution(outcome, n_states, accuracy, time.perf_counter() - begin, throw)


def _solution(outcome: Outcome, n_states: int, accuracy: float, seconds: float, throw: bool) -> Solution:
    energies = np.concatenate([b.energies for b in outcome.blocks])
    order = np.argsort(energies, kind="stable")
    trains: Sequence[SectorTrain] = [x for b in outcome.blocks for x in b.trains]
    errors = outcome.safety * np.concatenate([b.errors for b in outcome.blocks])
    residuals = np.concatenate([b.residuals for b in outcome.blocks])
    charges = [b.charge for b in outcome.blocks for _ in b.trains]
    wanted = order[:n_states]
    value = EigenStates(
        energies[wanted],
        [trains[i] for i in wanted],
        [charges[i] for i in wanted],
        errors[wanted],
        energies[order[n_states:]],
        outcome.probe,
    )
    n_converged = int(np.sum(errors[wanted] <= accuracy))
    status = Status.CONVERGED if n_converged == n_states else outcome.status
    solution = Solution(
        value, status, n_converged, residuals[wanted], tuple(outcome.history), outcome.counts, {"solve_s": seconds}
    )
    if throw and status is not Status.CONVERGED:
        raise NotConverged(solution)
    return solution
