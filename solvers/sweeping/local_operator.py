"""The operator of a dense train between two environments: real or complex, Hermitian or not.

Everything is seen from the left: a sweep from the right works on mirrored trains (``mirrored``), whose right
environments are the left ones transposed. An environment <y|A|x> of the cores before a bond is stored as
(a', alpha, a) on the left, bra first, and as (beta, b, b') on the right. (solvers.sectors.environments serves
block-sparse real trains of one symmetry charge.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solvers.kernels import linear as kernels

FILLED = 0.5  # of a core's entries are not zero, and it has
WIDE = 64  # rows of its matrix and more: BLAS is faster than going through the entries


@dataclass(frozen=True, eq=False)
class OperatorCore:
    """One operator core by its nonzero entries: ``entries`` (nnz, 4) of (alpha, row, column, beta), ``values``.

    They are sorted by row and beta, which is where they add to: the kernels take four of one place at once.
    ``dims``: (R, n_row, n_column, R'). ``pairs``: (R R', nnz), which entries belong to which (alpha, beta).
    """

    entries: np.ndarray
    values: np.ndarray
    dims: tuple[int, int, int, int]

    @classmethod
    def of(cls, core: np.ndarray, dtype: np.dtype) -> OperatorCore:
        """From a dense core (R, n_row, n_column, R')."""
        entries = np.argwhere(core.transpose(1, 3, 0, 2))[:, [2, 0, 3, 1]]
        values = core[tuple(entries.T)].astype(dtype)
        return cls(np.ascontiguousarray(entries, dtype=np.int64), values, core.shape)

    @classmethod
    def diagonal(cls, core: np.ndarray, dtype: np.dtype) -> OperatorCore:
        """Of a core (R, n, R') of a train, which stands on the diagonal: the product with it entry by entry."""
        places = np.argwhere(core.transpose(1, 2, 0))
        entries = np.ascontiguousarray(places[:, [2, 0, 0, 1]], dtype=np.int64)
        values = core[tuple(places[:, [2, 0, 1]].T)].astype(dtype)
        return cls(entries, values, (core.shape[0], core.shape[1], core.shape[1], core.shape[2]))

    def mirrored(self) -> OperatorCore:
        """The core of the mirrored operator, made once."""
        return self._mirror

    @cached_property
    def _mirror(self) -> OperatorCore:
        order = np.lexsort((self.entries[:, 2], self.entries[:, 3], self.entries[:, 0], self.entries[:, 1]))
        entries = np.ascontiguousarray(self.entries[order][:, [3, 1, 2, 0]])
        return OperatorCore(entries, self.values[order], (self.dims[3], self.dims[1], self.dims[2], self.dims[0]))

    @cached_property
    def dense(self) -> np.ndarray:
        """The core as an array (R, n_row, n_column, R')."""
        out = np.zeros(self.dims, dtype=self.values.dtype)
        out[tuple(self.entries.T)] = self.values
        return out

    @cached_property
    def matrix(self) -> np.ndarray | None:
        """The core as a matrix (row beta, alpha column), where it is filled and large enough for BLAS."""
        p, rows, columns, q = self.dims
        if len(self.values) < FILLED * p * rows * columns * q or min(p * columns, rows * q) < WIDE:
            return None
        return np.ascontiguousarray(self.dense.transpose(1, 3, 0, 2).reshape(rows * q, p * columns))

    @cached_property
    def trace(self) -> np.ndarray:
        """The traces over the mode, (R, R')."""
        return np.einsum("aiib->ab", self.dense)

    def merged(self, after: OperatorCore) -> OperatorCore:
        """This core and the next as one, on the product of their modes."""
        core = np.tensordot(self.dense, after.dense, axes=(3, 0))  # alpha i j k l beta
        a, i, j, k, l, b = core.shape
        return OperatorCore.of(core.transpose(0, 1, 3, 2, 4, 5).reshape(a, i * k, j * l, b), self.values.dtype)


def mirror(core: np.ndarray) -> np.ndarray:
    """A core (a, n, b) of the mirrored train, (b, n, a)."""
    return core.transpose(2, 1, 0).copy()


def mirrored(cores: Sequence[np.ndarray]) -> list[np.ndarray]:
    """All cores of the mirrored train."""
    return [mirror(core) for core in reversed(cores)]


def half(left: np.ndarray, core: OperatorCore, x: np.ndarray) -> np.ndarray:
    """h (a' n', beta b): the left environment (a', alpha, a) and the operator core applied to x (a, n, b)."""
    a2, alpha, a = left.shape
    _, n, b = x.shape
    if core.matrix is not None:
        applied = (left.reshape(a2 * alpha, a) @ x.reshape(a, n * b)).reshape(a2, alpha * n, b)
        return np.matmul(core.matrix, applied).reshape(a2 * core.dims[1], core.dims[3] * b)
    h = np.empty(a2 * core.dims[1] * core.dims[3] * b, dtype=x.dtype)
    t = np.empty((a2 * alpha, n * b), dtype=x.dtype)
    dims = (a2, alpha, a, core.dims[1], n, core.dims[3], b, 1)
    kernels.half_apply(left.reshape(a2 * alpha, a), core.entries, core.values, x.reshape(-1), dims, t, h)
    return h.reshape(a2 * core.dims[1], core.dims[3] * b)


def advance(h: np.ndarray, bra: np.ndarray, width: int) -> np.ndarray:
    """The left environment (b', beta, b) behind a core: h from ``half``, bra (a', n', b'), width = beta."""
    unfolding = bra.reshape(-1, bra.shape[2])
    return (unfolding.conj().T @ h).reshape(bra.shape[2], width, -1)


def project(h: np.ndarray, right: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """h from ``half`` closed by the right environment (beta, b, b') -> (a', n', b')."""
    return (h @ right.reshape(-1, right.shape[2])).reshape(*shape, right.shape[2])


def to_right(left: np.ndarray) -> np.ndarray:
    """A left environment (a', alpha, a) as the right environment (alpha, a, a') of the mirrored train."""
    return np.ascontiguousarray(left.transpose(1, 2, 0))
