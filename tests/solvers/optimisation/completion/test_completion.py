"""Completion from samples: sparse projections against dense ones, exact ranks, a smooth function, and refusals."""

from dataclasses import replace

import numpy as np
import pytest

from solvers.fit_methods import Completion, ConjugateGradients
from solvers.formats.trains.construct import random_train, rank_one, tt_svd
from solvers.optimisation.completion import rank_growth
from solvers.optimisation.completion.completion import complete
from solvers.optimisation.completion.dimension import feasible, parameters, require_enough
from solvers.optimisation.completion.judges import excess, relative_error
from solvers.optimisation.completion.start import rank_one_start
from solvers.optimisation.least_squares import MANIFOLD
from solvers.optimisation.samples import Samples, held_out
from solvers.solution import NotConverged, Status

SHAPE = (20,) * 4


def inverse_sum(indices):
    return 1.0 / (1.0 + (indices / 19.0).sum(axis=1))


def drawn(shape, count, rng):
    """Different multi-indices."""
    return np.stack(np.unravel_index(rng.permutation(np.prod(shape))[:count], shape), axis=1)


def some_samples(shape, count, r, seed):
    rng = np.random.default_rng(seed)
    indices = drawn(shape, count, rng)
    x = MANIFOLD.point(random_train(shape, r, rng))
    return rng, Samples(indices, shape), x


def test_rank_one_start():
    rng = np.random.default_rng(7)
    vectors = [rng.standard_normal(n) for n in (6, 7, 8)]
    exact = rank_one(vectors)
    samples = Samples(drawn((6, 7, 8), 120, rng), (6, 7, 8))
    found = rank_one_start(samples, exact.entries(samples.indices), 8, rng)
    assert (found - exact).norm() <= 1e-8 * exact.norm()


@pytest.mark.parametrize("shape, r, count", [((12, 10, 11), 3, 700), ((6,) * 5, 2, 900), ((30, 25), 2, 400)])
def test_exact_ranks_are_recovered(shape, r, count):
    rng = np.random.default_rng(11)
    # cores around a constant: no heavy tails, which samples would miss
    exact = tt_svd(np.ones(shape)) + random_train(shape, r - 1, rng) * np.sqrt(0.3 * np.prod(shape))
    indices = drawn(shape, count, rng)
    solution = complete(indices, exact.entries(indices), shape, method=Completion(max_rank=r + 1), accuracy=1e-5)
    assert solution.converged and solution.value.max_rank == r
    assert (solution.value - exact).norm() <= 1e-5 * exact.norm()


@pytest.mark.parametrize("seed", range(3))
def test_a_smooth_function_from_two_and_a_half_per_cent(seed):
    rng = np.random.default_rng(seed)
    indices = drawn(SHAPE, 24_000, rng)
    known, fresh = indices[:4000], indices[4000:]
    values, true = inverse_sum(known), inverse_sum(fresh)
    solution = complete(known, values, SHAPE, method=Completion(max_rank=6), test=(fresh, true), rng=rng, accuracy=1e-4)
    by_rank = solution.extra["by_rank"]
    assert solution.residual[0] == min(fit.test_error for fit in by_rank) <= 1e-4
    assert [fit.rank for fit in by_rank] == list(range(1, len(by_rank) + 1)) and len(by_rank) <= 6
    error, spread = relative_error(solution.value.entries(fresh), true)
    assert error == pytest.approx(solution.residual[0]) and 0.0 < spread < error
    # the best any train of rank one, two, three can do is not beaten, and nearly reached
    full = inverse_sum(np.stack(np.unravel_index(np.arange(160_000), SHAPE), axis=1)).reshape(SHAPE)
    for fit in by_rank[:3]:
        best = tt_svd(full).round(0.0, fit.rank)
        assert 0.3 * relative_error(best.full().ravel(), full.ravel())[0] <= fit.test_error
    assert solution.counts["evaluations"] <= 1500


def test_same_seed_same_train_and_scaled_values_scale_the_train():
    rng = np.random.default_rng(1)
    indices = drawn((8, 8, 8), 300, rng)
    values = 1.0 / (1.0 + indices.sum(axis=1))

    def run(factor):
        return complete(indices, factor * values, (8, 8, 8), method=Completion(max_rank=3), throw=False).value

    x, y, tiny = run(1.0), run(1.0), run(1e-200)
    assert all(np.array_equal(p, q) for p, q in zip(x.cores, y.cores))
    np.testing.assert_allclose(tiny.full() * 1e200, x.full(), rtol=1e-6, atol=1e-6)


