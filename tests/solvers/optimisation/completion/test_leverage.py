"""Leverages of samples: a projector onto the tangent space, and what a fit without one sample would say."""

import numpy as np
import pytest

from solvers.fit_methods import Completion
from solvers.formats.trains.construct import random_train
from solvers.iteration import drive
from solvers.optimisation.completion import leverage
from solvers.optimisation.completion.dimension import parameters
from solvers.optimisation.completion.given import checked, split
from solvers.optimisation.completion.leverage import leverages
from solvers.optimisation.completion.robust import RobustCompletion
from solvers.optimisation.least_squares import MANIFOLD
from solvers.optimisation.samples import SampledPoint, Samples


def drawn(shape, count, seed=0):
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    return np.stack(np.unravel_index(rng.permutation(size)[:count], shape), axis=1)


@pytest.mark.parametrize(("shape", "rank"), [((6, 5, 4), 2), ((4, 4, 4, 4), 3)])
def test_they_are_between_zero_and_one_and_add_up_to_the_dimension(shape, rank):
    samples = Samples(drawn(shape, 100), shape)
    h = leverages(samples, MANIFOLD.point(random_train(shape, rank, np.random.default_rng(1))))
    assert h is not None and (h > 0.0).all() and (h <= 1.0).all()
    assert h.sum() == pytest.approx(parameters(shape, rank), rel=1e-9)


def test_the_residual_of_a_sample_left_out_is_larger_by_the_formula():
    """Linearised: the best tangent vector for values at the samples, with and without one of them."""
    shape, rng = (6, 5, 4), np.random.default_rng(2)
    samples, x = Samples(drawn(shape, 70), shape), MANIFOLD.point(random_train(shape, 2, rng))
    values = rng.standard_normal(70)
    at = SampledPoint.of(samples, x)
    columns = []
    for k, core in enumerate(x.left):
        for place in np.ndindex(core.shape):
            unit = [np.zeros_like(other) for other in x.left]
            unit[k][place] = 1.0
            columns.append(at.tangent_entries(tuple(unit)))
    matrix = np.stack(columns, axis=1)
    residual = values - matrix @ np.linalg.lstsq(matrix, values, rcond=1e-12)[0]
    h = leverages(samples, x)
    assert h is not None
    for j in (0, 17, 69):
        others = np.arange(70) != j
        without = values[j] - matrix[j] @ np.linalg.lstsq(matrix[others], values[others], rcond=1e-12)[0]
        assert without == pytest.approx(residual[j] / (1.0 - h[j]), rel=1e-6)


def test_an_index_with_one_sample_hangs_on_it():
    shape, indices = (6, 5, 4), drawn((6, 5, 4), 80)
    indices = np.concatenate([indices[indices[:, 0] != 3], [[3, 1, 2]]])
    h = leverages(Samples(indices, shape), MANIFOLD.point(random_train(shape, 1, np.random.default_rng(1))))
    assert h is not None and h[-1] == pytest.approx(1.0, abs=1e-12) and np.sort(h)[-2] < 1.0 - 1e-6


def test_too_much_work_is_not_done(monkeypatch):
    monkeypatch.setattr(leverage, "MOST_WORK", 1e3)
    shape = (6, 5, 4)
    assert (
        leverages(Samples(drawn(shape, 50), shape), MANIFOLD.point(random_train(shape, 2, np.random.default_rng(1))))
        is None
    )


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "share"), [(0, 0.2), (0, 0.3), (1, 0.3)])
def test_a_wrong_entry_that_nothing_checks_is_found(seed, share):
    """Without the look, one wrong entry of these was fitted, and the tensor was off by 3e-4, said to be 8e-6."""
    shape, rng = (20,) * 4, np.random.default_rng(seed)
    indices = np.stack(np.unravel_index(rng.permutation(160_000)[:24_000], shape), axis=1)
    true = 1.0 / (1.0 + (indices / 19.0).sum(axis=1))
    values, fresh = true[:4000].copy(), slice(4000, None)
    wrong = rng.random(4000) < share
    values[wrong] += 100.0 * np.sqrt(np.mean(values**2)) * rng.standard_normal(wrong.sum())
    data, _ = checked(indices[:4000], values, shape, "samples", merge=False)
    parts = split(data, 0.05, rng)
    found = drive(RobustCompletion(parts, None, Completion(max_rank=6), 1e-4, rng), throw=False)
    off = found.value.entries(indices[fresh]) - true[fresh]
    error = np.linalg.norm(off) / np.linalg.norm(true[fresh])
    assert found.converged and error <= 1e-4, (found.status, error)
