"""Samples in batches: what a sample becomes depends on its own numbers alone; equal beginnings are computed once."""

import numpy as np
import pytest

from solvers.formats.trains.construct import ones, random_train
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sampling import descent
from solvers.sampling.conditional import conditionals
from solvers.sampling.descent import descend
from solvers.sampling.sample import inverse_rosenblatt, sample


@pytest.mark.parametrize("density", ["squared", "values"])
@pytest.mark.parametrize("batch", [1, 37, 100_000])
def test_batches_change_nothing(density, batch, monkeypatch):
    x = random_train((2, 3, 5, 1, 4, 30), 4, np.random.default_rng(0))
    x = TensorTrain(tuple(np.abs(core) for core in x.cores)) if density == "values" else x
    u = np.random.default_rng(1).random((700 if batch > 1 else 60, x.d))
    usual = inverse_rosenblatt(x, u, density=density)
    monkeypatch.setattr(descent, "BATCH", batch)
    np.testing.assert_allclose(inverse_rosenblatt(x, u, density=density), usual, atol=1e-11)
    alone = np.concatenate([inverse_rosenblatt(x, row[None], density=density) for row in u[:20]])
    np.testing.assert_allclose(alone, usual[:20], atol=1e-11)
    few, many = (sample(x, n, np.random.default_rng(2), density=density) for n in (50, 500))
    assert np.array_equal(few, many[:50])


def test_equal_beginnings_are_computed_once():
    """Of 2^12 entries no more rows are made than there are beginnings, whatever the number of samples."""
    known = conditionals(ones((2,) * 12), "squared")
    computed = []
    masses, each = known.masses, known.each
    known.masses = lambda k, rows: computed.append(len(rows)) or masses(k, rows)
    known.each = lambda k, rows, u, index: computed.append(len(rows)) or each(k, rows, u, index)
    u = np.random.default_rng(3).random((100_000, 12))
    index = np.empty(u.shape, dtype=np.int64)
    descend(known, u, index)
    assert sum(computed) == 2**12 - 1
    assert abs(index.mean() - 0.5) < 4 * 0.5 / np.sqrt(index.size)
