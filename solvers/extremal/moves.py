"""The moves of a search for the smallest value of a function of indices, from one point or a few.

``value(points)`` gives values (m,), NaN where there is none. A mode of many indices is looked at on a coarse grid, and
about its best places on finer ones; the searches of all moves ask for points in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Value = Callable[[np.ndarray], np.ndarray]
WHOLE = 40  # indices of a mode that are all looked at
COARSE = 33  # places of a longer one to begin with
PLACES = 3  # of them that are looked at more closely
FINER = 4  # ratio of two grids
SHIFTS = 10.0 ** np.arange(-6.0, 5.0)  # of a quadratic model, over its largest curvature
CHUNK = 100  # pairs asked for at once
SMALL = 30  # modes up to which models of all pairs are made


def best_of(points: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float]:
    """The best of points (m, d), or infinity."""
    if np.isnan(values).all():
        return points[0], np.inf
    at = int(np.nanargmin(values))
    return points[at], float(values[at])


def along_mode(value: Value, point: np.ndarray, k: int, n: int, offset: float = 0.0) -> tuple[np.ndarray, float]:
    """The best of mode k, the other indices held; ``offset`` shifts the coarse grid, in its steps."""

    def asked(places: np.ndarray) -> np.ndarray:
        points = np.repeat(point[None], len(places), axis=0)
        points[:, k] = places
        found = value(points)
        return np.where(np.isnan(found), np.inf, found)

    if n <= WHOLE:
        places = np.arange(n)
        values = asked(places)
    else:
        step = (n - 1) / (COARSE - 1)
        coarse = np.round((np.arange(COARSE) + offset) * step)
        places = np.unique(np.append(coarse.clip(0, n - 1).astype(np.int64), point[k]))
        values = asked(places)
        while step > 1.0:
            # the lowest places that are lower than their neighbours, on a grid about each
            walls = np.concatenate([[np.inf], values, [np.inf]])
            low = np.flatnonzero((values <= walls[:-2]) & (values <= walls[2:]))
            low = low[np.argsort(values[low], kind="stable")][:PLACES]
            step = max(1.0, step / FINER)
            about = np.round(np.arange(-FINER, FINER + 1) * step).astype(np.int64)
            new = np.unique((places[low][:, None] + about).clip(0, n - 1))
            new = np.setdiff1d(new, places)
            if len(new):
                places, values = np.append(places, new), np.append(values, asked(new))
                order = np.argsort(places)
                places, values = places[order], values[order]
    at = int(np.argmin(values))
    found = point.copy()
    found[k] = places[at]
    return found, float(values[at])


def sweep(
    value: Value, point: np.ndarray, best: float, shape: Sequence[int], order: np.ndarray, offset: float = 0.0
) -> tuple[np.ndarray, float]:
    """All modes in turn, and further along the way that they led."""
    first = point
    for k in order:
        found, lower = along_mode(value, point, int(k), shape[k], offset)
        if lower < best:
            point, best = found, lower
    way = point - first
    if np.count_nonzero(way) > 1:
        far = first + way * np.array([2, 3, 5, 9])[:, None]
        found, lower = best_of(*_asked(value, far, shape))
        if lower < best:
            point, best = found, lower
    return point, best


def pairs(
    value: Value, point: np.ndarray, shape: Sequence[int], most: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Two indices changed at once: each by all others of a short mode, by one up and down of a long one; the best of
    the first batch, in random order, that has a better one."""
    changes = []
    for k, n in enumerate(shape):
        others = np.setdiff1d(np.arange(n), point[k]) if n <= 4 else np.array([point[k] - 1, point[k] + 1])
        changes += [(k, int(i)) for i in others if 0 <= i < n]
    i, j = np.triu_indices(len(changes), 1)
    modes, to = np.array(changes, dtype=np.int64).reshape(-1, 2).T
    two = np.flatnonzero(modes[i] != modes[j])
    two = rng.permutation(two)[:most]
    best = float(best_of(point[None], value(point[None]))[1])
    for first in range(0, len(two), CHUNK):
        some = two[first : first + CHUNK]
        points = np.repeat(point[None], len(some), axis=0)
        rows = np.arange(len(some))
        points[rows, modes[i[some]]], points[rows, modes[j[some]]] = to[i[some]], to[j[some]]
        found, lower = best_of(points, value(points))
        if lower < best:
            return found, lower
    return point, best


def model(
    value: Value, point: np.ndarray, best: float, shape: Sequence[int], radius: float, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """The least squares fit of a quadratic polynomial to points within ``radius`` (of the modes' lengths), and its
    minima for several shifts of its curvature."""
    sizes = np.array(shape, dtype=float) - 1.0
    free = np.flatnonzero(sizes * radius >= 1.0)
    q = len(free)
    if not q or q > SMALL:
        return point, best
    terms = 1 + q + q * (q + 1) // 2
    near = np.repeat(point[None], 2 * terms, axis=0)
    near[:, free] += np.round(rng.uniform(-radius, radius, (2 * terms, q)) * sizes[free]).astype(np.int64)
    near, values = _asked(value, near, shape)
    held = ~np.isnan(values)
    if held.sum() < terms:
        return best_of(near, values)
    scaled = (near - point)[:, free] / (radius * sizes[free])
    i, j = np.triu_indices(q)
    basis = np.column_stack([np.ones(len(scaled)), scaled, scaled[:, i] * scaled[:, j]])
    with np.errstate(all="ignore"):
        fit = np.linalg.lstsq(basis[held], values[held], rcond=1e-10)[0]
    slope, curvature = fit[1 : 1 + q], np.zeros((q, q))
    curvature[i, j] = fit[1 + q :]
    curvature = curvature + curvature.T
    strengths, axes = np.linalg.eigh(curvature)
    floor = max(0.0, -float(strengths.min()))
    shifts = floor + SHIFTS * max(float(np.abs(strengths).max()), 1e-300)
    ways = -(axes.T @ slope) / (strengths + shifts[:, None]) @ axes.T
    lengths = np.abs(ways).max(axis=1)
    ways /= np.maximum(1.0, lengths / 2.0)[:, None]  # no further than twice the radius
    steps = np.repeat(point[None], len(ways), axis=0)
    steps[:, free] += np.round(ways * radius * sizes[free]).astype(np.int64)
    steps, lower = _asked(value, steps, shape)
    return best_of(np.concatenate([near, steps]), np.concatenate([values, lower]))


def recombined(pool: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Beginnings of some points of a pool (m, d) with the ends of others, ``most`` of all combinations."""
    m, d = pool.shape
    first, second = rng.integers(0, m, (2, most))
    at = rng.integers(1, max(2, d), most)
    return np.where(np.arange(d) < at[:, None], pool[first], pool[second])


def _asked(value: Value, points: np.ndarray, shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    points = np.clip(points, 0, np.array(shape) - 1)
    return points, value(points)
