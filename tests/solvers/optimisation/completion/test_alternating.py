"""Effects and a train under a ridge: exact steps, a sum that never rises, the stationary point of the formula."""

from itertools import pairwise

import numpy as np
import pytest

from solvers.kernels.samples import ridge_slices
from solvers.optimisation.completion.alternating import Additive, AlternatingFit, additive_train, entries_of
from solvers.optimisation.losses import Huber, Logistic, Squares
from solvers.optimisation.samples import Samples


def some(shape, count, seed=0):
    rng = np.random.default_rng(seed)
    indices = np.stack(np.unravel_index(rng.permutation(np.prod(shape))[:count], shape), axis=1)
    return rng, Samples(indices, shape)


def test_slices_solve_their_normal_equations():
    rng = np.random.default_rng(1)
    m, n, a, b = 60, 5, 2, 3
    index = rng.integers(0, n - 1, m)  # the last has no sample
    left, right = rng.standard_normal((m, a)), rng.standard_normal((m, b))
    weights, target = rng.uniform(0.1, 2.0, m), rng.standard_normal(m)
    first = np.concatenate(([0], np.cumsum(np.bincount(index, minlength=n))))
    core = np.ones((n, a, b))
    ridge_slices(core, left, right, weights, target, np.argsort(index, kind="stable"), first, 0.7)
    for i in range(n - 1):
        own = index == i
        rows = np.einsum("ja,jb->jab", left[own], right[own]).reshape(-1, a * b)
        normal = rows.T @ (weights[own, None] * rows) + 0.7 * np.eye(a * b)
        wanted = np.linalg.solve(normal, rows.T @ (weights[own] * target[own]))
        np.testing.assert_allclose(core[i].ravel(), wanted, rtol=1e-9, atol=1e-11)
    assert not core[n - 1].any()


def test_effects_as_a_train():
    effects = tuple(np.random.default_rng(2).standard_normal(n) for n in (3, 4, 5))
    full = additive_train(1.5, effects, (3, 4, 5)).full()
    wanted = 1.5 + effects[0][:, None, None] + effects[1][:, None] + effects[2]
    np.testing.assert_allclose(full, wanted, atol=1e-14)
    np.testing.assert_allclose(additive_train(2.0, (), (3, 4)).full(), np.full((3, 4), 2.0))


@pytest.mark.parametrize("shape, loss", [((8, 9), Squares()), ((5, 6, 4), Huber(0.4)), ((8, 9), Logistic())])
def test_no_sweep_raises_the_sum(shape, loss):
    rng, samples = some(shape, int(0.7 * np.prod(shape)))
    values = rng.standard_normal(samples.count)
    values = (values > 0.0).astype(float) if isinstance(loss, Logistic) else values
    fit = AlternatingFit(samples, values)
    ranks = [1, *[2] * (len(shape) - 1), 1]
    model = Additive(0.0, tuple(np.zeros(n) for n in shape)).grown(shape, ranks, 0.5, rng)
    sums = []
    for _ in range(30):
        model, value = fit.sweep(model, loss, 1.0, 0.8)
        sums.append(value)
    assert all(b <= a + 1e-10 * abs(a) for a, b in pairwise(sums)) and sums[-1] < sums[0]
    whole = model.train(shape, 1.0).entries(samples.indices)
    outer = model.without_train().train(shape, 1.0).entries(samples.indices)
    np.testing.assert_allclose(whole, outer + entries_of(model.cores, samples.columns), atol=1e-10)
    penalty = 0.5 * sum((e**2).sum() for e in model.effects) + 0.4 * sum((c**2).sum() for c in model.cores)
    assert loss.each(whole, values).sum() + penalty == pytest.approx(sums[-1], rel=1e-10)


def test_a_complete_matrix_has_its_singular_values_shrunk_by_the_ridge():
    """min |A - U V^T|^2 + lambda (|U|^2 + |V|^2) is soft thresholding by lambda."""
    rng, samples = some((7, 6), 42)
    full = rng.standard_normal((7, 6)) * 3.0
    fit = AlternatingFit(samples, full[tuple(samples.indices.T)])
    model = fit.minimise(Additive().grown((7, 6), [1, 6, 1], 1.0, rng), Squares(), 0.0, 2.0, most=3000)
    u, s, v = np.linalg.svd(full, full_matrices=False)
    np.testing.assert_allclose(model.train((7, 6), 1.0).full(), (u * np.maximum(s - 2.0, 0.0)) @ v, atol=2e-2)
