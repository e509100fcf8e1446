"""The sketched residual against the exact one."""

import numpy as np
import pytest
from linear_cases import helmholtz, laplacian, quantics_poisson

from solvers.formats.trains.construct import ones, random_train
from solvers.linear.residual import GLANCE_RANK, SPREAD, bounded_residual, residual_norm, sketched_residual
from solvers.linear.solve import solve
from solvers.sweeping.local_operator import OperatorCore


def test_unbiased_in_its_square_and_spread_as_stated():
    rng = np.random.default_rng(0)
    a = laplacian(5, 6)
    x, b = random_train([6] * 5, 4, rng), random_train([6] * 5, 2, rng)
    operator = [OperatorCore.of(core, np.dtype(float)) for core in a.cores]
    plain = [[core.copy() for core in train.cores] for train in (x, b)]
    exact = residual_norm(a, x, b)
    ratios = np.array([sketched_residual(operator, *plain, rng) for _ in range(200)]) / exact
    assert abs(np.mean(ratios**2) - 1.0) < 0.1
    assert np.mean(ratios * SPREAD >= 1.0) > 0.97
    assert np.std(ratios) < 0.3


def test_small_residuals_keep_their_digits():
    a = quantics_poisson(7, 3)
    b = ones(a.row_shape)
    x = solve(a, b, accuracy=1e-10).value
    operator = [OperatorCore.of(core, np.dtype(float)) for core in a.cores]
    plain = [[core.copy() for core in train.cores] for train in (x, b)]
    sketched = sketched_residual(operator, *plain, np.random.default_rng(0))
    exact = residual_norm(a, x, b)
    assert exact <= 1e-10 * b.norm()
    assert 0.4 < sketched / exact < 2.0


def test_exact_against_dense():
    rng = np.random.default_rng(2)
    for a in (laplacian(3, 6), helmholtz(3, 6, 5.0, 6.0), quantics_poisson(3, 2)):
        x, b = random_train(a.row_shape, 3, rng), random_train(a.row_shape, 2, rng)
        dense = np.linalg.norm(a.full() @ x.full().ravel() - b.full().ravel())
        assert residual_norm(a, x, b) == pytest.approx(dense, rel=1e-12)


def test_a_glance_only_spares_the_exact_residual_where_it_is_far_above():
    rng = np.random.default_rng(3)
    a = quantics_poisson(4, 3)
    x, b = random_train(a.row_shape, GLANCE_RANK // 2, rng), random_train(a.row_shape, 2, rng)
    operator = [OperatorCore.of(core, np.dtype(float)) for core in a.cores]
    plain = [[core.copy() for core in train.cores] for train in (x, b)]
    exact = residual_norm(a, x, b)
    assert bounded_residual(operator, *plain, rng, exact) == pytest.approx(exact, rel=1e-12)
    assert bounded_residual(operator, *plain, rng, 4.0 * exact) == pytest.approx(exact, rel=1e-12)
    assert bounded_residual(operator, *plain, rng, 1e-3 * exact) > 1e-3 * exact