def test_noise_ends_the_growth_and_is_told():
    """Larger ranks fit the noise: the errors fitted and set aside part, and the growth stops before its limit."""
    rng = np.random.default_rng(2)
    indices = drawn((10, 10, 10), 600, rng)
    values = 1.0 / (1.0 + indices.sum(axis=1) / 9.0) + 0.01 * rng.standard_normal(600)
    with pytest.raises(NotConverged) as caught:
        complete(indices, values, (10, 10, 10), method=Completion(max_rank=7, validation=0.1), accuracy=1e-4)
    solution = caught.value.solution
    assert solution.status is Status.STAGNATED and solution.extra["best"].rank <= 3
    by_rank = solution.extra["by_rank"]
    assert len(by_rank) < 7 and by_rank[-1].train_error < 0.8 * solution.extra["best"].train_error
    assert 0.005 <= solution.residual[0] <= 0.1


def test_the_rank_limit_is_told():
    rng = np.random.default_rng(3)
    indices = drawn(SHAPE, 3000, rng)
    solution = complete(indices, inverse_sum(indices), SHAPE, method=Completion(max_rank=2), accuracy=1e-6, throw=False)
    assert solution.status is Status.RANK_LIMIT and solution.value.ranks == (1, 2, 2, 2, 1)
    assert len(solution.history) == 2 and solution.history[-1].residuals[0] == solution.residual[0]


def test_relative_error_and_its_spread():
    rng = np.random.default_rng(4)
    true = rng.uniform(1.0, 2.0, (400, 500))
    found = true + 1e-3 * rng.standard_normal(true.shape)
    errors = [relative_error(f, t) for f, t in zip(found, true)]
    spread = np.std([error for error, _ in errors])
    assert np.mean([s for _, s in errors]) == pytest.approx(spread, rel=0.15)


def test_entries_held_out_leave_a_sample_of_every_index():
    rng = np.random.default_rng(7)
    indices = drawn((9, 7, 8), 40, rng)
    most = held_out(indices, (9, 7, 8), 40, rng)
    assert 0 < most.sum() < 40 and held_out(indices, (9, 7, 8), 5, rng).sum() == 5
    for k in range(3):
        assert set(indices[~most, k]) == set(indices[:, k])


def test_counting_parameters():
    assert parameters((20,) * 4, 1) == 4 * 20 - 3
    assert parameters((3, 4), 2) == 3 * 2 + 2 * 4 - 4
    assert parameters((3, 4), 9) == 12  # no train has more parameters than the tensor has entries
    assert feasible((2, 2, 2, 2), 9) == [1, 2, 4, 2, 1]
    with pytest.raises(ValueError, match="give max_rank 3 or less, or more samples"):
        require_enough(500, (20,) * 4, 6)


def test_refusals():
    rng = np.random.default_rng(5)
    indices = drawn((6, 6, 6), 100, rng)
    values = rng.uniform(1.0, 2.0, 100)
    shape = (6, 6, 6)

    def refused(match, i=indices, v=values, s=shape, **options):
        with pytest.raises(ValueError, match=match):
            complete(i, v, s, **{"method": Completion(max_rank=1), **options})

    refused("integers", i=indices.astype(float))
    refused("outside the shape", i=indices - 1)
    refused("outside the shape", s=(6, 6, 3))
    refused("not finite", v=np.where(np.arange(100) == 7, np.nan, values))
    refused("must be numbers", v=values.astype(str))
    refused("zero", v=0.0 * values)
    refused(r"values \(m,\)", v=values[1:])
    refused("means of repeated entries", i=indices[[0, 0]], v=[1.0, -1.0])
    refused("mode 2 has no sample at index 6", s=(6, 7, 6))
    refused("rank 4 has", method=Completion(max_rank=4))
    refused("accuracy", accuracy=1.0)
    refused("test entries", test=(indices + 1, values))
    with pytest.raises(ValueError, match="validation"):
        Completion(validation=1.0)
    # a repeated entry of the same value is one sample
    twice = complete(
        np.concatenate([indices, indices]),
        np.concatenate([values, values]),
        shape,
        method=Completion(max_rank=1),
        throw=False,
    )
    assert twice.extra["fitted"] + twice.extra["validation"] == 100


