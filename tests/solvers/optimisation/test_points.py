"""Points and tangent vectors come back from their arrays as they were."""

import numpy as np
import pytest

from solvers.formats.trains.construct import random_train
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRank
from solvers.optimisation.points import packed, unpacked

TRAINS = FixedRank()
POINT = TRAINS.point(random_train((3, 4, 5), 2, np.random.default_rng(0)))


@pytest.mark.parametrize(("x", "manifold"), [(np.arange(3.0), None), (POINT.left, TRAINS), ((), None)])
def test_arrays_and_tuples_need_no_manifold(x, manifold):
    arrays, entry = packed("x", x, manifold)
    found = unpacked(arrays, "x", entry, manifold)
    assert type(found) is type(x)
    np.testing.assert_equal(found, x)


def test_others_are_what_their_manifold_makes_of_them():
    arrays, entry = packed("x", POINT, TRAINS)
    found = unpacked(arrays, "x", entry, TRAINS)
    assert sorted(arrays) == sorted(f"x.{k}" for k in range(6))
    np.testing.assert_equal((found.left, found.right), (POINT.left, POINT.right))


def test_one_that_no_file_takes():
    with pytest.raises(ValueError, match="no file takes a FixedRankPoint"):
        packed("x", POINT)
