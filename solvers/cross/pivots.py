"""The data of a cross approximation: nested index sets at the bonds, and the values on their crosses.

At bond k (between sites k and k + 1) r_k left indices I_k, each one of I_k-1 with an index of site k, and r_k right
indices J_k, each an index of site k + 1 with one of J_k+1. With T_k = f(I_k-1, i_k, J_k) and P_k = f(I_k, J_k)

    f ~ T_0 P_0^-1 T_1 P_1^-1 ... T_d-1,

exact at all entries of the T_k. C_k = T_k P_k^-1 is formed as Q (Q[I_k])^-1 with T_k = Q R, which does not lose digits
when P_k is ill-conditioned (Oseledets and Tyrtyshnikov, Linear Algebra Appl. 432, 70 (2010)).

``grow`` looks for large errors in the superblock f(I_k-1, i_k, i_k+1, J_k+1) of one bond: in all of it where it is
hardly larger than T_k and T_k+1 together, else by rook searches along its rows and columns, which are just the new
slices of T_k and T_k+1 (Savostyanov, Linear Algebra Appl. 458, 217 (2014), algorithm 2). Where a bond found nothing
and its neighbours grew since, what is new of its superblock is asked at a few entries first. ``insert`` makes the
approximation exact at a point found elsewhere: bond by bond the tail of the point becomes a column, beside the row of
the superblock where that column is approximated worst. From the first bond to the last that row is then among those of
the next bond, which sees by it what sets the point apart: right for a feature of its own, a peak. A remainder that is
everywhere is corrected from the last bond to the first: forwards, its small pivots raise each other's errors (five
waves and Gaussians on 2^80 points went from 1.3e-9 at rank 160 to 3e-4 at 389). It comes from few bonds as a rule:
``blame`` tells which.
``renew`` chooses all index sets afresh by
maxvol, from the left and back, with points among them: cheap for many.

Pivots that were large among few left and right indices may be small among more: in quantics the first ones are of
points that differ in the last digits alone. An entry of C_k is then a large error over a small pivot, and the C_k
multiply (a function of two variables on 2^80 points: entries of 1e7 at a bond, values of 1e19). ``recondition`` renews
the index sets where that shows, without the directions below the tolerance.
Cost, if nothing is known: r n evaluations a pivot and bond for ``grow``, d r n for ``insert`` forwards, d r to know the
bonds backwards, 2 d n r^2 for ``renew``.
"""

from __future__ import annotations

import numpy as np

from solvers.cross.blocks import NOISE, Blocks
from solvers.cross.maxvol import maxvol
from solvers.formats.trains.factorisations import singular_vectors
from solvers.kernels.evaluations import largest_pivots

ROOK_STEPS = 4
ROOK = 2.0  # times the entry where a column crosses it: a row with no larger entry ends the search
HOPELESS = 0.3  # of the tolerance: where a column and a row have no larger error, the search ends
AGREES = 0.1  # of the tolerance: a superblock of which no more was found in what is new of it is not searched
SAMPLES = 24  # random entries of a superblock, the worst of which begins the search
ENLARGED = 1e3  # an entry of a C_k above which index sets are chosen afresh: of 30 to 3e4 it was the fastest ...
LARGER = 1.25  # ... if the ranks have grown so many times since they were
LEFT = 10.0  # times the tolerance of a bond: a point with a smaller error becomes no pivot backwards
BLAMELESS = 0.25  # of the error at a point: bonds that add no more together are let alone when it becomes a pivot
AT_ONCE = 0.5  # of the rank, and one: pivots that a bond takes before its neighbours look again
FULL = 2.0  # a superblock of at most so many times the entries of the two blocks is taken whole ...
LARGEST = 2_000_000  # ... if it has at most so many


