"""Groups of coupled modes, wherever they stand, and products of trains woven into each other."""

import numpy as np

from solvers.eigen.components import components, interleaved, part_on
from solvers.formats.trains.construct import random_train
from solvers.formats.trains.sum_of_products import sum_of_products

Z, X = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])
STACK = np.array([np.eye(2), Z, X])


def test_the_graph_of_interactions() -> None:
    h = sum_of_products([STACK] * 7, [(1.0, {0: 1, 5: 2}), (1e-6, {1: 1, 2: 1, 4: 2}), (2.0, {3: 2}), (0.5, {6: 1})])
    assert components(h, 1e-12) == [(0, 5), (1, 2, 4), (3,), (6,)]
    assert components(h, 1e-4) == [(0, 5), (1,), (2,), (3,), (4,), (6,)]


def test_a_part_is_what_partial_traces_leave() -> None:
    h = sum_of_products([STACK] * 4, [(1.5, {0: 1, 2: 2}), (0.5, {1: 2}), (0.25, {})])
    part = part_on(h, (0, 2))
    np.testing.assert_allclose(part.full(), 1.5 * np.kron(Z, X) + 0.25 * np.eye(4), atol=1e-15)
    assert part_on(h, ()).cores[0].item() == 0.25


def test_interleaved_trains_are_a_product() -> None:
    rng = np.random.default_rng(0)
    x, y, z = random_train((2, 3, 2), 2, rng), random_train((3, 2), 3, rng), random_train((2,), 1, rng)
    whole = interleaved([x, y, z], [(0, 2, 5), (1, 4), (3,)])
    exact = np.einsum("acf,be,d->abcdef", x.full(), y.full(), z.full())
    np.testing.assert_allclose(whole.full(), exact, atol=1e-14)
