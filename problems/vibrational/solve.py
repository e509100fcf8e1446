"""From a force field to its levels: bases, operator, start, states, and the two parts of every error.

``prepare`` chooses what the configuration leaves automatic and refuses what cannot be computed; ``solve`` does the
work. Automatic sizes: the quanta that fit under the highest state wanted, plus a margin that grows with the digits
asked for; the states of the start then say which modes want more functions (solvers.eigen.estimates.basis_error).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from problems.problem import ProblemError
from problems.vibrational import basis as modes_
from problems.vibrational.boundedness import lowest_barriers
from problems.vibrational.force_field import ForceField
from problems.vibrational.model import AUTOMATIC, VibrationalProblem, VibrationalSolver
from problems.vibrational.operators import mode_orders, operator, product_terms
from problems.vibrational.result import VibrationalResult
from problems.vibrational.states import DenseStates, assignment, completeness, symmetry_label
from solvers.eigen import tasks
from solvers.eigen.configuration_interaction import ProductTerms, lowest_configurations
from solvers.eigen.eigsolve import Start, eigsolve, excitation_scale, space_size, start_states
from solvers.eigen.estimates import pad
from solvers.environments import SectorOperator
from solvers.kernels.warm_up import warm_up
from solvers.methods import BlockDMRG, InverseIteration
from solvers.solution import IterationState, Status
from solvers.trains.operator import TTOperator

BASIS_SHARE = 0.2  # of the accuracy, left to the one-mode functions the basis does not contain
LARGEST_RANK = 160
SHARED_RANK = 400  # of a basis that all states share
BASIS_SAFETY = 1.5  # on the second-order effect of the functions left out
ENLARGED_BY = 3
STATES = "states.npz"  # the file in a checkpoint folder


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved: its bases, product table and TT operator."""

    problem: VibrationalProblem
    solver: VibrationalSolver
    sizes: tuple[int, ...]
    primitive: tuple[int, ...]
    order: tuple[int, ...]
    charges: np.ndarray
    terms: ProductTerms
    operator: TTOperator
    warnings: tuple[str, ...]
    setup_s: float

    @property
    def field(self) -> ForceField:
        return self.problem.field

    def bases(self, sizes) -> list[modes_.ModeBasis]:
        if self.problem.basis.type == "harmonic":
            return modes_.harmonic_functions(self.field, sizes, self.charges)
        return modes_.modals(self.field, sizes, self.charges, self.primitive)

    def resized(self, sizes) -> Prepared:
        """The same problem with other numbers of functions."""
        terms = product_terms(self.field, self.bases(sizes), self.order)
        return replace(self, sizes=tuple(sizes), terms=terms, operator=operator(terms))


def prepare(problem: VibrationalProblem, solver: VibrationalSolver) -> Prepared:
    """Bases, mode order and operator; raises ProblemError for what cannot be computed. Takes well under a second."""
    begin = time.perf_counter()
    field = problem.field
    if solver.method == "block_dmrg" and solver.n_states > 400:
        raise ProblemError("block_dmrg shares one basis over all states: use inverse_iteration", "solver.method")
    generators = modes_.parity_generators(field)
    charges = modes_.mode_charges(generators, field.d)
    sizes, primitive = _sizes(problem, solver, charges)
    if problem.basis.type == "harmonic":
        bases = modes_.harmonic_functions(field, sizes, charges)
    else:
        bases = modes_.modals(field, sizes, charges, primitive)
    order, terms, tt = None, None, None
    for candidate in mode_orders(field, problem.mode_order):
        t = product_terms(field, bases, candidate)
        o = operator(t)
        if tt is None or sum(r * r for r in o.ranks) < sum(r * r for r in tt.ranks):
            order, terms, tt = candidate, t, o
    assert order is not None and terms is not None and tt is not None
    if solver.n_states > space_size(terms):
        size = space_size(terms)
        message = f"{solver.n_states} states asked, but the basis has only {size:.0f} functions"
        raise ProblemError(message, "solver.n_states")
    warnings = _boundedness(field, bases, terms, solver)
    return Prepared(
        problem, solver, tuple(sizes), tuple(primitive), tuple(order), charges, terms, tt, tuple(warnings),
        time.perf_counter() - begin,
    )  # fmt: skip


