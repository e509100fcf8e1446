"""Functions of existing trains by cross approximation, against dense arithmetic; the index sets' own identities."""

import numpy as np
import pytest

from solvers.cross.cross import cross, cross_of_trains
from solvers.cross.pivots import Pivots
from solvers.cross.sources import FunctionSource
from solvers.cross.train_source import TrainSource
from solvers.formats.trains.construct import ones, random_train

RNG = np.random.default_rng(7)


def smooth(shape, shift):
    """A positive train of small rank: shift + exp(-sum) + sum of squares."""
    grids = [np.linspace(0.0, 1.0, n) for n in shape]
    f = lambda c: shift + np.exp(-c.sum(axis=1)) + (c**2).sum(axis=1)  # noqa: E731
    return cross(f, shape, grids=grids, accuracy=1e-12).value


@pytest.mark.parametrize(
    "f",
    [lambda x, y: np.sqrt(x) * y, lambda x, y: x / y, lambda x, y: 1.0 + x * y, lambda x, y: np.log(x + y)],
    ids=["root", "quotient", "product", "logarithm"],
)
def test_functions_of_two_trains(f):
    shape = (9, 7, 8, 6)
    x, y = smooth(shape, 1.0), smooth(shape, 2.0)
    solution = cross_of_trains(f, [x, y], accuracy=1e-9)
    exact = f(x.full(), y.full())
    assert np.abs(solution.value.full() - exact).max() <= 3e-9 * np.abs(exact).max()


def test_a_train_is_copied_with_its_ranks():
    x = random_train((6, 5, 7, 4), 3, RNG)
    solution = cross_of_trains(lambda v: v, [x], accuracy=1e-11)
    assert solution.value.ranks == x.ranks
    assert np.allclose(solution.value.full(), x.full(), atol=1e-9 * np.abs(x.full()).max())


def test_what_is_refused():
    x = ones((3, 3))
    with pytest.raises(ValueError, match="at least one train"):
        cross_of_trains(np.sqrt, [])
    with pytest.raises(ValueError, match="one shape"):
        cross_of_trains(np.multiply, [x, ones((3, 4))])
    with pytest.raises(ValueError, match=r"not finite at the multi-index \(\d, \d\)"), np.errstate(invalid="ignore"):
        cross_of_trains(np.sqrt, [x * -1.0])
    with pytest.raises(ValueError, match="array of shape"):
        cross_of_trains(lambda v: 1.0, [x])


@pytest.mark.parametrize("kind", ["function", "trains"])
def test_blocks_are_entries(kind):
    x = random_train((4, 3, 5, 2), 3, RNG)
    full = x.full()
    source = FunctionSource(x.entries, x.shape, None) if kind == "function" else TrainSource(lambda v: v, [x])
    left, right = np.array([[0, 1], [3, 2]]), np.array([[1], [0], [1]])
    before = source.evaluations
    block = source.block(left, 2, right)
    assert np.allclose(block, full[left[:, 0], left[:, 1]][:, :, right[:, 0]])
    # no value of a function is computed twice; of trains a block is one product
    assert source.evaluations - before == (block.size if kind == "trains" else block[:, :, :2].size)
    assert source.largest >= np.abs(block).max()


def test_pivots_interpolate_their_crosses_and_stay_nested():
    f = lambda c: 1.0 / (1.0 + c.sum(axis=1))  # noqa: E731
    shape, grid = (10, 9, 8, 7), [np.linspace(0.0, 2.0, n) for n in (10, 9, 8, 7)]
    source = FunctionSource(f, shape, grid)
    pivots = Pivots(source, np.array([5, 5, 5, 5]), np.random.default_rng(0))
    for _ in range(4):
        for k in range(3):
            pivots.grow(k, 0.0)
    for renewed in (False, True):
        if renewed:
            pivots.renew(np.array([[0, 0, 0, 0], [9, 8, 7, 6]]), 1e-12)
        full = pivots.train().full()
        exact = source.block(np.zeros((1, 0), dtype=int), 0, np.zeros((1, 3), dtype=int))
        assert np.isfinite(exact).all() and pivots.ranks == [len(r) for r in pivots.right]
        for k in range(3):
            left, right = pivots.left[k], pivots.right[k]
            cross_values = source.points(np.array([[*a, *b] for a in left for b in right]))
            found = full[tuple(np.array([[*a, *b] for a in left for b in right]).T)]
            assert np.allclose(found, cross_values, rtol=1e-9)
            if k:
                known = {tuple(row) for row in pivots.left[k - 1].tolist()}
                assert all(tuple(row[:-1]) in known for row in left.tolist())
            if k < 2:
                known = {tuple(row) for row in pivots.right[k + 1].tolist()}
                assert all(tuple(row[1:]) in known for row in right.tolist())
