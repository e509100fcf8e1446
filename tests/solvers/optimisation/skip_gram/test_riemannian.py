"""The objective on the manifold: its gradient, its first step, and the descent to a planted maximum."""

import numpy as np
import pytest
from planted_counts import CASES, planted

from solvers.fit_methods import ConjugateGradients
from solvers.optimisation.manifolds.fixed_rank_matrices import point
from solvers.optimisation.skip_gram.embed import embed
from solvers.optimisation.skip_gram.riemannian import MANIFOLD, SkipGramDescent


def at(seed=0):
    given, _ = planted(*CASES[0][:-1])
    rng = np.random.default_rng(seed)
    objective = SkipGramDescent(given)
    x = point(rng.standard_normal((60, 3)), rng.standard_normal((50, 3)))
    return objective, x, objective.evaluate(x), rng


def test_the_gradient_is_the_slope_along_retractions():
    objective, x, now, rng = at()
    z = rng.standard_normal((60, 50))
    u = MANIFOLD.project(x, z @ x[2], z.T @ x[0])
    h = 1e-5
    up, down = (objective.evaluate(MANIFOLD.retract(x, u, step)).value for step in (h, -h))
    assert MANIFOLD.inner(x, now.gradient, u) == pytest.approx((up - down) / (2 * h), rel=1e-7)


def test_the_first_step_is_the_minimum_of_the_parabola_of_the_values():
    objective, x, now, _ = at()
    u = MANIFOLD.combine(x, [(-1.0, now.gradient)])
    step = objective.first_step(x, now, u)
    given, (left, middle, right) = objective.problem, x
    matrix = left @ middle @ right.T
    along = left @ u[0] @ right.T + u[1] @ right.T + left @ u[2].T
    a, b = given.counts.toarray(), np.outer(given.rows, given.columns)

    def value(t):
        y = matrix + t * along
        return (a * np.logaddexp(0.0, -y) + b * np.logaddexp(0.0, y)).sum()

    h = 1e-2 * step
    slope, bend = (value(h) - value(-h)) / (2 * h), (value(h) - 2 * value(0.0) + value(-h)) / h**2
    assert step == pytest.approx(-slope / bend, rel=1e-4)


def test_plain_descent_reaches_a_planted_maximum():
    *keys, exact = CASES[0]
    given, x = planted(*keys)
    found = embed(given, 3, method=ConjugateGradients(conjugate=False, steps=400), accuracy=1e-12)
    assert given.value(found.value.words, found.value.contexts) == pytest.approx(exact, rel=1e-11)
    np.testing.assert_allclose(found.value.words @ found.value.contexts.T, x, atol=1e-3)
