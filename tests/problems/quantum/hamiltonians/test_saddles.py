"""The lowest barrier before a potential falls: saddles that are known, in any direction, and fields that have none."""

from __future__ import annotations

from collections import Counter
from itertools import combinations_with_replacement
from math import factorial, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.quantum.hamiltonians.force_field.saddles import lowest_saddle


def polynomial(tensors):
    """Terms of sum_n T_n[q, .., q] / 1 with symmetric tensors, one of each order."""
    found = []
    for tensor in tensors:
        n, d = tensor.ndim, len(tensor)
        for places in combinations_with_replacement(range(d), n):
            powers = Counter(places)
            ways = factorial(n) // prod(factorial(p) for p in powers.values())
            found.append((dict(powers), ways * float(tensor[places])))
    return found


def power(u, n):
    found = np.ones(())
    for _ in range(n):
        found = np.multiply.outer(found, u)
    return found


def with_a_hole(u, k, barrier, cubic=0.0):
    """k |q|^2 / 2 - b (u.q)^4 and a quartic wall in all other directions: the saddle lies along u.

    With a cubic term the top of k r^2/2 + c r^3 - b r^4 is asked for by its own roots.
    """
    d = len(u)
    b = k * k / (16.0 * barrier)
    walls = np.eye(d) - np.outer(u, u)
    quartic = -b * power(u, 4) + 5.0 * b * sum(power(v, 4) for v in walls)
    return [0.5 * k * np.eye(d), cubic * power(u, 3), quartic], b


@given(st.integers(2, 5), st.integers(0, 10**6), st.floats(500.0, 2e4))
@settings(max_examples=4, deadline=None)
def test_a_hole_through_all_modes_is_found(d, seed, barrier):
    u = np.random.default_rng(seed).standard_normal(d)
    u /= np.linalg.norm(u)
    tensors, b = with_a_hole(u, 1500.0, barrier)
    found = lowest_saddle(d, polynomial(tensors))
    assert found is not None and found.height == pytest.approx(barrier, rel=0.02)
    assert abs(found.direction @ u) > 0.98 and found.distance == pytest.approx(np.sqrt(1500.0 / (4 * b)), rel=0.05)


@pytest.mark.slow
def test_twelve_modes_with_all_their_quartic_constants():
    rng = np.random.default_rng(4)
    u = rng.uniform(0.5, 1.0, 12) * rng.choice([-1, 1], 12)
    u /= np.linalg.norm(u)
    tensors, _ = with_a_hole(u, 1500.0, 3500.0)
    found = lowest_saddle(12, polynomial(tensors))
    assert found is not None and found.height == pytest.approx(3500.0, rel=0.01)


def test_the_lower_of_two_ends_is_told():
    tensors, b = with_a_hole(np.array([0.6, -0.8]), 1000.0, 4000.0, cubic=-30.0)
    found = lowest_saddle(2, polynomial(tensors))
    r = np.linspace(0.0, 10.0, 200001)
    ends = [np.max(500.0 * r**2 - 30.0 * sign * r**3 - b * r**4) for sign in (1, -1)]
    assert found is not None and found.height == pytest.approx(min(ends), rel=1e-3)
    assert found.direction @ [0.6, -0.8] > 0.99


def test_it_is_a_stationary_point():
    """Henon and Heiles, Astron. J. 69, 73 (1964): saddles at 1/6, three of them; and a field nobody listed."""
    found = lowest_saddle(2, [({0: 2}, 0.5), ({1: 2}, 0.5), ({0: 2, 1: 1}, 1.0), ({1: 3}, -1.0 / 3.0)])
    assert (
        found is not None and found.height == pytest.approx(1.0 / 6.0, rel=1e-6) and found.distance == pytest.approx(1)
    )
    rng = np.random.default_rng(12)
    d, w = 4, np.array([1200.0, 800.0, 1500.0, 600.0])
    terms = [({k: 2}, 0.5 * w[k]) for k in range(d)]
    terms += [(dict(Counter(m)), float(rng.normal(0, 40))) for m in combinations_with_replacement(range(d), 4)]
    found = lowest_saddle(d, terms)
    assert found is not None
    q = found.distance * found.direction
    slope = np.zeros(d)
    for powers, c in terms:
        for k, p in powers.items():
            slope[k] += c * p * q[k] ** (p - 1) * prod(q[j] ** r for j, r in powers.items() if j != k)
    assert np.linalg.norm(slope) < 1e-3 * np.linalg.norm(w * q)


@pytest.mark.parametrize(
    "terms",
    [
        [({0: 2}, 1.0), ({1: 2}, 2.0), ({0: 1, 1: 1}, 0.5)],
        [({0: 2}, 1.0), ({0: 4}, 0.1), ({0: 2, 1: 2}, 0.2), ({1: 4}, 0.1), ({0: 3}, -0.3)],
        [({0: 2}, 1.0), ({0: 4}, 1.0), ({0: 3, 1: 1}, 0.5), ({1: 4}, 1.0)],
        [({0: 1}, 3.0)],
        [],
    ],
)
def test_a_potential_that_rises_has_none(terms):
    assert lowest_saddle(2, terms) is None
