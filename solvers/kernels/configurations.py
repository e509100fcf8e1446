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
    depth_max = 16
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
