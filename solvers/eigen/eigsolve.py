"""``eigsolve``: the lowest states of a Hermitian TT operator.

Small spaces are diagonalised by vectors over all product functions (solvers.eigen.full_vectors) unless a method is
asked for; the states of larger ones are trains from the beginning, by inverse iteration from a table of products
(solvers.eigen.inverse_iteration), or by block DMRG (solvers.eigen.shared_basis). A method asked for in a small space
starts from the full vectors where their list is proved, and is held against them: what it missed is taken in. Whatever
the way, the result is looked at a second time (solvers.eigen.checks).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np

from solvers.checkpoint import Checkpoint
from solvers.eigen import full_vectors
from solvers.eigen.asked import Asked, End, answered, by_sums
from solvers.eigen.checks import looked_at
from solvers.eigen.complex_hermitian import check_hermitian, real_form, real_part, recover
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.driven import Asking, checked, driven, raised
from solvers.eigen.explicit import size_of
from solvers.eigen.form_levels import levels_of_form
from solvers.eigen.in_sector import in_sector
from solvers.eigen.probe import Search
from solvers.eigen.start import Start, cold_start, excitation_scale, level_spacing, start_states
from solvers.eigen.states import EigenStates
from solvers.formats.trains.operator import TTOperator
from solvers.methods import BlockDMRG, InverseIteration
from solvers.sectors.charges import Charge
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import ModeCharges
from solvers.solution import Callback, Solution, Status
from solvers.threads import one_blas_thread

FEW = 1000  # product functions, which are diagonalised before they are found to be a sum
MAX_RANK = 200  # of trains for what has no method of its own


@one_blas_thread
def eigsolve(
    operator: TTOperator,
    n_states: int,
    *,
    which: End = "smallest",
    target: float | None = None,
    mass: TTOperator | None = None,
    sector: Charge | Sequence[Charge] | None = None,
    method: InverseIteration | BlockDMRG | None = None,
    start: ProductTerms | tuple[ProductTerms, Start] | None = None,
    accuracy: float = 1e-2,
    executor: Executor | None = None,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    earlier: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The ``n_states`` lowest states of a Hermitian TT operator, or its highest, or those nearest to a number.

    ``which``: "smallest" or "largest" (listed from the largest down). ``target``: those nearest to this number,
    ascending. ``mass``: B, positive definite, of A x = w B x, the states normalised by x^H B x = 1; where it is a
    product over the modes (finite elements on a grid) the problem is a standard one of the same ranks. An operator that
    is a sum over groups of modes is found to be one, and its levels are added up. With a target or a mass that is no
    product, ``method`` gives its max_rank alone, and there is no checkpoint.
    ``sector``: a Charge that the operator conserves, or several, with their values: the states are those of this sector
    alone, trains whose cores hold nothing else (block-sparse while they are computed), and ``which`` is of the sector.
    An operator that does not conserve them is refused; mean and variance of each charge are among the checks. A target
    within a sector takes vectors over it, up to 4,200 product functions.
    ``start``: the operator as a table of products with the charges of its mode functions (ascending in each mode),
    with the approximate states where the caller has them already; without it the operator is taken as it is, no
    symmetry used (a complex operator, solved through its exact real form, always is). ``method``: InverseIteration
    (each state a train of its own) or BlockDMRG (one shared basis); None: vectors over all product functions where the
    space is small, else InverseIteration with a start and BlockDMRG without.
    ``accuracy``: requested error of each energy, in the operator's unit; a ``tol`` of BlockDMRG must hold besides.
    ``checkpoint``: a file written after every pass (block DMRG: files with numbers, after every sweep); where it exists
    the calculation goes on from it.
    ``earlier``: that of another call, for fewer states or a looser accuracy of the same operator, maybe in fewer
    functions: its states are part of the start.

    Of a Laplacian or ``divergence_form`` of ``quantics`` with a potential (``+ diagonal(v)``), one or two axes, without
    a method, the levels come from polynomials on pieces of the axes, whatever the points (solvers.eigen.form_levels);
    ``residual`` is then the last change of each energy, and the status BASIS_LIMIT where these do not agree.

    ``value`` of the Solution is an EigenStates; ``residual`` the norms ||H x - E x||, computed again at the end (by
    a random sketch, to about 10 per cent, where the ranks of H x pass 300). Raises ValueError for more states than
    product functions or an operator that is not Hermitian, and NotConverged, which carries the solution, when
    ``throw``.
    """
    check_hermitian(operator)
    if np.issubdtype(operator.dtype, np.complexfloating):
        operator = real_part(operator) or operator
    rng = rng or np.random.default_rng(0)
    begin = time.perf_counter()
    asked = Asked(which, target, mass)
    if sector is not None and (mass is not None or start is not None or earlier is not None):
        raise ValueError("a sector excludes mass, start and earlier: leave these out")
    if sector is not None and asked.which == "smallest":
        chosen = method or BlockDMRG()
        file = Checkpoint(checkpoint)
        asking = Asking(
            n_states, accuracy, chosen, rng, begin, executor, callback, file, None, throw, method is not None
        )
        return in_sector(operator, n_states, sector, target, asking)
    if not asked.plain:

        def lowest(standard: TTOperator, count: int) -> Solution:
            return eigsolve(
                standard,
                count,
                sector=sector,
                method=method,
                accuracy=accuracy,
                executor=executor,
                rng=rng,
                callback=callback,
                checkpoint=checkpoint,
                earlier=earlier,
                throw=False,
            )

        _check_count(operator, n_states)
        cap = MAX_RANK if method is None else method.max_rank
        solution = answered(
            operator, n_states, asked, lowest, accuracy=accuracy, max_rank=cap, rng=rng, callback=callback
        )
        return raised(solution) if throw else solution
    terms, given = start if isinstance(start, tuple) else (start, None)
    complex_ = np.issubdtype(operator.dtype, np.complexfloating)
    plain = tuple(((0, n),) for n in operator.row_shape)
    modes: ModeCharges = terms.modes if terms and not complex_ else plain
    size = size_of(modes)
    _check_count(operator, n_states)
    if method is None:
        found = levels_of_form(operator, n_states, accuracy) if terms is None and size > FEW else None
        if found is None and terms is None and size > FEW:
            found = by_sums(operator, n_states, None, accuracy)
        if found is None:
            found = small_space(operator, n_states, modes, accuracy=accuracy, rng=rng, callback=callback)
        elif callback is not None:
            callback(found.history[0])
        if found is not None:
            found = replace(found, asked=accuracy)
            return raised(found) if throw else found
    if complex_:
        solution = _complex(operator, n_states, method, accuracy, executor, rng, callback, checkpoint, earlier)
        solution = checked(solution, operator, modes, n_states, accuracy, method, rng)
        solution = replace(solution, asked=accuracy)
        return raised(solution) if throw else solution
    sector_operator = SectorOperator(operator, modes)
    method = method or (InverseIteration() if terms else BlockDMRG())
    single = method if isinstance(method, InverseIteration) else InverseIteration()
    seed = int(rng.integers(2**31))
    if terms and given is None:
        given = start_states(terms, n_states, configurations=single.configurations, executor=executor, seed=seed)
    reference = full_vectors.Reference(operator, modes, n_states, seed)
    proved = reference.proved_start(n_states + 2, method.max_rank) if given is None else None
    if given is None:
        given = proved or cold_start(sector_operator, operator, n_states, size, rng)
    scale = excitation_scale(terms) if terms else level_spacing(given)
    if terms:
        weights = [np.exp(-(e - e.min()) / (4.0 * scale + np.ptp(e) * 0.05)) for e in terms.energies]
    else:
        weights = [np.ones(sum(n for _, n in mode)) for mode in modes]
    search = Search(weights, reference, cold=terms is None)
    before = Checkpoint(earlier)
    asking = Asking(n_states, accuracy, method, rng, begin, executor, callback, Checkpoint(checkpoint), before, throw)
    return driven(operator, sector_operator, given, search, scale, asking, seed, proved is not None)


