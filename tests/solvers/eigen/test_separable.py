"""Operators that are sums over groups of modes: found, summed up, counted."""

import numpy as np
import pytest

from solvers.eigen import separable
from solvers.eigen.separable import Sums, groups
from solvers.formats.quantics.axes import kronecker_sum as quantics_sum
from solvers.formats.quantics.operators import laplacian
from solvers.formats.trains.construct import identity_operator, kronecker_sum
from solvers.formats.trains.sum_of_products import sum_of_products

Z, X = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])


@pytest.fixture(scope="module")
def random_sum():
    rng = np.random.default_rng(0)
    parts = [g + g.T + 0.3 * np.eye(len(g)) for g in (rng.standard_normal((n, n)) for n in (3, 4, 2, 5))]
    return kronecker_sum(parts)


def test_groups_add_up_to_the_whole(random_sum) -> None:
    parts, modes = groups(random_sum)
    assert modes == [(0,), (1,), (2,), (3,)]
    assert [p.row_shape for p in parts] == [(3,), (4,), (2,), (5,)]
    total = kronecker_sum([p.full() for p in parts])
    np.testing.assert_allclose(total.full(), random_sum.full(), atol=1e-13)


def test_lowest_nearest_and_counted(random_sum) -> None:
    sums, w = Sums.of(random_sum), np.linalg.eigvalsh(random_sum.full())
    np.testing.assert_allclose(sums.lowest(120)[0], w, atol=1e-12)
    for target in (-40.0, 0.5, 3.0, 99.0):
        energies, places = sums.nearest(target, 7)
        np.testing.assert_allclose(energies, np.sort(w[np.argsort(np.abs(w - target))[:7]]), atol=1e-12)
        x = sums.train(places[2])
        assert (random_sum @ x - x * float(energies[2])).norm() < 1e-12
        assert sums.below(target) == np.sum(w < target)


def test_modes_that_are_coupled_stay_together() -> None:
    h = sum_of_products([np.array([np.eye(2), Z, X])] * 5, [(1.0, {0: 1, 1: 1}), (0.5, {1: 2}), (2.0, {3: 1, 4: 2})])
    assert [p.d for p in groups(h)[0]] == [2, 1, 2]
    assert groups(sum_of_products([np.array([np.eye(2), Z])] * 3, [(1.0, {0: 1, 2: 1}), (1.0, {1: 1, 2: 1})])) is None
    almost = h + sum_of_products([np.array([np.eye(2), Z])] * 5, [(1e-9, {1: 1, 2: 1})])
    assert [p.d for p in groups(almost)[0]] == [3, 2]


def test_groups_whose_modes_do_not_stand_together() -> None:
    """Two chains woven into each other: each is a group, and the states are products with every mode in its place."""
    rng = np.random.default_rng(2)
    terms = [(float(rng.standard_normal()), {k: 1, k + 2: 1}) for k in range(4)]
    h = sum_of_products([np.array([np.eye(2), Z, X])] * 6, [*terms, *((0.3 + 0.1 * k, {k: 2}) for k in range(6))])
    parts, modes = groups(h)
    assert modes == [(0, 2, 4), (1, 3, 5)] and [p.row_shape for p in parts] == [(2, 2, 2)] * 2
    sums = Sums.of(h)
    energies, places = sums.lowest(64)
    np.testing.assert_allclose(energies, np.linalg.eigvalsh(h.full()), atol=1e-13)
    for i in (0, 9, 63):
        x = sums.train(places[i])
        assert (h @ x - x * float(energies[i])).norm() < 1e-13


def test_a_quantics_laplacian_in_eight_dimensions(monkeypatch) -> None:
    sums = Sums.of(quantics_sum([laplacian(6)] * 8))
    w = 4.0 * np.sin(np.arange(1, 3) * np.pi / 130.0) ** 2
    np.testing.assert_allclose(sums.lowest(9)[0], [8 * w[0]] + [7 * w[0] + w[1]] * 8, atol=1e-13)
    monkeypatch.setattr(separable, "MOST_MERGED", 2**23)
    assert sums.below(0.5) is None and sums.nearest(0.5, 3) is None  # 2^24 sums in each half are too many


def test_one_mode_and_zero_are_no_sums() -> None:
    assert groups(identity_operator((4,))) is None
    assert groups(identity_operator((4, 4)) * 0.0) is None
