"""Moments, Sobol indices, fields, tails and the surrogate against closed forms and dense sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.parametric_pde.gauss import polynomials, rule
from problems.parametric_pde.statistics import field_moments, moments, polynomial_core, tails
from problems.parametric_pde.surrogate import Solution, Surrogate, parameter_samples, sample
from solvers.formats.trains.construct import random_train, rank_one, tt_svd
from solvers.formats.trains.tensor_train import TensorTrain


def test_ishigami():
    # sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 on [-pi, pi]^3: closed forms of Ishigami and Homma
    n = 24
    y, w = rule("uniform", n)
    x = np.pi * y
    one = np.ones(n)
    f = (
        rank_one([np.sin(x), one, one])
        + rank_one([one, 7 * np.sin(x) ** 2, one])
        + rank_one([0.1 * np.sin(x), one, x**4])
    )
    found = moments(f, [w] * 3)
    a, b, pi = 7.0, 0.1, np.pi
    v1, v2 = 0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8
    v13 = b**2 * pi**8 * (1 / 18 - 1 / 50)
    v = v1 + v2 + v13
    assert np.isclose(found.mean, a / 2, rtol=1e-10) and np.isclose(found.variance, v, rtol=1e-10)
    assert np.allclose(found.first, [v1 / v, v2 / v, 0.0], atol=1e-10)
    assert np.allclose(found.total, [(v1 + v13) / v, v2 / v, v13 / v], atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(1, 4), r=st.integers(1, 4), shift=st.floats(-1e3, 1e3))
def test_moments_are_those_of_the_dense_tensor(seed, d, r, shift):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 5, d))
    weights = [rng.dirichlet(np.ones(n) * 5) for n in shape]
    x = random_train(shape, r, rng) + shift * rank_one([np.ones(n) for n in shape])
    full = x.full()
    w = weights[0]
    for v in weights[1:]:
        w = np.multiply.outer(w, v)
    mean = np.sum(w * full)
    variance = np.sum(w * (full - mean) ** 2)
    found = moments(x, weights)
    assert np.isclose(found.mean, mean, rtol=1e-10, atol=1e-12)
    assert np.isclose(found.variance, variance, rtol=1e-6, atol=1e-20 * (1 + mean**2))
    if variance > 1e-12 * (1 + mean**2):
        for m in range(d):
            others = tuple(k for k in range(d) if k != m)
            rest = np.ones(())
            for k in others:
                rest = np.multiply.outer(rest, weights[k])
            moved = np.moveaxis(full, m, -1)
            given_m = np.sum(moved * rest[..., None], axis=tuple(range(d - 1)))
            first = weights[m] @ (given_m - mean) ** 2 / variance
            given_rest = moved @ weights[m]
            total = np.sum(rest * ((moved - given_rest[..., None]) ** 2 @ weights[m])) / variance
            assert np.isclose(found.first[m], first, atol=1e-6) and np.isclose(found.total[m], total, atol=1e-6)


def test_a_small_variance_keeps_its_digits():
    y, w = rule("uniform", 5)
    x = rank_one([np.ones(5), np.ones(5)]) + 1e-9 * rank_one([y, np.ones(5)])
    found = moments(x, [w, w])
    assert np.isclose(found.variance, 1e-18 / 3, rtol=1e-5)
    constant = moments(rank_one([np.ones(5), 3.0 * np.ones(5)]), [w, w])
    assert constant.mean == pytest.approx(3.0) and constant.variance < 1e-28 and not constant.total.any()


def test_field_moments():
    rng = np.random.default_rng(3)
    weights = [rule("normal", n)[1] for n in (4, 3, 5)]
    x = random_train((7, 4, 3, 5), 4, rng)
    full = x.full().reshape(7, -1)
    w = np.einsum("i,j,k->ijk", *weights).ravel()
    mean = full @ w
    found = field_moments(x, weights)
    assert np.allclose(found[0], mean) and np.allclose(found[1], (full - mean[:, None]) ** 2 @ w)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_surrogate_is_exact_for_polynomials(distribution):
    def f(y):
        return 1.0 + y[..., 0] ** 3 * y[..., 1] - 0.5 * y[..., 1] ** 2

    grids = [rule(distribution, n)[0] for n in (4, 3)]
    values = f(np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1))
    train = tt_svd(values)
    surrogate = Surrogate.interpolating(train, distribution)
    y = np.random.default_rng(0).uniform(-1, 1, (9, 2))
    assert np.allclose(surrogate(y), f(y), atol=1e-12)
    field = Solution(
        TensorTrain((np.eye(2)[None], np.stack([train.cores[0][0], 2 * train.cores[0][0]]), *train.cores[1:])),
        distribution,
    )
    assert field.parameters == 2 and np.allclose(field(y[0]), [f(y[0]), 2 * f(y[0])], atol=1e-12)
    for bad in ([0.1], [0.1, np.nan]):
        with pytest.raises(ValueError, match="2 finite parameters"):
            field(bad)
        with pytest.raises(ValueError, match="2 finite parameters"):
            surrogate(np.array([bad]))


def test_sampled_distribution_of_a_sum_of_normals():
    y, _ = rule("normal", 3)
    one = np.ones(3)
    train = 2.0 * rank_one([one, one]) + rank_one([0.6 * y, one]) + rank_one([one, 0.8 * y])  # N(2, 1)
    points = parameter_samples("normal", 2, np.random.default_rng(1))
    found = sample(Surrogate.interpolating(train, "normal"), points, 3.0)
    for level, exact in ((0.05, 2 - 1.6448536), (0.5, 2.0), (0.99, 2 + 2.3263479)):
        value, error = found.quantiles[level]
        assert abs(value - exact) < 5 * error + 1e-5 and error < 5e-3
    _, probability, error = found.exceedance
    assert abs(probability - 0.15865525) < 5 * error and error < 1e-3
    assert np.isclose(found.heights @ np.diff(found.edges), 0.999, atol=2e-3)


def test_tails_of_a_geometric_series():
    n, rho = 8, 4.0
    core = (rho ** -np.arange(n, dtype=float))[None, :, None]
    constant = np.zeros((1, n, 1))
    constant[0, 0] = 1.0
    found = tails(TensorTrain((core, constant)))
    exact = np.sqrt(rho ** (-2.0 * n) + rho ** (-2.0 * n - 2))
    assert np.isclose(found[0], exact, rtol=1e-10) and found[1] == 0.0


@pytest.mark.parametrize("n", [3, 4, 5, 8])
@pytest.mark.parametrize("slope", [0.2, 0.5])
@pytest.mark.parametrize("even", [False, True])
def test_tails_bound_what_interpolation_misses(n, slope, even):
    # 1 / (1 + slope y) + 100: the offset must not look like a decay
    y, _ = rule("uniform", n)
    fine, v = rule("uniform", 60)

    def f(y):
        return 100.0 + 1.0 / (1.0 + slope * (y**2 if even else y))

    c = polynomial_core(f(y)[None, :, None], "uniform")
    missed = np.sqrt(v @ (f(fine) - polynomials("uniform", n, fine) @ c[0, :, 0]) ** 2)
    assert missed / 4 <= tails(TensorTrain((c,)))[0] <= 100 * missed


def test_polynomial_core_is_a_transform():
    y, _ = rule("uniform", 6)
    values = np.random.default_rng(0).standard_normal((2, 6, 3))
    c = polynomial_core(values, "uniform")
    assert np.allclose(np.einsum("ajb,nj->anb", c, polynomials("uniform", 6, y)), values)
