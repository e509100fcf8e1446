"""Compiled loops over lists of multi-indices: a hash table of those met before, pairs of rows, pivots of a block.

Multi-indices are packed into words of 62 bits. The table has open addressing: ``slots`` (a power of two of places, -1
where empty) hold row numbers of ``keys``. Signed integers throughout: products wrap round.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel

SPREAD = -7046029254386353131  # 2^64 over the golden ratio, as a signed number


@kernel
def written(left: np.ndarray, middle: np.ndarray, right: np.ndarray) -> np.ndarray:
    """All multi-indices (a s b, d) of left (a, k), middle (s, w) and right (b, d - k - w) parts, the last fastest."""
    a, k = left.shape
    s, w = middle.shape
    b, rest = right.shape
    out = np.empty((a * s * b, k + w + rest), dtype=np.int64)
    row = 0
    for p in range(a):
        for i in range(s):
            for q in range(b):
                for m in range(k):
                    out[row, m] = left[p, m]
                for m in range(w):
                    out[row, k + m] = middle[i, m]
                for m in range(rest):
                    out[row, k + w + m] = right[q, m]
                row += 1
    return out


@kernel
def looked_up(grids: np.ndarray, firsts: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Coordinates (m, d) at multi-indices; ``grids``: those of all modes in a row, mode q from firsts[q] on."""
    m, d = indices.shape
    out = np.empty((m, d))
    for j in range(m):
        for q in range(d):
            out[j, q] = grids[firsts[q] + indices[j, q]]
    return out


@kernel
def locate(
    slots: np.ndarray,
    keys: np.ndarray,
    count: int,
    most: int,
    indices: np.ndarray,
    words: np.ndarray,
    shifts: np.ndarray,
    positions: np.ndarray,
    fresh: np.ndarray,
) -> int:
    """The row in ``keys`` of each multi-index (m, d), added where new and where fewer than ``most`` are there.

    ``positions`` (m,) is filled (-1: not there and no room), ``fresh`` with the numbers of the multi-indices added;
    returns how many these are. ``keys`` and ``slots`` must have room.
    """
    m, d = indices.shape
    width, mask = keys.shape[1], len(slots) - 1
    key = np.zeros(width, dtype=np.int64)
    new = 0
    for j in range(m):
        for w in range(width):
            key[w] = 0
        for q in range(d):
            key[words[q]] |= indices[j, q] << shifts[q]
        mixed = np.int64(0)
        for w in range(width):
            mixed = (mixed ^ key[w]) * SPREAD
            mixed ^= mixed >> 31
        slot = mixed & mask
        while True:
            place = slots[slot]
            if place < 0:
                if count < most:
                    for w in range(width):
                        keys[count, w] = key[w]
                    slots[slot] = count
                    positions[j] = count
                    fresh[new] = j
                    new += 1
                    count += 1
                else:
                    positions[j] = -1
                break
            same = True
            for w in range(width):
                if keys[place, w] != key[w]:
                    same = False
                    break
            if same:
                positions[j] = place
                break
            slot = (slot + 1) & mask
    return new


@kernel
def fill(slots: np.ndarray, keys: np.ndarray, count: int) -> None:
    """Enter the first ``count`` rows of ``keys``, all different, into empty ``slots``."""
    width, mask = keys.shape[1], len(slots) - 1
    for place in range(count):
        mixed = np.int64(0)
        for w in range(width):
            mixed = (mixed ^ keys[place, w]) * SPREAD
            mixed ^= mixed >> 31
        slot = mixed & mask
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = place


@kernel
def unpacked(
    keys: np.ndarray, rows: np.ndarray, words: np.ndarray, shifts: np.ndarray, masks: np.ndarray
) -> np.ndarray:
    """The multi-indices (m, d) that rows (m,) of ``keys`` stand for."""
    out = np.empty((len(rows), len(words)), dtype=np.int64)
    for j in range(len(rows)):
        for q in range(len(words)):
            out[j, q] = (keys[rows[j], words[q]] >> shifts[q]) & masks[q]
    return out


@kernel
def distinct(indices: np.ndarray, low: int, high: int, slots: np.ndarray, ids: np.ndarray, firsts: np.ndarray) -> int:
    """Numbers ``ids`` (m,) of the different rows of indices[:, low:high], and of each the row where it came first.

    ``slots``: empty places, at least 2 m. Returns how many there are.
    """
    mask = len(slots) - 1
    count = 0
    for j in range(len(indices)):
        mixed = np.int64(0)
        for q in range(low, high):
            mixed = (mixed ^ indices[j, q]) * SPREAD
            mixed ^= mixed >> 31
        slot = mixed & mask
        while True:
            place = slots[slot]
            if place < 0:
                slots[slot] = count
                firsts[count] = j
                ids[j] = count
                count += 1
                break
            same = True
            for q in range(low, high):
                if indices[firsts[place], q] != indices[j, q]:
                    same = False
                    break
            if same:
                ids[j] = place
                break
            slot = (slot + 1) & mask
    return count


@kernel
def paired(left: np.ndarray, right: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """sum_q left[i[p], q] right[j[p], q] for each p, (m,)."""
    out = np.empty(len(i), dtype=left.dtype)
    r = left.shape[1]
    for p in range(len(i)):
        a, b = i[p], j[p]
        total = left[a, 0] * right[b, 0]
        for q in range(1, r):
            total += left[a, q] * right[b, q]
        out[p] = total
    return out


@kernel
def largest_pivots(matrix: np.ndarray, most: int, tol: float, rows: np.ndarray, columns: np.ndarray) -> int:
    """Gaussian elimination with full pivoting, until no entry passes ``tol``: ``matrix`` becomes what remains.

    ``rows`` and ``columns`` are filled with the pivots, at most ``most``; returns their number. Cost 2 m n a pivot.
    """
    m, n = matrix.shape
    row = np.empty(n, dtype=matrix.dtype)
    for step in range(most):
        best, i, j = tol, -1, -1
        for p in range(m):
            for q in range(n):
                size = abs(matrix[p, q])
                if size > best:
                    best, i, j = size, p, q
        if i < 0:
            return step
        rows[step], columns[step] = i, j
        pivot = matrix[i, j]
        for q in range(n):
            row[q] = matrix[i, q] / pivot
        for p in range(m):
            factor = matrix[p, j]
            if factor != 0.0:
                for q in range(n):
                    matrix[p, q] -= factor * row[q]
        for q in range(n):  # exactly, so that no pivot is found twice
            matrix[i, q] = 0.0
        for p in range(m):
            matrix[p, j] = 0.0
    return most
