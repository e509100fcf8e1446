"""``eigsolve``: the lowest states of a Hermitian TT operator, by the method asked for.

With the operator given as a table of products too, a pruned configuration interaction provides the start: it tells
how many states each symmetry block holds below the energy wanted, and where the next gap in the spectrum lies. States
up to that gap are computed as a buffer, so that the last wanted level is not cut out of a group.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.eigen import tasks
from solvers.eigen.block_dmrg import FIRST_TRUNCATION
from solvers.eigen.blocks import Block, Outcome
from solvers.eigen.complex_hermitian import check_hermitian, real_form, recover
from solvers.eigen.configuration_interaction import ProductTerms, lowest_configurations
from solvers.eigen.inverse_iteration import Passes
from solvers.eigen.probe import search
from solvers.eigen.stored import Stage, begin_with
from solvers.environments import SectorOperator
from solvers.methods import BlockDMRG, InverseIteration
from solvers.solution import IterationState, NotConverged, Solution, Status
from solvers.trains.operator import TTOperator
from solvers.trains.sectors import ModeCharges, SectorTrain
from solvers.trains.tensor_train import TensorTrain

START_RANK = 20
START_CUTOFF = 1e-3  # of the lowest excitation energy: smaller couplings are left out of the start's matrix
START_WORK = 5_000_000  # configurations times terms, at most: a few seconds
MARGIN = 0.75  # of the accuracy is the goal for the estimates; the rest is left to what they cannot see
NARROWEST_GAP = 0.02  # of the lowest excitation energy, in error bounds that divide by a gap


@dataclass(frozen=True)
class EigenStates:
    """Ascending energies (n,), a train and its symmetry charge for each, and the buffer energies above them.

    ``trains``: SectorTrain (``to_train()`` gives dense cores), or complex TensorTrain of a complex operator.
    ``errors``: estimated energy still to be gained by larger ranks, (n,); ``probe``: what the search of the
    orthogonal complement found.
    """

    energies: np.ndarray
    trains: list[SectorTrain] | list[TensorTrain]
    charges: list[int]
    errors: np.ndarray
    buffer: np.ndarray
    probe: dict[str, Any]


@dataclass(frozen=True)
class Start:
    """Blocks of approximate states, wanted and buffer; ``gap``: from the last of them to the next state, if known."""

    blocks: list[Block]
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
    jobs, exhausted = [], []
    for c in np.unique(charges):
        own = products[charges == c]
        wanted = min(max(1, int(np.sum(charges[: 2 * most + 20] == c))), len(own))
        jobs.append((terms, own, int(c), wanted, START_CUTOFF * scale, START_RANK, seed))
        exhausted.append(wanted == len(own))
    results = tasks.run_tasks(executor, tasks.start_block, jobs)
    energies = np.concatenate([e for e, _ in results])
    # beyond the top of a block that has more states to give, the list has holes
    top = min((float(e[-1]) for (e, _), full in zip(results, exhausted) if not full), default=np.inf)
    order = np.sort(energies[energies <= top])
    total = min(n_states, len(order))
    if len(order) > n_states + 1:
        # the widest gap above the last wanted state, at least one buffer state beneath it
        total = n_states + 1 + int(np.argmax(np.diff(order[n_states : most + 1])))
    gap = float(order[total] - order[total - 1]) if len(order) > total else None
    blocks = []
    for (_, _, c, *_), (e, trains) in zip(jobs, results):
        keep = np.flatnonzero(e <= order[total - 1])
        if len(keep):
            blocks.append(Block(c, [trains[i] for i in keep], e[keep].copy()))
    return Start(blocks, gap)


def eigsolve(
    operator: TTOperator,
    n_states: int,
    *,
    method: InverseIteration | BlockDMRG | None = None,
    start: ProductTerms | tuple[ProductTerms, Start] | None = None,
    accuracy: float = 1e-2,
    executor: Executor | None = None,
    rng: np.random.Generator | None = None,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: str | Path | None = None,
    earlier: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The ``n_states`` lowest states of a Hermitian TT operator.

    ``start``: the operator as a table of products with the charges of its mode functions (ascending in each mode),
    with the approximate states where the caller has them already; without it the operator is taken as it is, no
    symmetry used (a complex operator, solved through its exact real form, always is). ``method``: InverseIteration
    (the default with a start; each state a train of its own) or BlockDMRG (the default without; one shared basis).
    ``accuracy``: requested error of each energy, in the operator's unit. ``checkpoint``: a file written after every
    pass (block DMRG: files with numbers, after every sweep); where it exists the calculation goes on from it.
    ``earlier``: that of another call, for fewer states or a looser accuracy of the same operator, maybe in fewer
    functions: its states are part of the start.

    ``value`` of the Solution is an EigenStates; ``residual`` the norms ||H x - E x||, computed again at the end (by
    a random sketch, to about 10 per cent, where the ranks of H x pass 300). Raises ValueError for more states than
    product functions or an operator that is not Hermitian, and NotConverged, which carries the solution, when
    ``throw``.
    """
    check_hermitian(operator)
    if np.issubdtype(operator.dtype, np.complexfloating):
        return _complex(operator, n_states, method, accuracy, executor, rng, callback, checkpoint, earlier, throw)
    rng = rng or np.random.default_rng(0)
    begin = time.perf_counter()
    terms, given = start if isinstance(start, tuple) else (start, None)
    modes: ModeCharges = terms.modes if terms else tuple(((0, n),) for n in operator.row_shape)
    size = float(np.prod([float(sum(n for _, n in mode)) for mode in modes]))
    if not 1 <= n_states <= size:
        raise ValueError(f"n_states is {n_states}, but the space has {size:.0f} product functions")
    sector = SectorOperator(operator, modes)
    method = method or (InverseIteration() if terms else BlockDMRG())
    seed = int(rng.integers(2**31))
    if terms and given is None:
        given = start_states(terms, n_states, executor=executor, seed=seed)
    if given is None:
        given = _cold_start(sector, n_states, size, rng)
    scale = excitation_scale(terms) if terms else _spread(given)
    if terms:
        weights = [np.exp(-(e - e.min()) / (4.0 * scale + np.ptp(e) * 0.05)) for e in terms.energies]
    else:
        weights = [np.ones(sum(n for _, n in mode)) for mode in modes]
    many = method if isinstance(method, InverseIteration) else InverseIteration()
    if many.local_tolerance is None:  # the energy error is quadratic in that of the state
        many = replace(many, local_tolerance=float(np.clip(0.3 * np.sqrt(accuracy / scale), 1e-8, 1e-2)))
    passes = Passes(
        sector, given.blocks, n_states, scale, MARGIN * accuracy, many,
        executor=executor, rng=rng, callback=callback, probe_weights=weights,
    )  # fmt: skip
    texts = [repr(n_states), repr(method), repr(accuracy), repr(modes)]
    passes.checkpoint = Checkpoint(checkpoint, Question(operator.cores, texts))
    begin_with(passes, Checkpoint(earlier).load())
    passes.report("start", 0.05)
    if isinstance(method, InverseIteration):
        outcome = passes.run()
    else:
        outcome = _shared_basis(sector, passes, method, given.gap, executor, seed)
    return _solution(outcome, n_states, accuracy, time.perf_counter() - begin, throw)


