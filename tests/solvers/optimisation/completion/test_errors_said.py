"""Errors of fits that did not converge: random problems whose truth is known."""

import numpy as np
import pytest

from solvers.fit_methods import Completion
from solvers.optimisation.completion import judges, penalised
from solvers.optimisation.completion.completion import complete
from solvers.solution import Status

TIMES = 3.0  # an error may be so many times the one said


def kink(seed, share=0.6):
    """|x c - 1| on some 20 x 20 entries, values of few of them with little noise; truth, entries and values."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(18, 25, 2))
    x = np.stack(np.meshgrid(*[np.linspace(0.0, 1.0, n) for n in shape], indexing="ij"), axis=-1)
    full = np.abs(x @ rng.uniform(0.5, 1.5, 2) - 1.0)
    indices = np.stack([rng.integers(0, n, int(share * full.size)) for n in shape], axis=1)
    indices = np.concatenate([np.arange(max(shape))[:, None] % np.array(shape), indices])  # every index has one
    values = full[tuple(indices.T)] + 1e-3 * rng.standard_normal(len(indices))
    return full, indices, values


def off(solution, full):
    return float(np.linalg.norm(solution.value.full() - full) / np.linalg.norm(full))


def ridged(seed):
    full, indices, values = kink(seed)
    method = Completion(max_rank=5, ridge=1e-4)
    return complete(indices, values, full.shape, method=method, accuracy=1e-3, throw=False), full


@pytest.mark.parametrize("seed", [0, 1, 3, 10, 11])
def test_a_fit_to_all_samples_with_a_small_ridge(seed):
    """Entries set aside judged another fit, to fewer: this one is held against that, and against its size."""
    solution, full = ridged(seed)
    assert solution.status is not Status.CONVERGED
    assert off(solution, full) <= TIMES * solution.residual[0]
    assert any(look.what == judges.WHOLE for look in solution.checked)


def test_without_that_look_errors_are_understated(monkeypatch):
    monkeypatch.setattr(penalised, "excess", lambda *_: 0.0)
    solution, full = ridged(1)
    assert off(solution, full) > TIMES * solution.residual[0]


@pytest.mark.parametrize("seed", range(3))
def test_weights_that_leave_few_entries_a_say(seed):
    full, indices, values = kink(seed, 0.8)
    rng = np.random.default_rng([seed, 1])
    deviations = 1e-2 * 10.0 ** rng.uniform(-1.0, 1.0, len(values))
    values = values + deviations * rng.standard_normal(len(values))
    method = Completion(max_rank=3)
    solution = complete(
        indices, values, full.shape, weights=deviations**-2.0, method=method, accuracy=1e-4, throw=False
    )
    assert solution.status is not Status.CONVERGED
    assert off(solution, full) <= TIMES * solution.residual[0]
