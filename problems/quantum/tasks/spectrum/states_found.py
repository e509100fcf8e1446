"""What every spectrum shares: the method for its ranks, and what is said of the states found."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from problems.keys import AUTOMATIC
from problems.words import cut_short
from solvers.eigen.states import EigenStates
from solvers.methods import BlockDMRG, InverseIteration
from solvers.solution import Checked, Status

LARGEST_RANK = 160
FIRST_RANK = 28  # of inverse iteration, in its first pass
SHARED_RANK = 400  # of a basis that all states share
STATES = "states.npz"  # the file of the states in a checkpoint folder
NAMED = 12  # states that a warning names


def method_for(shared: bool, max_rank: int | str) -> InverseIteration | BlockDMRG:
    """One basis for all states, or a train a state; ``max_rank``: as of the key of that name."""
    if shared:
        return BlockDMRG(max_rank=SHARED_RANK if max_rank == AUTOMATIC else int(max_rank))
    rank = LARGEST_RANK if max_rank == AUTOMATIC else int(max_rank)
    return InverseIteration(max_rank=rank, first_rank=min(FIRST_RANK, rank))


def concluded(
    status: Status, states: EigenStates, wanted: int, converged: np.ndarray, checked: Collection[Checked]
) -> tuple[Status, list[str]]:
    """The status of a list of states, and the warnings about it.

    ``status``: that of the solution; ``converged`` (n,): which of its states are within the accuracy.
    """
    if len(states.energies) < wanted or states.probe.get("missing_states"):
        return status, [f"the list of the {wanted} lowest states is not complete: {status.value}"]
    if converged.all():
        failed = status is Status.CONTRADICTED or not all(look.passed for look in checked)
        return (Status.CONTRADICTED if failed else Status.CONVERGED), []
    lacking = np.flatnonzero(~converged)
    names = cut_short(lacking.tolist(), NAMED)
    return status, [f"{len(lacking)} states did not reach the accuracy asked for: {names} ({status.value})"]
