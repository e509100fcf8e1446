"""What is said of a list of states, and the method for its ranks."""

import numpy as np
import pytest

from problems.keys import AUTOMATIC
from problems.quantum.tasks.spectrum.states_found import concluded, method_for
from solvers.eigen.states import EigenStates
from solvers.methods import BlockDMRG, InverseIteration
from solvers.solution import Checked, Status


def states(count, **probe):
    return EigenStates(np.arange(float(count)), [], [0] * count, np.zeros(count), np.zeros(0), probe)


@pytest.mark.parametrize(
    ("found", "converged", "passed", "status", "words"),
    [
        (states(2), [True, True], True, Status.CONVERGED, []),
        (states(2), [True, True], False, Status.CONTRADICTED, []),
        (states(2), [True, False], True, Status.RANK_LIMIT, ["1 states did not reach the accuracy asked for: 1 ("]),
        (states(1), [True], True, Status.RANK_LIMIT, ["the list of the 2 lowest states is not complete"]),
        (states(2, missing_states=1), [True, True], True, Status.RANK_LIMIT, ["the list of the 2 lowest"]),
    ],
)
def test_the_conclusion(found, converged, passed, status, words):
    looks = [Checked("a", "b", "c", passed)]
    told, warnings = concluded(Status.RANK_LIMIT, found, 2, np.array(converged), looks)
    assert told is status and len(warnings) == len(words)
    assert all(warning.startswith(start) for warning, start in zip(warnings, words))


def test_methods():
    assert method_for(True, AUTOMATIC) == BlockDMRG(max_rank=400) and method_for(True, 7) == BlockDMRG(max_rank=7)
    assert method_for(False, 12) == InverseIteration(max_rank=12, first_rank=12)
