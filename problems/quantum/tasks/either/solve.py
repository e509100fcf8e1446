"""From a sum of products to its lowest states, or to its motion in time; ``task`` decides.

``prepare`` builds the operator and refuses what cannot be computed; ``solve`` hands it to ``eigsolve``, or to the
propagation of kind wave_packet. The start comes from configuration interaction in mean-field functions, wherever these
tell products apart by their energy; a complex H is solved through its real form. Unless a
method is asked for, small spaces are solved by vectors over all of their functions. The basis is part of the question:
it has no error.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.force_field.boundedness import Barrier
from problems.quantum.hamiltonians.terms import operators
from problems.quantum.hamiltonians.terms.potential import (
    EDGE_POPULATION,
    barrier_within,
    edge_weight,
    edges,
    warning_of,
)
from problems.quantum.hamiltonians.terms.second_look import norm_bound, second_look, terms_that_matter
from problems.quantum.hamiltonians.terms.states import GivenFunctions, assignment, recovered
from problems.quantum.kinds.sum_of_products import MOST_SHARED, SumOfProductsProblem
from problems.quantum.tasks.either.keys import SpectrumSolver
from problems.quantum.tasks.evolution import solve as evolution
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.quantum.tasks.evolution.solve import Prepared
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.quantum.tasks.spectrum.states import completeness, symmetry_label
from problems.quantum.tasks.spectrum.states_found import STATES, concluded, method_for, named
from solvers.eigen.configuration_interaction import ProductTerms, modes_of
from solvers.eigen.eigsolve import eigsolve, small_space
from solvers.eigen.start import space_size
from solvers.eigen.states import EigenStates
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.kernels.warm_up import warm_up
from solvers.methods import BlockDMRG, InverseIteration
from solvers.solution import Checked, IterationState, Solution, Status

LONGEST_TERM = 15  # modes of a term that configuration interaction takes
MOST_ALIKE = 1000  # products of lowest energy sum, at most: more of them are no start
SMALL_SPACE = 3000  # product functions that configuration interaction holds all of
FEW_STATES = 30  # for which one shared basis is quicker than a train a state
SMALL_MODES = 4  # mean size: chains of spins and the like, whose states are far from products

Callback = Callable[[IterationState], None] | None


@dataclass(frozen=True)
class PreparedSpectrum:
    """A Hamiltonian ready to be solved, the modes in ``order`` along the train.

    ``functions``: those ``operator`` and ``terms`` stand in; ``terms`` are of the real form where H is complex.
    ``operator_error``: how far a level may move by what was left out or rounded off.
    """

    problem: SumOfProductsProblem
    solver: SpectrumSolver
    order: tuple[int, ...]
    charges: np.ndarray
    functions: tuple[operators.ModeFunctions, ...]
    terms: ProductTerms
    operator: TTOperator
    barrier: Barrier | None
    setup_s: float
    operator_error: float = 0.0
    checked: tuple[Checked, ...] = ()
    warnings: tuple[str, ...] = ()


def prepare(problem: SumOfProductsProblem, solver: SpectrumSolver | WavePacketSolver) -> PreparedSpectrum | Prepared:
    """Mode order, operator, and what the task needs besides. Takes well under a second for small sums."""
    if isinstance(solver, WavePacketSolver):
        return evolution.prepare(problem, solver)
    begin = time.perf_counter()
    products, absent = terms_that_matter(problem.products, problem.bases, float(solver.accuracy))
    given = operators.table_of(products, problem.bases)
    order, _ = operators.ordered(given, problem.mode_order)
    table = operators.reordered(given, order)
    modes = [problem.bases[k] for k in order]
    charges, reflections = operators.parities(table, modes)
    functions = tuple(operators.mean_field(table, charges, reflections))
    turned = operators.turned(table, functions, reflections)
    tt, error = operators.operator_with_error(turned)
    vectors = [f.vectors for f in functions]
    look = second_look(products, problem.bases, order, tt, vectors)
    barrier = barrier_within(problem.products, problem.bases)
    warnings = [] if barrier is None else [warning_of(barrier)]
    if absent:
        moved = norm_bound(absent, problem.bases)
        error += moved
        warnings.append(
            f"{len(absent)} terms that break a symmetry are left out: together they move a level by {moved:.1e} at "
            "most, which is part of the errors"
        )
    return PreparedSpectrum(
        problem,
        solver,
        tuple(order),
        charges,
        functions,
        operators.product_terms(turned, functions),
        tt,
        barrier,
        time.perf_counter() - begin,
        error,
        (look,),
        tuple(warnings),
    )


def tells_apart(terms: ProductTerms) -> bool:
    """Whether sums of mean-field energies say which products are low, so that configuration interaction can start."""
    if any(len(product) > LONGEST_TERM for _, product in terms.terms):
        return False
    if space_size(terms) <= SMALL_SPACE:
        return True
    spread = max(float(np.ptp(e)) for e in terms.energies)
    alike = np.prod([float(np.sum(e - e.min() <= 1e-3 * spread)) for e in terms.energies])
    return bool(alike <= MOST_ALIKE)


def method_of(prepared: PreparedSpectrum, start: ProductTerms | None) -> InverseIteration | BlockDMRG:
    """The method asked for; automatic: block DMRG for few states, for small modes and without a start."""
    solver, sizes = prepared.solver, prepared.problem.sizes
    assert solver.n_states is not None
    shared = solver.method == "block_dmrg"
    if solver.method == AUTOMATIC:
        small = float(np.mean(sizes)) <= SMALL_MODES and solver.n_states <= MOST_SHARED
        shared = start is None or small or solver.n_states <= FEW_STATES
    return method_for(shared, solver.max_rank)


def solve(
    prepared: PreparedSpectrum | Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callback = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> SpectrumResult | EvolutionResult:
    """What the task asks for, with its errors and all that the report shows. Deterministic in ``seed``.

    ``checkpoint``: the folder it is continued from; ``earlier``: that of a run whose states a spectrum starts from.
    """
    if isinstance(prepared, PreparedSpectrum):
        return _spectrum(prepared, executor, seed, callback, checkpoint, earlier)
    return evolution.solve(
        prepared, executor=executor, seed=seed, callback=callback, checkpoint=checkpoint, earlier=earlier
    )


def _spectrum(
    prepared: PreparedSpectrum,
    executor: Executor | None,
    seed: int,
    callback: Callback,
    checkpoint: Path | None,
    earlier: Path | None,
) -> SpectrumResult:
    compile_s = 0.0
    solver, problem = prepared.solver, prepared.problem
    assert solver.n_states is not None
    sizes = [problem.sizes[k] for k in prepared.order]
    if callback:
        callback(IterationState(0, "start", 1, 0.0, fraction=0.0, finished=False))
    begin = time.perf_counter()
    charges = prepared.charges
    solution = _of_full_vectors(prepared, seed, callback) if solver.method == AUTOMATIC else None
    if solution is None:
        compile_s = warm_up()
        start = prepared.terms if tells_apart(prepared.terms) else None
        try:
            solution = _iterate(prepared, start, executor, seed, callback, checkpoint, earlier)
            if start is None or prepared.operator.dtype.kind == "c":
                charges = np.zeros(0, dtype=np.int64)
        except ArithmeticError:  # a state of norm zero: an H with next to nothing but one level
            solution = _of_full_vectors(prepared, seed, callback)
            if solution is None:
                raise
    states: EigenStates = solution.value
    given = GivenFunctions(states.trains, prepared.functions)
    functions = edges([problem.bases[k] for k in prepared.order])
    weights = np.array([edge_weight(x, functions) for x in given])
    beyond = np.zeros(len(weights), dtype=bool)
    status, warnings = solution.status, [*prepared.warnings, *_idle(problem)]
    if prepared.barrier is not None:  # the basis reaches into a hole
        beyond = (weights > EDGE_POPULATION) | (states.energies > prepared.barrier.height)
    errors = states.errors + prepared.operator_error
    converged = (errors <= solver.accuracy) & ~beyond
    shown = f"at most {float(weights.max(initial=0.0)):.1e}"
    looked = Checked("last functions of every mode", "their weight in the states", shown, not beyond.any())
    checked = (*prepared.checked, *solution.checked, looked)
    if weights.max(initial=0.0) > EDGE_POPULATION:
        warnings.append(
            f"up to {weights.max():.2g} of a state is in the last functions of a mode: the cut of the basis shapes it; "
            "more functions would tell whether that matters"
        )
    if beyond.any():
        hidden = named(np.flatnonzero(beyond))
        warnings.append(f"states beyond a barrier of the potential, which is unbounded below: {hidden}")
        status = Status.BASIS_LIMIT if status is Status.CONVERGED else status
    status, said = concluded(status, states, solver.n_states, converged, checked)
    warnings += said
    n = len(states.energies)
    labels = [f.labels for f in prepared.functions]
    return SpectrumResult(
        energies=states.energies,
        unit="model units",
        error_estimates=errors,
        rank_errors=errors,
        basis_errors=np.zeros(n),
        residual_norms=solution.residual,
        symmetry=[symmetry_label(c, charges) for c in states.charges],
        assignments=[assignment(x, labels, prepared.order) for x in states.trains],
        ranks=[list(x.ranks) for x in states.trains],
        operator_ranks=[int(r) for r in prepared.operator.ranks],
        mode_order=list(prepared.order),
        basis_functions=sizes,
        states_megabytes=sum(c.nbytes for x in states.trains for c in x.cores) / 1e6,
        completeness=completeness(states),
        state_converged=converged,
        status=status,
        states=given,
        history=list(solution.history),
        counts=solution.counts,
        timing={
            "compile_s": compile_s,
            "setup_s": prepared.setup_s,
            "solve_s": time.perf_counter() - begin - compile_s,
        },
        warnings=warnings,
        checked=checked,
    )


def _of_full_vectors(prepared: PreparedSpectrum, seed: int, callback: Callback) -> Solution | None:
    """The states of a small space, in its symmetries whether or not a method could start from them."""
    solver = prepared.solver
    assert solver.n_states is not None
    return small_space(
        prepared.operator,
        solver.n_states,
        modes_of([f.charges for f in prepared.functions]),
        accuracy=solver.accuracy,
        max_rank=None if solver.max_rank == AUTOMATIC else int(solver.max_rank),
        rng=np.random.default_rng(seed),
        callback=callback,
    )


def _iterate(
    prepared: PreparedSpectrum,
    start: ProductTerms | None,
    executor: Executor | None,
    seed: int,
    callback: Callback,
    checkpoint: Path | None,
    earlier: Path | None,
) -> Solution:
    """The states by ``eigsolve``; those of a complex H from twice as many of its real form."""
    solver, complex_ = prepared.solver, prepared.operator.dtype.kind == "c"
    assert solver.n_states is not None
    terms, count = prepared.terms, solver.n_states * (2 if complex_ else 1)
    operator = sum_of_products(terms.matrices, terms.terms) if complex_ else prepared.operator
    solution = eigsolve(
        operator,
        count,
        start=start,
        method=method_of(prepared, start),
        accuracy=solver.accuracy,
        executor=executor,
        rng=np.random.default_rng(seed),
        callback=callback,
        throw=False,
        checkpoint=None if checkpoint is None else checkpoint / STATES,
        earlier=None if earlier is None else earlier / STATES,
    )
    return recovered(prepared.operator, solution, solver.n_states, solver.accuracy) if complex_ else solution


def _idle(problem: SumOfProductsProblem) -> list[str]:
    """A warning about modes that no term acts on: every level is then as many times degenerate."""
    acted = {k for key in problem.products for k, _ in key}
    idle = [k for k in range(len(problem.modes)) if k not in acted and problem.sizes[k] > 1]
    if not idle:
        return []
    times = int(np.prod([problem.sizes[k] for k in idle]))
    return [f"no term acts on modes {', '.join(map(str, idle))}: every level is {times}-fold"]
