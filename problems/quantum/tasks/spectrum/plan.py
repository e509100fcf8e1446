"""What a vibrational run would do, and what it is expected to take."""

from __future__ import annotations

from problems.effort import entries, listed, megabytes, of_full_vectors, of_spectrum, size
from problems.quantum.tasks.spectrum.prepared import Prepared
from problems.quantum.tasks.spectrum.solve import method_of, small
from problems.report_parts import Effort
from solvers.eigen.start import space_size
from solvers.methods import BlockDMRG, InverseIteration

RANK_OF_STATES = 50  # that states of a few digits settle at, where the cap allows it


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come."""
    shape, method = prepared.operator.shape[0], method_of(prepared.solver)
    rank = expected_rank(method)
    name = "block DMRG on one shared basis" if isinstance(method, BlockDMRG) else "inverse iteration, a train a state"
    way = f"configuration interaction as a start; {name}; residuals, basis errors, a search for missed states"
    if small(prepared):
        way = f"vectors over all {space_size(prepared.terms):.0f} functions; residuals, basis errors"
    automatic = " (automatic; grown where the start asks for it)"
    return [
        ("modes", f"{len(shape)}, along the train: {listed([k + 1 for k in prepared.order])}"),
        ("functions", listed(shape) + (automatic if prepared.problem.basis.functions == "automatic" else "")),
        ("tensor of a state", entries(shape)),
        ("operator TT-ranks", listed(prepared.operator.ranks)),
        (
            "states",
            f"{prepared.solver.n_states}, TT-ranks up to {method.max_rank}, mostly about {rank}; "
            f"{megabytes(size(shape, rank))} each",
        ),
        ("plan", way),
        *(("warning", text) for text in prepared.warnings),
    ]


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory."""
    method = method_of(prepared.solver)
    if small(prepared):
        return of_full_vectors(space_size(prepared.terms), prepared.solver.n_states)
    return of_spectrum(
        prepared.operator.shape[0],
        prepared.operator.ranks,
        prepared.solver.n_states,
        expected_rank(method),
        isinstance(method, BlockDMRG),
        workers,
    )


def expected_rank(method: InverseIteration | BlockDMRG) -> int:
    """The TT-rank most states are expected to have."""
    return min(RANK_OF_STATES, method.max_rank)
