"""The manifold of fixed TT-ranks against dense tangent spaces, and minimisation on it."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.trains.construct import kronecker_sum, operator_tt_svd, random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.optimisation.descent import Evaluation, minimise
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRank, truncated

CASES = {"seed": st.integers(0, 10**6), "d": st.integers(1, 5), "r": st.integers(1, 4), "complex_": st.booleans()}


def some(shape, r, rng, complex_=False):
    return random_train(shape, r, rng, np.complex128 if complex_ else np.float64)


def random_tangent(manifold, x, rng):
    dtype = x.left[0].dtype
    cores = [
        rng.standard_normal(core.shape) + (1j * rng.standard_normal(core.shape) if dtype.kind == "c" else 0.0)
        for core in x.left
    ]
    return manifold.tangent(x, cores)


def dense_projector(manifold, x):
    """The orthogonal projector onto the span of all derivatives of the train by its cores."""
    columns = []
    cores = [np.array(core) for core in x.left]
    for k, core in enumerate(cores):
        for entry in np.ndindex(core.shape):
            changed = np.zeros_like(core)
            changed[entry] = 1.0
            columns.append(TensorTrain((*cores[:k], changed, *cores[k + 1 :])).full().ravel())
    u, s, _ = np.linalg.svd(np.array(columns).T, full_matrices=False)
    basis = u[:, s > 1e-10 * s[0]]
    projector = basis @ basis.conj().T
    if manifold.unit_norm:
        point = x.train.full().ravel()
        projector = projector - np.outer(point, point.conj())
    return projector


@pytest.mark.parametrize("unit_norm", [False, True])
@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape, r", [((3, 4, 3, 2), 2), ((4, 5), 3), ((5,), 1), ((2, 2, 2, 2, 2), 3)])
def test_projection_against_the_dense_tangent_space(shape, r, complex_, unit_norm):
    rng = np.random.default_rng(1)
    manifold = FixedRank(unit_norm)
    x = manifold.point(some(shape, r, rng, complex_))
    z = some(shape, 4, rng, complex_)
    found = manifold.as_train(x, manifold.project(x, z)).full().ravel()
    np.testing.assert_allclose(found, dense_projector(manifold, x) @ z.full().ravel(), atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(**CASES)
def test_inner_products_and_transport(seed, d, r, complex_):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 5, d))
    manifold = FixedRank(bool(seed % 2))
    x, y = (manifold.point(some(shape, r, rng, complex_)) for _ in range(2))
    u, v = (random_tangent(manifold, x, rng) for _ in range(2))
    assert manifold.inner(x, u, v) == pytest.approx(
        np.real(dot(manifold.as_train(x, u), manifold.as_train(x, v))), abs=1e-10
    )
    total = manifold.as_train(x, manifold.combine(x, [(2.0, u), (-3.0, v)])).full()
    np.testing.assert_allclose(
        total, (2.0 * manifold.as_train(x, u) - 3.0 * manifold.as_train(x, v)).full(), atol=1e-10
    )
    # a projection leaves tangent vectors as they are, and transport is the projection at the other point
    for p, q in zip(manifold.transport(x, x, u), u):
        np.testing.assert_allclose(p, q, atol=1e-10)
    for p, q in zip(manifold.transport(x, y, u), manifold.project(y, manifold.as_train(x, u))):
        np.testing.assert_allclose(p, q, atol=1e-10)


@pytest.mark.parametrize("unit_norm", [False, True])
def test_retraction_is_of_first_order(unit_norm):
    rng = np.random.default_rng(3)
    manifold = FixedRank(unit_norm)
    x = manifold.point(some((4, 5, 4, 3), [1, 3, 4, 2, 1], rng))
    u = random_tangent(manifold, x, rng)
    errors = []
    for step in (1e-2, 1e-3):
        y = manifold.retract(x, u, step)
        assert y.ranks == x.ranks
        assert not unit_norm or y.train.norm() == pytest.approx(1.0, abs=1e-14)
        errors.append((y.train - manifold.as_train(x, u, step, 1.0)).norm())
    assert errors[1] <= 1.3e-2 * errors[0] and errors[0] > 1e-6
    assert (manifold.retract(x, u, 0.0).train - x.train).norm() <= 1e-13


def test_truncation_cuts_every_bond_to_its_rank():
    rng = np.random.default_rng(4)
    x = some((4, 5, 4, 3), 4, rng)
    y = TensorTrain(tuple(truncated(x.cores, (1, 2, 4, 3, 1))))
    assert y.ranks == (1, 2, 4, 3, 1)
    # the first bond alone discards anything here: the best approximation of that unfolding
    s = np.linalg.svd(x.full().reshape(4, -1), compute_uv=False)
    z = TensorTrain(tuple(truncated(x.cores, (1, 2, 4, 3, 1))))
    assert (x - z).norm() == pytest.approx(np.sqrt((s[2:] ** 2).sum()), rel=1e-10)


@dataclass
class Energy:
    """<x, H x> on the unit sphere of fixed ranks, preconditioned by the projection of a fixed operator."""

    manifold: FixedRank
    h: TTOperator
    inverse: TTOperator | None = None

    def evaluate(self, x):
        product = self.h @ x.train
        return Evaluation(float(dot(x.train, product)), self.manifold.project(x, product * 2.0))

    def precondition(self, x, evaluation):
        if self.inverse is None:
            return evaluation.gradient
        return self.manifold.project(x, self.inverse @ self.manifold.as_train(x, evaluation.gradient))


def coupled(n, d):
    """Oscillators on a grid of n points with bilinear coupling, its dense matrix, and an approximate inverse."""
    grid = np.linspace(-4.0, 4.0, n)
    h = grid[1] - grid[0]
    kinetic = (2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)) / (2.0 * h**2)
    one = kinetic + np.diag(grid**2) / 2.0
    matrices = [np.array([np.eye(n), one, np.diag(grid)])] * d
    terms = [(1.0, {k: 1}) for k in range(d)] + [(0.3, {k: 2, k + 1: 2}) for k in range(d - 1)]
    apart = kronecker_sum([one - 0.3 * np.eye(n)] * d)
    size = n**d
    inverse = np.linalg.inv(apart.full().reshape(size, size)) / 2.0
    return sum_of_products(matrices, terms), operator_tt_svd(inverse.reshape((n,) * 2 * d), 1e-6)


def test_lowest_state_with_preconditioner_and_growing_ranks():
    h, inverse = coupled(9, 3)
    exact, vectors = np.linalg.eigh(h.full().reshape(729, 729))
    manifold = FixedRank(unit_norm=True)
    x, errors = random_train((9, 9, 9), 1, np.random.default_rng(0)), []
    best = vectors[:, 0].reshape(9, 9, 9)
    for rank in range(1, 6):
        # ranks grow by a small part along the residual, as a rank adaptation does
        if rank > 1:
            x = x + (h @ x - dot(x, h @ x) * x).round(0.0, 1) * -0.01
        solution = minimise(Energy(manifold, h, inverse), manifold, manifold.point(x), accuracy=1e-10, throw=False)
        assert solution.counts["evaluations"] <= 40
        x = solution.value.train
        errors.append(solution.extra["value"] - exact[0])
        assert solution.value.ranks == (1, rank, rank, 1) and x.norm() == pytest.approx(1.0, abs=1e-12)
        # variational, and as good as a train of these ranks can be
        tail = sum((np.linalg.svd(best.reshape(9**k, -1), compute_uv=False)[rank:] ** 2).sum() for k in (1, 2))
        assert -1e-12 <= errors[-1] <= 3.0 * (exact[-1] - exact[0]) * tail + 1e-9
    assert np.all(np.diff(errors) < 0.0) and errors[-1] <= 1e-8
    assert abs(np.vdot(x.full(), best)) == pytest.approx(1.0, abs=1e-8)


def test_preconditioner_saves_steps():
    h, inverse = coupled(9, 3)
    manifold = FixedRank(unit_norm=True)
    start = manifold.point(random_train((9, 9, 9), 2, np.random.default_rng(0)))
    used = [
        minimise(Energy(manifold, h, p), manifold, start, accuracy=1e-9, throw=False).counts["evaluations"]
        for p in (inverse, None)
    ]
    assert 2 * used[0] <= used[1]


def test_refusals():
    manifold = FixedRank(unit_norm=True)
    with pytest.raises(ValueError, match="norm zero"):
        manifold.point(random_train((3, 3), 1, np.random.default_rng(0)) * 0.0)
