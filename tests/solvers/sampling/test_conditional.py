"""The conditional densities themselves: masses on the tree are those of single indices."""

import numpy as np
import pytest

from solvers.formats.trains.construct import random_train
from solvers.sampling.conditional import conditionals, grouped


@pytest.mark.parametrize("density", ["squared", "values"])
def test_masses_of_a_mode_add_up_to_one(density):
    x = random_train((5, 7, 3), 4, np.random.default_rng(0))
    x = x * x if density == "values" else x
    known = conditionals(x, density)
    p = np.abs(x.full()) ** (2 if density == "squared" else 1)
    rows, _ = known.advance(0, known.start(7), np.full(7, 3))
    index = np.arange(7)
    share = p[3].sum(1) / p[3].sum()
    np.testing.assert_allclose(known.before(1, rows, index), np.cumsum(share) - share, atol=1e-13)
    chosen, left = known.choose(1, rows, np.cumsum(share) - 0.5 * share)
    assert np.array_equal(chosen, index)
    np.testing.assert_allclose(left, 0.5 * share, atol=1e-13)
    np.testing.assert_allclose(known.advance(1, rows, index)[1], share, atol=1e-13)


def test_groups():
    index = np.array([2, 0, 2, 5])
    assert [(i, here.tolist()) for i, here in grouped(index, 6)] == [(0, [1]), (2, [0, 2]), (5, [3])]
