"""A sum of products of one-mode matrices as a TT operator of its exact TT-ranks.

    H = sum_t c_t  A^1_{p_1(t)} (x) ... (x) A^d_{p_d(t)}

1. Equal products are added up exactly. Dependent matrices of one mode are expressed by independent ones, the products
   multiplied out, and what cancels to round-off is dropped (solvers.formats.trains.independent).
2. The coefficients form a sparse tensor c[p_1..p_d]. The TT-rank at a cut is the rank of the matrix (distinct prefixes)
   x (distinct suffixes) of it. Left of the middle cut independent *rows* are kept (an interpolative decomposition),
   right of it independent *columns*. They are chosen by their true size: entries times the norms of the products they
   stand for, and of what the bond index before them stands for. (A row scaled to one instead lets the round-off of a
   cancelled product become a pivot, and true rows its multiples of 1e16.) What the rows kept leave of the others,
   below RANK_TOLERANCE of the largest, is dropped and counted.
3. The operator is compared with its terms in random product vectors; where they differ, nothing is decomposed.

Rows kept are entries of the table as given, so each bond index is one product of the original matrices on the shorter
side and the cores stay sparse. No tensor larger than the table is formed: cost O(d T R) for T terms and rank R, plus
small dense factorisations of the connected blocks. Blocks that do not touch are factorised apart, so exact zeros (and
symmetry sectors) stay exact.

Interpolative decomposition: Cheng, Gimbutas, Martinsson, Rokhlin, SIAM J. Sci. Comput. 26, 1389 (2005);
operators in this form: Ren, Li, Jiang, Shuai, J. Chem. Phys. 153, 084118 (2020).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.linalg import qr, solve_triangular
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from solvers.formats.trains.factorisations import power_of_two
from solvers.formats.trains.independent import exact_sum, independent, multiplied_out, schur_norms
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.operator_check import DEVIATION, ProductTable, deviation

RANK_TOLERANCE = 2e-15  # of a block's largest row, in true sizes; a QR leaves some 5e-16 of a dependent row
EPSILON = float(np.finfo(float).eps)
LARGEST = 1000  # exponent of two of the largest product's norm

Term = tuple[float, Mapping[int, int]]


def sum_of_products(matrices: Sequence[np.ndarray], terms: Sequence[Term]) -> TTOperator:
    """TT operator of ``sum_t c_t prod_k matrices[k][p_k(t)]`` with its exact TT-ranks.

    ``matrices[k]``: array (P_k, n_k, n_k); ``matrices[k][0]`` stands for every mode a term leaves out (the
    identity, as a rule). ``terms``: pairs ``(c, {k: p, ...})``. Equal products are added up. The result carries
    its factors (coefficients and one-mode matrices). Elements are right to round-off of the largest products.
    Raises ValueError for no terms, non-finite numbers, an index out of range, or products beyond double precision.
    A sum that vanishes gives the zero operator of ranks one.
    """
    return sum_of_products_with_error(matrices, terms)[0]


def sum_of_products_with_error(matrices: Sequence[np.ndarray], terms: Sequence[Term]) -> tuple[TTOperator, float]:
    """The operator of ``sum_of_products``, and a bound of its error in the operator norm: what was dropped or rounded.

    Some 1e-15 of the sum of the products' norms, so it is large beside the operator only where the products cancel.
    """
    stacks = [np.asarray(m) for m in matrices]
    if not stacks or not terms:
        raise ValueError("sum_of_products: at least one mode and one term are needed")
    for k, stack in enumerate(stacks):
        if stack.ndim != 3 or stack.shape[1] != stack.shape[2] or not np.all(np.isfinite(stack)):
            raise ValueError(f"sum_of_products: matrices of mode {k} must be a finite array (P, n, n)")
    norms = [schur_norms(stack) for stack in stacks]
    given, total = _added_up(stacks, terms, norms)
    reduced, left = _reduced(stacks, given, norms)
    operator, dropped = _decomposed(stacks, reduced, norms, RANK_TOLERANCE)
    if not deviation(operator, given) <= DEVIATION:  # not seen since pivots go by size; without pivots all is exact
        operator, dropped = _decomposed(stacks, given, norms, None)
        left = 0.0
        if not deviation(operator, given) <= DEVIATION:
            raise ValueError("sum_of_products: the products cannot be added up in double precision: rescale them")
    return operator, left + dropped + 4.0 * EPSILON * total


def _added_up(
    stacks: Sequence[np.ndarray], terms: Sequence[Term], norms: Sequence[np.ndarray]
) -> tuple[ProductTable, float]:
    """The distinct products, their coefficients each rounded once, and the sum of the norms of all terms.

    Left out: products that vanish, and those that are nothing in double precision beside the largest.
    """
    d = len(stacks)
    found: dict[tuple[tuple[int, int], ...], list] = {}
    for coefficient, product in terms:
        if not np.isfinite(coefficient):
            raise ValueError(f"sum_of_products: coefficient {coefficient} is not finite")
        for k, p in product.items():
            if not (0 <= k < d and 0 <= p < len(stacks[k])):
                raise ValueError(f"sum_of_products: no matrix {p} on mode {k}")
        found.setdefault(tuple(sorted((k, p) for k, p in product.items() if p)), []).append(coefficient)
    keys = np.zeros((len(found), d), dtype=np.int64)
    for row, factors in zip(keys, found):
        for k, p in factors:
            row[k] = p
    values = np.array([_sum_of_equal(parts) for parts in found.values()])
    parts = np.array([sum(map(abs, parts)) for parts in found.values()], dtype=float)
    keep = np.nonzero(parts)[0]
    for k, norm in enumerate(norms):
        keep = keep[norm[keys[keep, k]] > 0]
    if not len(keep):
        return ProductTable(tuple(stacks), keys[keep], values[keep]), 0.0
    logs = np.log2(parts[keep]) + _log_sizes(keys[keep], norms)
    if logs.max() > LARGEST:
        raise ValueError(f"sum_of_products: a product of norm 2^{logs.max():.0f} exceeds double precision: rescale it")
    keep = keep[(logs > logs.max() - LARGEST) & (values[keep] != 0)]
    return ProductTable(tuple(stacks), keys[keep], values[keep]), float(np.exp2(logs).sum())


def _sum_of_equal(parts: list) -> complex:
    """Equal products added up; what is left where decimal numbers cancel (0.1 + 0.2 - 0.3) is zero."""
    total = exact_sum(parts)
    return total if len(parts) == 1 or abs(total) > 2.0 * EPSILON * sum(map(abs, parts)) else 0.0


def _log_sizes(keys: np.ndarray, norms: Sequence[np.ndarray]) -> np.ndarray:
    """log2 of the norms of the products ``keys`` (T, j) of the modes that ``norms`` belong to."""
    sizes = np.zeros(len(keys))
    for k, norm in enumerate(norms):
        sizes += np.log2(norm, where=norm > 0, out=np.zeros(len(norm)))[keys[:, k]]
    return sizes


def _reduced(
    stacks: Sequence[np.ndarray], table: ProductTable, norms: Sequence[np.ndarray]
) -> tuple[ProductTable, float]:
    """The table over independent matrices, and a bound of the error that makes."""
    found = [independent(stack, np.unique(column).tolist()) for stack, column in zip(stacks, table.keys.T)]
    if all(one == [(p, 1.0)] for expansions, _ in found for p, one in expansions.items()):
        return table, 0.0
    out = multiplied_out(table.keys, table.values, [expansions for expansions, _ in found], norms)
    if out is None:
        return table, 0.0
    keys, values, dropped = out
    sizes = np.exp2(np.log2(np.abs(table.values)) + _log_sizes(table.keys, norms))
    for k, (_, left) in enumerate(found):
        rest = np.array([left.get(p, 0.0) for p in range(len(norms[k]))]) / np.where(norms[k] > 0, norms[k], 1.0)
        dropped += float(sizes @ rest[table.keys[:, k]])
    return table._replace(keys=keys, values=values), dropped


class _Entries(NamedTuple):
    """Sparse entries (alpha, p, beta, value) of a core's coefficients."""

    alpha: np.ndarray
    p: np.ndarray
    beta: np.ndarray
    value: np.ndarray


