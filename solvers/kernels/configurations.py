"""Rows of a Hamiltonian over a list of product functions: every term walks along the modes that it acts on."""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel


@kernel
def matrix_rows(
    configurations: np.ndarray,
    keys: np.ndarray,
    sorted_keys: np.ndarray,
    order: np.ndarray,
    zobrist: np.ndarray,
    diagonal: np.ndarray,
    term_c: np.ndarray,
    term_start: np.ndarray,
    term_mode: np.ndarray,
    term_matrix: np.ndarray,
    matrix_offset: np.ndarray,
    matrix_size: np.ndarray,
    matrices: np.ndarray,
    cutoff: float,
    first: int,
    last: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Upper-triangle entries (row, column, value) of rows first..last-1, added up per row."""
    n = configurations.shape[0]
    value = np.zeros(n)
    touched = np.empty(n, dtype=np.int64)
    mark = np.zeros(n, dtype=np.bool_)
    out_column, out_value = [np.int64(0)], [0.0]
    out_column.clear()
    out_value.clear()
    pointer = np.zeros(last - first + 1, dtype=np.int64)
    depth_max = 1
    for t in range(term_c.shape[0]):
        depth_max = max(depth_max, term_start[t + 1] - term_start[t])
    choice = np.zeros(depth_max, dtype=np.int64)
    amplitude = np.zeros(depth_max + 1)
    key_at = np.zeros(depth_max + 1, dtype=np.int64)
    for i in range(first, last):
        count = 0
        for t in range(term_c.shape[0]):
            start, stop = term_start[t], term_start[t + 1]
            depth = stop - start
            amplitude[0] = term_c[t]
            key_at[0] = keys[i]
            level = 0
            choice[0] = -1
            while level >= 0:
                if level == depth:
                    at = np.searchsorted(sorted_keys, key_at[level])
                    if at < n and sorted_keys[at] == key_at[level]:
                        j = order[at]
                        if j > i:
                            if not mark[j]:
                                mark[j] = True
                                touched[count] = j
                                count += 1
                            value[j] += amplitude[level]
                    level -= 1
                    continue
                k = term_mode[start + level]
                m = term_matrix[start + level]
                size = matrix_size[k]
                own = configurations[i, k]
                base = matrix_offset[m] + own * size
                found = False
                j = choice[level] + 1
                while j < size:
                    a = amplitude[level] * matrices[base + j]
                    if abs(a) > cutoff:
                        found = True
                        break
                    j += 1
                if not found:
                    level -= 1
                    continue
                choice[level] = j
                amplitude[level + 1] = a
                key_at[level + 1] = key_at[level] ^ zobrist[k, own] ^ zobrist[k, j]
                level += 1
                if level < depth:
                    choice[level] = -1
        for c in range(count):
            j = touched[c]
            if value[j] != 0.0:
                out_column.append(j)
                out_value.append(value[j])
            value[j] = 0.0
            mark[j] = False
        pointer[i - first + 1] = len(out_column)
    return pointer, np.array(out_column), np.array(out_value)


@kernel
def images_outside(
    sources: np.ndarray,
    coefficients: np.ndarray,
    zobrist: np.ndarray,
    inside: np.ndarray,
    term_c: np.ndarray,
    term_start: np.ndarray,
    term_mode: np.ndarray,
    term_matrix: np.ndarray,
    matrix_offset: np.ndarray,
    matrix_size: np.ndarray,
    matrices: np.ndarray,
    cutoff: float,
    capacity: int,
    most: int,
) -> tuple[np.ndarray, np.ndarray, bool]:
    """What the terms of a symmetric H make of a sum of products, where a mode leaves the functions ``inside`` (d, n)
    marks.

    Products (M, d), their elements (M,), and whether these are all: False where more than ``capacity`` products were
    met or ``most`` elements of matrices taken. Elements of one term below ``cutoff`` are passed over. Open addressing:
    the key of a product is the XOR of the ``zobrist`` numbers of its functions.
    """
    count, d = 0, sources.shape[1]
    taken = 0
    depth_max = 1
    for t in range(term_c.shape[0]):
        depth_max = max(depth_max, term_start[t + 1] - term_start[t])
    slots = 1
    while slots < 2 * capacity:
        slots *= 2
    slot_key = np.zeros(slots, dtype=np.int64)
    slot_at = np.full(slots, -1, dtype=np.int64)
    found = np.empty((capacity, d), dtype=np.int16)
    value = np.zeros(capacity)
    choice = np.zeros(depth_max, dtype=np.int64)
    amplitude = np.zeros(depth_max + 1)
    key_at = np.zeros(depth_max + 1, dtype=np.int64)
    left = np.zeros(depth_max + 1, dtype=np.int64)  # modes outside so far
    for i in range(sources.shape[0]):
        key = np.int64(0)
        for k in range(d):
            key ^= zobrist[k, sources[i, k]]
        key_at[0] = key
        for t in range(term_c.shape[0]):
            start = term_start[t]
            depth = term_start[t + 1] - start
            if depth == 0:
                continue  # a constant
            amplitude[0] = term_c[t] * coefficients[i]
            level = 0
            choice[0] = -1
            while level >= 0:
                if level == depth:
                    key = key_at[level]
                    slot = (key ^ (key >> 29)) & (slots - 1)
                    while slot_at[slot] >= 0 and slot_key[slot] != key:
                        slot = (slot + 1) & (slots - 1)
                    if slot_at[slot] < 0:
                        if count == capacity:
                            return found, value, False
                        slot_key[slot] = key
                        slot_at[slot] = count
                        for k in range(d):
                            found[count, k] = sources[i, k]
                        for l in range(depth):
                            found[count, term_mode[start + l]] = choice[l]
                        count += 1
                    value[slot_at[slot]] += amplitude[level]
                    level -= 1
                    continue
                k = term_mode[start + level]
                size = matrix_size[k]
                own = sources[i, k]
                base = matrix_offset[term_matrix[start + level]] + own * size
                last = level == depth - 1 and left[level] == 0  # the last mode of the term must leave
                j = choice[level] + 1
                a = 0.0
                while j < size:
                    a = amplitude[level] * matrices[base + j]
                    if abs(a) > cutoff and not (last and inside[k, j]):
                        break
                    j += 1
                if j >= size:
                    level -= 1
                    continue
                taken += 1
                if taken > most:
                    return found[:count], value[:count], False
                choice[level] = j
                amplitude[level + 1] = a
                key_at[level + 1] = key_at[level] ^ zobrist[k, own] ^ zobrist[k, j]
                left[level + 1] = left[level] + (0 if inside[k, j] else 1)
                level += 1
                if level < depth:
                    choice[level] = -1
    return found[:count].copy(), value[:count].copy(), True
