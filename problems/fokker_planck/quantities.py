"""Moments, marginals and values of a density given as a train q, p = s q (operators).

Every moment of order two or less is a product of vectors and small matrices, one a coordinate: with M_k^j the core k
summed over x^j s, cov_ij = M_1^0 .. M_i^1 .. M_j^1 .. M_d^0 - mean_i mean_j. Products of the first and of the last
matrices are kept, so that all d(d+1)/2 of them cost O(d^2 r^2).
"""

from __future__ import annotations

import numpy as np

from problems.fokker_planck.gaussian import Gaussian
from problems.fokker_planck.operators import Axis, Discrete
from solvers.formats.trains.tensor_train import TensorTrain

SAMPLES = 4000


def moments(discrete: Discrete, q: TensorTrain) -> dict[str, np.ndarray]:
    """Mass, means (d,), covariances (d, d), both of the normalised density, and the density at the origin."""
    d = q.d
    m = [[np.tensordot(core, axis.functional(j), axes=(1, 0)) for j in range(3)] for core, axis in _pairs(discrete, q)]
    left, right = [np.ones((1, 1))], [np.ones((1, 1))]
    for k in range(d):
        left.append(left[-1] @ m[k][0])
        right.append(m[d - 1 - k][0] @ right[-1])
    right.reverse()
    mass = float(left[d][0, 0])
    mean, second = np.empty(d), np.empty((d, d))
    for i in range(d):
        mean[i] = (left[i] @ m[i][1] @ right[i + 1])[0, 0] / mass
        second[i, i] = (left[i] @ m[i][2] @ right[i + 1])[0, 0] / mass
        carried = left[i] @ m[i][1]
        for j in range(i + 1, d):
            second[i, j] = second[j, i] = (carried @ m[j][1] @ right[j + 1])[0, 0] / mass
            carried = carried @ m[j][0]
    value = np.ones((1, 1))
    for core, axis in _pairs(discrete, q):
        value = value @ np.tensordot(core, axis.origin, axes=(1, 0))
    return {
        "mass": np.array(mass),
        "mean": mean,
        "covariance": second - np.outer(mean, mean),
        "density_at_origin": np.array(value[0, 0]),
    }


def marginals(discrete: Discrete, q: TensorTrain) -> dict[str, np.ndarray]:
    """``marginal_k`` (n,) of every coordinate and ``pair_k`` (n, m) of coordinates k and k + 1, on the grid."""
    d = q.d
    sums = [np.tensordot(core, axis.functional(0), axes=(1, 0)) for core, axis in _pairs(discrete, q)]
    right = [np.ones((1, 1))]
    for matrix in reversed(sums):
        right.append(matrix @ right[-1])
    right.reverse()
    found = {}
    left = np.ones((1, 1))
    densities = discrete.density(q).cores
    for k in range(d):
        here = np.tensordot(left, densities[k], axes=(1, 0))
        found[f"marginal_{k}"] = (here @ right[k + 1])[0, :, 0]
        if k + 1 < d:
            both = np.tensordot(here, densities[k + 1], axes=(2, 0))[0]
            found[f"pair_{k}"] = (both @ right[k + 2])[:, :, 0]
        left = left @ sums[k]
    return found


def samples(
    discrete: Discrete, known: Gaussian, i: int, q: TensorTrain, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Against the exact density on grid points drawn from it: the largest deviation and the smallest value found.

    Both relative to the largest exact density.
    """
    drawn = rng.multivariate_normal(known.means[i], known.covariances[i], SAMPLES, method="cholesky")
    index = np.stack(
        [np.clip(np.rint((x - axis.x[0]) / axis.h), 0, len(axis.x) - 1) for x, axis in zip(drawn.T, discrete.axes)],
        axis=1,
    ).astype(np.int64)
    points = np.stack([axis.x[j] for axis, j in zip(discrete.axes, index.T)], axis=1)
    values, true = discrete.density(q).entries(index), known.density(i, points)
    peak = float(known.density(i, known.means[i][None])[0])
    return {
        "density_error": np.asarray(np.abs(values - true).max() / peak),
        "min_density": np.asarray(values.min() / peak),
    }


def _pairs(discrete: Discrete, q: TensorTrain) -> list[tuple[np.ndarray, Axis]]:
    return list(zip(q.cores, discrete.axes))
