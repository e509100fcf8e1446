"""Interaction trains: planted interactions are found to rounding, whatever the loss; the ridge spares constants."""

import numpy as np
import pytest

from solvers.learning import losses
from solvers.learning.fields import Category, Number, fields_of, functions_of
from solvers.learning.interactions import Interactions, feasible, fit, linear_start, padded
from solvers.learning.selection import choose, set_aside


def planted(d=8, order=3, terms=3, rows=800, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.choice([-1.0, 1.0], (rows, d))
    return x, sum(x[:, rng.choice(d, order, replace=False)].prod(axis=1) for _ in range(terms))


def test_planted_interactions_are_found():
    x, y = planted()
    functions = functions_of(fields_of(x[:500], [0] * 8), x)
    chosen = choose([phi[:500] for phi in functions], y[:500], "squared", rng=np.random.default_rng(0))
    wrong = chosen.model.scores([phi[500:] for phi in functions])[:, 0] - y[500:]
    assert np.linalg.norm(wrong) < 1e-4 * np.linalg.norm(y[500:]) and chosen.model.settled
    assert chosen.ridge == 1e-8 and chosen.rank == 2 and len(chosen.trials) == 1


def test_the_linear_start_is_the_linear_model():
    rng = np.random.default_rng(0)
    weights, offset = [rng.standard_normal((n, 2)) for n in (1, 2, 1)], np.array([0.5, -1.0])
    functions = [np.concatenate([np.ones((5, 1)), rng.standard_normal((5, n))], axis=1) for n in (1, 2, 1)]
    expected = offset + sum(phi[:, 1:] @ w for phi, w in zip(functions, weights))
    model = Interactions(tuple(linear_start(offset, weights)), "softmax")
    assert np.allclose(model.scores(functions), expected, rtol=1e-13)


@pytest.mark.parametrize("loss", losses.LOSSES)
def test_sweeps_end_where_no_gradient_is_left(loss):
    """The gradient by finite differences of the objective in every core, the ridge written out over all entries."""
    rng = np.random.default_rng(1)
    functions = [np.concatenate([np.ones((60, 1)), rng.standard_normal((60, 1))], axis=1) for _ in range(3)]
    targets = rng.standard_normal(60) if loss == "squared" else rng.integers(0, 2 + (loss == "softmax"), 60)
    count, ridge = losses.outputs(loss, targets), 0.05
    ranks = feasible([2] * 3, count, 2)
    nothing = linear_start(losses.offset(loss, targets, count), [np.zeros((1, count))] * 3)
    start = padded([core[: ranks[k], :, : ranks[k + 1]] for k, core in enumerate(nothing)], ranks, rng)
    start = [core + 0.1 * rng.standard_normal(core.shape) for core in start]
    found = fit(functions, targets, Interactions(tuple(start), loss), ridge=ridge, sweeps=300, tol=1e-15)

    def objective(cores):
        full = np.einsum("aib,bjc,ckd,dye->ijky", *cores)
        rest = np.sum(full**2) - np.sum(full[0, 0, 0] ** 2)
        return losses.value(loss, Interactions(tuple(cores), loss).scores(functions), targets) + 0.5 * ridge * rest

    assert objective(found.cores) == pytest.approx(found.objective, rel=1e-10)
    for k, core in enumerate(found.cores):
        along = rng.standard_normal(core.shape)
        up, down = (
            objective([c + sign * 1e-5 * along if j == k else c for j, c in enumerate(found.cores)]) for sign in (1, -1)
        )
        assert abs(up - down) / 2e-5 < 1e-5 * np.linalg.norm(along)


def test_the_zero_of_the_target_does_not_matter():
    x, y = planted(d=5, terms=2, rows=200)
    functions = functions_of(fields_of(x, [0] * 5), x)
    first, second = (
        choose(functions, y + shift, "squared", ranks=[4], ridges=[0.01], rng=np.random.default_rng(0), tol=1e-12)
        for shift in (0.0, 100.0)
    )
    assert np.allclose(first.model.scores(functions) + 100.0, second.model.scores(functions), atol=1e-2)


def test_functions_are_orthonormal_over_the_rows_fitted():
    rng = np.random.default_rng(0)
    codes = rng.choice(5, 300, p=[0.5, 0.2, 0.2, 0.1, 0.0])
    phi = Category.of(codes, 5)(codes)
    assert phi.shape == (300, 4) and np.allclose(phi.T @ phi / 300, np.eye(4), atol=1e-12)
    numbers = 1e200 * rng.standard_normal(300)
    psi = Number.of(numbers)(numbers)
    assert np.allclose(psi.T @ psi / 300, np.eye(2), atol=1e-12)
    assert Category.of(codes, 5)(np.array([4, -1, 99])).tolist() == [[1, 0, 0, 0]] * 3  # not seen: the average
    assert Number.of(numbers)(np.array([9e300]))[0, 1] == psi[:, 1].max()
    assert Number.of(np.ones(3)).size == 1


def test_every_class_is_judged_and_fitted():
    targets = np.array([0] * 20 + [1] * 2 + [2])
    aside = set_aside(targets, "softmax", np.random.default_rng(0))
    assert [aside[targets == c].sum() for c in range(3)] == [4, 1, 0]
