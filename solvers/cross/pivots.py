"""The data of a cross approximation: nested index sets at the bonds, and the values on their crosses.

At bond k (between sites k and k + 1) r_k left indices I_k, each one of I_k-1 with an index of site k, and r_k right
indices J_k, each an index of site k + 1 with one of J_k+1. With T_k = f(I_k-1, i_k, J_k) and P_k = f(I_k, J_k)

    f ~ T_0 P_0^-1 T_1 P_1^-1 ... T_d-1,

exact at all entries of the T_k. C_k = T_k P_k^-1 is formed as Q (Q[I_k])^-1 with T_k = Q R, which does not lose digits
when P_k is ill-conditioned (Oseledets and Tyrtyshnikov, Linear Algebra Appl. 432, 70 (2010)).

``grow`` adds one pivot at one bond: the rook search for a large error in the superblock f(I_k-1, i_k, i_k+1, J_k+1)
evaluates whole rows and columns of it, and the last two are just the new slices of T_k and T_k+1: no value is computed
twice (Savostyanov, Linear Algebra Appl. 458, 217 (2014), algorithm 2). ``renew`` chooses all index sets afresh by
maxvol, from the left and back, and takes in points found elsewhere.
Cost: r n evaluations a pivot and bond for ``grow``, 2 d n r^2 for ``renew``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.cross.maxvol import maxvol
from solvers.trains.factorisations import qr_factors, singular_vectors
from solvers.trains.tensor_train import TensorTrain

ROOK_STEPS = 4
SAMPLES = 24  # random entries of a superblock, the worst of which begins the search


class Pivots:
    """Index sets and cross values of a ``source`` (solvers.cross.sources), from one pivot (d,) on."""

    def __init__(self, source: Any, pivot: np.ndarray, rng: np.random.Generator) -> None:
        self.source, self.rng = source, rng
        self.d = len(source.shape)
        self.left = [pivot[None, : k + 1] for k in range(self.d - 1)]
        self.right = [pivot[None, k + 1 :] for k in range(self.d - 1)]
        self.values = [self._block(k) for k in range(self.d)]
        self._quotients: list[np.ndarray | None] = [None] * self.d

    @property
    def ranks(self) -> list[int]:
        """r_0 .. r_d-2."""
        return [len(left) for left in self.left]

    def _before(self, k: int) -> np.ndarray:
        """Left indices in front of site k, (r, k)."""
        return self.left[k - 1] if k else np.zeros((1, 0), dtype=np.int64)

    def _behind(self, k: int) -> np.ndarray:
        """Right indices behind site k, (r, d - k - 1)."""
        return self.right[k] if k < self.d - 1 else np.zeros((1, 0), dtype=np.int64)

    def _block(self, k: int) -> np.ndarray:
        return self.source.block(self._before(k), k, self._behind(k))

    def quotient(self, k: int) -> np.ndarray:
        """C_k = T_k P_k^-1 (r_k-1 n_k, r_k)."""
        found = self._quotients[k]
        if found is None:
            a, n, b = self.values[k].shape
            q, _ = qr_factors(np.ascontiguousarray(self.values[k].reshape(a * n, b)))
            found = np.linalg.solve(q[self._rows(k)].T, q.T).T
            self._quotients[k] = found
        return found

    def _rows(self, k: int) -> np.ndarray:
        """Rows of T_k, flattened over I_k-1 and i_k, that are I_k."""
        before = self._before(k)
        parent = np.array([np.flatnonzero((before == row[:-1]).all(axis=1))[0] for row in self.left[k]])
        return parent * self.source.shape[k] + self.left[k][:, -1]

    def grow(self, k: int, tol: float) -> bool:
        """Add a pivot at bond k if an error above ``tol`` (absolute) is found; whether one was."""
        source, rng = self.source, self.rng
        c, t = self.quotient(k), self.values[k + 1]
        before, behind = self._before(k), self._behind(k + 1)
        n, m = source.shape[k], source.shape[k + 1]
        rows = rng.integers(0, len(before) * n, SAMPLES)
        columns = rng.integers(0, m * len(behind), SAMPLES)
        flat = t.reshape(len(t), -1)
        points = np.column_stack([before[rows // n], rows % n, columns // len(behind), behind[columns % len(behind)]])
        errors = source.points(points) - np.einsum("pr,rp->p", c[rows], flat[:, columns])
        column = int(columns[np.argmax(np.abs(errors))])
        for step in range(ROOK_STEPS):
            right = np.concatenate([[column // len(behind)], behind[column % len(behind)]])[None]
            down = source.block(before, k, right).reshape(-1)
            row = int(np.argmax(np.abs(down - c @ flat[:, column])))
            left = np.concatenate([before[row // n], [row % n]])[None]
            across = source.block(left, k + 1, behind).reshape(-1)
            rest = np.abs(across - c[row] @ flat)
            better = int(np.argmax(rest))
            if rest[better] <= 1.1 * rest[column] or step == ROOK_STEPS - 1:
                break
            column = better
        if rest[column] <= tol:
            return False
        self.left[k] = np.concatenate([self.left[k], left])
        self.right[k] = np.concatenate([self.right[k], right])
        self.values[k] = np.concatenate([self.values[k], down.reshape(len(before), n, 1)], axis=2)
        self.values[k + 1] = np.concatenate([t, across.reshape(1, m, len(behind))], axis=0)
        self._quotients[k] = self._quotients[k + 1] = None
        return True

    def renew(self, points: np.ndarray, tol: float) -> None:
        """All index sets afresh, from the left and back, with the points (p, d) among the right indices.

        Directions below ``tol`` (relative to the largest singular value of a block) are dropped.
        """
        d = self.d
        for k in range(d - 1):
            self.right[k] = np.unique(np.concatenate([self.right[k], points[:, k + 1 :]]), axis=0)
        for k in range(d - 1):  # left to right: the rows of T_k that span its columns
            block = self._block(k)
            rows = _spanning(block.reshape(-1, block.shape[2]), tol)
            before, n = self._before(k), self.source.shape[k]
            self.left[k] = np.column_stack([before[rows // n], rows % n])
        for k in range(d - 1, 0, -1):  # and back: the columns, at most as many as rows in front
            block = self._block(k)
            self.values[k] = block
            rows = _spanning(np.ascontiguousarray(block.reshape(len(block), -1).T), 0.0)
            behind = self._behind(k)
            self.right[k - 1] = np.column_stack([rows // len(behind), behind[rows % len(behind)]])
        if any(len(left) > len(right) for left, right in zip(self.left, self.right, strict=True)):
            self._shrink()
        self.values[0] = self._block(0)
        self._quotients = [None] * d

    def _shrink(self) -> None:
        """Rows chosen once more, from the left, as many as there are columns: each extends one that was kept."""
        for k in range(self.d - 1):
            block = self._block(k)
            flat = block.reshape(-1, block.shape[2])
            rows, columns = _spanning(flat, 0.0), np.arange(block.shape[2])
            while len(rows) != len(columns):  # and never fewer rows than columns, or more
                columns = columns[np.sort(_spanning(np.ascontiguousarray(flat[rows][:, columns].T), 0.0))]
                rows = rows if len(rows) == len(columns) else _spanning(np.ascontiguousarray(flat[:, columns]), 0.0)
            self.right[k] = self.right[k][columns]
            before, n = self._before(k), self.source.shape[k]
            self.left[k] = np.column_stack([before[rows // n], rows % n])
            self.values[k] = self._block(k)
        self.values[-1] = self._block(self.d - 1)

    def points(self) -> np.ndarray:
        """The pivots as multi-indices (p, d), each once: the pairs of left and right indices of all bonds."""
        pairs = [np.column_stack([left, right]) for left, right in zip(self.left, self.right, strict=True)]
        return np.unique(np.concatenate([np.zeros((0, self.d), dtype=np.int64), *pairs]), axis=0)

    def train(self) -> TensorTrain:
        """The approximation as a train."""
        cores = []
        for k in range(self.d - 1):
            a, n, b = self.values[k].shape
            cores.append(self.quotient(k).reshape(a, n, b))
        return TensorTrain((*cores, self.values[-1]))


def _spanning(matrix: np.ndarray, tol: float) -> np.ndarray:
    """Rows that span the columns of a matrix up to ``tol``, by maxvol on its leading left singular vectors."""
    u, s, _ = singular_vectors(matrix)
    rank = max(1, int(np.count_nonzero(s > max(tol, 1e-15) * s[0]))) if s[0] > 0.0 else 1
    rows, _ = maxvol(np.ascontiguousarray(u[:, :rank]))
    return rows
