"""Wrong samples: found exactly, told, and the completion as good as without them; what may be true is said."""

from math import comb

import numpy as np
import pytest

from solvers.fit_methods import Completion
from solvers.formats.trains.construct import random_train, tt_svd
from solvers.optimisation.completion.completion import complete
from solvers.optimisation.completion.given import Data
from solvers.optimisation.completion.suspects import as_many, looks_at, together
from solvers.optimisation.samples import Samples
from solvers.solution import Status


class Stop(Exception):
    """Raised by a callback."""


SHAPE = (9, 8, 7)
METHOD = Completion(max_rank=3, loss="huber", starts=2)


def samples(share, seed=0, count=400):
    rng = np.random.default_rng(seed)
    exact = tt_svd(np.ones(SHAPE)) + random_train(SHAPE, 1, rng) * np.sqrt(0.3 * np.prod(SHAPE))
    indices = np.stack(np.unravel_index(rng.permutation(np.prod(SHAPE))[:count], SHAPE), axis=1)
    values = exact.entries(indices)
    wrong = rng.random(count) < share
    values = np.where(wrong, values + 100.0 * rng.standard_normal(count), values)
    return exact, indices, values, wrong


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_wrong_samples_are_found_and_left_out(share):
    exact, indices, values, wrong = samples(share)
    solution = complete(indices, values, SHAPE, method=METHOD, accuracy=1e-5)
    found = {tuple(index) for part in solution.extra["rejected"] for index in part.tolist()}
    assert found == {tuple(index) for index in indices[wrong].tolist()}
    assert (solution.value - exact).norm() <= 1e-5 * exact.norm()
    assert [look.what for look in solution.checked].count("entries rejected") == 2
    plain = complete(indices, values, SHAPE, method=Completion(max_rank=3, starts=0), accuracy=1e-5, throw=False)
    assert (plain.value - exact).norm() > 0.1 * exact.norm()


def test_without_wrong_samples_it_is_the_fit_by_squares():
    _, indices, values, _ = samples(0.0)
    robust = complete(indices, values, SHAPE, method=METHOD, accuracy=1e-5, rng=np.random.default_rng(4))
    plain = Completion(max_rank=3, starts=2)
    squares = complete(indices, values, SHAPE, method=plain, accuracy=1e-5, rng=np.random.default_rng(4))
    assert all(np.array_equal(a, b) for a, b in zip(robust.value.cores, squares.value.cores))
    assert not any(len(part) for part in robust.extra["rejected"])


def test_where_half_of_them_are_wrong_nothing_is_claimed():
    _, indices, values, _ = samples(0.6, count=150)
    method = Completion(max_rank=1, loss="huber", starts=0)
    solution = complete(indices, values, SHAPE, method=method, accuracy=1e-5, throw=False)
    assert solution.status is not Status.CONVERGED and solution.residual[0] > 1e-5


def test_it_goes_on_where_it_was_stopped(tmp_path):
    _, indices, values, _ = samples(0.05)
    whole = complete(indices, values, SHAPE, method=METHOD, accuracy=1e-5, rng=np.random.default_rng(2))
    states = 0

    def stop(state):
        nonlocal states
        states += 1
        if states % 4 == 0:
            raise Stop

    path, found = tmp_path / "fits.npz", None
    for _ in range(40):
        try:
            rng = np.random.default_rng(2)
            found = complete(
                indices, values, SHAPE, method=METHOD, accuracy=1e-5, rng=rng, checkpoint=path, callback=stop
            )
            break
        except Stop:
            continue
    assert found is not None and states > 4
    assert all(np.array_equal(a, b) for a, b in zip(whole.value.cores, found.value.cores))
    assert [len(part) for part in whole.extra["rejected"]] == [len(part) for part in found.extra["rejected"]]


def test_what_is_rejected_more_often_where_nothing_was_fitted():
    rng = np.random.default_rng(0)
    drawn = [np.stack([rng.integers(0, n, m) for n in SHAPE], axis=1) for m in (400, 100, 100)]
    parts = [Data(Samples(at, SHAPE), np.ones(len(at)), np.ones(len(at))) for at in drawn]
    even = [rng.random(len(part)) < 0.1 for part in parts]
    assert all(look.passed for look in looks_at(parts, even))
    uneven = [even[0], *(rng.random(100) < 0.5 for _ in range(2))]
    assert [look.passed for look in looks_at(parts, uneven)] == [False, True]
    indices = np.concatenate(drawn)
    assert together(indices, indices[:, 0] == 2, SHAPE) > 6.0 > together(indices, rng.random(600) < 0.1, SHAPE)


@pytest.mark.parametrize("numbers", [(30, 10, 12), (20, 15, 14), (500, 40, 100), (7, 0, 3), (9, 4, 0)])
def test_the_chance_of_as_many_is_counted(numbers):
    total, marked, drawn = numbers
    for found in range(drawn + 2):
        ways = sum(comb(marked, k) * comb(total - marked, drawn - k) for k in range(found, drawn + 1))
        assert as_many(found, total, marked, drawn) == pytest.approx(ways / comb(total, drawn), rel=1e-11, abs=1e-300)
