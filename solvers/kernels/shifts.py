"""Elements of a sum of products between products of oscillator functions, gathered by what they change.

A power of q or p links function v of a mode with few others, v + s: all terms that make the same change s of all modes
share one search for the other product, and an element is the sum of their coefficients times one table entry a mode.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel


@kernel
def insert_keys(keys: np.ndarray, slots: np.ndarray) -> None:
    """Fill an open-addressing table of places: ``slots`` (a power of two, all -1) of ``keys`` (N,), all different."""
    mask = slots.shape[0] - 1
    for i in range(keys.shape[0]):
        at = keys[i] & mask
        while slots[at] >= 0:
            at = (at + 1) & mask
        slots[at] = i


@kernel
def shifted_rows(
    products: np.ndarray,
    keys: np.ndarray,
    slots: np.ndarray,
    zobrist: np.ndarray,
    shifts: np.ndarray,
    start: np.ndarray,
    coefficient: np.ndarray,
    factor_start: np.ndarray,
    factor_mode: np.ndarray,
    factor_table: np.ndarray,
    tables: np.ndarray,
    cutoff: float,
    first: int,
    last: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows first..last-1 below the diagonal as (pointer, column, value), and the diagonal.

    ``products`` (N, d): quanta; ``shifts`` (S, d): the first is zero; contributions start[s]..start[s+1] of shift s
    have a coefficient and factors factor_start[c]..; ``tables``: entry factor_table[f] + v is the element from v on.
    """
    d = products.shape[1]
    count, most = 0, 1024
    column, value = np.empty(most, dtype=np.int32), np.empty(most)
    pointer = np.zeros(last - first + 1, dtype=np.int64)
    diagonal = np.zeros(last - first)
    most_quanta = zobrist.shape[1]
    mask = slots.shape[0] - 1
    changed, step = np.empty(shifts.shape, dtype=np.int64), np.empty(shifts.shape, dtype=np.int64)
    modes = np.zeros(shifts.shape[0], dtype=np.int64)  # that a shift changes
    for s in range(shifts.shape[0]):
        for k in range(d):
            if shifts[s, k] != 0:
                changed[s, modes[s]], step[s, modes[s]] = k, shifts[s, k]
                modes[s] += 1
    for i in range(first, last):
        for s in range(shifts.shape[0]):
            other, key, inside = i, keys[i], True
            if s > 0:
                for j in range(modes[s]):
                    k = changed[s, j]
                    v = products[i, k]
                    w = v + step[s, j]
                    if w < 0 or w >= most_quanta:
                        inside = False
                        break
                    key ^= zobrist[k, v] ^ zobrist[k, w]
                if not inside:
                    continue
                at = key & mask
                other = -1
                while slots[at] >= 0:
                    if keys[slots[at]] == key:
                        other = slots[at]
                        break
                    at = (at + 1) & mask
                if other < 0:
                    continue
            total = 0.0
            for c in range(start[s], start[s + 1]):
                part = coefficient[c]
                for f in range(factor_start[c], factor_start[c + 1]):
                    part *= tables[factor_table[f] + products[i, factor_mode[f]]]
                total += part
            if s == 0:
                diagonal[i - first] = total
            elif abs(total) > cutoff:
                if count == most:
                    most *= 2
                    longer, larger = np.empty(most, dtype=np.int32), np.empty(most)
                    for c in range(count):
                        longer[c], larger[c] = column[c], value[c]
                    column, value = longer, larger
                column[count], value[count] = other, total
                count += 1
        pointer[i - first + 1] = count
    return pointer, column[:count].copy(), value[:count].copy(), diagonal
