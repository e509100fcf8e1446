"""Analysis of variance of a train beside sums over the full tensor."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.trains.construct import random_train
from solvers.formats.trains.variance import by_order, by_pair, first_and_total


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(1, 3), st.integers(0, 1000))
def test_parts_are_those_of_the_full_tensor(shape, rank, seed):
    rng = np.random.default_rng(seed)
    train = random_train(tuple(shape), rank, rng=rng)
    units = [u / np.linalg.norm(u) for u in (rng.standard_normal(n) + 2.0 for n in shape)]
    full, d = train.full(), len(shape)
    parts = {}
    for chosen in itertools.product([False, True], repeat=d):
        part = full
        for m, (inside, u) in enumerate(zip(chosen, units)):
            mean = np.tensordot(np.outer(u, u), part, (1, m))
            mean = np.moveaxis(mean, 0, m)
            part = part - mean if inside else mean
        parts[chosen] = np.sum(part**2)
    size = np.sum(full**2) + 1e-300
    first, total = first_and_total(train, units)
    orders, pairs = by_order(train, units), by_pair(train, units)
    for k in range(d + 1):
        assert abs(orders[k] - sum(v for s, v in parts.items() if sum(s) == k)) < 1e-12 * size
    for m in range(d):
        assert abs(first[m] - parts[tuple(j == m for j in range(d))]) < 1e-12 * size
        assert abs(total[m] - sum(v for s, v in parts.items() if s[m])) < 1e-12 * size
        for n in range(d):
            assert abs(pairs[m, n] - parts[tuple(j in (m, n) for j in range(d))]) < 1e-12 * size
