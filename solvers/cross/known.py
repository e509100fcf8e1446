"""What is known of a function: the multi-indices where it was evaluated and its values there, each once.

Nothing is evaluated twice, and every approximation is held against all that is known, also after it was rounded.
Memory is bounded: from ``MOST`` values on nothing more is kept. An entry remembers the mode at which the block it
belongs to was taken, for a block is all combinations of few left and few right indices: a train is evaluated at m
entries of it for m r operations and the interfaces at those few.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.kernels import evaluations as kernels
from solvers.kernels.samples import times_slice
from solvers.trains.tensor_train import TensorTrain

MOST = 8_000_000  # values: 64 MB real, and three times that for where they are
WORD = 62  # bits


class Known:
    """Values (count, outputs) of type ``dtype`` at multi-indices of ``shape``; ``outputs`` values a multi-index."""

    def __init__(self, shape: Sequence[int], outputs: int, dtype: np.dtype) -> None:
        bits = [max(1, (n - 1).bit_length()) for n in shape]
        words, shifts, word, used = [], [], 0, 0
        for size in bits:
            if used + size > WORD:
                word, used = word + 1, 0
            words.append(word)
            shifts.append(used)
            used += size
        self.words, self.shifts = np.array(words), np.array(shifts)
        self.masks = (1 << np.array(bits)) - 1
        self.count, self.most = 0, max(1, MOST // outputs)
        self.keys = np.zeros((1024, word + 1), dtype=np.int64)
        self.values = np.zeros((1024, outputs), dtype=dtype)
        self.modes = np.zeros(1024, dtype=np.int16)
        self.slots = np.full(2048, -1, dtype=np.int64)

    @property
    def full(self) -> bool:
        """Whether no more is kept."""
        return self.count >= self.most

    def locate(self, indices: np.ndarray, mode: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions (m,) of multi-indices (m, d), -1 for those not kept, and which of them (p,) are new.

        The values at the new ones, the last p positions, are the caller's to set. ``mode``: of the block.
        """
        self._reserve(min(self.count + len(indices), self.most))
        positions, fresh = np.empty(len(indices), dtype=np.int64), np.empty(len(indices), dtype=np.int64)
        new = kernels.locate(
            self.slots, self.keys, self.count, self.most, np.ascontiguousarray(indices), self.words, self.shifts,
            positions, fresh,
        )  # fmt: skip
        self.modes[self.count : self.count + new] = mode
        self.count += new
        return positions, fresh[:new]

    def forget(self, count: int) -> None:
        """Only the first ``count`` entries stay: no values came for the others."""
        self.count = count
        self.slots[:] = -1
        kernels.fill(self.slots, self.keys, count)

    def _reserve(self, count: int) -> None:
        size = len(self.keys)
        while size < count:
            size *= 2
        if size > len(self.keys):
            for name in ("keys", "values", "modes"):
                old = getattr(self, name)
                new = np.zeros((size, *old.shape[1:]), dtype=old.dtype)
                new[: self.count] = old[: self.count]
                setattr(self, name, new)
            self.slots = np.full(2 * size, -1, dtype=np.int64)
            kernels.fill(self.slots, self.keys, self.count)

    def indices(self, rows: np.ndarray) -> np.ndarray:
        """Multi-indices (m, d) at positions (m,)."""
        return kernels.unpacked(self.keys, rows, self.words, self.shifts, self.masks)

    def errors(self, train: TensorTrain, since: int = 0) -> np.ndarray:
        """|value - train|, the largest over the outputs, at the positions from ``since`` on."""
        out = np.zeros(self.count - since)
        modes = self.modes[since : self.count]
        for mode in np.unique(modes):
            chosen = np.flatnonzero(modes == mode)
            rows = chosen + since
            values = self.values[rows]
            indices = self.indices(rows)
            if values.shape[1] > 1:
                found = np.column_stack([
                    entries(train, np.column_stack([indices, np.full(len(rows), q)]), int(mode))
                    for q in range(values.shape[1])
                ])  # fmt: skip
            else:
                found = entries(train, indices, int(mode))[:, None]
            out[chosen] = np.abs(found - values).max(axis=1)
        return out


def entries(train: TensorTrain, indices: np.ndarray, mode: int) -> np.ndarray:
    """Entries of a train at multi-indices (m, d); interfaces once for all that agree in front of ``mode``, or behind.

    Cost m r, n r^2 for each different left part, and d r^2 for each different left and right part.
    """
    d = train.d
    mode = min(mode, d - 1)
    indices = np.ascontiguousarray(indices)
    cores = [np.ascontiguousarray(core.transpose(1, 0, 2)) for core in train.cores[: mode + 1]]
    cores += [np.ascontiguousarray(core.transpose(1, 2, 0)) for core in train.cores[mode + 1 :]]
    part, first = _different(indices, 0, mode)
    u = np.ones((len(first), 1), dtype=train.dtype)
    for m in range(mode):
        u = times_slice(u, cores[m], np.ascontiguousarray(indices[first, m]))
    left, first = _different(indices, 0, mode + 1)
    u = times_slice(u[part[first]], cores[mode], np.ascontiguousarray(indices[first, mode]))
    right, first = _different(indices, mode + 1, d)
    v = np.ones((len(first), 1), dtype=train.dtype)
    for m in range(d - 1, mode, -1):
        v = times_slice(v, cores[m], np.ascontiguousarray(indices[first, m]))
    return kernels.paired(u, v, left, right)


def _different(indices: np.ndarray, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of the different parts [low, high) each row has, and the row where each comes first."""
    size = 1 << max(4, (2 * len(indices)).bit_length())
    ids, firsts = np.empty(len(indices), dtype=np.int64), np.empty(len(indices), dtype=np.int64)
    count = kernels.distinct(indices, low, high, np.full(size, -1, dtype=np.int64), ids, firsts)
    return ids, firsts[:count]
