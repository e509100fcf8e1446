"""A sum of products of one-mode matrices as a TT operator of its exact TT-ranks.

    H = sum_t c_t  A^1_{p_1(t)} (x) ... (x) A^d_{p_d(t)}

The coefficients form a sparse tensor c[p_1..p_d]. The TT-rank at a cut is the rank of the matrix (distinct
prefixes) x (distinct suffixes) of that tensor, provided the matrices of each mode are linearly independent
(dependent ones are expressed by the others first). Left of the middle cut, independent *rows* of these matrices
are kept (an interpolative decomposition), right of it independent *columns*, so each bond index is one
product of the original matrices on the shorter side and the operator cores stay sparse. No tensor larger than the
table of terms is ever formed: cost O(d T R) entries for T terms and rank R, plus small dense factorisations of the
connected blocks. Blocks that do not touch are factorised apart, so exact zeros (and symmetry sectors) stay exact.

Interpolative decomposition: Cheng, Gimbutas, Martinsson, Rokhlin, SIAM J. Sci. Comput. 26, 1389 (2005);
operators in this form: Ren, Li, Jiang, Shuai, J. Chem. Phys. 153, 084118 (2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.linalg import lstsq, qr
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from solvers.trains.operator import TTOperator

RANK_TOLERANCE = 1e-11  # of a row or column scaled to one; the coefficients are exact input data

Term = tuple[float, Mapping[int, int]]


def sum_of_products(matrices: Sequence[np.ndarray], terms: Sequence[Term]) -> TTOperator:
    """TT operator of ``sum_t c_t prod_k matrices[k][p_k(t)]`` with its exact TT-ranks.

    ``matrices[k]``: array (P_k, n_k, n_k); ``matrices[k][0]`` stands for every mode a term leaves out (the
    identity, as a rule). ``terms``: pairs ``(c, {k: p, ...})``. Equal products are added up. The result carries
    its factors (coefficients and one-mode matrices). Raises ValueError for no terms, non-finite numbers, or an
    index out of range. A sum that vanishes gives the zero operator of ranks one.
    """
    stacks = [np.asarray(m) for m in matrices]
    d = len(stacks)
    if d == 0 or not terms:
        raise ValueError("sum_of_products: at least one mode and one term are needed")
    for k, stack in enumerate(stacks):
        if stack.ndim != 3 or stack.shape[1] != stack.shape[2] or not np.all(np.isfinite(stack)):
            raise ValueError(f"sum_of_products: matrices of mode {k} must be a finite array (P, n, n)")
    bases, expansions = zip(*(_independent(stack) for stack in stacks))
    table: dict[tuple[int, ...], float] = {}
    for coefficient, product in terms:
        if not np.isfinite(coefficient):
            raise ValueError(f"sum_of_products: coefficient {coefficient} is not finite")
        for k, p in product.items():
            if not (0 <= k < d and 0 <= p < len(stacks[k])):
                raise ValueError(f"sum_of_products: no matrix {p} on mode {k}")
        _expand(table, coefficient, [expansions[k][product.get(k, 0)] for k in range(d)])
    table = {key: c for key, c in table.items() if c != 0}
    coefficients = _factor_table(table, d) if table else None
    if coefficients is None:
        coefficients = [(np.zeros(1, int), np.zeros(1, int), np.zeros(1, int), np.zeros(1))] * d
        ranks = [1] * (d + 1)
    else:
        ranks = [1] + [1 + int(core[2].max()) for core in coefficients]
    factors = []
    for k, (alpha, p, beta, value) in enumerate(coefficients):
        used = np.unique(p)
        dense = np.zeros((len(used), ranks[k], ranks[k + 1]), dtype=np.result_type(value, float))
        np.add.at(dense, (np.searchsorted(used, p), alpha, beta), value)
        factors.append((dense, np.ascontiguousarray(bases[k][used])))
    cores = tuple(np.ascontiguousarray(np.einsum("pab,pij->aijb", c, m)) for c, m in factors)
    return TTOperator(cores, factors=tuple(factors))


def _independent(stack: np.ndarray) -> tuple[np.ndarray, list[list[tuple[int, float]]]]:
    """A subset of the matrices that spans them all, and each matrix expressed in it as (index, coefficient)."""
    flat = stack.reshape(len(stack), -1)
    norms = np.linalg.norm(flat, axis=1)
    kept: list[int] = []
    basis = np.zeros((0, flat.shape[1]), dtype=flat.dtype)
    expansions: list[list[tuple[int, float]]] = []
    for i, row in enumerate(flat):
        if norms[i] == 0.0:
            expansions.append([])
            continue
        rest = row - basis.conj() @ row @ basis if len(kept) else row
        rest = rest - basis.conj() @ rest @ basis if len(kept) else rest
        if np.linalg.norm(rest) > 1e-12 * norms[i]:
            basis = np.vstack([basis, rest / np.linalg.norm(rest)])
            kept.append(i)
            expansions.append([(len(kept) - 1, 1.0)])
        else:
            x = lstsq((flat[kept] / norms[kept, None]).T, row / norms[i])[0] * norms[i] / norms[kept]
            expansions.append([(j, c) for j, c in enumerate(x) if abs(c) * norms[kept[j]] > 1e-13 * norms[i]])
    return stack[kept] if kept else stack[:1], expansions


def _expand(table: dict, coefficient: float, choices: list[list[tuple[int, float]]]) -> None:
    """Add one product to the table, multiplied out over the expansions of its matrices."""
    partial: list[tuple[tuple[int, ...], float]] = [((), coefficient)]
    for options in choices:
        partial = [((*key, j), c * v) for key, c in partial for j, v in options]
    for key, c in partial:
        table[key] = table.get(key, 0.0) + c


def _factor_table(table: dict[tuple[int, ...], float], d: int):
    """Sparse operator cores (alpha, p, beta, value) of the coefficient tensor, rows kept left, columns right."""
    keys = np.array(list(table), dtype=np.int64)
    values = np.array(list(table.values()))
    middle = d // 2
    left, alpha, keys, values = _sweep(np.zeros(len(keys), dtype=np.int64), keys, values, middle)
    # the mirrored problem: the bond index of the middle cut is the last "mode" and stays
    mirrored = np.column_stack([keys[:, ::-1], alpha])
    right, beta, rest, values = _sweep(np.zeros(len(keys), dtype=np.int64), mirrored, values, d - middle)
    # the square full-rank matrix between the two halves goes into the first core right of the middle
    alpha = rest[:, 0]
    ranks = (int(alpha.max()) + 1, int(beta.max()) + 1)
    joint = coo_matrix((values, (alpha, beta)), shape=ranks).tocsr()
    cores = list(left)
    for j, (b, p, a, v) in enumerate(reversed(right)):
        if j > 0:
            cores.append((a, p, b, v))
            continue
        entries = joint @ coo_matrix((v, (a, np.arange(len(v)))), shape=(ranks[1], len(v))).tocsr()
        entries = entries.tocoo()
        cores.append((entries.row, p[entries.col], b[entries.col], entries.data))
    return cores


def _sweep(alpha: np.ndarray, keys: np.ndarray, values: np.ndarray, steps: int):
    """Keep independent rows (bond index, matrix) cut by cut; returns the cores, and the remaining sparse matrix."""
    cores = []
    for _ in range(steps):
        row_labels, rows = np.unique(np.column_stack([alpha, keys[:, 0]]), axis=0, return_inverse=True)
        columns_left = keys[:, 1:]
        if columns_left.shape[1]:
            column_labels, columns = np.unique(columns_left, axis=0, return_inverse=True)
        else:
            column_labels, columns = np.zeros((1, 0), dtype=np.int64), np.zeros(len(keys), dtype=np.int64)
        rows, columns = rows.ravel(), columns.ravel()
        matrix = coo_matrix((values, (rows, columns)), shape=(len(row_labels), len(column_labels))).tocsr()
        chosen, entries = _independent_rows(matrix)
        e_row, e_bond, e_value = entries
        cores.append((row_labels[e_row, 0], row_labels[e_row, 1], e_bond, e_value))
        kept = matrix[chosen].tocoo()
        alpha, keys, values = kept.row.astype(np.int64), column_labels[kept.col], kept.data
    return cores, alpha, keys, values


def _independent_rows(matrix) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Rows that span the sparse matrix, and the expansion (row, kept, value) of every row in them."""
    m, n = matrix.shape
    pattern = matrix.tocoo()
    graph = coo_matrix((np.ones(pattern.nnz), (pattern.row, m + pattern.col)), shape=(m + n, m + n))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels[:m], kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(labels[order]) != 0, True])
    chosen: list[int] = []
    e_row: list[int] = []
    e_bond: list[int] = []
    e_value: list[float] = []
    for s, e in pairwise(starts):
        rows = order[s:e]
        block = matrix[rows]
        block = block[:, np.unique(block.indices)].toarray()
        scale = np.linalg.norm(block, axis=1)
        scaled = block / scale[:, None]
        if len(rows) == 1:
            pivots, expansion = np.zeros(1, int), np.ones((1, 1))
        else:
            _, r, order_p = qr(scaled.conj().T, mode="economic", pivoting=True)
            diagonal = np.abs(np.diagonal(r))
            rank = int(np.sum(diagonal > RANK_TOLERANCE * diagonal[0]))
            pivots = np.sort(order_p[:rank])
            expansion = lstsq(scaled[pivots].T, scaled.T)[0].T
            expansion[np.abs(expansion) < 1e-13] = 0.0
            expansion[pivots] = np.eye(rank)
            expansion = expansion * scale[:, None] / scale[pivots][None, :]
        base = len(chosen)
        chosen.extend(rows[pivots])
        i, j = np.nonzero(expansion)
        e_row.extend(rows[i])
        e_bond.extend(base + j)
        e_value.extend(expansion[i, j])
    return np.array(chosen), (np.array(e_row), np.array(e_bond), np.array(e_value))