def _complex(
    operator: TTOperator, n_states: int, method, accuracy: float, executor, rng, callback, checkpoint, earlier,
    throw: bool,
) -> Solution:  # fmt: skip
    """The states of a complex operator: twice as many of its real form, then a Rayleigh-Ritz in their complex span."""
    size = 2 * int(np.prod(operator.row_shape))
    if not 1 <= n_states <= size // 2:
        raise ValueError(f"n_states is {n_states}, but the space has {size // 2} product functions")
    solution = eigsolve(
        real_form(operator), 2 * n_states, method=method, accuracy=accuracy, executor=executor, rng=rng,
        callback=callback, checkpoint=checkpoint, earlier=earlier, throw=False,
    )  # fmt: skip
    real = solution.value
    tol = float(np.clip(0.1 * np.sqrt(accuracy / max(np.abs(real.energies).max(), 1e-300)), 1e-12, 1e-3))
    energies, trains, errors = recover(operator, [x.to_train() for x in real.trains], real.errors, n_states, tol)
    residual = np.array([(operator @ z - z * complex(e)).norm() for z, e in zip(trains, energies)])
    value = EigenStates(energies, trains, [0] * n_states, errors, real.buffer, real.probe)
    n_converged = int(np.sum(errors <= accuracy))
    status = Status.CONVERGED if n_converged == n_states else solution.status
    result = replace(solution, value=value, status=status, n_converged=n_converged, residual=residual)
    if throw and status is not Status.CONVERGED:
        raise NotConverged(result)
    return result


