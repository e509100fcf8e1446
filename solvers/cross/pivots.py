"""The data of a cross approximation: nested index sets at the bonds, and the values on their crosses.

At bond k (between sites k and k + 1) r_k left indices I_k, each one of I_k-1 with an index of site k, and r_k right
indices J_k, each an index of site k + 1 with one of J_k+1. With T_k = f(I_k-1, i_k, J_k) and P_k = f(I_k, J_k)

    f ~ T_0 P_0^-1 T_1 P_1^-1 ... T_d-1,

exact at all entries of the T_k. C_k = T_k P_k^-1 is formed as Q (Q[I_k])^-1 with T_k = Q R, which does not lose digits
when P_k is ill-conditioned (Oseledets and Tyrtyshnikov, Linear Algebra Appl. 432, 70 (2010)).

``grow`` looks for large errors in the superblock f(I_k-1, i_k, i_k+1, J_k+1) of one bond: in all of it where it is
hardly larger than T_k and T_k+1 together, else by rook searches along its rows and columns, which are just the new
slices of T_k and T_k+1 (Savostyanov, Linear Algebra Appl. 458, 217 (2014), algorithm 2). ``insert`` makes the
approximation exact at a point found elsewhere: from the last bond to the first the tail of the point becomes a column,
beside the row of the superblock where that column is approximated worst. ``renew`` chooses all index sets afresh by
maxvol, from the left and back, with points among them: cheap for many.
Cost: r n evaluations a pivot and bond for ``grow``, d r n for ``insert``, 2 d n r^2 for ``renew``, if nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from solvers.cross.maxvol import maxvol
from solvers.formats.trains.factorisations import qr_factors, singular_vectors
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.kernels.evaluations import largest_pivots

ROOK_STEPS = 4
SAMPLES = 24  # random entries of a superblock, the worst of which begins the search
AT_ONCE = 0.5  # of the rank, and one: pivots that a bond takes before its neighbours look again
FULL = 2.0  # a superblock of at most so many times the entries of the two blocks is taken whole ...
LARGEST = 2_000_000  # ... if it has at most so many
NOISE = 1e-14  # relative to the largest value: a smaller remainder is rounding error


class Pivots:
    """Index sets and cross values of a ``source`` (solvers.cross.sources), from one pivot (d,) on, or restored."""

    def __init__(self, source: Any, pivot: np.ndarray | None, rng: np.random.Generator) -> None:
        self.source, self.rng = source, rng
        self.d = len(source.shape)
        self.left: list[np.ndarray] = []
        self.right: list[np.ndarray] = []
        self.rows: list[np.ndarray] = []  # those of T_k, flattened, that are I_k
        self.values: list[np.ndarray] = []  # T_k
        self._quotients: list[np.ndarray | None] = [None] * self.d
        if pivot is not None:
            self.left = [pivot[None, : k + 1] for k in range(self.d - 1)]
            self.right = [pivot[None, k + 1 :] for k in range(self.d - 1)]
            self.rows = [np.array([pivot[k]]) for k in range(self.d - 1)]
            self.values = [self._block(k) for k in range(self.d)]

    @property
    def ranks(self) -> list[int]:
        """r_0 .. r_d-2."""
        return [len(left) for left in self.left]

    def content(self) -> dict[str, np.ndarray]:
        """All index sets and values."""
        parts = {"left": self.left, "right": self.right, "rows": self.rows, "values": self.values}
        return {f"{name}.{k}": array for name, arrays in parts.items() for k, array in enumerate(arrays)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """As they were then."""
        for name in ("left", "right", "rows"):
            setattr(self, name, [arrays[f"{name}.{k}"] for k in range(self.d - 1)])
        self.values = [arrays[f"values.{k}"] for k in range(self.d)]
        self._quotients = [None] * self.d

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
            block = self.values[k].reshape(a * n, b)
            top = np.abs(block).max()
            q, _ = qr_factors(np.ascontiguousarray(block / top if top > 0.0 else block))
            square = q[self.rows[k]]
            try:
                found = np.linalg.solve(square.T, q.T).T
            except np.linalg.LinAlgError:  # rows that do not tell the columns apart: the least-norm coefficients
                found = q @ np.linalg.pinv(square)
            self._quotients[k] = found
        return found

    def grow(self, k: int, tol: float, most: int = 1) -> int:
        """Add up to ``most`` pivots at bond k where errors above ``tol`` (absolute) are found; how many were."""
        a, b = len(self._before(k)), len(self._behind(k + 1))
        n, m = self.source.shape[k], self.source.shape[k + 1]
        rank = len(self.left[k])
        most = min(most, 1 + int(AT_ONCE * rank), a * n - rank, m * b - rank)
        if most <= 0:
            return 0
        tol = max(tol, NOISE * self.source.largest)
        # in numbers of entries: a n m b of the superblock, a n r and r m b of the blocks
        whole = a * n * m * b <= min(LARGEST, FULL * (a * n * (rank + most) + m * b * (rank + most)))
        return self._grow_whole(k, tol, most) if whole else self._grow_rook(k, tol, most)

    def _grow_whole(self, k: int, tol: float, most: int) -> int:
        """Pivots by elimination with full pivoting of the error of the whole superblock."""
        before, behind = self._before(k), self._behind(k + 1)
        n, m = self.source.shape[k], self.source.shape[k + 1]
        values = self.source.block(before, k, behind, 2).reshape(len(before) * n, m * len(behind))
        t = self.values[k + 1].reshape(len(self.left[k]), -1)
        rest = np.ascontiguousarray(values - self.quotient(k) @ t)
        rest[self.rows[k]] = 0.0
        rows, columns = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
        count = largest_pivots(rest, most, tol, rows, columns)
        added = 0
        for row, column in zip(rows[:count], columns[:count]):
            added += self._add(k, int(row), self._tail(k, int(column)), values[:, column], values[row])
        return added

    def _grow_rook(self, k: int, tol: float, most: int) -> int:
        """Pivots by rook searches from the worst of random entries; what one explains the next does not see."""
        before, behind = self._before(k), self._behind(k + 1)
        n, m = self.source.shape[k], self.source.shape[k + 1]
        c, flat = self.quotient(k), self.values[k + 1].reshape(len(self.left[k]), -1)
        held = self.rows[k]
        i = self.rng.integers(0, len(before) * n, SAMPLES)
        j = self.rng.integers(0, m * len(behind), SAMPLES)
        points = np.column_stack([before[i // n], i % n, j // len(behind), behind[j % len(behind)]])
        errors = self.source.points(points, k) - np.einsum("pr,rp->p", c[i], flat[:, j])
        lines: list[tuple[np.ndarray, np.ndarray]] = []  # columns (over their pivot) and rows of the errors taken
        found: list[tuple[int, int, np.ndarray, np.ndarray]] = []
        while len(found) < most:
            column = int(j[np.argmax(np.abs(errors))])
            for step in range(ROOK_STEPS):
                down = self.source.block(before, k, self._tail(k, column)[None]).reshape(-1)
                rest_down = down - c @ flat[:, column]
                for u, v in lines:
                    rest_down = rest_down - u * v[column]
                rest_down[held] = 0.0
                row = int(np.argmax(np.abs(rest_down)))
                left = np.concatenate([before[row // n], [row % n]])[None]
                across = self.source.block(left, k + 1, behind).reshape(-1)
                rest_across = across - c[row] @ flat
                for u, v in lines:
                    rest_across = rest_across - u[row] * v
                better = int(np.argmax(np.abs(rest_across)))
                if abs(rest_across[better]) <= 1.1 * abs(rest_across[column]) or step == ROOK_STEPS - 1:
                    break
                column = better
            pivot = rest_across[column]
            if abs(pivot) <= tol or any(row == r or column == q for r, q, _, _ in found):
                break
            found.append((row, column, down, across))
            lines.append((rest_down / pivot, rest_across))
            errors = errors - lines[-1][0][i] * rest_across[j]
        added = 0
        for row, column, down, across in found:
            added += self._add(k, row, self._tail(k, column), down, across)
        return added

    def _tail(self, k: int, column: int) -> np.ndarray:
        """The right index of a column of the superblock of bond k."""
        behind = self._behind(k + 1)
        return np.concatenate([[column // len(behind)], behind[column % len(behind)]])

    def _add(self, k: int, row: int, tail: np.ndarray, down: np.ndarray, across: np.ndarray) -> bool:
        """Add a row of T_k and a right index at bond k, with the values along them; False where one is held already."""
        if row in self.rows[k] or (self.right[k] == tail).all(axis=1).any():
            return False
        before, n = self._before(k), self.source.shape[k]
        left = np.concatenate([before[row // n], [row % n]])[None]
        self.left[k] = np.concatenate([self.left[k], left])
        self.right[k] = np.concatenate([self.right[k], tail[None]])
        self.rows[k] = np.append(self.rows[k], row)
        t, behind = self.values[k], self.values[k + 1]
        self.values[k] = np.concatenate([t, down.reshape(*t.shape[:2], 1)], axis=2)
        self.values[k + 1] = np.concatenate([behind, across.reshape(1, *behind.shape[1:])], axis=0)
        self._quotients[k] = self._quotients[k + 1] = None
        return True

    def insert(self, point: np.ndarray, tol: float, max_rank: int) -> int:
        """Make the approximation exact at a point (d,), up to ``tol`` (absolute) a bond; how many pivots that took."""
        added = 0
        tol = max(tol, NOISE * self.source.largest)
        for k in range(self.d - 2, -1, -1):
            before, n, tail = self._before(k), self.source.shape[k], point[k + 1 :]
            if len(self.left[k]) >= min(max_rank, len(before) * n):
                continue
            down = self.source.block(before, k, tail[None]).reshape(-1)
            rest = np.abs(down - self.quotient(k) @ down[self.rows[k]])
            rest[self.rows[k]] = 0.0
            row = int(np.argmax(rest))
            if rest[row] <= tol:
                continue
            left = np.concatenate([before[row // n], [row % n]])[None]
            across = self.source.block(left, k + 1, self._behind(k + 1)).reshape(-1)
            added += self._add(k, row, tail, down, across)
        return added

    def renew(self, points: np.ndarray, tol: float) -> None:
        """All index sets afresh, from the left and back, with the points (p, d) among the right indices.

        Directions below ``tol`` (relative to the largest singular value of a block) are dropped. Where the budget ends
        it, nothing is changed.
        """
        kept = list(self.left), list(self.right), list(self.rows), list(self.values)
        try:
            self._renewed(points, tol)
        except BaseException:
            self.left, self.right, self.rows, self.values = kept
            raise
        self._quotients = [None] * self.d

    def _renewed(self, points: np.ndarray, tol: float) -> None:
        d = self.d
        for k in range(d - 1):
            self.right[k] = np.unique(np.concatenate([self.right[k], points[:, k + 1 :]]), axis=0)
        for k in range(d - 1):  # left to right: the rows of T_k that span its columns
            block = self._block(k)
            self._choose(k, _spanning(block.reshape(-1, block.shape[2]), tol))
        for k in range(d - 1, 0, -1):  # and back: the columns, at most as many as rows in front
            block = self._block(k)
            self.values[k] = block
            rows = _spanning(np.ascontiguousarray(block.reshape(len(block), -1).T), 0.0)
            behind = self._behind(k)
            self.right[k - 1] = np.column_stack([rows // len(behind), behind[rows % len(behind)]])
        if any(len(left) > len(right) for left, right in zip(self.left, self.right, strict=True)):
            self._shrink()
        self.values[0] = self._block(0)

    def _choose(self, k: int, rows: np.ndarray) -> None:
        """The rows of T_k that are I_k."""
        before, n = self._before(k), self.source.shape[k]
        self.rows[k] = rows
        self.left[k] = np.column_stack([before[rows // n], rows % n])

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
            self._choose(k, rows)
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
    top = np.abs(matrix).max()
    u, s, _ = singular_vectors(matrix / top if top > 0.0 else matrix)
    rank = max(1, int(np.count_nonzero(s > max(tol, 1e-15) * s[0]))) if s[0] > 0.0 else 1
    rows, _ = maxvol(np.ascontiguousarray(u[:, :rank]))
    return rows