def _decomposed(
    stacks: Sequence[np.ndarray], table: ProductTable, norms: Sequence[np.ndarray], tolerance: float | None
) -> tuple[TTOperator, float]:
    """The operator of the table and a bound of what was dropped; ``tolerance`` None keeps every row."""
    d, dropped = len(stacks), 0.0
    if len(table.values):
        entries, dropped = _factor_table(table, norms, tolerance)
        entries = _connected(entries)
        ranks = [1] + [1 + int(core.beta.max()) for core in entries]
    else:
        none = np.zeros(1, dtype=np.int64)
        entries, ranks = [_Entries(none, none, none, np.zeros(1))] * d, [1] * (d + 1)
    factors = []
    for k, (alpha, p, beta, value) in enumerate(entries):
        used = np.unique(p)
        dense = np.zeros((len(used), ranks[k], ranks[k + 1]), dtype=np.result_type(value, float))
        np.add.at(dense, (np.searchsorted(used, p), alpha, beta), value)
        factors.append((dense, np.ascontiguousarray(stacks[k][used])))
    cores = tuple(np.ascontiguousarray(np.einsum("pab,pij->aijb", c, m)) for c, m in factors)
    return TTOperator(cores, factors=tuple(factors)), dropped


def _factor_table(
    table: ProductTable, norms: Sequence[np.ndarray], tolerance: float | None
) -> tuple[list[_Entries], float]:
    """Coefficients of the cores: rows kept left of the middle cut, columns right of it."""
    keys, d = table.keys, table.keys.shape[1]
    middle = d // 2
    nothing = np.zeros(1)
    left = _sweep(np.zeros(len(keys), dtype=np.int64), keys, table.values, norms, nothing, middle, tolerance)
    # the mirrored problem: the bond index of the middle cut is the last "mode" and stays
    mirrored = np.column_stack([left.keys[:, ::-1], left.alpha])
    start = np.zeros(len(mirrored), dtype=np.int64)
    right = _sweep(start, mirrored, left.values, norms[middle:][::-1], left.weights, d - middle, tolerance)
    # the full-rank matrix between the two halves goes into the first core right of the middle
    alpha = right.keys[:, 0]
    ranks = (int(alpha.max()) + 1, int(right.alpha.max()) + 1)
    joint = coo_matrix((right.values, (alpha, right.alpha)), shape=ranks).tocsr()
    cores = list(left.cores)
    for j, (b, p, a, v) in enumerate(reversed(right.cores)):
        if j > 0:
            cores.append(_Entries(a, p, b, v))
            continue
        entries = joint @ coo_matrix((v, (a, np.arange(len(v)))), shape=(ranks[1], len(v))).tocsr()
        entries = entries.tocoo()
        cores.append(_Entries(entries.row, p[entries.col], b[entries.col], entries.data))
    return cores, left.dropped + right.dropped


