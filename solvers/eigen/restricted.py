"""A sector of few product functions as what it is: a list of them, a sparse matrix, and trains from vectors over it.

Products are grown mode by mode; those that cannot reach the total charge any more are left out, so no list is longer
than the sector. ``following[k][g, f]``: the number of product g of k modes with function f of mode k behind it, or -1.
The matrix grows with them: sum_a L[a] (x) core[a, :, :, b] over the products listed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from solvers.eigen.block_start import reachable_charges
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.group import added
from solvers.sectors.operator import SectorOperator

MOST_ENTRIES = 40_000_000  # of the growing matrix: half a gigabyte


@dataclass(frozen=True)
class Listed:
    """The products of a sector; ``charges[k]``: those of the products of k modes; ``names``: functions (size, d)."""

    following: list[np.ndarray]
    charges: list[np.ndarray]
    names: np.ndarray

    @property
    def size(self) -> int:
        """Product functions."""
        return len(self.names)

    @classmethod
    def of(cls, operator: SectorOperator, total: int) -> Listed:
        """Those of total charge ``total``."""
        reach = reachable_charges(operator, total)
        following, charges = [], [np.zeros(1, dtype=np.int64)]
        names = np.zeros((1, 0), dtype=np.int64)
        for k, mode in enumerate(operator.modes):
            own = [c for c, n in mode for _ in range(n)]
            known = {int(l): [added(int(l), m) for m in own] for l in np.unique(charges[-1])}
            behind = np.array([known[int(l)] for l in charges[-1]], dtype=np.int64).reshape(-1, len(own))
            good = np.isin(behind, list(reach[k + 1]))
            number = np.full(behind.shape, -1, dtype=np.int64)
            number[good] = np.arange(int(good.sum()))
            following.append(number)
            charges.append(behind[good])
            g, f = np.nonzero(good)
            names = np.column_stack([names[g], f])
        return cls(following, charges, names)

    def matrix(self, operator: TTOperator) -> sp.csr_matrix | None:
        """The operator between the products; None where that is too much."""
        bond = row = column = np.zeros(1, dtype=np.int64)
        value = np.ones(1, dtype=operator.dtype)
        for k, core in enumerate(operator.cores):
            parts = []
            size = int(self.following[k].max()) + 1
            for a in range(core.shape[0]):
                own = np.flatnonzero(bond == a)
                i, j, b = np.nonzero(core[a])
                if not len(own) or not len(i):
                    continue
                if len(own) * len(i) > MOST_ENTRIES:
                    return None
                rows = self.following[k][row[own][:, None], i[None, :]]
                columns = self.following[k][column[own][:, None], j[None, :]]
                good = (rows >= 0) & (columns >= 0)
                values = value[own][:, None] * core[a, i, j, b][None, :]
                bonds = np.broadcast_to(b[None, :], rows.shape)
                parts.append((bonds[good], rows[good], columns[good], values[good]))
            if not parts:
                return sp.csr_matrix((self.size, self.size), dtype=operator.dtype)
            bond, row, column, value = (np.concatenate(x) for x in zip(*parts))
            if len(bond) > MOST_ENTRIES:
                return None
            width = core.shape[3]
            joined = sp.coo_matrix((value, (row, column * width + bond)), shape=(size, size * width)).tocsr().tocoo()
            row, value = joined.row.astype(np.int64), joined.data
            column, bond = np.divmod(joined.col.astype(np.int64), width)
        return sp.csr_matrix((value, (row, column)), shape=(self.size, self.size))

    def train(self, vector: np.ndarray, tol: float, max_rank: int) -> TensorTrain:
        """A vector over the products as a train, cut at ``tol`` of its norm; functions in the order of the modes."""
        d = len(self.following)
        budget = (tol * float(np.linalg.norm(vector))) ** 2 / max(d - 1, 1)
        carry, cores = vector.reshape(-1, 1), []
        for k in range(d - 1, 0, -1):
            number = self.following[k]
            wide = np.where((number >= 0)[:, :, None], carry[np.maximum(number, 0)], 0.0).reshape(len(number), -1)
            parts = []
            for c in np.unique(self.charges[k]):
                at = np.flatnonzero(self.charges[k] == c)
                parts.append((at, *np.linalg.svd(wide[at], full_matrices=False)))
            values = np.sort(np.concatenate([s for _, _, s, _ in parts]))[::-1]
            tail = np.append(np.cumsum((values**2)[::-1])[::-1], 0.0)
            keep = max(1, min(max_rank, int(np.argmax(tail <= budget)), int(np.sum(values > 0.0)) or 1))
            least, moved, rows = values[keep - 1], [], []
            for at, u, s, vt in parts:
                kept = int(np.sum(s >= least))
                block = np.zeros((len(number), kept), dtype=carry.dtype)
                block[at] = u[:, :kept] * s[:kept]
                moved.append(block)
                rows.append(vt[:kept])
            core = np.concatenate(rows).reshape(-1, number.shape[1], carry.shape[1])
            cores.append(core)
            carry = np.concatenate(moved, axis=1)
        number = self.following[0]
        first = np.where((number >= 0)[:, :, None], carry[np.maximum(number, 0)], 0.0)
        return TensorTrain((np.ascontiguousarray(first), *map(np.ascontiguousarray, reversed(cores))))
