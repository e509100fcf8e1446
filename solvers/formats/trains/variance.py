"""Analysis of variance of a train, exactly: how much each set of modes does together and no fewer of them do.

Each mode m has a unit vector u_m, the function that is constant there: sqrt of the probabilities for a train of values
times those roots, (1, 0, ..., 0) for coefficients of orthonormal functions. With P_m = u_m u_m^T, the part of a set S
of modes is the train under (1 - P_m) for m in S and P_m for the others; the parts are orthogonal, and the variance is
the sum of the squares of all but that of the empty set (Sobol, Math. Comput. Simul. 55, 271 (2001), eq. 2 to 4).

    first order, total    S = {m};  all S with m          O(d n r^3)
    by order              all S of k modes                O(d^2 n r^3): the coefficient of z^k of the train's square
    by pair               S = {i, j}                      O(d^2 n r^2)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from solvers.formats.trains.factorisations import qr_factors
from solvers.formats.trains.tensor_train import TensorTrain


def centred_cores(train: TensorTrain) -> Iterator[tuple[int, np.ndarray]]:
    """(m, core m) with the train's orthogonality centre at m, one after the other: norms of changes to one core."""
    cores = list(train.orthogonalise(0).cores)
    for m, core in enumerate(cores):
        yield m, core
        if m + 1 < len(cores):
            a, n, b = core.shape
            _, r = qr_factors(core.reshape(a * n, b))
            cores[m + 1] = np.tensordot(r, cores[m + 1], axes=(1, 0))


def first_and_total(train: TensorTrain, units: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sums of squares (d,) and (d,): of each mode alone, and of all sets that it is in."""
    left, right = _averages(train.cores, units)
    first, total = np.empty(train.d), np.empty(train.d)
    for m, (core, unit) in enumerate(zip(train.cores, units)):
        alone = (np.tensordot(left[m], core, axes=(1, 0)) @ right[m + 1]).ravel()
        first[m] = np.sum((alone - unit * (unit @ alone)) ** 2)
    for m, core in centred_cores(train):
        total[m] = np.sum(_without(core, units[m]) ** 2)
    return first, total


def by_order(train: TensorTrain, units: Sequence[np.ndarray]) -> np.ndarray:
    """Sums of squares (d + 1,) of all sets of 0, 1, ..., d modes."""
    squares = np.ones((1, 1, 1))  # (order, left rank, left rank)
    for core, unit in zip(train.cores, units):
        mean, rest = np.tensordot(core, unit, axes=(1, 0)), _without(core, unit)
        found = np.zeros((len(squares) + 1, core.shape[2], core.shape[2]))
        found[:-1] += mean.T @ squares @ mean
        found[1:] += np.einsum("kac,anb,cnd->kbd", squares, rest, rest, optimize=True)
        squares = found
    return np.maximum(squares[:, 0, 0], 0.0)


def by_pair(train: TensorTrain, units: Sequence[np.ndarray]) -> np.ndarray:
    """Sums of squares (d, d), symmetric, of each pair of modes; on the diagonal those of each mode alone."""
    left, right = _averages(train.cores, units)
    rests = [_without(core, unit) for core, unit in zip(train.cores, units)]
    means = [np.tensordot(core, unit, axes=(1, 0)) for core, unit in zip(train.cores, units)]
    found = np.zeros((train.d, train.d))
    for i in range(train.d):
        open_ = np.tensordot(left[i], rests[i], axes=(1, 0))[0]  # (n_i, b)
        found[i, i] = np.sum((open_ @ right[i + 1]) ** 2)
        for j in range(i + 1, train.d):
            pair = np.tensordot(open_, rests[j], axes=(1, 0)) @ right[j + 1]
            found[i, j] = found[j, i] = np.sum(pair**2)
            open_ = open_ @ means[j]
    return found


def _averages(cores: Sequence[np.ndarray], units: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Of the modes before each, (1, a), and from each on, (b, 1): d + 1 of either."""
    left, right = [np.ones((1, 1))], [np.ones((1, 1))]
    for core, unit in zip(cores, units):
        left.append(left[-1] @ np.tensordot(core, unit, axes=(1, 0)))
    for core, unit in zip(cores[::-1], units[::-1]):
        right.append(np.tensordot(core, unit, axes=(1, 0)) @ right[-1])
    return left, right[::-1]


def _without(core: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """A core without what is constant in its mode."""
    return core - unit[None, :, None] * np.tensordot(core, unit, axes=(1, 0))[:, None, :]