def _connected(cores: Sequence[_Entries]) -> list[_Entries]:
    """Without bond indices that lead nowhere, as small entries dropped on one side leave them on the other."""
    cores = list(cores)
    for towards in (range(len(cores) - 1), range(len(cores) - 2, -1, -1)):
        for k in towards:
            before, after = cores[k], cores[k + 1]
            common = np.intersect1d(before.beta, after.alpha)
            ends, begins = np.isin(before.beta, common), np.isin(after.alpha, common)
            before = _Entries(*(part[ends] for part in before))
            after = _Entries(*(part[begins] for part in after))
            cores[k] = before._replace(beta=np.searchsorted(common, before.beta))
            cores[k + 1] = after._replace(alpha=np.searchsorted(common, after.alpha))
    return cores


class _Swept(NamedTuple):
    """Cores made, the table that remains (bond index, keys, values), log2 norms of the bond indices, what was dropped.

    The norm of a bond index is a bound of that of the operator it stands for on the modes already swept.
    """

    cores: list[_Entries]
    alpha: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    dropped: float


def _sweep(
    alpha: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    norms: Sequence[np.ndarray],
    last: np.ndarray,
    steps: int,
    tolerance: float | None,
) -> _Swept:
    """Keep independent rows (bond index, matrix) cut by cut. ``norms`` belong to the first columns of ``keys``.

    ``last``: log2 norms of what one more column at the end stands for, where there is one.
    """
    cores: list[_Entries] = []
    weights, dropped = np.zeros(1), 0.0
    suffixes = _suffixes(keys)
    sizes = _log_sizes(keys, norms)  # of the columns, log2
    if keys.shape[1] > len(norms):
        sizes += last[keys[:, -1]]
    place = np.arange(len(keys))  # of each entry: a row of keys that ends like it
    for step in range(steps):
        used = len(norms[step])
        row_labels, rows = np.unique(alpha * used + keys[place, step], return_inverse=True)
        _, first, columns = np.unique(suffixes[step + 1][place], return_index=True, return_inverse=True)
        ends = place[first]
        matrix = coo_matrix((values, (rows.ravel(), columns.ravel())), shape=(len(row_labels), len(ends))).tocsr()
        bonds, ones = np.divmod(row_labels, used)
        sizes -= _log_sizes(keys[:, step : step + 1], norms[step : step + 1])
        row_sizes = weights[bonds] + _log_sizes(ones[:, None], norms[step : step + 1])
        kept = _kept_rows(matrix, row_sizes, sizes[ends], tolerance)
        cores.append(_Entries(bonds[kept.row], ones[kept.row], kept.bond, kept.value))
        weights, dropped = kept.weights, dropped + kept.dropped
        remaining = matrix[kept.chosen].tocoo()
        alpha, place, values = remaining.row.astype(np.int64), ends[remaining.col], remaining.data
    return _Swept(cores, alpha, keys[place, steps:], values, weights, dropped)


