"""From a Hamiltonian to its lowest levels: the space, the states in it, and the parts of every error.

``prepare`` asks the problem for its space (problems.quantum.hamiltonians.space) and refuses what cannot be computed.
``solve``: 1. a space as wide as its states want, 2. the states, 3. what the basis leaves out; where that is too much
and the space can grow, it grows, and they are computed again. Unless a method is asked for, a small space is solved by
vectors over all of its functions. A complex H is solved through its real form. States that are asked for by energy
(problems.quantum.tasks.spectrum.energy_range) are the lowest ones, as many as the range turns out to need.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.space import Space
from problems.quantum.tasks.spectrum.energy_range import TRIES, EnergyRange, energy_range, functions, of_these, within
from problems.quantum.tasks.spectrum.intensities import Levels
from problems.quantum.tasks.spectrum.keys import MOST_SHARED, SpectrumSolver, WithLevels
from problems.quantum.tasks.spectrum.observed import seen_in
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.quantum.tasks.spectrum.states import assignment, completeness, recovered, symmetry_label
from problems.quantum.tasks.spectrum.states_found import STATES, concluded, method_for
from problems.quantum.tasks.spectrum.window import by_itself, window_states
from solvers.eigen.block_davidson import TooNarrow
from solvers.eigen.eigsolve import eigsolve, small_space
from solvers.eigen.explicit import SMALL, size_of
from solvers.eigen.start import start_states
from solvers.eigen.warm_up import warm_up
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import BlockDMRG, InverseIteration
from solvers.solution import IterationState, Solution, Status

BASIS_ROUNDS, SMALL_ROUNDS = 3, 8  # solutions in ever larger bases, at most; in small spaces, where no start asks first


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved; ``n_states``: the lowest ones to compute; ``asked``: the energies that they are to
    cover, where the number was not given."""

    problem: WithLevels
    solver: SpectrumSolver
    space: Space
    setup_s: float
    n_states: int
    asked: EnergyRange | None = None

    @property
    def functions(self) -> float:
        """Product functions of the space."""
        return size_of(self.space.modes)

    @property
    def small(self) -> bool:
        """Whether vectors over all functions are expected to do: above ``SMALL`` they never do, below mostly."""
        return self.solver.method == AUTOMATIC and self.functions <= SMALL

    @property
    def max_rank(self) -> int | None:
        """The cap asked for; None: as the accuracy needs."""
        return None if self.solver.max_rank == AUTOMATIC else int(self.solver.max_rank)

    @property
    def method(self) -> InverseIteration | BlockDMRG:
        """The method asked for; automatic: one shared basis for few states and without a start."""
        shared = self.solver.method == "block_dmrg"
        if self.solver.method == AUTOMATIC:
            shared = not self.space.starts or self.problem.few(self.n_states)
        return method_for(shared, self.solver.max_rank)


def prepare(problem: WithLevels, solver: SpectrumSolver) -> Prepared:
    """The problem in its space; raises ProblemError for what cannot be computed. Takes well under a second."""
    begin = time.perf_counter()
    asked = energy_range(solver)
    if asked is not None:
        space, n_states = asked.sized(problem)
    else:
        assert solver.n_states is not None
        n_states = solver.n_states
        _check_shared(solver, n_states)
        space = problem.space(n_states, float(solver.accuracy))
    _check_shared(solver, n_states)
    return Prepared(problem, solver, space, time.perf_counter() - begin, n_states, asked)


def _check_shared(solver: SpectrumSolver, n_states: int) -> None:
    if solver.method == "block_dmrg" and n_states > MOST_SHARED:
        raise ProblemError("block_dmrg shares one basis over all states: use inverse_iteration", "solver.method")


