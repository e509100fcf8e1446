"""Branch and bound: hulls, what is dropped, and the extremes without any candidate."""

import numpy as np
import pytest

from solvers.extremal import prefixes
from solvers.extremal.prefixes import Prefixes, Seen
from solvers.formats.trains.construct import random_train


def nothing(d):
    return Seen(np.inf, -np.inf, np.zeros(d, dtype=int), np.zeros(d, dtype=int))


@pytest.mark.parametrize("rank", [1, 2, 3, 5])
@pytest.mark.parametrize("finish", [1, 2**20])
def test_extremes_without_candidates(rank, finish, monkeypatch):
    monkeypatch.setattr(prefixes, "FINISH", finish)
    x = random_train((3, 4, 2, 5, 3), rank, np.random.default_rng(rank)).orthogonalise(0)
    seen, dense = nothing(5), x.full()
    search = Prefixes(x.cores, seen, 0.0, 10_000)
    list(search.steps())
    assert (seen.low, seen.high) == pytest.approx((dense.min(), dense.max()), abs=1e-13)
    assert dense[tuple(seen.argmin)] == pytest.approx(dense.min(), abs=1e-13)
    assert search.largest == -np.inf and search.least == np.inf  # nothing was dropped


def test_corners_of_hulls_alone_go_on(monkeypatch):
    """Rank two on 10^30 entries: rows in a plane, and few of them."""
    monkeypatch.setattr(prefixes, "FINISH", 1)
    x = random_train((10,) * 30, 2, np.random.default_rng(0)).orthogonalise(0)
    search = Prefixes(x.cores, nothing(30), 0.0, 10_000)
    assert max(search.steps()) < 200 and search.largest == -np.inf


@pytest.mark.parametrize("sides", [(True, True), (True, False), (False, True)])
def test_what_is_dropped_is_bounded(sides, monkeypatch):
    monkeypatch.setattr(prefixes, "FINISH", 1)
    x = random_train((4,) * 7, 6, np.random.default_rng(3)).orthogonalise(0)
    seen, dense = nothing(7), x.full()
    search = Prefixes(x.cores, seen, 0.0, 4, sides)
    assert max(search.steps()) <= 4
    assert max(seen.high, search.largest) >= dense.max() - 1e-13 or not sides[1]
    assert min(seen.low, search.least) <= dense.min() + 1e-13 or not sides[0]