def _sizes(problem: VibrationalProblem, solver: VibrationalSolver, charges: np.ndarray) -> tuple[list[int], list[int]]:
    """Functions and primitive functions of each mode."""
    field, functions = problem.field, problem.basis.functions
    if functions != AUTOMATIC:
        sizes = [functions] * field.d if isinstance(functions, int) else list(functions)
        return sizes, [n + ENLARGED_BY + 14 for n in sizes]
    levels = [w * np.arange(60.0) for w in field.frequencies]
    flat = ProductTerms((), (), tuple(levels), tuple(np.zeros(60, dtype=np.int64) for _ in levels))
    products, _ = lowest_configurations(flat, max(2 * solver.n_states, 8))
    sums = np.sort(sum(level[products[:, k]] for k, level in enumerate(levels)))
    top = float(sums[min(solver.n_states + solver.n_states // 8, len(sums) - 1)])
    scale = float(field.frequencies.min())
    margin = 2.0 + 0.8 * np.log10(max(scale / solver.accuracy, 10.0))
    sizes = [int(np.floor(1.02 * top / w) + 1 + np.ceil(margin)) for w in field.frequencies]
    return sizes, [n + 20 for n in sizes]


def _boundedness(field, bases, terms: ProductTerms, solver: VibrationalSolver) -> list[str]:
    """Warnings about holes of the potential; ProblemError where states lie above a barrier inside the basis range."""
    ground = sum(float(e.min()) for e in terms.energies)
    products, _ = lowest_configurations(terms, max(2 * solver.n_states, 8))
    sums = np.sort(sum(e[products[:, k]] - e.min() for k, e in enumerate(terms.energies)))
    top = float(sums[min(solver.n_states, len(sums)) - 1])
    unit = field.unit
    inside, outside = lowest_barriers(field, bases)
    if inside is not None:
        where = f"modes {', '.join(map(str, inside.modes))} at |q| = {inside.distance:.1f}"
        share = sum(0.5 * float(field.frequencies[m - 1]) for m in inside.modes)
        if inside.height < share + top:
            raise ProblemError(
                f"the potential is unbounded below: a barrier of only {inside.height:.4g} {unit} ({where}) lies within "
                "the range of the basis, below the states asked for: correct the field, or ask for fewer states or "
                "functions"
            )
        return [
            f"the potential is unbounded below: barrier of {inside.height:.4g} {unit} ({where}) within the range of "
            f"the basis; the states asked for reach {ground + top:.4g} {unit}, zero-point energies included"
        ]
    if outside is None:
        return []
    return [
        f"the potential is unbounded below far out: lowest barrier {outside.height:.4g} {unit}, along modes "
        f"{', '.join(map(str, outside.modes))} at |q| = {outside.distance:.1f}, outside the range of the basis"
    ]


def _method(solver: VibrationalSolver) -> InverseIteration | BlockDMRG:
    rank = LARGEST_RANK if solver.max_rank == AUTOMATIC else int(solver.max_rank)
    if solver.method == "block_dmrg":
        return BlockDMRG(max_rank=SHARED_RANK if solver.max_rank == AUTOMATIC else rank)
    return InverseIteration(max_rank=rank, first_rank=min(28, rank))


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> VibrationalResult:
    """The states, their errors and everything the report shows; see the module's formula. Deterministic in ``seed``.

    ``checkpoint``: the folder it is continued from; ``earlier``: that of a run of the same field, whose states this one
    starts from.
    """
    compile_s = warm_up()
    begin = time.perf_counter()
    solver, field = prepared.solver, prepared.field
    method = _method(solver)
    rng = np.random.default_rng(seed)
    warnings = list(prepared.warnings)
    if callback:
        callback(IterationState(0, "start: configuration interaction", 1, 0.0, fraction=0.0, finished=False))
    start = start_states(prepared.terms, solver.n_states, executor=executor, seed=int(rng.integers(2**31)))
    if prepared.problem.basis.functions == AUTOMATIC:
        prepared = _enlarge(prepared, start, executor)
    solving = time.perf_counter()
    setup_s = prepared.setup_s + solving - begin
    solution = eigsolve(
        prepared.operator, solver.n_states, start=(prepared.terms, start), method=method,
        accuracy=solver.accuracy * (1 - BASIS_SHARE), executor=executor, rng=rng, callback=callback, throw=False,
        checkpoint=None if checkpoint is None else checkpoint / STATES,
        earlier=None if earlier is None else earlier / STATES,
    )  # fmt: skip
    states = solution.value
    basis_errors = BASIS_SAFETY * _basis_errors(prepared, states.trains, executor).sum(axis=1)
    errors = states.errors + basis_errors
    status = solution.status
    if prepared.problem.basis.functions == AUTOMATIC:
        converged = errors <= solver.accuracy
        if status is Status.CONVERGED and not converged.all():
            status = Status.BASIS_LIMIT
    else:  # the user's own basis is part of the question; what it costs is reported
        converged = states.errors <= solver.accuracy
        if basis_errors.max() > solver.accuracy:
            warnings.append(
                f"the chosen basis costs up to {basis_errors.max():.2g} {field.unit} (basis part of the errors); "
                "basis.functions: automatic would meet the accuracy"
            )
    if len(states.energies) < solver.n_states or states.probe.get("missing_states"):
        warnings.append(f"the list of the {solver.n_states} lowest states is not complete: {status.value}")
    elif converged.all():
        status = status if status is Status.CONTRADICTED else Status.CONVERGED
    else:
        listed = ", ".join(str(i) for i in np.flatnonzero(~converged)[:12])
        count = int((~converged).sum())
        warnings.append(f"{count} states did not reach the accuracy asked for: {listed} ({status.value})")
    labels = [b.labels for b in (prepared.bases(prepared.sizes)[k] for k in prepared.order)]
    trains = states.trains
    return VibrationalResult(
        energies=states.energies,
        unit=field.unit,
        error_estimates=errors,
        rank_errors=states.errors,
        basis_errors=basis_errors,
        residual_norms=solution.residual,
        symmetry=[symmetry_label(c, prepared.charges) for c in states.charges],
        assignments=[assignment(x, labels, prepared.order) for x in trains],
        ranks=[list(x.ranks) for x in trains],
        operator_ranks=[int(r) for r in prepared.operator.ranks],
        mode_order=[k + 1 for k in prepared.order],
        basis_functions=[prepared.sizes[k] for k in prepared.order],
        states_megabytes=sum(c.nbytes for x in trains for c in x.cores) / 1e6,
        completeness=completeness(states),
        state_converged=converged,
        status=status,
        states=DenseStates(trains, labels),
        history=list(solution.history),
        counts=solution.counts,
        timing={"compile_s": compile_s, "setup_s": setup_s, "solve_s": time.perf_counter() - solving},
        warnings=warnings,
        checked=solution.checked,
    )


def _basis_errors(prepared: Prepared, trains, executor: Executor | None) -> np.ndarray:
    """Second-order effect of the next functions of every mode on each state, (states, modes in train order)."""
    larger = prepared.resized([n + ENLARGED_BY for n in prepared.sizes])
    wide = SectorOperator(larger.operator, larger.terms.modes)
    scale = excitation_scale(prepared.terms)
    jobs = [(wide, {i: trains[i] for i in chunk}, scale) for chunk in tasks.chunks(range(len(trains)), tasks.CHUNK)]
    found = tasks.run_tasks(executor, tasks.basis_errors, jobs)
    return np.array([gains for part in found for _, gains in part])


def _enlarge(prepared: Prepared, start: Start, executor: Executor | None) -> Prepared:
    """Add functions to the modes the states of the start want more of; the trains are padded with zeros."""
    goal = BASIS_SHARE * prepared.solver.accuracy / BASIS_SAFETY / len(prepared.order)
    for _ in range(5):
        trains = [x for b in start.blocks for x in b.trains]
        gains = _basis_errors(prepared, trains, executor).max(axis=0)
        short = {k for i, k in enumerate(prepared.order) if gains[i] > goal}
        room = {k for k in short if prepared.sizes[k] + ENLARGED_BY + 2 < prepared.primitive[k]}
        if not room:
            break
        prepared = prepared.resized([n + 2 * (k in room) for k, n in enumerate(prepared.sizes)])
        for b in start.blocks:
            b.trains = [pad(x, prepared.terms.modes) for x in b.trains]
    return prepared