@dataclass(frozen=True)
class _Call:
    """How a solution is computed, whatever its space; ``earlier``: a file of states."""

    executor: Executor | None
    rng: np.random.Generator
    callback: Callable[[IterationState], None] | None
    checkpoint: Path | None
    earlier: Path | None


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> SpectrumResult:
    """The states, their errors and everything the report shows. Deterministic in ``seed``.

    ``checkpoint``: the folder it is continued from; ``earlier``: that of a run of the same problem, whose states this
    one starts from.
    """
    begin, setup_s, compile_s = time.perf_counter(), prepared.setup_s, 0.0
    before = None if earlier is None else earlier / STATES
    call = _Call(executor, np.random.default_rng(seed), callback, checkpoint, before)
    if callback:
        callback(IterationState(0, "start", 1, 0.0, fraction=0.0, finished=False))
    # 1. sizes from the states of a wider space, 2. the states, 3. what the basis leaves out; again while it is too much
    for number in itertools.count():
        prepared = _in(prepared, prepared.space.refined())
        if not prepared.small or prepared.space.basis_share:  # states, or the errors of the basis, by trains
            compile_s += warm_up()
        if number == 0:
            setup_s += time.perf_counter() - begin - compile_s
            solving = time.perf_counter()
        prepared, solution, symmetric = _covering(prepared, call, number)
        space, states = prepared.space, solution.value
        judged = of_these(space.judge(states, executor), states)
        if not judged.short or solution.status is Status.RANK_LIMIT:
            break  # more functions are no help to states that their ranks cut
        larger = space.grown(judged.short)
        if larger is None or number + 1 >= (SMALL_ROUNDS if prepared.small else BASIS_ROUNDS):
            break
        prepared = _in(prepared, larger)
    solver = prepared.solver
    rank_errors = states.errors + space.operator_error
    errors = rank_errors + judged.errors
    converged = (errors <= solver.accuracy) & ~judged.edge
    checked = (*space.looks(), *solution.checked, *judged.checked)
    status = solution.status
    if status is Status.CONVERGED and not converged.all():
        of_basis = judged.edge.any() or judged.errors.any()
        status = space.lacking if of_basis else Status.PRECISION
    wanted, asked = prepared.n_states, prepared.asked
    status, said = concluded(status, states, wanted if asked is None else len(errors), converged, checked)
    complete = completeness(states)
    if asked is not None:
        status, of_range = within(status, asked, states, errors, space, complete)
        said += of_range
    trains, labels, charges = states.trains, space.labels, space.charges if symmetric else np.zeros(0, dtype=np.int64)
    gap = complete["gap_above"]
    assert gap is None or isinstance(gap, float)
    levels = Levels(states.energies, rank_errors, judged.errors, solution.residual, gap)
    shown = space.shown(states)
    observed = prepared.problem.observed
    if observed is not None and states.ground is not None:
        observed = None
        said.append("a window has no intensities, which start from the ground state: ask up_to its upper end for them")
    seen = seen_in(space, observed, shown, levels, solver.accuracy)
    return SpectrumResult(
        energies=states.energies,
        unit=space.unit,
        error_estimates=errors,
        rank_errors=rank_errors,
        basis_errors=judged.errors if space.basis_share else np.full(len(errors), np.nan),  # not estimated is not zero
        residual_norms=solution.residual,
        symmetry=[symmetry_label(c, charges) for c in states.charges],
        assignments=[assignment(x, labels, space.mode_numbers) for x in trains],
        ranks=[list(x.ranks) for x in trains],
        operator_ranks=[int(r) for r in space.operator.ranks],
        mode_order=space.mode_numbers,
        basis_functions=space.sizes,
        states_megabytes=sum(c.nbytes for x in trains for c in x.cores) / 1e6,
        completeness=complete,
        field_limits=space.limits,
        labels=prepared.problem.labelled(space, states) if symmetric else None,
        state_converged=converged,
        status=status,
        intensities=seen.intensities,
        raman=seen.raman,
        states=shown,
        functions=space.functions,
        history=list(solution.history),
        counts=solution.counts,
        timing={"compile_s": compile_s, "setup_s": setup_s, "solve_s": time.perf_counter() - solving},
        warnings=[*space.warnings, *space.remarks(judged, status is space.lacking), *said, *seen.remarks],
        checked=checked,
    )


def _in(prepared: Prepared, space: Space) -> Prepared:
    return replace(prepared, space=space)


def _covering(prepared: Prepared, call: _Call, number: int) -> tuple[Prepared, Solution, bool]:
    """As ``_states``; those asked for by energy, from lists of ever more states until one reaches beyond the range."""
    name = STATES if number == 0 else f"{number}-{STATES}"
    asked = prepared.asked
    if asked is not None and asked.lower > 0.0 and by_itself(prepared.space, prepared.solver):
        solution = _of_full_vectors(prepared, call) if prepared.small else None
        if solution is None or not asked.reached(solution.value):
            warm_up()
            return _of_window(prepared, asked, call, name)
        return prepared, asked.cut(solution, prepared.space), True
    for more in itertools.count(1):
        prepared, solution, symmetric = _states(prepared, call, name)
        if asked is None:
            return prepared, solution, symmetric
        fewer = len(solution.value.energies) < prepared.n_states  # than were asked for: there are no more
        enough = fewer or prepared.n_states >= functions(prepared.space) or asked.reached(solution.value)
        if enough or more == TRIES:
            return prepared, asked.cut(solution, prepared.space), symmetric
        n_states = asked.more(prepared.space, prepared.n_states, solution.value)
        space = prepared.problem.space(n_states, float(prepared.solver.accuracy)).refined()
        prepared = replace(prepared, space=space, n_states=n_states)
        if call.checkpoint is not None:
            call = replace(call, earlier=call.checkpoint / name)
        name = f"{number}.{more}-{STATES}"
    raise AssertionError("unreachable")


