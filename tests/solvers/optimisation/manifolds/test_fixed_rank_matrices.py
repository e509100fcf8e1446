"""Matrices of fixed rank: the metric, projections, and a retraction of second order."""

import numpy as np

from solvers.optimisation.manifolds.fixed_rank_matrices import FixedRankMatrices, point

MANIFOLD = FixedRankMatrices()


def full(x):
    return x[0] @ x[1] @ x[2].T


def tangent(x, u):
    return x[0] @ u[0] @ x[2].T + u[1] @ x[2].T + x[0] @ u[2].T


def case():
    rng = np.random.default_rng(0)
    x = point(rng.standard_normal((8, 3)), rng.standard_normal((6, 3)))
    z, y = rng.standard_normal((2, 8, 6))
    return x, [MANIFOLD.project(x, w @ x[2], w.T @ x[0]) for w in (z, y)], z


def projected(x, z):
    left, right = x[0] @ x[0].T, x[2] @ x[2].T
    return left @ z + z @ right - left @ z @ right


def test_the_metric_is_that_of_the_matrices():
    x, (u, v), z = case()
    np.testing.assert_allclose(tangent(x, u), projected(x, z), atol=1e-13)
    np.testing.assert_allclose(MANIFOLD.inner(x, u, v), np.vdot(tangent(x, u), tangent(x, v)), rtol=1e-12)
    both = MANIFOLD.combine(x, [(2.0, u), (-0.5, v)])
    np.testing.assert_allclose(tangent(x, both), 2.0 * tangent(x, u) - 0.5 * tangent(x, v), atol=1e-13)


def test_the_retraction_agrees_to_second_order_with_the_best_matrix_of_the_rank():
    x, (u, _), _ = case()
    errors = []
    for step in (1e-2, 1e-3):
        target = full(x) + step * tangent(x, u)
        left, values, right = np.linalg.svd(target)
        best = left[:, :3] * values[:3] @ right[:3]
        errors.append(np.linalg.norm(full(MANIFOLD.retract(x, u, step)) - best))
    assert errors[0] < 1e-4 and errors[1] < errors[0] / 700.0  # a third order would be 1000


def test_a_retracted_point_is_orthonormal_and_transport_projects():
    x, (u, v), _ = case()
    y = MANIFOLD.retract(x, u, 0.3)
    for part in (y[0], y[2]):
        np.testing.assert_allclose(part.T @ part, np.eye(3), atol=1e-13)
    np.testing.assert_allclose(tangent(y, MANIFOLD.transport(x, y, v)), projected(y, tangent(x, v)), atol=1e-12)
