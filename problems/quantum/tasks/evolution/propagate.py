"""From a System to a EvolutionResult: propagation, autocorrelation with its error, spectrum, eigenvalues.

Where H is its own transpose and the start real, a(2t) = sum_i psi_i(t)^2 (Engel, Chem. Phys. Lett. 189, 76 (1992);
Manthe, Meyer, Cederbaum, J. Chem. Phys. 97, 9062 (1992)): a state known to T/2 gives a(t) to T. Observables in time
need the state to T; a(t) is then doubled from the first half all the same.

Error of a(t): the bound of the state's error delta, as delta for an overlap with the start and 2 |psi| delta + delta^2
for a doubled one; and where the rank cap binds, the difference to a second run at a lower rank (and half the time
step, where that is fixed), taken twice. The smaller of the two counts. A small system is evolved exactly
beside, and where a(t) is further off than said, the error said is the true one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.system import System
from problems.quantum.keys import NONE
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.levels import energy_moments, spectrum_of, sticks_of, with_eigenvalue
from problems.quantum.tasks.evolution.observables import DOUBLED, EDGE, ENTROPY, OVERLAP, Observer, chosen
from problems.quantum.tasks.evolution.result import Check, EvolutionResult, Spectrum
from solvers.checkpoint import reachable
from solvers.dynamics.evolve import evolve
from solvers.dynamics.second_look import DIGITS, exact_overlaps
from solvers.measured import amount
from solvers.method_base import Integrator
from solvers.methods import BUG, TDVP, Implicit
from solvers.solution import Checked, IterationState, Solution, Status

CHECK_SHARE = 0.7  # of max_rank, for the second run
CAUTION = 2.0  # the error of a(t) is said to be so many times the difference of the two runs
ROUND_OFF = 1e-13
EDGE_LIMIT = 1e-4  # population of the last basis functions that is worth a warning
SAFE_BAND = 3.0  # standard deviations of the energy to either side that the band of the spectrum must hold
ALWAYS = ("energy", "norm")

Callback = Callable[[IterationState], None] | None


@dataclass(frozen=True)
class Plan:
    """Which times the state is propagated to, and where a(t) comes from.

    ``t``: grid of a(t), natural units; ``times``: of the state; ``doubled``: whether a(t) = sum psi_i(t/2)^2.
    ``sources``: index into ``times`` of each a(t). ``kept``: indices of the times that are reported.
    """

    t: np.ndarray
    times: np.ndarray
    doubled: bool
    sources: np.ndarray
    kept: np.ndarray


def plan(solver: WavePacketSolver, scale: float, doubles: bool, whole: bool) -> Plan:
    """``whole``: the state itself is wanted until the last time; ``scale``: units of time in a natural one."""
    count = solver.outputs
    step = solver.t_final / count / scale
    t = step * np.arange(count + 1)
    if not doubles:
        everything = np.arange(count + 1)
        return Plan(t, t, False, everything, everything)
    if not whole:
        return Plan(t, 0.5 * t, True, np.arange(count + 1), np.arange(count + 1))
    # halves of the output step up to T/2, then whole ones: every t/2 and every t is there
    numbers = np.union1d(np.arange(count + 1), 2 * np.arange(count + 1))
    return Plan(t, 0.5 * step * numbers, True, np.arange(count + 1), np.searchsorted(numbers, 2 * np.arange(count + 1)))


def method_of(solver: WavePacketSolver, scale: float, rank: int) -> Integrator:
    """The integrator with its options."""
    step = None if solver.time_step is None else solver.time_step / scale
    if solver.method == "bug":
        return BUG(time_step=step, max_rank=rank)
    if solver.method == "implicit":
        return Implicit(time_step=step, max_rank=rank)
    return TDVP(sites=1 if solver.method == "tdvp" else 2, order=solver.order, time_step=step, max_rank=rank)


def run_one(
    system: System,
    plan: Plan,
    solver: WavePacketSolver,
    rank: int,
    observer: Observer,
    callback: Callback = None,
    checkpoint: Path | None = None,
) -> Solution:
    """One propagation; a plain function, so that a worker process can run it."""
    assert solver.accuracy is not None
    solution = evolve(
        system.operator,
        system.start,
        plan.times,
        method=method_of(solver, system.time_scale, rank),
        factor=-1j,
        dissipative=system.dissipative,
        accuracy=solver.accuracy * (0.5 if plan.doubled else 1.0),
        observe=observer,
        checkpoint=reachable(checkpoint),
        callback=callback,
        throw=False,
    )
    if len(solution.value.times) < len(plan.times):
        reached = solution.value.times[-1] * system.time_scale
        message = f"no step is short enough for this accuracy at t = {reached:g}: relax it, or give a time_step"
        raise ProblemError(message, "solver.accuracy")
    return solution


def check_rank(system: System, solver: WavePacketSolver) -> int | None:
    """The rank of a second run, or None where the cap cannot bind or none is wanted."""
    if solver.check_rank == NONE or solver.max_rank >= system.largest_rank:
        return None
    if solver.check_rank != AUTOMATIC:
        return int(solver.check_rank)
    rank = max(1, round(CHECK_SHARE * solver.max_rank))
    return rank if rank < solver.max_rank else None


def propagate(
    system: System,
    solver: WavePacketSolver,
    observables: Sequence[str],
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callback = None,
    checkpoint: Path | None = None,
) -> EvolutionResult:
    """Everything a report shows of a wave packet; ``solver`` is complete. Deterministic in ``seed``.

    ``checkpoint``: a folder; the two runs and the eigenvalues are continued from their files in it.
    """
    begin = time.perf_counter()
    accuracy = float(solver.accuracy or 0.0)
    doubles = system.doubles
    chart = plan(solver, system.time_scale, doubles, any(name not in ALWAYS for name in observables))
    sites, pairs = chosen(system.site_operators, observables), chosen(system.pair_operators, observables)
    observer = Observer(system.start, chart.doubled, True, sites, pairs, system.edge_functions)
    second_rank = check_rank(system, solver)
    second: Future | None = None
    watched = [name for name in observables if name not in ALWAYS]
    # what the second run is compared in: a(t) alone needs no state beyond half the time
    bare = observer if watched else replace(observer, sweep=False)
    half = chart if watched else replace(chart, times=chart.times[: int(chart.sources[-1]) + 1])
    slim = replace(system, terms=None, site_operators={}, pair_operators={})
    finer, widened = _finer(solver)
    first_file = None if checkpoint is None else checkpoint / "evolution.npz"
    second_file = None if checkpoint is None else checkpoint.absolute() / "second.npz"
    if executor is not None and second_rank is not None:
        second = executor.submit(run_one, slim, half, finer, second_rank, bare, None, second_file)
    setup_s = time.perf_counter() - begin
    solution = run_one(system, chart, solver, solver.max_rank, observer, callback, first_file)
    evolution = solution.value
    a = _autocorrelation(solution, chart)
    bound = _bound(solution, chart, evolution.errors)
    error, check, counts = bound, None, dict(solution.counts)
    binds = int(evolution.ranks.max()) >= solver.max_rank
    # the same decision with and without worker processes, so that results do not depend on them
    if second_rank is not None and binds and bound.max() > accuracy:
        other = (
            second.result() if second else run_one(slim, half, finer, second_rank, bare, _quiet(callback), second_file)
        )
        values = _autocorrelation(other, half)
        difference = np.maximum.accumulate(np.abs(a - values))
        check = Check(
            rank=second_rank,
            difference=difference,
            autocorrelation=values,
            observables=_differences(watched, solution, other, chart),
        )
        unseen = evolution.krylov_errors + (evolution.step_errors if solver.time_step is None else 0.0)
        error = np.minimum(bound, np.maximum(CAUTION * widened * difference, _bound(solution, chart, unseen)))
        counts |= {f"check_{name}": value for name, value in other.counts.items()}
    elif second is not None:
        second.cancel()
    looks = list(solution.checked)
    exact = exact_overlaps(system.operator, system.start, chart.t, -1j, float(evolution.energies[0]))
    if exact is not None:
        off = np.abs(a - exact)
        looks.append(
            Checked(
                "autocorrelation",
                "exact exponential on all entries of the state, at every output time",
                f"differs by up to {amount(off.max())}, said {amount(error.max())}",
                bool((off <= np.maximum(error, accuracy) + DIGITS).all()),
            )
        )
        error = np.maximum(error, np.where(off > DIGITS, off, 0.0))
    spectrum = spectrum_of(system, solver, chart.t, a, error, check, bool(bound.max() <= accuracy))
    sticks = None
    if solver.eigenstates and not system.dissipative:
        sticks = sticks_of(system, solver, spectrum.resolution, executor, seed, callback, checkpoint)
        spectrum = replace(spectrum, peaks=[with_eigenvalue(peak, sticks) for peak in spectrum.peaks])
    kept = chart.kept
    named = {"energy": evolution.energies[kept], "norm": evolution.norms[kept]}
    observed = {name: np.asarray(values)[kept] for name, values in evolution.observed.items()}
    named |= {"entropy": observed[ENTROPY]} | {name: observed[name] for name in (*sites, *pairs)}
    status = Status.CONVERGED if error.max() <= accuracy else solution.status
    if status is Status.CONVERGED and error.max() > accuracy:
        status = Status.RANK_LIMIT if binds else Status.STAGNATED
    if not all(look.passed for look in looks):
        status = Status.CONTRADICTED
    edge = observed[EDGE] if len(system.edge_functions) else None
    return EvolutionResult(
        t=chart.t * system.time_scale,
        autocorrelation=a,
        error=error,
        autocorrelation_bound=bound,
        doubled=chart.doubled,
        spectrum=spectrum,
        sticks=sticks,
        check=check,
        times=chart.times[kept] * system.time_scale,
        norms=evolution.norms[kept],
        energies=evolution.energies[kept],
        ranks=evolution.ranks[kept],
        entropies=observed[ENTROPY],
        edge=edge,
        projection_errors=evolution.projection_errors[kept],
        truncation_errors=evolution.truncation_errors[kept],
        step_errors=evolution.step_errors[kept],
        krylov_errors=evolution.krylov_errors[kept],
        observables={name: named[name] for name in observables if name in named},
        step_sizes=evolution.step_sizes * system.time_scale,
        operator_ranks=[int(r) for r in system.operator.ranks],
        sites=list(system.sites) or [str(k + 1) for k in range(system.start.d)],
        unit=system.unit,
        time_unit=system.time_unit,
        facts=list(system.description),
        dissipative=system.dissipative,
        state=evolution.state,
        status=status,
        history=list(solution.history),
        counts=counts,
        timing={
            "compile_s": solution.timing.get("compile_s", 0.0),
            "setup_s": setup_s,
            "solve_s": time.perf_counter() - begin - setup_s,
        },
        checked=tuple(looks),
        warnings=_warnings(system, solver, chart, error, check, edge, spectrum, status),
    )


def _finer(solver: WavePacketSolver) -> tuple[WavePacketSolver, float]:
    """Settings of the second run, and the factor on its difference: half a fixed step shows 1 - 2^-order of its error.

    Adapted steps stay: they follow the accuracy, and their errors are part of the estimate.
    """
    if solver.time_step is None:
        return solver, 1.0
    order = solver.order if solver.method in ("tdvp", "tdvp2") else 1
    return solver.model_copy(update={"time_step": 0.5 * solver.time_step}), 1.0 / (1.0 - 0.5**order)


def _quiet(callback: Callback) -> Callback:
    """The callback of a second run in this process: its label says so, and it has no share of the work."""
    if callback is None:
        return None
    return lambda state: callback(replace(state, label="second run, lower rank", fraction=None, finished=False))


def _differences(names: Sequence[str], one: Solution, other: Solution, chart: Plan) -> dict[str, np.ndarray]:
    """Running maxima over the reported times of what two runs differ by, the largest of all sites."""
    found = {}
    for name in names:
        key = ENTROPY if name == "entropy" else name
        if key in one.value.observed:
            gap = np.abs(one.value.observed[key] - other.value.observed[key])[chart.kept]
            found[name] = np.maximum.accumulate(gap.reshape(len(gap), -1).max(axis=1))
    return found


def _autocorrelation(solution: Solution, chart: Plan) -> np.ndarray:
    values = np.asarray(solution.value.observed[DOUBLED if chart.doubled else OVERLAP])
    return values[chart.sources]


def _bound(solution: Solution, chart: Plan, relative: np.ndarray) -> np.ndarray:
    """Bound (T,) of the error of a(t) from that of the state, relative to its norm; never more than 2 |psi(0)|^2."""
    norms = solution.value.norms
    delta = (norms * relative)[chart.sources]
    size = norms[chart.sources]
    bound = 2.0 * size * delta + delta**2 if chart.doubled else norms[0] * delta
    return np.minimum(np.maximum(bound, ROUND_OFF), 2.0 * norms[0] ** 2)


def _warnings(
    system: System,
    solver: WavePacketSolver,
    chart: Plan,
    error: np.ndarray,
    check: Check | None,
    edge: np.ndarray | None,
    spectrum: Spectrum,
    status: Status,
) -> list[str]:
    unit = "" if system.time_unit == "natural" else f" {system.time_unit}"
    kept_times = chart.times[chart.kept] * system.time_scale
    warnings = []
    if status is Status.CONTRADICTED:
        warnings.append(f"{status.value} (the error of a(t) is up to {amount(error.max())})")
    elif status is not Status.CONVERGED:
        good = np.flatnonzero(error > float(solver.accuracy or 0.0))[0]
        until = chart.t[max(good - 1, 0)] * system.time_scale
        text = f"a(t) is within the accuracy asked ({solver.accuracy:g}) until t = {until:g}{unit} only"
        trusted = sum(peak.trusted for peak in spectrum.peaks)
        halved = "" if solver.time_step is None else " (the second run with half the time step)"
        if check is not None:
            text += (
                f"; beyond, ranks {solver.max_rank} and {check.rank}{halved} differ by up to "
                f"{amount(check.difference[-1])}. "
                f"{trusted} of {len(spectrum.peaks)} lines agree between both to the resolution (marked trusted)"
            )
        warnings.append(text)
    for name, gap in check.observables.items() if check is not None else ():
        if gap[-1] > float(solver.accuracy or 0.0):
            good = np.flatnonzero(gap > float(solver.accuracy or 0.0))[0]
            warnings.append(
                f"{name}: the two runs differ by up to {amount(gap[-1])}, by less than {solver.accuracy:g} until "
                f"t = {kept_times[max(good - 1, 0)]:g}{unit}"
            )
    if edge is not None and edge.max() > EDGE_LIMIT:
        warnings.append(
            f"up to {amount(edge.max())} of the wave packet is in the last two functions of a mode: the cut of the "
            "basis shapes it; allow more functions, or read the result as that of this basis"
        )
    _, deviation = energy_moments(system)
    if SAFE_BAND * deviation > math.pi / (chart.t[1] - chart.t[0]):
        warnings.append("the energies of the start do not fit into the band of the spectrum: shorten output_step")
    if solver.eigenstates and system.dissipative:
        warnings.append("no eigenvalues beneath the spectrum: the absorber makes the operator non-Hermitian")
    return warnings