class Pivots(Blocks):
    """Blocks that grow; ``worst``: the error at the first pivot of the last bond that grew, or 0."""

    worst = 0.0

    def grow(self, k: int, tol: float, most: int = 1) -> int:
        """Add up to ``most`` pivots at bond k where errors above ``tol`` (absolute) are found; how many were."""
        a, b = len(self._before(k)), len(self._behind(k + 1))
        n, m = len(self.modes[k].rows), len(self.modes[k + 1].rows)
        rank = len(self.left[k])
        self.worst = 0.0
        most = min(most, 1 + int(AT_ONCE * rank), a * n - rank, m * b - rank)
        if most <= 0:
            return 0
        tol = max(tol, NOISE * self.source.largest)
        # in numbers of entries: a n m b of the superblock, a n r and r m b of the blocks
        whole = a * n * m * b <= min(LARGEST, FULL * (a * n + m * b) * (rank + 1))
        return self._grow_whole(k, tol, most) if whole else self._grow_rook(k, tol, most)

    def _grow_whole(self, k: int, tol: float, most: int) -> int:
        """Pivots by elimination with full pivoting of the error of the whole superblock."""
        before, behind = self._before(k), self._behind(k + 1)
        one, two = self.modes[k].rows, self.modes[k + 1].rows
        values = self.source.block(before, k, behind, one, two).reshape(len(before) * len(one), -1)
        t = self.values[k + 1].reshape(len(self.left[k]), -1)
        rest = np.ascontiguousarray(values - self.quotient(k) @ t)
        rest[self.rows[k]] = 0.0
        self.worst = float(np.abs(rest).max())
        rows, columns = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
        count = largest_pivots(rest, most, tol, rows, columns)
        added = 0
        for row, column in zip(rows[:count], columns[:count]):
            added += self._add(k, int(row), self._tail(k, int(column)), values[:, column], values[row])
        return added

    def _grow_rook(self, k: int, tol: float, most: int) -> int:
        """Pivots by rook searches from the worst of random entries; what one explains the next does not see."""
        before, behind = self._before(k), self._behind(k + 1)
        one, two = self.modes[k].rows, self.modes[k + 1].rows
        n, m = len(one), len(two)
        c, flat = self.quotient(k), self.values[k + 1].reshape(len(self.left[k]), -1)
        held = self.rows[k]
        i, j = self._drawn(k)
        points = np.column_stack([before[i // n], one[i % n], two[j // len(behind)], behind[j % len(behind)]])
        errors = self.source.points(points, k) - np.einsum("pr,rp->p", c[i], flat[:, j])
        looked = len(before), n, m, len(behind)
        if k in self.agreed and np.abs(errors).max() <= AGREES * tol:
            self.agreed[k] = looked
            return 0
        lines: list[tuple[np.ndarray, np.ndarray]] = []  # columns (over their pivot) and rows of the errors taken
        found: list[tuple[int, int, np.ndarray, np.ndarray]] = []
        while len(found) < most and (not found or np.abs(errors).max() > tol):
            column = int(j[np.argmax(np.abs(errors))])
            for step in range(ROOK_STEPS):
                down = self.source.block(before, k, self._tail(k, column)[None], one).reshape(-1)
                rest_down = down - c @ flat[:, column]
                for u, v in lines:
                    rest_down = rest_down - u * v[column]
                rest_down[held] = 0.0
                row = int(np.argmax(np.abs(rest_down)))
                if not found and max(abs(rest_down[row]), np.abs(errors).max()) <= AGREES * tol:
                    self.agreed[k] = looked
                    return 0
                across = self.source.block(self._left(k, row), k + 1, behind, two).reshape(-1)
                rest_across = across - c[row] @ flat
                for u, v in lines:
                    rest_across = rest_across - u[row] * v
                better = int(np.argmax(np.abs(rest_across)))
                largest = abs(rest_across[better])
                if largest <= max(ROOK * abs(rest_across[column]), HOPELESS * tol) or step == ROOK_STEPS - 1:
                    break
                column = better
            pivot = rest_across[column]
            if abs(pivot) <= tol or any(row == r or column == q for r, q, _, _ in found):
                break
            self.worst = max(self.worst, float(abs(pivot)))
            found.append((row, column, down, across))
            lines.append((rest_down / pivot, rest_across))
            errors = errors - lines[-1][0][i] * rest_across[j]
        added = 0
        for row, column, down, across in found:
            added += self._add(k, row, self._tail(k, column), down, across)
        if not added:
            self.agreed[k] = looked
        return added

    def _drawn(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Random rows and columns of the superblock of bond k: half of them in rows, half in columns that are new since
        no error was found there, as far as there are any.
        """
        a, n, m, b = (
            len(self._before(k)),
            len(self.modes[k].rows),
            len(self.modes[k + 1].rows),
            len(self._behind(k + 1)),
        )
        i, j = self.rng.integers(0, a * n, SAMPLES), self.rng.integers(0, m * b, SAMPLES)
        if k in self.agreed:
            old_a, old_n, old_m, old_b = self.agreed[k]
            rows = np.flatnonzero((np.arange(a)[:, None] >= old_a) | (np.arange(n) >= old_n))
            columns = np.flatnonzero((np.arange(m)[:, None] >= old_m) | (np.arange(b) >= old_b))
            half = SAMPLES // 2 if len(rows) and len(columns) else SAMPLES * (len(rows) > 0)
            if half:
                i[:half] = rows[i[:half] % len(rows)]
            if len(columns):
                j[half:] = columns[j[half:] % len(columns)]
        return i, j

    def _tail(self, k: int, column: int) -> np.ndarray:
        """The right index of a column of the superblock of bond k."""
        behind = self._behind(k + 1)
        return np.concatenate([[self.modes[k + 1].rows[column // len(behind)]], behind[column % len(behind)]])

    def _add(self, k: int, row: int, tail: np.ndarray, down: np.ndarray, across: np.ndarray) -> bool:
        """Add a row of T_k and a right index at bond k, with the values along them; False where one is held already."""
        if row in self.rows[k] or (self.right[k] == tail).all(axis=1).any():
            return False
        self.agreed.pop(k, None)
        self.left[k] = np.concatenate([self.left[k], self._left(k, row)])
        self.right[k] = np.concatenate([self.right[k], tail[None]])
        self.rows[k] = np.append(self.rows[k], row)
        t, behind = self.values[k], self.values[k + 1]
        self.values[k] = np.concatenate([t, down.reshape(*t.shape[:2], 1)], axis=2)
        self.values[k + 1] = np.concatenate([behind, across.reshape(1, *behind.shape[1:])], axis=0)
        self._quotients[k] = self._quotients[k + 1] = None
        self.stale[k] = self.stale[k + 1] = True
        return True

    def insert(self, point: np.ndarray, tol: float, max_rank: int, forward: bool) -> int:
        """Make the approximation exact at a point (d,), up to ``tol`` (absolute) a bond or mode; how much that took.

        Backwards, only at the bonds that its error comes from.
        """
        tol = max(tol, NOISE * self.source.largest)
        added = self._reach(point, tol)
        for k in range(self.d - 1) if forward else self._to_blame(point, LEFT * tol)[::-1]:
            before, rows, tail = self._before(k), self.modes[k].rows, point[k + 1 :]
            if len(self.left[k]) >= min(max_rank, len(before) * len(rows)):
                continue
            down = self.source.block(before, k, tail[None], rows).reshape(-1)
            rest = np.abs(down - self.quotient(k) @ down[self.rows[k]])
            rest[self.rows[k]] = 0.0
            row = int(np.argmax(rest))
            if rest[row] <= tol:
                continue
            across = self.source.block(self._left(k, row), k + 1, self._behind(k + 1), self.modes[k + 1].rows)
            added += self._add(k, row, tail, down, across.reshape(-1))
        return added

    def blame(self, point: np.ndarray) -> np.ndarray:
        """What each bond adds to the error at a point (d,): (d - 1,), absolute.

        With u_k the left interface of the train at the point, f_k = u_k f(I_k, point behind k) is what the train would
        be if all were exact behind bond k, which adds f_k - f_k-1. Cost: the sum of the ranks.
        """
        u, values = np.ones(1), [complex(self.source.points(point[None])[0])]
        for k in range(self.d - 1):
            a, _, b = self.values[k].shape
            u = u @ np.einsum("s,asb->ab", self.modes[k].basis()[point[k]], self.quotient(k).reshape(a, -1, b))
            column = np.column_stack([self.left[k], np.repeat(point[None, k + 1 :], b, axis=0)])
            values.append(complex(u @ self.source.points(column, k)))
        return np.abs(np.diff(values))

    def _to_blame(self, point: np.ndarray, tol: float) -> list[int]:
        """The bonds that the error at a point (d,) comes from, but for ``BLAMELESS`` of it; none where it is below
        ``tol``.
        """
        parts = self.blame(point)
        if parts.sum() <= tol:
            return []
        order = np.argsort(parts)
        blameless = np.cumsum(parts[order]) <= BLAMELESS * parts.sum()
        return sorted(int(k) for k in order[~blameless])

    def renew(self, points: np.ndarray, tol: float) -> None:
        """All index sets afresh, from the left and back, with the points (p, d) among the right indices.

        Directions below ``tol`` (relative to the largest singular value of a block) are dropped. Where the budget ends
        it, nothing is changed.
        """
        for k, mode in enumerate(self.modes):
            new = np.setdiff1d(points[:, k], mode.rows)
            if len(new):
                self._extend(k, new)
        self.agreed.clear()
        kept = list(self.left), list(self.right), list(self.rows), list(self.values)
        try:
            self._renewed(points, tol)
        except BaseException:
            self.left, self.right, self.rows, self.values = kept
            raise
        self._quotients = [None] * self.d
        self.stale = [True] * self.d

    def recondition(self, tol: float) -> bool:
        """Choose the index sets afresh, to ``tol`` as ``renew``, where a C_k is large and it was not just done."""
        if sum(self.ranks) <= LARGER * self.chosen:
            return False
        if all(np.abs(self.quotient(k)).max() <= ENLARGED for k in range(self.d - 1)):
            return False
        self.renew(np.zeros((0, self.d), dtype=np.int64), tol)
        self.chosen = sum(self.ranks)
        return True

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
            self.right[k - 1] = np.column_stack([self.modes[k].rows[rows // len(behind)], behind[rows % len(behind)]])
        if any(len(left) > len(right) for left, right in zip(self.left, self.right, strict=True)):
            self._shrink()
        self.values[0] = self._block(0)

    def _choose(self, k: int, rows: np.ndarray) -> None:
        """The rows of T_k that are I_k."""
        before, indices = self._before(k), self.modes[k].rows
        self.rows[k] = rows
        self.left[k] = np.column_stack([before[rows // len(indices)], indices[rows % len(indices)]])

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


def _spanning(matrix: np.ndarray, tol: float) -> np.ndarray:
    """Rows that span the columns of a matrix up to ``tol``, by maxvol on its leading left singular vectors."""
    top = np.abs(matrix).max()
    u, s, _ = singular_vectors(matrix / top if top > 0.0 else matrix)
    rank = max(1, int(np.count_nonzero(s > max(tol, 1e-15) * s[0]))) if s[0] > 0.0 else 1
    rows, _ = maxvol(np.ascontiguousarray(u[:, :rank]))
    return rows
