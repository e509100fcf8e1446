"""Candidates: their values are entries, and of small trains they are the extremes."""

import numpy as np
import pytest

from solvers.extremal.beams import beams
from solvers.extremal.prefixes import Seen
from solvers.formats.trains.construct import random_train


@pytest.mark.parametrize("seed", range(5))
def test_candidates(seed):
    rng = np.random.default_rng(seed)
    shape = (3, 5, 2, 1, 4, 6)
    x, zero = random_train(shape, 4, rng).orthogonalise(0), np.zeros(6, dtype=int)
    seen, dense = Seen(np.inf, -np.inf, zero, zero), x.full()
    sweeps = beams(x, rng.integers(0, shape, (5, 6)), seen)
    assert 2 < sweeps <= 10
    assert (seen.low, seen.high) == pytest.approx((dense.min(), dense.max()), abs=1e-13)
    assert (dense[tuple(seen.argmin)], dense[tuple(seen.argmax)]) == pytest.approx((seen.low, seen.high), abs=1e-13)
