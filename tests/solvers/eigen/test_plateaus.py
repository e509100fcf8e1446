"""Levels that stand still: against dense ones where they exist, and beside a hole against points between walls."""

from __future__ import annotations

import numpy as np
from test_pruned import oscillators

from solvers.eigen.chains import Chain
from solvers.eigen.few_quanta import most_quanta
from solvers.eigen.plateaus import Plateaus, plateau_levels

Terms = list[tuple[float, dict[int, int]]]


def levels(terms: Terms, d: int, n: int, accuracy: float, most: int, bottom: float = -np.inf) -> Plateaus:
    w = np.array([2.0 * c for c, t in terms[:d]])
    return plateau_levels(oscillators(d, most + 1), terms, [0] * d, w, n, accuracy=accuracy, bottom=bottom, most=most)


def on_points(V, w: float, ends: tuple[float, float], count: int) -> np.ndarray:
    """The levels of w p^2/2 + V(q) between walls, by sinc functions."""
    n = 400
    q = np.linspace(*ends, n)
    i = np.arange(n)
    distance = np.subtract.outer(i, i)
    with np.errstate(divide="ignore"):
        t = np.where(distance == 0, np.pi**2 / 3, 2.0 * (-1.0) ** distance / np.square(distance, dtype=float))
    return np.linalg.eigvalsh(0.5 * w * t / (q[1] - q[0]) ** 2 + np.diag(V(q)))[:count]


def test_a_bounded_potential_has_its_levels_and_errors_cover_them() -> None:
    terms: Terms = [(0.5, {0: 5}), (0.45, {1: 5}), (0.1, {0: 2, 1: 1}), (-0.04, {1: 3}), (0.02, {0: 4}), (0.02, {1: 4})]
    found = levels(terms, 2, 8, 1e-5, 24)
    exact = levels(terms, 2, 8, 1e-9, 36).energies
    assert found.largest < 24 and np.all(found.errors <= 1e-5)
    assert np.all(np.abs(found.energies - exact) <= found.errors + 1e-9)


def test_levels_beside_a_hole_are_those_between_walls() -> None:
    """q^3 along a diagonal of two modes of one frequency: one mode with a hole, and a free one."""
    g, w = 0.06, 1.0
    c = g / 2.0**1.5  # of (q1 + q2)^3
    terms: Terms = [
        (0.5, {0: 5}),
        (0.5, {1: 5}),
        (c, {0: 3}),
        (c, {1: 3}),
        (3 * c, {0: 2, 1: 1}),
        (3 * c, {0: 1, 1: 2}),
    ]
    top = -w / (3.0 * g)  # of the barrier, w q^2/2 + g q^3
    own = on_points(lambda q: 0.5 * w * q**2 + g * q**3, w, (top, 12.0), 6)
    own = own[own < 0.9 * (0.5 * w * top**2 + g * top**3)]
    exact = np.sort(np.add.outer(own[:3], np.arange(3) + 0.5).ravel())
    found = levels(terms, 2, 6, 1e-4, most_quanta([41, 41]), bottom=0.0)
    assert np.all(np.abs(found.energies[:3] - exact[:3]) <= np.maximum(found.errors[:3], 1e-5))
    assert np.all(found.errors[:3] <= 1e-4) and found.below == 0


def test_a_level_that_never_stands_still_says_so() -> None:
    """Over the barrier: 0.5 q^2 - 0.12 q^3 holds one level at most."""
    found = levels([(0.5, {0: 5}), (-0.12, {0: 3})], 1, 4, 1e-4, 40, bottom=0.0)
    assert np.all(found.errors[1:] > 0.01)


def test_errors_of_a_chain_are_those_of_a_series_or_of_the_drift() -> None:
    chain = Chain(0)
    for quanta, level in ((4, 1.0), (6, 0.5), (8, 0.3), (10, 0.22)):
        chain.add(quanta, level, 0.0, np.ones(1))
    assert chain.best == 3 and not chain.drifts()
    assert chain.error >= 0.08 * 0.4 / 0.6  # of the geometric series
    chain.add(12, 0.1, 0.0, np.ones(1))
    assert chain.level == 0.22 and chain.error >= 0.12  # it moves again
    chain.add(14, -0.3, 0.0, np.ones(1))
    assert chain.drifts() and chain.level == 0.22
