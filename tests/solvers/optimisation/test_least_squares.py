"""The objective of fits: value, gradient, first step and grown ranks; entries and functions, any loss, weights."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.fit_methods import ConjugateGradients
from solvers.formats.trains.construct import random_train, tt_svd
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.descent import minimise
from solvers.optimisation.least_squares import MANIFOLD, LeastSquares
from solvers.optimisation.losses import Huber, Logistic, Squares
from solvers.optimisation.samples import FunctionSamples, SampledPoint, Samples

SHAPE = (5, 4, 6)


def drawn(shape, count, rng):
    """Different multi-indices."""
    return np.stack(np.unravel_index(rng.permutation(np.prod(shape))[:count], shape), axis=1)


def some_samples(shape, count, r, seed):
    rng = np.random.default_rng(seed)
    indices = drawn(shape, count, rng)
    x = MANIFOLD.point(random_train(shape, r, rng))
    return rng, Samples(indices, shape), x


def turned(train, rng):
    """The same train with other phases, where complex ones are wanted."""
    cores = [core * np.exp(1j * rng.uniform(0.0, 6.0, core.shape)) for core in train.cores]
    return TensorTrain(tuple(cores))


def problem(seed, kind, loss, complex_values):
    """Samples, values, weights, an anchor, a point and a tangent vector there."""
    rng = np.random.default_rng(seed)
    train, anchor = random_train(SHAPE, 2, rng) * 9.0, random_train(SHAPE, 3, rng) * 9.0
    if complex_values:
        train, anchor = turned(train, rng), turned(anchor, rng)
    x, count = MANIFOLD.point(train), 60

    def normal(*size):
        return rng.standard_normal(size) + (1j * rng.standard_normal(size) if complex_values else 0.0)

    samples = Samples(drawn(SHAPE, count, rng), SHAPE)
    if kind == "functions":
        samples = FunctionSamples(rng.random((count, 3)), tuple(normal(count, n) for n in SHAPE))
    values = (rng.random(count) < 0.5).astype(float) if loss == Logistic() else normal(count)
    u = MANIFOLD.tangent(x, [normal(*core.shape) for core in x.left])
    return SimpleNamespace(
        samples=samples, values=values, weights=10.0 ** rng.uniform(-2, 2, count), anchor=anchor, x=x, u=u, rng=rng
    )


def dense_value(p, objective, x):
    """The formula of the module, entry by entry."""
    functions = p.samples.functions if isinstance(p.samples, FunctionSamples) else None
    if functions is None:
        functions = [np.eye(n)[column] for n, column in zip(SHAPE, p.samples.columns)]
    found = np.einsum("abc,ja,jb,jc->j", x.full(), *functions)
    total = float(p.weights @ objective.loss.each(found, p.values))
    anchor = 0.0 if objective.anchor is None else objective.anchor.full()
    total += 0.5 * objective.ridge * float(np.linalg.norm(x.full() - anchor)) ** 2
    squares = isinstance(objective.loss, Squares)
    return total / float(p.weights @ np.abs(p.values) ** 2 if squares else p.weights.sum())


CASES = [
    (kind, loss, complex_values)
    for kind in ("entries", "functions")
    for loss in (Squares(), Huber(0.5), Logistic())
    for complex_values in (False, True)
    if not (complex_values and loss == Logistic())
]


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), ridge=st.sampled_from([0.0, 0.7]), case=st.sampled_from(CASES))
def test_the_gradient_is_that_of_differences_on_the_tangent_space(seed, ridge, case):
    p = problem(seed, *case)
    objective = LeastSquares(
        p.samples, p.values, weights=p.weights, loss=case[1], ridge=ridge, anchor=p.anchor if ridge else None
    )
    now, h = objective.evaluate(p.x), 1e-5
    assert now.value == pytest.approx(dense_value(p, objective, p.x.train), rel=1e-11)
    ends = [objective.evaluate(MANIFOLD.retract(p.x, p.u, step)).value for step in (h, -h)]
    slope = (ends[0] - ends[1]) / (2.0 * h)
    size = np.sqrt(MANIFOLD.inner(p.x, now.gradient, now.gradient) * MANIFOLD.inner(p.x, p.u, p.u))
    assert MANIFOLD.inner(p.x, now.gradient, p.u) == pytest.approx(slope, abs=1e-6 * size)


@pytest.mark.parametrize("case", [case for case in CASES if case[1] == Squares()], ids=str)
@pytest.mark.parametrize("ridge", [0.0, 0.7])
def test_the_first_step_minimises_along_the_straight_line(case, ridge):
    p = problem(3, *case)
    objective = LeastSquares(p.samples, p.values, weights=p.weights, ridge=ridge, anchor=p.anchor)
    now = objective.evaluate(p.x)
    down = MANIFOLD.combine(p.x, [(-1.0, objective.precondition(p.x, now))])
    step = objective.first_step(p.x, now, down)

    def along(factor):
        return dense_value(p, objective, MANIFOLD.as_train(p.x, down, factor * step, 1.0))

    assert step > 0.0 and along(1.0) < min(along(0.0), along(0.99), along(1.01))


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), case=st.sampled_from(CASES))
def test_the_gauge_of_a_train_changes_nothing(seed, case):
    """X R and R^-1 Y at a bond is the same train: value, size of the gradient and decrease expected are the same."""
    p = problem(seed, *case)
    objective = LeastSquares(p.samples, p.values, weights=p.weights, loss=case[1], ridge=0.3, anchor=p.anchor)
    cores, r = list(p.x.left), p.rng.standard_normal((2, 2)) + 2.0 * np.eye(2)
    other = TensorTrain((cores[0] @ r, np.tensordot(np.linalg.inv(r), cores[1], 1), cores[2]))
    one, two = p.x, MANIFOLD.point(other)
    a, b = objective.evaluate(one), objective.evaluate(two)
    assert b.value == pytest.approx(a.value, rel=1e-10)
    norms = [MANIFOLD.inner(x, e.gradient, e.gradient) for x, e in ((one, a), (two, b))]
    assert norms[1] == pytest.approx(norms[0], rel=1e-8)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), factor=st.sampled_from([1e-8, 1e8]))
def test_weights_count_by_their_ratios_and_whole_ones_as_repetitions(seed, factor):
    p = problem(seed, "entries", Squares(), True)
    times = p.rng.integers(1, 4, 60)
    one = LeastSquares(p.samples, p.values, weights=factor * times).evaluate(p.x)
    many = LeastSquares(p.samples.only(np.repeat(np.arange(60), times)), np.repeat(p.values, times)).evaluate(p.x)
    assert one.value == pytest.approx(many.value, rel=1e-11)
    for g, h in zip(one.gradient, many.gradient):
        np.testing.assert_allclose(g, h, atol=1e-11)


def test_functions_that_are_unit_vectors_are_entries():
    p = problem(8, "entries", Squares(), False)
    units = tuple(np.eye(n)[column] for n, column in zip(SHAPE, p.samples.columns))
    a = LeastSquares(p.samples, p.values, weights=p.weights)
    b = LeastSquares(FunctionSamples(p.samples.indices, units), p.values, weights=p.weights)
    for g, h in zip(a.evaluate(p.x).gradient, b.evaluate(p.x).gradient):
        np.testing.assert_allclose(g, h, atol=1e-12)
    grown = [one.grown(p.x, 1, np.random.default_rng(1)).train.full() for one in (a, b)]
    np.testing.assert_allclose(*grown, atol=1e-9)


@pytest.mark.parametrize("complex_values", [False, True])
def test_a_descent_with_growing_ranks_recovers_a_train(complex_values):
    rng = np.random.default_rng(4)
    train = random_train((8, 7, 9), 3, rng) * 20.0
    train = turned(train, rng) if complex_values else train
    indices = drawn((8, 7, 9), 400, rng)
    objective = LeastSquares.of_entries(indices, train.entries(indices), (8, 7, 9))
    dtype = complex if complex_values else float
    x = MANIFOLD.point(TensorTrain(tuple(np.ones((1, n, 1), dtype=dtype) for n in (8, 7, 9))))
    for rank in (1, 2, 3):
        for bond in range(2 if rank > 1 else 0):
            x = objective.grown(x, bond, rng)
        found = minimise(objective, MANIFOLD, x, accuracy=1e-20, method=ConjugateGradients(steps=400), throw=False)
        x = found.value
    assert (x.train - train).norm() < 1e-7 * train.norm()


def test_refusals():
    p = problem(1, "entries", Squares(), False)
    for match, options in [
        ("not be negative", {"weights": -p.weights}),
        ("not finite", {"weights": np.full(60, np.nan)}),
        ("shape", {"weights": np.ones(59)}),
        ("ridge", {"ridge": -1.0}),
    ]:
        with pytest.raises(ValueError, match=match):
            LeastSquares(p.samples, p.values, **options)
    with pytest.raises(ValueError, match="not finite"):
        LeastSquares(p.samples, np.where(np.arange(60) == 3, np.inf, p.values))
    with pytest.raises(ValueError, match="inside the shape"):
        LeastSquares.of_entries(p.samples.indices + 1, p.values, SHAPE)
    with pytest.raises(ValueError, match="must be integers"):
        LeastSquares.of_entries(p.samples.indices + 0.5, p.values, SHAPE)
    with pytest.raises(ValueError, match="above zero"):
        Huber(0.0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(1, 4), r=st.integers(1, 3))
def test_entries_and_projection_of_samples(seed, d, r):
    shape = tuple(np.random.default_rng(seed).integers(2, 6, d))
    rng, samples, x = some_samples(shape, max(1, np.prod(shape) // 2), r, seed)
    at = SampledPoint.of(samples, x)
    where = tuple(samples.indices.T)
    np.testing.assert_allclose(at.entries, x.train.full()[where], atol=1e-12)
    u = MANIFOLD.tangent(x, [rng.standard_normal(core.shape) for core in x.left])
    np.testing.assert_allclose(at.tangent_entries(u), MANIFOLD.as_train(x, u).full()[where], atol=1e-11)
    values = rng.standard_normal(samples.count)
    dense = np.zeros(shape)
    dense[where] = values
    for found, wanted in zip(at.project(MANIFOLD, values), MANIFOLD.project(x, tt_svd(dense, 0.0))):
        np.testing.assert_allclose(found, wanted, atol=1e-11)


def test_preconditioned_gradient_of_all_samples_is_the_step_to_the_projection():
    """With every entry known B g = x - P b: the exact Newton step of the full problem."""
    rng = np.random.default_rng(5)
    shape = (4, 5, 3)
    samples = Samples(np.stack(np.unravel_index(np.arange(60), shape), axis=1), shape)
    b, x = random_train(shape, 3, rng), MANIFOLD.point(random_train(shape, 2, rng))
    objective = LeastSquares(samples, b.full().ravel())
    p = objective.precondition(x, objective.evaluate(x))
    for found, wanted in zip(p, MANIFOLD.project(x, x.train - b)):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_a_grown_rank_takes_the_best_direction_of_the_residual(k):
    rng = np.random.default_rng(6)
    shape = (4, 5, 4, 3)
    samples = Samples(np.stack(np.unravel_index(np.arange(240), shape), axis=1), shape)
    b, x = random_train(shape, 4, rng).full(), MANIFOLD.point(random_train(shape, 2, rng))
    objective = LeastSquares(samples, b.ravel())
    y = objective.grown(x, k, rng)
    assert y.ranks == tuple(rank + (i == k + 1) for i, rank in enumerate(x.ranks))
    # with all entries known the squared residual drops by that of the leading singular value of the superblock
    residual = b - x.train.full()
    block = residual
    for j in range(k):
        block = np.tensordot(x.left[j], block.reshape(-1, *shape[j:]), axes=((0, 1), (0, 1)))
    block = block.reshape(-1, *shape[k:], 1)
    for j in range(3, k + 1, -1):
        block = np.tensordot(block, x.right[j], axes=((-2, -1), (1, 2)))
    n = x.left[k].shape[0] * shape[k]
    block = block.reshape(n, -1)
    u, v = x.left[k].reshape(n, -1), x.right[k + 1].reshape(x.right[k + 1].shape[0], -1)
    block = block - u @ (u.T @ block)
    block = block - (block @ v.T) @ v
    largest = np.linalg.svd(block, compute_uv=False)[0]
    before, after = np.linalg.norm(residual), np.linalg.norm(b - y.train.full())
    assert before**2 - after**2 == pytest.approx(largest**2, rel=1e-3)
