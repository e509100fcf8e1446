"""Coordinates of the marginals: the mass is that of before, and a product state becomes it."""

import generators
import numpy as np

from solvers.eigen.general.local_equilibrium import LocalEquilibrium
from solvers.formats.trains.construct import ones, random_train, rank_one
from solvers.formats.trains.tensor_train import dot


def test_a_product_becomes_the_mass_and_back() -> None:
    rng = np.random.default_rng(0)
    vectors = [v / v.sum() for v in rng.random((4, 3))]
    p, mass = rank_one(vectors), ones((3,) * 4)
    local = LocalEquilibrium.of(p, mass)
    assert local is not None
    np.testing.assert_allclose(local.into(p).full(), np.full((3,) * 4, 1 / 81), atol=1e-15)
    x = random_train((3,) * 4, 3, rng)
    np.testing.assert_allclose(local.out(local.into(x)).full(), x.full(), atol=1e-13)
    np.testing.assert_allclose(dot(mass, local.into(x)), dot(mass, x), rtol=1e-12)


def test_the_operator_is_similar_and_keeps_the_mass() -> None:
    rng = np.random.default_rng(1)
    a, mass = generators.exclusion(4), ones((2,) * 4)
    p = rank_one([np.array([0.3, 0.7]), *rng.random((3, 2))]) + mass * 0.01
    local = LocalEquilibrium.of(p, mass)
    assert local is not None
    there = local.operator(a)
    x = random_train((2,) * 4, 2, rng)
    np.testing.assert_allclose(local.out(there @ local.into(x)).full(), (a @ x).full(), atol=1e-13)
    assert (there.adjoint() @ mass).norm() < 1e-13


def test_without_a_product_or_a_mass_there_are_none() -> None:
    rng = np.random.default_rng(2)
    p = random_train((2, 2, 2), 2, rng)
    assert LocalEquilibrium.of(p, random_train((2, 2, 2), 2, rng)) is None
    assert LocalEquilibrium.of(rank_one([np.array([1.0, -1.0])] * 3), ones((2, 2, 2))) is None
