"""From a force field to its levels: bases, operator, start, states, and the two parts of every error.

``prepare`` (module prepared) chooses what the configuration leaves automatic and refuses what cannot be
computed; ``solve`` does the work. Automatic sizes: every function under the highest state wanted, plus a margin that
grows with the digits asked for, and whatever the states of a wider space want more of; where the states found lack
functions all the same, the basis is enlarged and they are computed again. Unless a method is asked for, a small space
is solved by vectors over all of its functions.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import numpy as np

from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.force_field.operators import second_look
from problems.quantum.tasks.spectrum.keys import VibrationalSolver
from problems.quantum.tasks.spectrum.outside import basis_errors, enlarged, grown, judge, refined, widened
from problems.quantum.tasks.spectrum.prepared import Prepared, prepare
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.quantum.tasks.spectrum.states import DenseStates, assignment, completeness, symmetry_label
from problems.quantum.tasks.spectrum.states_found import STATES, concluded, method_for, named
from solvers.eigen.eigsolve import eigsolve, small_space
from solvers.eigen.explicit import SMALL
from solvers.eigen.start import space_size, start_states
from solvers.kernels.warm_up import warm_up
from solvers.methods import BlockDMRG, InverseIteration
from solvers.solution import IterationState, Solution, Status

__all__ = ["Prepared", "prepare", "solve"]

BASIS_SHARE = 0.2  # of the accuracy, left to the one-mode functions the basis does not contain
ACCURACY_SHARE = 1.0 - BASIS_SHARE
BASIS_ROUNDS, SMALL_ROUNDS = 3, 8  # solutions in ever larger bases, at most; in small spaces, where no start asks first


def method_of(solver: VibrationalSolver) -> InverseIteration | BlockDMRG:
    """The method asked for; inverse iteration where none is."""
    return method_for(solver.method == "block_dmrg", solver.max_rank)


def small(prepared: Prepared) -> bool:
    """Whether vectors over all functions are expected to do, unless a method is asked for."""
    return prepared.solver.method == AUTOMATIC and space_size(prepared.terms) <= SMALL


def _of_full_vectors(
    prepared: Prepared, rng: np.random.Generator, callback: Callable[[IterationState], None] | None
) -> Solution | None:
    """The states of a small space; None where it is not, or where the ranks allowed cannot carry its vectors."""
    solver = prepared.solver
    if not small(prepared):
        return None
    return small_space(
        prepared.operator,
        solver.n_states,
        prepared.terms.modes,
        accuracy=ACCURACY_SHARE * solver.accuracy,
        max_rank=None if solver.max_rank == AUTOMATIC else int(solver.max_rank),
        rng=rng,
        callback=callback,
    )


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> SpectrumResult:
    """The states, their errors and everything the report shows; see the module's formula. Deterministic in ``seed``.

    ``checkpoint``: the folder it is continued from; ``earlier``: that of a run of the same field, whose states this one
    starts from.
    """
    compile_s = warm_up()
    begin = time.perf_counter()
    solver, field = prepared.solver, prepared.field
    rng = np.random.default_rng(seed)
    warnings = list(prepared.warnings)
    if callback:
        callback(IterationState(0, "start", 1, 0.0, fraction=0.0, finished=False))
    # 1. sizes from the states of a wider space, 2. the states, 3. what the basis leaves out; again while it is too much
    wide = None
    for number in itertools.count():
        prepared, wide = (
            refined(prepared, BASIS_SHARE * solver.accuracy) if prepared.automatic else (prepared, widened(prepared))
        )
        start = None
        if not small(prepared):
            start = start_states(prepared.terms, solver.n_states, executor=executor, seed=int(rng.integers(2**31)))
            if prepared.automatic:
                prepared = enlarged(prepared, start, BASIS_SHARE * solver.accuracy, executor)
        if number == 0:
            setup_s = prepared.setup_s + time.perf_counter() - begin
            solving = time.perf_counter()
        name = STATES if number == 0 else f"{number}-{STATES}"
        direct = _of_full_vectors(prepared, rng, callback)
        solution = direct or eigsolve(
            prepared.operator,
            solver.n_states,
            start=prepared.terms if start is None else (prepared.terms, start),
            method=method_of(solver),
            accuracy=ACCURACY_SHARE * solver.accuracy,
            executor=executor,
            rng=rng,
            callback=callback,
            throw=False,
            checkpoint=None if checkpoint is None else checkpoint / name,
            earlier=None if earlier is None else earlier / STATES,
        )
        states = solution.value
        judged = judge(prepared, states, wide, basis_errors(prepared, states.trains, executor))
        if not prepared.automatic or not judged.short or solution.status is Status.RANK_LIMIT:
            break  # more functions are no help to states that their ranks cut
        larger = grown(prepared, judged.short)
        if larger is None or number + 1 >= (SMALL_ROUNDS if small(prepared) else BASIS_ROUNDS):
            break
        prepared = larger
    lacking = judged.errors
    errors = states.errors + lacking + prepared.left_out
    converged = (errors <= solver.accuracy) & ~judged.edge
    bases = prepared.bases(prepared.sizes)
    looked = second_look(field, bases, prepared.order, prepared.operator)
    checked = (looked, *solution.checked, *judged.checked)
    status = solution.status
    if status is Status.CONVERGED and not converged.all():
        status = Status.BASIS_LIMIT
        if not prepared.automatic:
            warnings.append(
                f"the chosen basis costs up to {lacking.max():.2g} {field.unit} (basis part of the errors); "
                "basis.functions: automatic would meet the accuracy"
            )
    status, said = concluded(status, states, solver.n_states, converged, checked)
    warnings += said
    if status is Status.BASIS_LIMIT and prepared.sized is not None and np.isfinite(prepared.sized.most).any():
        modes = ", ".join(str(k + 1) for k in np.flatnonzero(np.isfinite(prepared.sized.most)))
        warnings.append(
            f"a barrier, behind which the potential falls without end, leaves no room for more functions of modes "
            f"{modes}: correct the field, or ask for fewer states"
        )
    if judged.edge.any():
        edge = named(np.flatnonzero(judged.edge))
        warnings.append(f"states at the edge of the basis, or beyond a barrier of the potential: {edge}")
    labels = [bases[k].labels for k in prepared.order]
    trains = states.trains
    return SpectrumResult(
        energies=states.energies,
        unit=field.unit,
        error_estimates=errors,
        rank_errors=states.errors,
        basis_errors=lacking,
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
        checked=checked,
    )
