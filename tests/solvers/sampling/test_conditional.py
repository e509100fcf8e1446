"""The conditional densities themselves, against the dense ones: masses, given indices, indices of numbers."""

import numpy as np
import pytest

from solvers.formats.trains.construct import random_train, tt_svd
from solvers.sampling.conditional import chosen, conditionals


@pytest.mark.parametrize("density", ["squared", "values"])
@pytest.mark.parametrize("sharp", [False, True])
def test_one_mode_after_another(density, sharp):
    """A mode whose marginal tells the cell nearly, and one of whose cells it tells nothing: all is bisected."""
    rng = np.random.default_rng(0)
    p = rng.random((5, 40, 3)) + 0.1
    if sharp:  # mode 1 lives in another eighth for each index of mode 0
        p *= np.abs(np.arange(40)[:, None] // 5 - np.arange(5)[:, None, None]) < 1
    x = tt_svd(np.sqrt(p) if density == "squared" else p, 1e-15)
    known = conditionals(x, density)
    share = p.sum(2) / p.sum((1, 2))[:, None]
    first = np.repeat(np.arange(5), 40)
    rows = known.advanced(0, np.ones((200, 1)), first)
    np.testing.assert_allclose(known.masses(1, rows), share[first], atol=1e-13)
    u = rng.random(200)
    edges = np.cumsum(share, axis=1)
    index = np.array([np.searchsorted(edges[i], v, side="right") for i, v in zip(first, u)])
    before = edges[first, index] - share[first, index]
    for given in (None, index):
        order, found, below, mass, new = known.each(1, rows, u, given)
        assert np.array_equal(found, index[order])
        np.testing.assert_allclose(below, before[order], atol=1e-13)
        if density == "values" or given is None:
            np.testing.assert_allclose(mass, share[first, index][order], atol=1e-13)
        last = p[first, index] / p[first, index].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(known.masses(2, new), last[order], atol=1e-12)


def test_cells_that_are_empty_are_not_chosen():
    p = np.array([[0.0, 0.5, 0.5, 0.0], [1.0, 0.0, 0.0, 0.0]])
    u = np.array([0.0, 0.49, 0.5, 1.0 - 1e-16, 0.999])
    index, below, mass = chosen(p, np.array([0, 0, 0, 0, 1]), u, None)
    assert index.tolist() == [1, 1, 2, 2, 0]
    assert below.tolist() == [0.0, 0.0, 0.5, 0.5, 0.0] and mass.tolist() == [0.5, 0.5, 0.5, 0.5, 1.0]


def test_the_marginal_tells_the_cell_of_a_product():
    """Of a train of rank one it always does: no step to a neighbour is taken."""
    x = random_train((9, 9), 1, np.random.default_rng(1))
    known = conditionals(x, "squared")
    known._settled = lambda k, rows, u, cell, below, mass, new: np.testing.assert_array_less(u, below + mass)
    rows = known.advanced(0, np.ones((500, 1)), np.random.default_rng(2).integers(0, 9, 500))
    known.each(1, rows, np.random.default_rng(3).random(500), None)
