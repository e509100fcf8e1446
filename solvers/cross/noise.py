"""Whether what a train leaves of a function is noise of the values, which no rank can follow.

An error that stays while the ranks grow may be noise, or a part of the function whose rank is not reached yet: a sum of
Gaussians in quantics keeps an error for a while when a narrow one waits for its turn. The remainder tells them apart,
as a matrix E between all indices of a few neighbouring modes and random indices of all others:
    1. noise has no rank: the directions that some rows of E, less their means, show say nothing of other rows, nor
       do steps, of a value that is rounded, which are elsewhere in each,
    2. what is smooth along the finest digits that it varies in, or a sum of few products, is the same few directions.
So it is no noise where half of the groups of modes say so, of those in which it varies least, the finest digits: along
coarse ones decimal rounding repeats itself, and smooth parts oscillate. Nor is a remainder at random entries that is
far smaller than the error that stays, which is then that of a place.
Cost: ``ROWS`` times ``WIDE`` evaluations a group of modes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from solvers.cross.known import entries
from solvers.formats.trains.tensor_train import TensorTrain

ROWS = 64  # random indices of all other modes
WIDE = 32  # indices of a group of modes, at most
NARROW = 8  # with fewer a group says nothing
VARIES = 0.1  # of the root mean square of the remainder: so much must be left of most rows without their means
FINEST = 2.0  # times the least of those: groups that vary so much are the finest
SMOOTH = 1e-8  # of the squares may be left by a small rank: noise enlarged 3000 times leaves more
EXPLAINS = 100.0  # times smaller than the error that stays may noise be at random entries


def is_noise(source: Any, train: TensorTrain, error: float) -> bool:
    """Whether the remainder f - ``train`` is noise; ``error``: the one that stays (absolute)."""
    rng = np.random.default_rng(source.known.count)
    left = [_remainder(source, train, group, rng) for group in groups(source.shape)]
    size = math.sqrt(float(np.mean(np.concatenate([np.abs(e.ravel()) ** 2 for e in left]))))
    if size * EXPLAINS < error:
        return False
    varying = [e - e.mean(axis=1, keepdims=True) for e in left if e.shape[1] >= NARROW]
    sizes = np.array([float(np.median(np.sqrt(np.mean(np.abs(e) ** 2, axis=1)))) for e in varying])
    least = sizes.min(initial=np.inf, where=sizes >= VARIES * size)
    asked = (sizes >= least) & (sizes <= FINEST * least)
    small = [_small_rank(varying[k]) for k in np.flatnonzero(asked)]
    return 2 * sum(small) < len(small)


def groups(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring modes [low, high), every mode in one of them, ``WIDE`` indices or more where there are so many."""
    found, low = [], 0
    for k in range(len(shape)):
        if math.prod(shape[low : k + 1]) >= WIDE:
            found.append((low, k + 1))
            low = k + 1
    if low < len(shape):  # the rest, with those before that it takes
        start = low
        while start > 0 and math.prod(shape[start:]) < WIDE:
            start -= 1
        found.append((start, len(shape)))
    return found


def _remainder(source: Any, train: TensorTrain, group: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """f - train (rows, columns) at random indices of other modes and those of a group."""
    shape, (low, high) = source.shape, group
    count = min(WIDE, math.prod(shape[low:high]))
    if math.prod(shape[low:high]) == count:
        numbers = np.arange(count)
        inner = np.column_stack(np.unravel_index(numbers, shape[low:high]))
    else:
        inner = np.column_stack([rng.integers(0, n, WIDE) for n in shape[low:high]])
        inner = np.unique(inner, axis=0)
    points = np.column_stack([rng.integers(0, n, ROWS) for n in shape])
    points = np.repeat(points, len(inner), axis=0)
    points[:, low:high] = np.tile(inner, (ROWS, 1))
    return (source.points(points, low) - entries(train, points, low)).reshape(ROWS, len(inner))


def _small_rank(matrix: np.ndarray) -> bool:
    """Whether half of the directions that one half of the rows (p, m) shows explain the other half."""
    half = len(matrix) // 2
    v = np.linalg.svd(matrix[:half], full_matrices=False)[2][: min(half, matrix.shape[1]) // 2]
    rest = matrix[half:] - matrix[half:] @ v.conj().T @ v
    return bool(np.linalg.norm(rest) ** 2 <= SMOOTH * np.linalg.norm(matrix) ** 2)
