"""A TT operator of a small space as what it is: a diagonal, a dense matrix, or a sparse one.

Dense up to ``DENSE`` product functions; above, the sparse blocks of the left and of the right half of the train are
multiplied out, where their product stays below ``MOST_ENTRIES``. The basis is that of the trains: the functions of
every mode in ascending charge, the last mode fastest.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.group import added, all_added
from solvers.sectors.train import ModeCharges

DENSE = 4200  # functions: 2 s of one core and 0.4 GB for a few levels of a real matrix, measured
SMALL = 100_000  # functions, for which vectors over all of them are kept at all
MOST_ENTRIES = 40_000_000  # of a sparse matrix: half a gigabyte, 40 ms a product
LARGEST_DIAGONAL = 20_000_000

Matrix: TypeAlias = Any  # an array (N, N), or a sparse matrix


def size_of(modes: ModeCharges) -> float:
    """Number of product functions (as a float: it may be astronomical)."""
    return float(np.prod([float(sum(n for _, n in mode)) for mode in modes]))


def space_of(modes: ModeCharges, charge: int) -> int:
    """Dimension of the space of one charge."""
    count = {0: 1}
    for mode in modes:
        new: dict[int, int] = {}
        for c, number in count.items():
            for m, n in mode:
                new[added(c, m)] = new.get(added(c, m), 0) + number * n
        count = new
    return count.get(charge, 0)


def total_charges(modes: ModeCharges) -> np.ndarray:
    """The charge of every product function."""
    total = np.zeros(1, dtype=np.int64)
    for mode in modes:
        own = np.concatenate([np.full(n, c) for c, n in mode])
        total = all_added(total, own).ravel()
    return total


def diagonal(operator: TTOperator) -> np.ndarray | None:
    """The diagonal of an operator whose cores hold nothing else; None for any other, or one that is too large."""
    if math.prod(float(n) for n in operator.row_shape) > LARGEST_DIAGONAL:
        return None
    for core in operator.cores:
        n = core.shape[1]
        if np.any(core[:, ~np.eye(n, dtype=bool)]):
            return None
    cores = tuple(np.ascontiguousarray(np.einsum("aiib->aib", core)) for core in operator.cores)
    return TensorTrain(cores).full(LARGEST_DIAGONAL).ravel()


def matrix(operator: TTOperator) -> Matrix | None:
    """The Hermitian matrix of the operator, dense or sparse; None where it is not affordable. Cost O(N^2) or nnz R."""
    size = math.prod(float(n) for n in operator.row_shape)
    if size <= DENSE:
        h = operator.full(DENSE * DENSE)
        return h if len(h) <= 300 or np.count_nonzero(h) > 0.02 * h.size else sp.csr_matrix(h)
    return _sparse(operator) if size <= SMALL else None


def _halves(operator: TTOperator, cut: int) -> tuple[list[sp.csr_matrix], list[sp.csr_matrix]]:
    left = [sp.identity(1, dtype=operator.dtype, format="csr")]
    for core in operator.cores[:cut]:
        left = _grown(left, core, False)
    right = [sp.identity(1, dtype=operator.dtype, format="csr")]
    for core in reversed(operator.cores[cut:]):
        right = _grown(right, core.transpose(3, 1, 2, 0), True)
    return left, right


def _grown(parts: list[sp.csr_matrix], core: np.ndarray, front: bool) -> list[sp.csr_matrix]:
    """One mode more: sum_a parts[a] (x) core[a, :, :, b], or the core in ``front``."""
    found = []
    n = parts[0].shape[0] * core.shape[1]
    for b in range(core.shape[3]):
        total = sp.csr_matrix((n, n), dtype=core.dtype)
        for a, part in enumerate(parts):
            block = core[a, :, :, b]
            if part.nnz and np.any(block):
                own = sp.csr_matrix(block)
                total = total + (sp.kron(own, part, "csr") if front else sp.kron(part, own, "csr"))
        found.append(total)
    return found


def _sparse(operator: TTOperator) -> sp.csr_matrix | None:
    """Both halves multiplied out over the bond between them, where that is affordable."""
    sizes = np.cumprod([float(n) for n in operator.row_shape])
    cut = int(np.argmin(np.abs(np.log(sizes) - 0.5 * np.log(sizes[-1])))) + 1
    cut = min(cut, operator.d - 1) if operator.d > 1 else 1
    halves = [sizes[cut - 1], sizes[-1] / sizes[cut - 1]]
    if max(halves) > DENSE:
        return None
    left, right = _halves(operator, cut)
    entries = sum(float(a.nnz) * float(b.nnz) for a, b in zip(left, right))
    if entries > MOST_ENTRIES:
        return None
    total = None
    for a, b in zip(left, right):
        if a.nnz and b.nnz:
            term = sp.kron(a, b, "csr")
            total = term if total is None else total + term
    n = int(sizes[-1])
    return sp.csr_matrix((n, n), dtype=operator.dtype) if total is None else total.tocsr()