def _of_window(prepared: Prepared, asked: EnergyRange, call: _Call, name: str) -> tuple[Prepared, Solution, bool]:
    """The states of a window without those below it, as ``_states``."""
    space, solution = window_states(
        prepared.space,
        asked,
        prepared.method,
        _share_of_states(prepared),
        executor=call.executor,
        rng=call.rng,
        callback=call.callback,
        checkpoint=None if call.checkpoint is None else call.checkpoint / name,
    )
    return _in(prepared, space), solution, True


def _states(prepared: Prepared, call: _Call, name: str) -> tuple[Prepared, Solution, bool]:
    """The states, kept in the file ``name``, the space they are in, and whether their symmetries are known."""
    if (found := prepared.space.found(prepared.n_states, prepared.max_rank, call.callback)) is not None:
        return _in(prepared, found[0]), found[1], True
    if prepared.small and (solution := _of_full_vectors(prepared, call)) is not None:
        return prepared, solution, True
    warm_up()
    try:
        return _iterated(prepared, call, name)
    except TooNarrow as error:
        raise ProblemError(_too_narrow(prepared, error), "solver.max_rank") from None
    except ArithmeticError:  # a state of norm zero: an H with next to nothing but one level
        solution = _of_full_vectors(prepared, call)
        if solution is None:
            raise
        return prepared, solution, True


def _too_narrow(prepared: Prepared, error: TooNarrow) -> str:
    """Why the ranks allowed hold too few states: how many were asked for, and how many are computed along."""
    asked, along = prepared.n_states, error.count - prepared.n_states
    more = f" with the {along} that are computed along" if along > 0 else ""
    return (
        f"{asked} state{'s' * (asked != 1)}{more} do not fit into one basis of these ranks, which holds {error.size}: "
        "raise max_rank, or take method: inverse_iteration"
    )


def _of_full_vectors(prepared: Prepared, call: _Call) -> Solution | None:
    """The states of a small space; None where it is not, or where the ranks allowed cannot carry its vectors."""
    space = prepared.space
    return small_space(
        space.operator,
        prepared.n_states,
        space.modes,
        accuracy=_share_of_states(prepared),
        max_rank=prepared.max_rank,
        rng=call.rng,
        callback=call.callback,
    )


def _iterated(prepared: Prepared, call: _Call, name: str) -> tuple[Prepared, Solution, bool]:
    """The states by ``eigsolve``; those of a complex H from twice as many of its real form."""
    n_states, space = prepared.n_states, prepared.space
    start = None
    if space.basis_share:  # approximate states say what the space lacks
        seed = int(call.rng.integers(2**31))
        start = start_states(space.terms, n_states, executor=call.executor, seed=seed)
        prepared = _in(prepared, space.enlarged(start, call.executor))
        space = prepared.space
    terms = space.terms if space.starts else None
    accuracy = _share_of_states(prepared)
    solution = eigsolve(
        sum_of_products(space.terms.matrices, space.terms.terms) if space.complex else space.operator,
        n_states * (2 if space.complex else 1),
        start=terms if terms is None or start is None else (terms, start),
        method=prepared.method,
        accuracy=accuracy,
        executor=call.executor,
        rng=call.rng,
        callback=call.callback,
        throw=False,
        checkpoint=None if call.checkpoint is None else call.checkpoint / name,
        earlier=call.earlier,
    )
    if space.complex:
        solution = recovered(space.operator, solution, n_states, accuracy, prepared.max_rank)
    return prepared, solution, space.starts and not space.complex


def _share_of_states(prepared: Prepared) -> float:
    """The part of the accuracy that the basis leaves to the states."""
    return (1.0 - prepared.space.basis_share) * prepared.solver.accuracy
