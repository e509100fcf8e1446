"""Linear functionals that are put right after a step: exact, and by little."""

import numpy as np
import pytest

from solvers.dynamics.invariants import Invariants
from solvers.formats.trains.construct import random_train
from solvers.formats.trains.tensor_train import dot


def test_invariants_are_restored_exactly_without_new_ranks():
    rng = np.random.default_rng(1)
    start = random_train((5, 4, 6, 3), 4, rng, complex)
    vectors = [random_train(start.shape, 2, rng, complex) for _ in range(3)]
    invariants = Invariants(vectors, start)
    moved = (start + 1e-3 * random_train(start.shape, 1, rng, complex)).round(1e-12)
    x, change = invariants.restore(moved)
    for v in vectors:
        assert abs(dot(v, x) - dot(v, start)) < 1e-13
    assert x.ranks == moved.ranks and (x - moved).norm() == pytest.approx(change, rel=1e-6)
    assert change < 1e-2
