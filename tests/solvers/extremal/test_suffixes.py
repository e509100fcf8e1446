"""Bounds of all continuations: they hold, and are tight where they should be."""

import numpy as np
import pytest

from solvers.extremal import suffixes
from solvers.extremal.suffixes import Suffixes
from solvers.formats.trains.construct import ones, random_train, rank_one


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("listed", [1, 20])
def test_bounds_hold(seed, listed, monkeypatch):
    monkeypatch.setattr(suffixes, "ENUMERATED", listed)
    rng = np.random.default_rng(seed)
    x = random_train((3, 2, 4, 1, 3, 2), 4, rng).orthogonalise(0)
    known = Suffixes(x.cores)
    later = np.ones((1, 1))
    for k in range(5, -1, -1):
        later = np.einsum("aib,bm->aim", x.cores[k], later).reshape(x.ranks[k], -1)
        rows = rng.standard_normal((50, x.ranks[k]))
        values = rows @ later
        np.testing.assert_allclose(known.mean[k], later.mean(axis=1), atol=1e-14)
        np.testing.assert_allclose(known.covariance[k], np.cov(later, bias=True).reshape(2 * (len(later),)), atol=1e-13)
        for box in (True, False):
            low, high = known.bounds(k, rows, box=box)
            assert (low <= values.min(axis=1) + 1e-12).all() and (high >= values.max(axis=1) - 1e-12).all()


def test_bounds_of_sums_and_spikes_are_tight():
    rng = np.random.default_rng(7)
    vectors = [rng.standard_normal(3) for _ in range(30)]
    terms = [rank_one([v if j == k else np.ones(3) for j in range(30)]) for k, v in enumerate(vectors)]
    low, high = Suffixes(sum(terms[1:], terms[0]).round(1e-14).orthogonalise(0).cores).bounds(0, np.ones((1, 1)))
    assert (low[0], high[0]) == pytest.approx((sum(v.min() for v in vectors), sum(v.max() for v in vectors)))
    spike = ones((2,) * 20) + rank_one([np.array([0.0, 3.0])] * 20)
    high = Suffixes(spike.orthogonalise(0).cores).bounds(0, np.ones((1, 1)))[1]
    assert high[0] == pytest.approx(3.0**20 + 1.0, rel=1e-6)
