"""Errors over all entries where the entries set aside lie elsewhere: each formula, and fits whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from solvers.fit_methods import Completion
from solvers.formats.trains.construct import random_train
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.completion import covariance, rank_growth
from solvers.optimisation.completion.completion import complete
from solvers.optimisation.completion.covariance import Linearised, linearised, tangent_rows
from solvers.optimisation.completion.given import Data
from solvers.optimisation.completion.growth import Growth, RankFit
from solvers.optimisation.completion.judges import ALIKE, everywhere
from solvers.optimisation.least_squares import MANIFOLD
from solvers.optimisation.samples import SampledPoint, Samples
from solvers.solution import Status

TIMES = 3.0  # an error may be so many times the one said


def drawn(shape, count, seed=0):
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    return np.stack(np.unravel_index(rng.permutation(size)[:count], shape), axis=1)


def point(shape, rank, complex_values=False):
    rng = np.random.default_rng(1)
    train = random_train(shape, rank, rng)
    if complex_values:
        train = TensorTrain(tuple(core + 1j * rng.standard_normal(core.shape) for core in train.cores))
    return MANIFOLD.point(train)


@pytest.mark.parametrize("complex_values", [False, True])
def test_the_tangent_space_is_seen_in_an_orthonormal_basis(complex_values):
    """All entries: the columns are orthonormal, and X itself and each tangent vector lie in their span."""
    shape = (4, 3, 5)
    x = point(shape, 2, complex_values)
    samples = Samples(drawn(shape, 60), shape)
    rows = tangent_rows(samples, x)
    np.testing.assert_allclose(rows.conj().T @ rows, np.eye(rows.shape[1]), atol=1e-12)
    rng, at = np.random.default_rng(2), SampledPoint.of(samples, x)
    vector = at.tangent_entries(MANIFOLD.tangent(x, [rng.standard_normal(core.shape) for core in x.left]))
    for seen in (vector, at.entries):
        assert np.linalg.norm(seen - rows @ (rows.conj().T @ seen)) <= 1e-12 * np.linalg.norm(seen)


@pytest.mark.parametrize("complex_values", [False, True])
def test_the_step_and_both_variances_by_fits_without_one_sample_each(complex_values):
    shape = (5, 4, 4)
    x, samples, rng = point(shape, 2, complex_values), Samples(drawn(shape, 70), shape), np.random.default_rng(4)
    weights = rng.uniform(0.5, 1.5, 70)
    rows, roots = tangent_rows(samples, x), np.sqrt(weights)
    off = 1e-2 * rng.standard_normal(70)
    found = linearised(Data(samples, SampledPoint.of(samples, x).entries + off, weights), x)

    def fit(chosen):
        return np.linalg.lstsq((roots[:, None] * rows)[chosen], (roots * off)[chosen], rcond=None)[0]

    step = fit(np.arange(70))
    jackknife = sum(np.linalg.norm(fit(np.arange(70) != j) - step) ** 2 for j in range(70))
    variance = np.linalg.norm(roots * (off - rows @ step)) ** 2 / (70 - rows.shape[1])
    alike = variance * np.trace(np.linalg.inv((rows.conj().T * weights) @ rows)).real
    assert found is not None and (found.open, found.directions) == (0, rows.shape[1])
    moved, size = np.linalg.norm(step) ** 2, x.train.norm()
    assert found.noise == pytest.approx(np.sqrt(moved + alike) / size, rel=1e-8)
    assert found.jackknife == pytest.approx(np.sqrt(moved + jackknife) / size, rel=1e-8)


def test_its_square_is_the_mean_square_of_errors_of_linear_fits():
    shape = (4, 3, 4)
    x, samples, rng = point(shape, 2), Samples(drawn(shape, 44), shape), np.random.default_rng(5)
    rows, weights = tangent_rows(samples, x), np.exp(rng.standard_normal(44))
    true, said = [], []
    for _ in range(300):
        noise = 1e-3 * rng.standard_normal(44) / np.sqrt(weights)
        step = np.linalg.lstsq(np.sqrt(weights)[:, None] * rows, np.sqrt(weights) * noise, rcond=None)[0]
        true.append(np.linalg.norm(step) / x.train.norm())
        found = linearised(Data(samples, SampledPoint.of(samples, x).entries + noise - rows @ step, weights), x)
        assert found is not None
        said.append([found.noise, found.jackknife])
    ratios = np.mean(np.square(said), axis=0) / np.mean(np.square(true))
    assert 0.85 < ratios[0] < 1.15 < ratios[1] < 8.0  # the jackknife is on the safe side where few samples check others


def test_what_no_sample_sees_is_open_and_too_much_work_is_not_done(monkeypatch):
    shape = (6, 5, 4)
    x, indices = point(shape, 2), drawn(shape, 110)
    indices = np.concatenate([indices[indices[:, 0] != 3], [[3, 1, 2]]])  # of the two numbers there it sees one
    samples = Samples(indices, shape)
    data = Data(samples, SampledPoint.of(samples, x).entries, np.ones(len(indices)))
    found = linearised(data, x)
    assert found is not None and found.open == 1
    assert found.noise == pytest.approx(found.directions**-0.5) and found.jackknife == pytest.approx(found.noise)
    monkeypatch.setattr(covariance, "MOST_WORK", 1e3)
    assert linearised(data, x) is None


def test_an_error_is_told_where_it_is_far_above_that_of_the_entries_known():
    fits = [
        RankFit(1, (1, 1, 1), 1e-2, 1e-2, None, None, 0, 0.0),
        RankFit(2, (1, 2, 1), 1e-4, 2e-4, None, None, 0, 0.0),
    ]
    growth = Growth(fits[:1], point((4, 4), 1))
    assert growth.shown == 1.0
    growth.add(replace(fits[1], apart=6e-2), point((4, 4), 2))
    assert growth.shown == pytest.approx(6.0)
    error, looks = everywhere(2e-4, growth.chosen, growth.shown, None, 1e-4)
    assert error == pytest.approx(1.2e-3) and not looks[0].passed
    assert everywhere(2e-4, growth.chosen, ALIKE, None, 1e-4) == (0.0, [])
    assert everywhere(2e-4, growth.chosen, growth.shown, None, 1e-3) == (0.0, [])  # taken for noise
    found = Linearised(3e-4, 9e-4, 0, 10)
    error, looks = everywhere(2e-4, growth.chosen, 1.0, found, 1e-3)  # alike, as noise
    assert error == 0.0 and looks[0].passed
    error, looks = everywhere(2e-4, growth.chosen, 1.0, found, 1e-5)  # more than noise
    assert error == pytest.approx(np.hypot(9e-4, 1e-4)) and not looks[0].passed


def clustered(seed):
    """Two products of positive vectors with 2 % noise, sampled around a corner, each index by few more entries."""
    rng = np.random.default_rng(seed)
    factors = [np.abs(rng.standard_normal((8, 2))) + 0.2 for _ in range(3)]
    full = np.einsum("ia,ja,ka->ijk", *factors)
    places = np.argwhere(np.ones(full.shape))
    weights = np.exp(-((places / 7.0 - 0.2) ** 2).sum(axis=1) / 0.12)
    near = places[rng.choice(512, 120, replace=False, p=weights / weights.sum())]
    others = [
        [i if k == j else rng.integers(4) for j in range(3)] for k in range(3) for i in range(8) for _ in range(2)
    ]
    indices = np.unique(np.concatenate([near, others]), axis=0)
    values = full[tuple(indices.T)]
    noise = 0.02 * np.sqrt(np.mean(values**2)) * rng.standard_normal(len(values))
    return full, indices, values + noise


def corner(seed):
    """1 / (1 + w . x), which is largest and steepest at an entry that is not sampled."""
    rng = np.random.default_rng(seed)
    places = np.argwhere(np.ones((5, 5, 6, 5)))
    full = 1.0 / (1.0 + places @ np.array([3.0, 4.0, 2.0, 3.0]) / 8.0)
    known = rng.permutation(np.arange(1, len(places)))[:280]
    return full.reshape(5, 5, 6, 5), places[known], full[known]


@pytest.mark.parametrize(("problem", "rank", "accuracy"), [(clustered, 2, 1e-3), (corner, 3, 1e-7)])
def test_an_error_that_lies_where_no_sample_is(monkeypatch, problem, rank, accuracy):
    """Entries set aside are where the samples are: without the looks at all entries errors are understated."""

    def times(seed):
        full, indices, values = problem(seed)
        method = Completion(max_rank=rank)
        found = complete(indices, values, full.shape, method=method, accuracy=accuracy, throw=False)
        assert found.status is not Status.CONVERGED
        return float(np.linalg.norm(found.value.full() - full) / np.linalg.norm(full) / found.residual[0])

    assert max(times(seed) for seed in range(1, 5)) < TIMES
    monkeypatch.setattr(rank_growth, "everywhere", lambda *_: (0.0, []))
    assert times(4) > TIMES


def test_a_good_fit_of_even_samples_is_not_refused():
    for seed in range(3):
        train = random_train((8, 8, 8), 2, np.random.default_rng(seed))
        indices = drawn(train.shape, 200, seed)
        found = complete(indices, train.entries(indices), train.shape, method=Completion(max_rank=2), throw=False)
        assert found.converged and (found.value - train).norm() <= 1e-4 * train.norm()
