"""The index sets and blocks of a cross approximation, and the train they stand for; see solvers.cross.pivots.

Of a long mode only some indices are taken (solvers.cross.modes): ``widen`` holds the blocks against the fibres that
stand for the others, and takes what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from solvers.cross.modes import SHARE, SMALL, SPARE, Mode
from solvers.formats.trains.factorisations import qr_factors
from solvers.formats.trains.tensor_train import TensorTrain

AT_ONCE = 0.5  # of the fibres, and one: those that a mode takes before its bonds look again
LOOKS = 12  # fibres that a mode is held against, and half as many of the newest pivots
NOISE = 1e-14  # relative to the largest value: a smaller remainder is rounding error


class Blocks:
    """Index sets and cross values of a ``source`` (solvers.cross.sources), from one pivot (d,) on, or restored."""

    def __init__(self, source: Any, pivot: np.ndarray | None, rng: np.random.Generator) -> None:
        self.source, self.rng = source, rng
        self.d = len(source.shape)
        self.left: list[np.ndarray] = []
        self.right: list[np.ndarray] = []
        self.rows: list[np.ndarray] = []  # those of T_k, flattened, that are I_k
        self.values: list[np.ndarray] = []  # T_k
        self.modes: list[Mode] = []
        self.stale = [True] * self.d  # modes whose blocks have changed since they were last held against their fibres
        self.agreed: dict[int, tuple[int, int, int, int]] = {}  # bonds without an error, and the sizes of what was seen
        self.chosen = 0  # the sum of the ranks when the index sets were last chosen afresh
        self._quotients: list[np.ndarray | None] = [None] * self.d
        if pivot is not None:
            self.left = [pivot[None, : k + 1] for k in range(self.d - 1)]
            self.right = [pivot[None, k + 1 :] for k in range(self.d - 1)]
            self.modes = [self._first_mode(k, pivot) for k in range(self.d)]
            self.rows = [np.flatnonzero(self.modes[k].rows == pivot[k]) for k in range(self.d - 1)]
            self.values = [self._block(k) for k in range(self.d)]

    def _first_mode(self, k: int, pivot: np.ndarray) -> Mode:
        n = self.source.shape[k]
        if n <= SMALL or self.d == 1 or self.source.free(k):
            return Mode(n)
        fibre = self.source.block(self._before(k), k, self._behind(k)).reshape(-1)
        return Mode(n, int(pivot[k]), fibre)

    @property
    def ranks(self) -> list[int]:
        """r_0 .. r_d-2."""
        return [len(left) for left in self.left]

    def work(self) -> float:
        """Operations for all C_k and the cores of the train, once."""
        sizes = [(*t.shape, mode.n) for t, mode in zip(self.values, self.modes, strict=True)]
        return float(sum(a * b * s * (b + (0 if s == n else n)) for a, s, b, n in sizes))

    def content(self) -> dict[str, np.ndarray]:
        """All index sets and values."""
        parts = {"left": self.left, "right": self.right, "rows": self.rows, "values": self.values}
        arrays = {f"{name}.{k}": array for name, arrays in parts.items() for k, array in enumerate(arrays)}
        arrays["stale"], arrays["chosen"] = np.array(self.stale), np.array(self.chosen)
        arrays["agreed"] = np.array([(k, *sizes) for k, sizes in self.agreed.items()], dtype=np.int64).reshape(-1, 5)
        for k, mode in enumerate(self.modes):
            arrays |= {f"modes.{k}.{name}": array for name, array in mode.content().items()}
        return arrays

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """As they were then."""
        for name in ("left", "right", "rows"):
            setattr(self, name, [arrays[f"{name}.{k}"] for k in range(self.d - 1)])
        self.values = [arrays[f"values.{k}"] for k in range(self.d)]
        self.modes = [Mode.restored(n, arrays, f"modes.{k}") for k, n in enumerate(self.source.shape)]
        self.stale = arrays["stale"].tolist()
        self.chosen = int(arrays.get("chosen", 0))
        self.agreed = {k: (a, n, m, b) for k, a, n, m, b in np.asarray(arrays.get("agreed", ())).tolist()}
        self._quotients = [None] * self.d

    def _before(self, k: int) -> np.ndarray:
        """Left indices in front of site k, (r, k)."""
        return self.left[k - 1] if k else np.zeros((1, 0), dtype=np.int64)

    def _behind(self, k: int) -> np.ndarray:
        """Right indices behind site k, (r, d - k - 1)."""
        return self.right[k] if k < self.d - 1 else np.zeros((1, 0), dtype=np.int64)

    def _block(self, k: int) -> np.ndarray:
        return self.source.block(self._before(k), k, self._behind(k), self.modes[k].rows)

    def _left(self, k: int, row: int) -> np.ndarray:
        """The left index (1, k + 1) of a row of T_k."""
        before, rows = self._before(k), self.modes[k].rows
        return np.concatenate([before[row // len(rows)], [rows[row % len(rows)]]])[None]

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

    def widen(self, k: int, tol: float) -> bool:
        """Take fibres of mode k into account that its indices show to be missing, by more than ``tol`` (absolute).

        Whether its indices, and so the superblocks beside it, are others now.
        """
        if not self.stale[k]:
            return False
        self.stale[k] = False
        mode, tol, before = self.modes[k], max(tol, NOISE * self.source.largest), len(self.modes[k].rows)
        if mode.whole:
            return False
        for _ in range(1 + int(AT_ONCE * mode.fibres.shape[1])):
            i, j, error = self._worst_fibre(k, tol)
            if error <= tol:
                break
            self._take_fibre(k, self._before(k)[i], self._behind(k)[j])
            if mode.whole:
                break
        return len(mode.rows) > before

    def _worst_fibre(self, k: int, tol: float) -> tuple[int, int, float]:
        """Left and right index of the fibre of mode k that is missed most, and by how much.

        At the indices of the mode all fibres of the block are held against the span of those taken. Where that
        finds no more than ``tol``, those of the newest pivots and random ones are looked at, at random indices.
        """
        mode, t = self.modes[k], self.values[k]
        a, s, b = t.shape
        rest = np.abs(mode.left_over(t.transpose(1, 0, 2).reshape(s, a * b))).max(axis=0)
        i, j = divmod(int(np.argmax(rest)), b)
        if rest.max() > tol:
            return i, j, float(rest.max())
        new = np.arange(LOOKS // 2)
        left = np.concatenate([np.maximum(a - 1 - new, 0), self.rng.integers(0, a, LOOKS)])
        right = np.concatenate([np.maximum(b - 1 - new, 0), self.rng.integers(0, b, LOOKS)])
        others = mode.others[self.rng.integers(0, len(mode.others), len(left))]
        points = np.column_stack([self._before(k)[left], others, self._behind(k)[right]])
        errors = np.abs(self.source.points(points, k) - (mode.basis()[others] * t[left, :, right]).sum(axis=1))
        worst = int(np.argmax(errors))
        if errors[worst] > rest.max():
            i, j = int(left[worst]), int(right[worst])
        return i, j, float(max(errors[worst], rest.max()))

    def _take_fibre(self, k: int, left: np.ndarray, right: np.ndarray) -> None:
        """The fibre of mode k between a left (k,) and a right (d - k - 1,) index joins the others."""
        mode = self.modes[k]
        rest = mode.missing(self.source.block(left[None], k, right[None]).reshape(-1))
        best = mode.pivot(rest)
        if best not in mode.rows:
            self._extend(k, np.array([best]))
        if not mode.whole:
            mode.add_fibre(rest, best)
            if len(mode.rows) < len(mode.pivots) + SPARE:
                self._extend(k, self.rng.choice(mode.others, SPARE, replace=False))

    def _extend(self, k: int, indices: np.ndarray) -> None:
        """The blocks of mode k at more of its indices: at all where these are many."""
        mode, t = self.modes[k], self.values[k]
        whole = len(mode.rows) + len(indices) > SHARE * mode.n
        if whole:
            indices = mode.others
        more = self.source.block(self._before(k), k, self._behind(k), indices)
        before = len(mode.rows)
        mode.add_rows(indices, whole)
        self.values[k] = np.concatenate([t, more], axis=1)
        if k < self.d - 1:
            self.rows[k] = self.rows[k] // before * len(mode.rows) + self.rows[k] % before
        self._quotients[k] = None

    def _reach(self, point: np.ndarray, tol: float) -> int:
        """Fibres through a point (d,) where their modes miss it by more than ``tol``; how many."""
        added = 0
        for k, mode in enumerate(self.modes):
            if mode.whole or point[k] in mode.rows:
                continue
            line = np.repeat(point[None], len(mode.rows) + 1, axis=0)
            line[1:, k] = mode.rows
            values = self.source.points(line, k)
            if abs(values[0] - mode.guessed(values[1:], int(point[k]))) > tol:
                self._take_fibre(k, point[:k], point[k + 1 :])
                added += 1
        return added

    def points(self) -> np.ndarray:
        """The pivots as multi-indices (p, d), each once: the pairs of left and right indices of all bonds."""
        pairs = [np.column_stack([left, right]) for left, right in zip(self.left, self.right, strict=True)]
        return np.unique(np.concatenate([np.zeros((0, self.d), dtype=np.int64), *pairs]), axis=0)

    def train(self) -> TensorTrain:
        """The approximation as a train."""
        blocks = [self.quotient(k).reshape(self.values[k].shape) for k in range(self.d - 1)]
        cores = [mode.spread(block) for mode, block in zip(self.modes, [*blocks, self.values[-1]], strict=True)]
        return TensorTrain(tuple(cores))
