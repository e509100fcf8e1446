"""What the computation of a spectrum would do, and what it is expected to take."""

from __future__ import annotations

from problems.effort import entries, listed, megabytes, of_full_vectors, of_spectrum, size
from problems.quantum.tasks.spectrum.solve import Prepared
from problems.report_parts import Effort
from solvers.methods import BlockDMRG, InverseIteration

RANK_OF_STATES = 50  # that states of a few digits settle at, where the cap allows it


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come."""
    space, method = prepared.space, prepared.method
    shape, rank = space.operator.shape[0], expected_rank(method)
    looks = "residuals, basis errors" if space.basis_share else "residuals"
    if space.own_plan is not None:
        way = space.own_plan[0]
    elif prepared.small:
        way = f"vectors over all {prepared.functions:.0f} functions; {looks}"
    else:
        begin = "configuration interaction as a start" if space.starts else "a random start"
        name = (
            "block DMRG on one shared basis" if isinstance(method, BlockDMRG) else "inverse iteration, a train a state"
        )
        name += ", of the real form of a complex H" if space.complex else ""
        way = f"{begin}; {name}; {looks}, a search for missed states"
    automatic = " (automatic; grown where the start asks for it)" if space.automatic else ""
    return [
        ("modes", f"{len(shape)}, along the train: {listed(space.mode_numbers)}"),
        ("functions", listed(shape) + automatic),
        ("tensor of a state", entries(shape)),
        ("terms", str(space.products)),
        ("operator TT-ranks", listed(space.operator.ranks)),
        (
            "states",
            f"{_how_many(prepared)}, TT-ranks up to {method.max_rank}, mostly about {rank}; "
            f"{megabytes(size(shape, rank))} each",
        ),
        ("plan", way),
        *(("warning", text) for text in space.warnings),
    ]


def _how_many(prepared: Prepared) -> str:
    if prepared.asked is None:
        return str(prepared.n_states)
    return f"about {prepared.n_states}, up to {prepared.asked.upper:g} {prepared.space.unit} above the ground state"


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory."""
    space, method, states = prepared.space, prepared.method, prepared.n_states
    if space.own_plan is not None:
        return space.own_plan[1]
    if prepared.small:
        return of_full_vectors(prepared.functions, states)
    count = states * (2 if space.complex else 1)
    shape, ranks = space.operator.shape[0], space.operator.ranks
    return of_spectrum(shape, ranks, count, expected_rank(method), isinstance(method, BlockDMRG), workers)


def expected_rank(method: InverseIteration | BlockDMRG) -> int:
    """The TT-rank most states are expected to have."""
    return min(RANK_OF_STATES, method.max_rank)
