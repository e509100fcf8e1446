"""Index sets chosen afresh stay square and nested; those of one function help with a similar one."""

import numpy as np
import pytest

from solvers.cross.cross import cross, cross_of_trains
from solvers.cross.pivots import Pivots
from solvers.cross.sources import FunctionSource
from solvers.formats.trains.construct import tt_svd
from solvers.solution import Status

BITS = (2,) * 12
X = np.linspace(0.0, 1.0, 16)


def bump(points, centre):
    """A narrow peak of three coordinates of four bits each."""
    digits = points.reshape(len(points), 3, 4) @ np.array([8, 4, 2, 1])
    r2 = np.sum((digits - np.array(centre)) ** 2, axis=1)
    return np.exp(-0.8 * np.sqrt(r2 + 0.1))


def largest_error(train, f):
    points = np.stack(np.meshgrid(*[np.arange(n) for n in train.shape], indexing="ij"), -1).reshape(-1, train.d)
    exact = f(points)
    return np.abs(train.entries(points) - exact).max() / np.abs(exact).max()


def test_pivots_start_a_similar_function():
    """Few sweeps instead of one a rank, the same accuracy; the pivots are multi-indices, each once."""
    for seed in range(4):
        first = cross(lambda p: bump(p, (5, 6, 7)), BITS, accuracy=1e-6, rng=np.random.default_rng(seed))
        pivots = first.extra["pivots"]
        assert pivots.shape[1] == 12 and len(np.unique(pivots, axis=0)) == len(pivots)
        assert pivots.min() >= 0 and pivots.max() <= 1

        def similar(p):
            return bump(p, (5.1, 6, 6.9))

        cold = cross(similar, BITS, accuracy=1e-6, rng=np.random.default_rng(seed + 10))
        warm = cross(similar, BITS, accuracy=1e-6, rng=np.random.default_rng(seed + 10), start=pivots)
        assert max(largest_error(cold.value, similar), largest_error(warm.value, similar)) <= 1e-6
        assert warm.counts["sweeps"] <= 0.5 * cold.counts["sweeps"]
        assert max(warm.value.ranks) <= max(cold.value.ranks) + 2


def test_pivots_start_a_similar_function_of_trains():
    digits = np.arange(16)
    peak = np.exp(-0.8 * np.sqrt(sum(g**2 for g in np.ix_(digits - 5, digits - 6, digits - 7)) + 0.1))
    x = tt_svd(peak.reshape(BITS), 1e-12)
    first = cross_of_trains(lambda u: u**1.5, [x], accuracy=1e-6)
    cold = cross_of_trains(lambda u: u**1.6, [x], accuracy=1e-6, rng=np.random.default_rng(1))
    warm = cross_of_trains(
        lambda u: u**1.6, [x], accuracy=1e-6, rng=np.random.default_rng(1), start=first.extra["pivots"]
    )
    assert warm.status is Status.CONVERGED
    assert warm.counts["sweeps"] <= 0.5 * cold.counts["sweeps"]
    assert np.abs(warm.value.full().reshape(peak.shape) - peak**1.6).max() <= 1e-6 * (peak**1.6).max()


def test_one_mode_has_no_pivots():
    solution = cross(lambda p: X[p[:, 0]], (16,))
    assert solution.extra["pivots"].shape == (0, 1)
    again = cross(lambda p: X[p[:, 0]], (16,), start=solution.extra["pivots"])
    assert np.allclose(again.value.full(), X)


def hidden(d):
    """Small and of full rank where the second index is 0, large and of rank one elsewhere."""
    small = 1e-6 * np.random.default_rng(0).standard_normal((4,) * d)
    return lambda p: np.where(p[:, 1] == 0, small[tuple(p.T)], 1.0 + 0.1 * p[:, 2])


@pytest.mark.parametrize("d", [3, 4, 5])
def test_renewed_index_sets_are_square_and_nested(d):
    """Points seen where f is small give rows that the columns kept later cannot tell apart: they must be dropped again.

    With four modes a row of the next bond extended one of those dropped.
    """
    f = hidden(d)
    source = FunctionSource(f, (4,) * d, None)
    points = np.random.default_rng(1).integers(0, 4, (12, d))
    points[:, 1] = 0
    pivots = Pivots(source, points[0], np.random.default_rng(1))
    pivots.renew(points, 1e-3)
    assert [len(rows) for rows in pivots.left] == [len(rows) for rows in pivots.right]
    for k in range(1, d - 1):
        known = {tuple(row) for row in pivots.left[k - 1].tolist()}
        assert all(tuple(row[:-1]) in known for row in pivots.left[k].tolist())
    train = pivots.train()
    assert train.ranks[1:-1] == tuple(pivots.ranks)
    crossing = np.array([[*a, *b] for k in range(d - 1) for a in pivots.left[k] for b in pivots.right[k]])
    assert np.allclose(train.entries(crossing), f(crossing), rtol=1e-9, atol=0)
    # growth goes on from there
    for _ in range(20):
        for k in range(d - 1):
            pivots.grow(k, 1e-9)
    assert largest_error(pivots.train(), f) <= 1e-6


@pytest.mark.parametrize("d", [3, 4, 5])
def test_a_start_where_the_function_is_small(d):
    points = np.random.default_rng(1).integers(0, 4, (12, d))
    points[:, 1] = 0
    solution = cross(hidden(d), (4,) * d, start=points, accuracy=1e-3)
    assert largest_error(solution.value, hidden(d)) <= 1e-3