def _check_count(operator: TTOperator, n_states: int) -> None:
    size = math.prod(float(n) for n in operator.row_shape)
    if not 1 <= n_states <= size:
        raise ValueError(f"n_states is {n_states}, but the space has {size:.0f} product functions")


def small_space(
    operator: TTOperator,
    n_states: int,
    modes: ModeCharges,
    *,
    accuracy: float,
    max_rank: int | None = None,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
) -> Solution | None:
    """The states by vectors over all product functions alone, looked at a second time; None where that does not do.

    That is: the space is not small (solvers.eigen.full_vectors), or trains of ``max_rank`` cannot carry its vectors.
    ``modes``: functions of every mode by their charges, those of a complex operator too.
    """
    rng = rng or np.random.default_rng(0)
    solution = full_vectors.solve(operator, modes, n_states, accuracy, rng, callback, max_rank)
    return None if solution is None else looked_at(solution, operator, modes, n_states, accuracy, None, rng)


def _complex(
    operator: TTOperator,
    n_states: int,
    method: InverseIteration | BlockDMRG | None,
    accuracy: float,
    executor: Executor | None,
    rng: np.random.Generator,
    callback: Callback | None,
    checkpoint: str | Path | None,
    earlier: str | Path | None,
) -> Solution:
    """The states of a complex operator: twice as many of its real form, then a Rayleigh-Ritz in their complex span."""
    solution = eigsolve(
        real_form(operator),
        2 * n_states,
        method=method or BlockDMRG(),
        accuracy=accuracy,
        executor=executor,
        rng=rng,
        callback=callback,
        checkpoint=checkpoint,
        earlier=earlier,
        throw=False,
    )
    real = solution.value
    tol = float(np.clip(0.1 * np.sqrt(accuracy / max(np.abs(real.energies).max(), 1e-300)), 1e-12, 1e-3))
    cap = None if method is None else method.max_rank
    energies, trains, errors = recover(operator, [x.to_train() for x in real.trains], real.errors, n_states, tol, cap)
    residual = np.array([(operator @ z - z * complex(e)).norm() for z, e in zip(trains, energies)])
    value = EigenStates(energies, trains, [0] * n_states, errors, real.buffer, real.probe)
    n_converged = int(np.sum(errors <= accuracy))
    status = solution.status
    if status is Status.CONVERGED and n_converged < n_states:  # the real ones met it, their combinations do not
        status = Status.RANK_LIMIT
    return replace(solution, value=value, status=status, n_converged=n_converged, residual=residual, checked=())
