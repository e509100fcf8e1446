"""Noisy samples: effects first, a train only where it predicts better, both with a ridge; outcomes of yes and no."""

import numpy as np
import pytest

from solvers.fit_methods import Completion
from solvers.optimisation.completion.completion import complete
from solvers.optimisation.completion.penalised import effects_alone
from solvers.optimisation.losses import probability
from solvers.solution import Status


class Stop(Exception):
    """Raised by a callback."""


SHAPE = (40, 50)
METHOD = Completion(max_rank=3, effects=True, validation=0.1)


def ratings(seed=0, rank=2, noise=0.3, count=1200, size=0.8):
    """Indices and noisy values, and all true ones."""
    rng = np.random.default_rng(seed)
    true = 3.0 + rng.standard_normal((40, 1)) + 0.5 * rng.standard_normal((1, 50))
    true = true + size * rng.standard_normal((40, rank)) @ rng.standard_normal((rank, 50))
    indices = np.stack(np.unravel_index(rng.permutation(2000)[:count], SHAPE), axis=1)
    return indices, true[tuple(indices.T)] + noise * rng.standard_normal(count), true


def off(train, true):
    return float(np.sqrt(np.mean((train.full() - true) ** 2)))


def test_effects_and_what_they_leave():
    indices, values, true = ratings()
    solution = complete(indices, values, SHAPE, method=METHOD, accuracy=1e-4, throw=False)
    plain = effects_alone(indices, values, SHAPE, "squares")
    assert solution.status is Status.STAGNATED and solution.extra["best"].rank == 2
    assert [fit.rank for fit in solution.extra["by_rank"]] == [0, 1, 2, 3]
    assert off(solution.value, true) < 0.3 < 0.8 < off(plain, true) and solution.value.ranks == (1, 4, 1)
    assert solution.counts["fits"] > 10


def test_where_effects_are_all_there_is_a_train_does_next_to_nothing():
    indices, values, true = ratings(1, size=0.0)
    solution = complete(indices, values, SHAPE, method=METHOD, throw=False)
    assert off(solution.value, true) < 1.3 * off(solution.extra["baseline"], true) < 0.15
    indices, values, true = ratings(6, size=0.0)
    solution = complete(indices, values, SHAPE, method=METHOD, throw=False)
    assert solution.extra["best"].rank == 0
    assert np.allclose(solution.value.full(), solution.extra["baseline"].full())


def test_other_units_give_the_same_fit_and_a_ridge_is_told_in_them():
    indices, values, _ = ratings()
    one = complete(indices, values, SHAPE, method=METHOD, throw=False)
    other = complete(indices, 1e6 * values, SHAPE, method=METHOD, throw=False)
    np.testing.assert_allclose(other.value.full(), 1e6 * one.value.full(), rtol=1e-5, atol=1.0)
    assert other.extra["ridge"] == pytest.approx(1e6 * one.extra["ridge"], rel=1e-6)


def test_a_ridge_is_that_of_the_formula():
    """At the minimum the gradient by a row of the factors vanishes: V^T (V u - r) + lambda u = 0, in any unit."""
    indices, values, _ = ratings()
    method = Completion(max_rank=1, effects=True, ridge=5.0)
    solution = complete(indices, 10.0 * values, SHAPE, method=method, throw=False)
    kept = complete(indices, 10.0 * values, SHAPE, method=method, throw=False).extra["baseline"]
    assert solution.extra["effects_ridge"] == 5.0 == solution.extra["ridge"]
    # effects alone: the ridge sum of each row vanishes
    residual = 10.0 * values - kept.entries(indices)
    rows = np.bincount(indices[:, 0], residual, 40)
    effect = kept.full().mean(axis=1) - kept.full().mean()
    np.testing.assert_allclose(rows - rows.mean(), 5.0 * effect, atol=0.1)


def test_an_index_without_a_sample_has_the_effects_of_the_others():
    indices, values, true = ratings(2, size=0.0)
    keep = indices[:, 0] != 7
    with pytest.raises(ValueError, match="no sample at index 7"):
        complete(indices[keep], values[keep], SHAPE, method=Completion(max_rank=1), throw=False)
    solution = complete(indices[keep], values[keep], SHAPE, method=METHOD, throw=False, accuracy=0.5)
    row = solution.value.full()[7]
    assert np.corrcoef(row, true[7])[0, 1] > 0.9
    assert solution.status is Status.CONTRADICTED and solution.extra["cold"] == 1


def test_wrong_values_do_not_move_effects():
    indices, values, true = ratings(3)
    values[::25] += 200.0
    method = Completion(max_rank=3, effects=True, loss="huber", validation=0.1)
    solution = complete(indices, values, SHAPE, method=method, throw=False)
    assert off(solution.value, true) < 0.5 and sum(map(len, solution.extra["rejected"])) == len(values[::25])


def test_yes_and_no():
    indices, odds, true = ratings(4, count=1600, rank=1, size=1.5)
    rng = np.random.default_rng(0)
    outcomes = (rng.random(len(odds)) < probability(odds - 3.0)).astype(float)
    method = Completion(max_rank=2, effects=True, loss="logistic", validation=0.1)
    solution = complete(indices, outcomes, SHAPE, method=method, throw=False)
    found = probability(solution.value.full())
    blank = np.mean((outcomes.mean() - probability(true - 3.0)) ** 2)
    assert solution.extra["best"].rank == 1 and np.mean((found - probability(true - 3.0)) ** 2) < 0.35 * blank
    with pytest.raises(ValueError, match="values of 0 and 1, found 3"):
        complete(indices, 3.0 * outcomes, SHAPE, method=method)


def test_trains_of_three_modes():
    rng = np.random.default_rng(5)
    shape = (12, 10, 9)
    full = rng.standard_normal((12, 1, 1)) + np.einsum("i,j,k->ijk", *(rng.standard_normal(n) for n in shape))
    indices = np.stack(np.unravel_index(rng.permutation(1080)[:700], shape), axis=1)
    values = full[tuple(indices.T)] + 0.05 * rng.standard_normal(700)
    solution = complete(indices, values, shape, method=Completion(max_rank=2, effects=True), throw=False)
    assert off(solution.value, full) < 0.05 < off(solution.extra["baseline"], full)


def test_it_goes_on_where_it_was_stopped(tmp_path):
    indices, values, _ = ratings()
    whole = complete(indices, values, SHAPE, method=METHOD, throw=False)

    def stop(state):
        if state.label == "rank 1":
            raise Stop

    path = tmp_path / "fits.npz"
    with pytest.raises(Stop):
        complete(indices, values, SHAPE, method=METHOD, checkpoint=path, callback=stop)
    found = complete(indices, values, SHAPE, method=METHOD, checkpoint=path, throw=False)
    assert all(np.array_equal(a, b) for a, b in zip(whole.value.cores, found.value.cores))
    assert [state.label for state in found.history] == [state.label for state in whole.history]
