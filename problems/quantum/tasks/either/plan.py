"""What a run of a user's own Hamiltonian would do, and what it is expected to take."""

from __future__ import annotations

import numpy as np

from problems.effort import entries, listed, megabytes, of_full_vectors, of_spectrum, size
from problems.keys import AUTOMATIC
from problems.quantum.tasks.either.solve import PreparedSpectrum, method_of, tells_apart
from problems.quantum.tasks.evolution import plan as evolution
from problems.quantum.tasks.evolution.solve import Prepared
from problems.report_parts import Effort
from solvers.eigen.explicit import SMALL
from solvers.methods import BlockDMRG

RANK_OF_STATES = 50  # that states settle at, where cap and shape allow it


def plan(prepared: PreparedSpectrum | Prepared) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come."""
    if isinstance(prepared, Prepared):
        return evolution.plan(prepared)
    shape, solver = prepared.operator.shape[0], prepared.solver
    facts = [
        ("modes", f"{len(shape)}, along the train: {listed(prepared.order)}"),
        ("functions", listed(shape)),
        ("tensor of a state", entries(shape)),
        ("terms", str(len(prepared.problem.products))),
        ("operator TT-ranks", listed(prepared.operator.ranks)),
    ]
    if _small(prepared):
        return [*facts, ("plan", f"{solver.n_states} states by vectors over all {_space(prepared):.0f} functions")]
    start = prepared.terms if tells_apart(prepared.terms) else None
    method = method_of(prepared, start)
    name = "block DMRG on one shared basis" if isinstance(method, BlockDMRG) else "inverse iteration, a train a state"
    begin = "configuration interaction as a start" if start is not None else "a random start"
    rank = min(RANK_OF_STATES, method.max_rank)
    of_real_form = ", of the real form of a complex H" if prepared.operator.dtype.kind == "c" else ""
    return [
        *facts,
        ("states", f"{solver.n_states}, TT-ranks up to {method.max_rank}; {megabytes(size(shape, rank))} each"),
        ("plan", f"{begin}; {name}{of_real_form}; residuals"),
    ]


def estimate(prepared: PreparedSpectrum | Prepared, workers: int) -> Effort:
    """The expected time and memory."""
    if isinstance(prepared, Prepared):
        return evolution.estimate(prepared, workers)
    shape, states = prepared.operator.shape[0], prepared.solver.n_states or 1
    if _small(prepared):
        return of_full_vectors(_space(prepared), states)
    method = method_of(prepared, prepared.terms if tells_apart(prepared.terms) else None)
    count = states * (2 if prepared.operator.dtype.kind == "c" else 1)
    rank = min(RANK_OF_STATES, method.max_rank)
    return of_spectrum(shape, prepared.operator.ranks, count, rank, isinstance(method, BlockDMRG), workers)


def _space(prepared: PreparedSpectrum) -> float:
    """Product functions."""
    return float(np.prod(np.array(prepared.operator.shape[0], float)))


def _small(prepared: PreparedSpectrum) -> bool:
    """Whether vectors over all functions are expected to do: above ``SMALL`` they never do, below they mostly do."""
    return prepared.solver.method == AUTOMATIC and _space(prepared) <= SMALL