def _suffixes(keys: np.ndarray) -> list[np.ndarray]:
    """For each k a number of each row that says which keys[:, k:] it has, in ascending order. Cost O(d T log T)."""
    labels = [np.zeros(len(keys), dtype=np.int64)]
    for column in keys.T[::-1]:
        _, label = np.unique(column * (labels[-1].max() + 1) + labels[-1], return_inverse=True)
        labels.append(label.ravel())
    return labels[::-1]


class _Kept(NamedTuple):
    """Rows chosen, the expansion (row, bond, value) of every row in them, their log2 norms, and what was dropped."""

    chosen: np.ndarray
    row: np.ndarray
    bond: np.ndarray
    value: np.ndarray
    weights: np.ndarray
    dropped: float


def _kept_rows(matrix: csr_matrix, row_sizes: np.ndarray, column_sizes: np.ndarray, tolerance: float | None) -> _Kept:
    """Rows that span the sparse matrix in true sizes: entry times 2^(row size + column size)."""
    m, n = matrix.shape
    if tolerance is None:
        every = np.arange(m)
        return _Kept(every, every, every, np.ones(m), row_sizes, 0.0)
    pattern = matrix.tocoo()
    graph = coo_matrix((np.ones(pattern.nnz), (pattern.row, m + pattern.col)), shape=(m + n, m + n))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels[:m], kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(labels[order]) != 0, True])
    # whole powers of two, as scaling must not round
    row_powers, column_powers = np.rint(row_sizes).astype(np.int64), np.rint(column_sizes).astype(np.int64)
    chosen, e_row, e_bond, e_value, weights, dropped, base = [], [], [], [], [], 0.0, 0
    for s, e in pairwise(starts):
        rows = order[s:e]
        if len(rows) == 1:
            pivots, expansion, sums, lost = np.zeros(1, dtype=np.int64), np.ones((1, 1)), np.ones(1), 0.0
        else:
            block = matrix[rows]
            columns = np.unique(block.indices)
            block = block[:, columns].toarray()
            powers = row_powers[rows][:, None] + column_powers[columns][None, :]
            _, exponents = np.frexp(np.abs(block))
            top = int(np.where(block != 0, exponents + powers, -(10**9)).max())
            pivots, expansion, lost = _interpolated(power_of_two(block, np.maximum(powers - top, -2000)), tolerance)
            sums = np.abs(expansion).sum(axis=0)
            dropped += 2.0 * math.ldexp(lost, top)
            expansion = power_of_two(expansion, row_powers[rows[pivots]][None, :] - row_powers[rows][:, None])
        i, j = np.nonzero(expansion)
        chosen.append(rows[pivots])
        e_row.append(rows[i])
        e_bond.append(base + j)
        e_value.append(expansion[i, j])
        weights.append(row_sizes[rows[pivots]] + np.log2(sums))
        base += len(pivots)
    joined = [np.concatenate(parts) for parts in (chosen, e_row, e_bond, e_value, weights)]
    return _Kept(joined[0], joined[1], joined[2], joined[3], joined[4], dropped)


def _interpolated(block: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Independent rows of a dense block, every row expressed in them, and the sum of what is left of the rows."""
    _, r, order = qr(block.T, mode="economic", pivoting=True, check_finite=False)
    diagonal = np.abs(np.diagonal(r))
    floor = tolerance * diagonal[0]
    rank = max(1, int(np.count_nonzero(diagonal > floor)))
    by_size = order[:rank]
    expansion = np.zeros((len(block), rank), dtype=block.dtype)
    expansion[order[rank:]] = solve_triangular(r[:rank, :rank], r[:rank, rank:], check_finite=False).T
    expansion[np.abs(expansion) * np.linalg.norm(block[by_size], axis=1)[None, :] <= floor] = 0.0
    expansion[by_size] = np.eye(rank)
    lost = float(np.abs(block - expansion @ block[by_size]).sum())
    ascending = np.argsort(by_size)
    return by_size[ascending], expansion[:, ascending], lost