def _cold_start(sector: SectorOperator, n_states: int, size: float, rng: np.random.Generator) -> Start:
    """Rough states without a table of products: a block DMRG of low rank, two states more than asked for."""
    from solvers.eigen.block_dmrg import block_dmrg

    count = int(min(n_states + 2, size))
    rough = block_dmrg(sector, 0, count, BlockDMRG(tol=1e-6, max_rank=START_RANK, sweeps=4), rng=rng)
    return Start([Block(0, list(rough.states), rough.energies.copy())], None)


def _spread(start: Start) -> float:
    """An energy scale from the start's own levels: the mean spacing of the distinct ones."""
    levels = np.sort(np.concatenate([b.energies for b in start.blocks]))
    steps = np.diff(levels)
    distinct = steps[steps > 1e-6 * max(np.ptp(levels), 1e-300)]
    return float(distinct.mean()) if len(distinct) else max(abs(float(levels[0])), 1.0)


def _shared_basis(
    sector: SectorOperator, passes: Passes, method: BlockDMRG, gap: float | None, executor: Executor | None, seed: int
) -> Outcome:
    """Block DMRG of every symmetry block, the Kato-Temple bound r^2 / (E_outside - E), and the probe.

    The residual is orthogonal to all states of the block, so the gap in the bound reaches to the first state outside
    (T. Kato, J. Phys. Soc. Jpn. 4, 334 (1949)).
    """
    top = float(max(b.energies[-1] for b in passes.blocks))
    outside = top + (gap or 0.0)
    narrowest = NARROWEST_GAP * passes.scale
    status = Status.CONVERGED
    for number in range(3):
        goal = np.sqrt(passes.goal * max(outside - passes.threshold(), narrowest))
        options = replace(method, tol=float(min(method.tol, goal)) if method.tol < BlockDMRG.tol else float(goal))
        jobs = []
        for b in passes.blocks:
            part = passes.part(f"{number}-{b.charge}")
            jobs.append((sector, b.charge, len(b.trains), options, b.trains, seed, part, passes.truncation))
        results = tasks.run_tasks(executor, tasks.shared_basis, jobs)
        lowest = min(float(r.energies[0]) for r in results)
        moved = lowest - min(float(b.energies[0]) for b in passes.blocks)  # the start's common error
        outside = max(outside + moved, *(float(r.energies[-1]) for r in results))
        for block, result in zip(passes.blocks, results):
            block.trains, block.energies = list(result.states), result.energies.copy()
            block.residuals = result.residuals
            block.errors = result.residuals**2 / np.maximum(outside - result.energies, narrowest)
            block.ranks = np.array([max(result.ranks)] * len(result.states))
            for name, value in result.counts.items():
                passes.counts[name] = passes.counts.get(name, 0) + value
        status = next((r.status for r in results if r.status is not Status.CONVERGED), Status.CONVERGED)
        passes.report("block DMRG", 0.9)
        probe, found = search(passes)
        if not found:
            break
        for block, new in zip(passes.blocks, found):
            block.trains = [*block.trains, *new]
        passes.truncation = FIRST_TRUNCATION
    passes.truncation = min(r.history[-1].extra["truncation"] for r in results)
    passes.save(Stage([], verdict=status), last=True)
    return Outcome(passes.blocks, status, passes.history, passes.counts, probe, 1.0)


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
