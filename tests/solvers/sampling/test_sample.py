"""Samples against the exact probabilities and moments of trains; the Rosenblatt map and its inverse."""

import numpy as np
import pytest

from solvers.formats.trains.construct import ones, random_train, rank_one, tt_svd
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.sampling.sample import inverse_rosenblatt, rosenblatt, sample

DENSITIES = ["squared", "values"]


def train(shape, rank, seed, density, dtype=float):
    """A train, of positive cores where it is a density itself, and of a norm far from one."""
    x = random_train(shape, rank, np.random.default_rng(seed), dtype)
    return TensorTrain(tuple(np.abs(core) for core in x.cores)) * 3e5 if density == "values" else x * 1e-200


def probabilities(x, density):
    p = (x * (1.0 / np.abs(x.full()).max())).full()
    p = np.abs(p) ** 2 if density == "squared" else p
    return p / p.sum()


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("dtype", [float, complex])
def test_frequencies_are_the_probabilities(density, dtype):
    """Chi-square of all 60 cells: its mean is 59, its deviation 11."""
    x = train((3, 4, 5), 3, 0, density, dtype if density == "squared" else float)
    p, n = probabilities(x, density), 40_000
    found = sample(x, n, np.random.default_rng(1), density=density)
    counts = np.zeros(x.shape)
    np.add.at(counts, tuple(found.T), 1)
    assert ((counts - n * p) ** 2 / (n * p)).sum() < 59 + 4 * 11
    again = sample(x, n, np.random.default_rng(1), density=density)
    assert np.array_equal(found, again) and found.dtype == np.int64


@pytest.mark.parametrize("density", DENSITIES)
def test_moments_in_twenty_dimensions(density):
    """Means and products of neighbouring indices, exact by contraction, within four standard errors and a half."""
    check_moments(train((5,) * 20, 6, 2, density), 20_000, density)


@pytest.mark.slow  # half a minute
@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("n", [2, 20])
def test_moments_of_a_million_samples_of_rank_50(density, n):
    check_moments(train((n,) * 20, 50, 7, density), 1_000_000, density)


def check_moments(x, n, density):
    p, grid = x.normalised()[0], np.arange(float(x.shape[0]))
    other = p if density == "squared" else ones(x.shape)
    total = dot(other, p)
    found = sample(x, n, np.random.default_rng(3), density=density)
    for k in range(x.d):
        pairs = [((k,), found[:, k])]
        if k + 1 < x.d:
            pairs.append(((k, k + 1), found[:, k] * found[:, k + 1]))
        for modes, values in pairs:
            exact = dot(other, p.mode_product({j: np.diag(grid) for j in modes})) / total
            assert abs(values.mean() - exact) < 4.5 * values.std() / np.sqrt(n)


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("dtype", [float, complex])
def test_the_map_and_its_inverse(density, dtype):
    x = train((4, 1, 7, 2, 16), 3, 4, density, dtype if density == "squared" else float)
    u = np.random.default_rng(5).random((5000, x.d))
    points = inverse_rosenblatt(x, u, density=density)
    np.testing.assert_allclose(rosenblatt(x, points, density=density), u, atol=1e-12, rtol=0)
    edges = [np.cumsum(np.random.default_rng(k).random(n + 1)) - 3.0 for k, n in enumerate(x.shape)]
    moved = inverse_rosenblatt(x, u, density=density, edges=edges)
    np.testing.assert_allclose(rosenblatt(x, moved, density=density, edges=edges), u, atol=1e-12, rtol=0)
    # the same cells, and the same places in them
    low = [np.searchsorted(edge, column, side="right") - 1 for edge, column in zip(edges, moved.T)]
    assert np.array_equal(np.column_stack(low), points.astype(int))


def test_conditional_distribution_functions():
    """Of a small density the map by its definition: shares of marginals."""
    rng = np.random.default_rng(6)
    p = rng.random((3, 4, 2))
    x = tt_svd(p, 1e-14)
    points = np.column_stack([rng.random(50) * n for n in p.shape])
    found = rosenblatt(x, points, density="values")
    for row, u in zip(points, found):
        i = row.astype(int)
        for k, marginal in enumerate((p.sum((1, 2)), p[i[0]].sum(1), p[i[0], i[1]])):
            share = marginal / marginal.sum()
            assert u[k] == pytest.approx(share[: i[k]].sum() + (row[k] - i[k]) * share[i[k]], abs=1e-12)


def test_certain_and_even_densities():
    peak = rank_one([np.eye(4)[k] for k in (2, 0, 3)])
    for density in DENSITIES:
        assert (sample(peak, 100, density=density) == [2, 0, 3]).all()
        even = inverse_rosenblatt(ones((2,) * 1000), np.full((3, 1000), 0.25), density=density)
        np.testing.assert_allclose(even, 0.5, atol=1e-12)
    assert sample(TensorTrain((np.array([0.0, 2.0]).reshape(1, 2, 1),)), 5).tolist() == [[1]] * 5


def test_what_is_refused():
    x = ones((2, 3))
    for n in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="whole number"):
            sample(x, n)
    with pytest.raises(ValueError, match="density is 'squared' or 'values'"):
        sample(x, 1, density="born")
    with pytest.raises(ValueError, match="zero has no density"):
        sample(x * 0.0, 1)
    with pytest.raises(ValueError, match="real"):
        sample(x * 1j, 1, density="values")
    with pytest.raises(ValueError, match="positive number"):
        sample(-x, 1, density="values")
    with pytest.raises(ValueError, match="negative at mode 1"):
        sample(rank_one([np.ones(2), np.array([3.0, -1.0])]), 100, density="values")
    for u in (np.ones((1, 2)), np.zeros((1, 3)), np.zeros(2), np.full((1, 2), np.nan), np.full((1, 2), -0.1)):
        with pytest.raises(ValueError, match="u must"):
            inverse_rosenblatt(x, u)
    with pytest.raises(ValueError, match="outside the grid of mode 1"):
        rosenblatt(x, np.array([[0.5, 3.0]]))
    for edges in ([np.arange(3)], [np.arange(3), np.arange(3)], [np.arange(3), np.array([0, 1, 1, 2])]):
        with pytest.raises(ValueError, match="ascending"):
            rosenblatt(x, np.zeros((1, 2)), edges=edges)
    assert inverse_rosenblatt(x, np.zeros((0, 2))).shape == (0, 2)
