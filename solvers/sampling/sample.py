"""``sample``, ``rosenblatt`` and ``inverse_rosenblatt``: a train as a density (solvers.sampling.descent).

The Rosenblatt map takes the density that is constant on cells to the uniform one: mode by mode u = F_i + s p_i, i the
cell, s in [0, 1) the place in it, F_i the mass of the cells before, p_i its own. Its inverse is the same descent with u
given. Rosenblatt, Ann. Math. Stat. 23, 470 (1952); Dolgov, Anaya-Izquierdo, Fox, Scheichl, Stat. Comput. 30, 603
(2020).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sampling.conditional import SQUARED, conditionals
from solvers.sampling.descent import descend
from solvers.threads import one_blas_thread


@one_blas_thread
def sample(x: TensorTrain, n: int, rng: np.random.Generator | None = None, *, density: str = SQUARED) -> np.ndarray:
    """``n`` independent multi-indices (n, d) with probability |x|^2 / ||x||^2, or x / sum(x), exact.

    ``density``: "squared", or "values" for a real x that is nowhere negative (less than 1e-6 of a conditional density
    counts as rounding and is left out). Of any norm. The same ``rng`` state gives the same samples, the first of them
    whatever n is. Cost 2 n d r^2 times 2 to 3 where the marginal distribution of a mode nearly tells its index, and
    log2(mode) + 1 more where it does not; 2 n d (r^2 + mode r) for values; next to nothing for the first modes, where
    many samples still agree. Memory: the samples, and batches of some MB. Raises ValueError for n < 1, a train that is
    zero, another density, and values that are negative or complex.
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"n must be a whole number of at least 1, not {n!r}")
    known = conditionals(x, density)
    found = np.empty((n, x.d), dtype=np.int64)
    numbers = found.view(np.float64)  # each becomes an index in its own place
    (rng or np.random.default_rng(0)).random(out=numbers)
    descend(known, numbers, found, places=False)
    return found


@one_blas_thread
def inverse_rosenblatt(
    x: TensorTrain, u: np.ndarray, *, density: str = SQUARED, edges: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    """Points (m, d) of the density from uniform numbers ``u`` (m, d) in [0, 1): the inverse of ``rosenblatt``.

    The density is constant on the cells of the grid: cell i of mode k goes from edges[k][i] to edges[k][i + 1], from
    i to i + 1 where no edges are given (n_k + 1 ascending numbers a mode); an entry of the train is the mass of its
    cell. Triangular: coordinate k depends on u_1 ... u_k. Low-discrepancy u give low-discrepancy points. Cost and
    errors as ``sample``; ValueError for other shapes, numbers outside [0, 1) and edges that do not ascend.
    """
    u = _points(u, x.d, "u")
    if u.size and not ((u >= 0.0) & (u < 1.0)).all():
        raise ValueError("u must lie in [0, 1)")
    bounds = _edges(edges, x.shape)
    points, index = u.copy(), np.empty(u.shape, dtype=np.int64)
    descend(conditionals(x, density), points, index)
    for k, edge in enumerate(bounds):
        low, high = edge[index[:, k]], edge[index[:, k] + 1]
        points[:, k] = np.minimum(low + points[:, k] * (high - low), np.nextafter(high, low))
    return points


@one_blas_thread
def rosenblatt(
    x: TensorTrain, points: np.ndarray, *, density: str = SQUARED, edges: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    """Uniform numbers (m, d) of ``points`` (m, d): the conditional distribution functions, mode by mode.

    Of points drawn from the density the numbers are independent and uniform on [0, 1). Density, edges, cost and errors
    as ``inverse_rosenblatt``; ValueError for a point outside the grid.
    """
    points = _points(points, x.d, "points")
    bounds = _edges(edges, x.shape)
    index = np.empty(points.shape, dtype=np.int64)
    for k, edge in enumerate(bounds):
        index[:, k] = np.searchsorted(edge, points[:, k], side="right") - 1
        if ((index[:, k] < 0) | (index[:, k] >= x.shape[k])).any():
            raise ValueError(f"a point lies outside the grid of mode {k}, from {edge[0]} to {edge[-1]}")
    u = np.empty(points.shape)
    for k, edge in enumerate(bounds):
        low, high = edge[index[:, k]], edge[index[:, k] + 1]
        u[:, k] = (points[:, k] - low) / (high - low)
    descend(conditionals(x, density), u, index, given=True)
    return u


def _points(points: np.ndarray, d: int, what: str) -> np.ndarray:
    array = np.asarray(points, dtype=float)
    if array.ndim != 2 or array.shape[1] != d or not np.isfinite(array).all():
        raise ValueError(f"{what} must be finite numbers of shape (m, {d}), not {array.shape}")
    return array


def _edges(edges: Sequence[np.ndarray] | None, shape: Sequence[int]) -> list[np.ndarray]:
    if edges is None:
        return [np.arange(n + 1.0) for n in shape]
    arrays = [np.asarray(edge, dtype=float) for edge in edges]
    fits = [edge.shape for edge in arrays] == [(n + 1,) for n in shape]
    if not fits or not all(np.diff(edge).min() > 0.0 for edge in arrays):
        raise ValueError(f"edges are ascending numbers, {[n + 1 for n in shape]} of them mode by mode")
    return arrays