def test_the_descent_can_be_chosen():
    rng = np.random.default_rng(6)
    indices = drawn((8, 8, 8), 300, rng)
    method = Completion(max_rank=2, descent=ConjugateGradients(steps=1, conjugate=False))
    values = 1.0 / (1.0 + indices.sum(axis=1))
    few = complete(indices, values, (8, 8, 8), method=method, throw=False)
    many = complete(indices, values, (8, 8, 8), method=Completion(max_rank=2), throw=False)
    assert few.counts["evaluations"] < many.counts["evaluations"]
    assert few.extra["by_rank"][1].train_error > many.extra["by_rank"][1].train_error


def test_values_where_no_sample_is_count_as_an_error():
    rng = np.random.default_rng(0)
    train = random_train((6, 6, 6), 2, rng)
    full = train.full().ravel()
    small = np.argsort(np.abs(full))[:60]
    assert excess(train, full) == 0.0 == excess(train, full[rng.permutation(216)[:60]])
    assert excess(train, full[small]) > 1.0


@pytest.mark.parametrize("seen", [True, False])
def test_a_mostly_zero_tensor_is_fitted_where_its_samples_see_it(seen):
    """A column whose samples all lie in rows of zeros may be anything: that is said, and it stays at zero."""
    rng = np.random.default_rng(3)
    full = np.outer(rng.standard_normal(30) * (np.arange(30) < 9), rng.standard_normal(40) * (np.arange(40) < 20))
    known = rng.random(full.shape) < 0.4
    known[:9, :20] |= rng.random((9, 20)) < 0.5
    if not seen:
        known[:9, 4], known[20, 4] = False, True
    indices = np.argwhere(known)
    solution = complete(indices, full[known], full.shape, method=Completion(max_rank=1), accuracy=1e-4, throw=False)
    found = solution.value.full().reshape(full.shape)
    error = np.linalg.norm((found - full)[~known]) / np.linalg.norm(full[~known])
    if seen:
        assert solution.converged and error < 1e-4
    else:
        assert solution.status is Status.CONTRADICTED and error < 3.0 * solution.residual[0]
        assert np.abs(found[:, 4]).max() < 1e-6


def test_a_second_fit_that_is_another_tensor_contradicts(monkeypatch):
    rng = np.random.default_rng(1)
    train = random_train((8, 8, 8), 2, rng)
    order = rng.permutation(512)[:300]
    indices = np.stack(np.unravel_index(order, train.shape), axis=1)
    values = train.entries(indices)
    plain = complete(indices, values, train.shape, method=Completion(max_rank=2), accuracy=1e-3)
    assert len(plain.checked) == 5 and all(look.passed for look in plain.checked)
    shown = rank_growth.RankGrowth.found

    def other(growth, best):
        found = shown(growth, best)
        return replace(found, value=found.value * 1.5) if growth.twice else found

    monkeypatch.setattr(rank_growth.RankGrowth, "found", other)
    wrong = complete(indices, values, train.shape, method=Completion(max_rank=2), accuracy=1e-3, throw=False)
    assert wrong.status is Status.CONTRADICTED and wrong.residual[0] > 0.1


def test_a_second_fit_that_agrees_refutes_a_size_that_samples_do_not_explain(monkeypatch):
    rng = np.random.default_rng(3)
    train = random_train((7, 8, 9), 2, rng)
    indices = np.stack(np.unravel_index(rng.permutation(504)[:260], train.shape), axis=1)
    monkeypatch.setattr(rank_growth, "excess", lambda *_: 0.3)
    options = {"method": Completion(max_rank=2), "accuracy": 1e-4, "throw": False}
    solution = complete(indices, train.entries(indices), train.shape, **options)
    assert solution.converged and (solution.value - train).norm() <= 1e-4 * train.norm()
    assert solution.checked[-1].what == "tensor" and all(look.passed for look in solution.checked)
    monkeypatch.setattr(rank_growth, "SECOND_LOOK", 0.0)
    solution = complete(indices, train.entries(indices), train.shape, **options)
    assert not solution.converged and solution.residual[0] == 0.3


def test_random_starts_end_where_they_have_cost_enough(monkeypatch):
    rng = np.random.default_rng(0)
    indices = np.stack(np.unravel_index(rng.permutation(343)[:200], (7, 7, 7)), axis=1)
    values = rng.standard_normal(200)  # nothing to learn
    method = Completion(max_rank=2, starts=4)
    many = complete(indices, values, (7, 7, 7), method=method, throw=False)
    monkeypatch.setattr(rank_growth, "RETRIES", 0)
    few = complete(indices, values, (7, 7, 7), method=method, throw=False)
    assert not many.converged and not few.converged and few.counts["fits"] < many.counts["fits"]
