"""What is known of a function: the multi-indices where it was evaluated and its values there, each once.

Nothing is evaluated twice, and every approximation is held against all that is known, also after it was rounded.
Memory is bounded: from ``MOST`` values on nothing more is kept. An entry remembers the mode at which the block it
belongs to was taken, for a block is all combinations of few left and few right indices: a train is evaluated at m
entries of it for m r operations and the interfaces at those few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.kernels import evaluations as kernels
from solvers.kernels.samples import times_slice

MOST = 8_000_000  # values: 64 MB real, and three times that for where they are
STORED = 1_000_000  # values, at most, that a checkpoint holds: 8 MB; so many more are asked for again
KEPT = 10_000_000  # numbers of the multi-indices of a mode, at most, that are kept beside the values
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
        self.kept: dict[int, tuple[np.ndarray, Shared]] = {}

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
            self.slots,
            self.keys,
            self.count,
            self.most,
            np.ascontiguousarray(indices),
            self.words,
            self.shifts,
            positions,
            fresh,
        )
        self.modes[self.count : self.count + new] = mode
        self.count += new
        return positions, fresh[:new]

    def forget(self, count: int) -> None:
        """Only the first ``count`` entries stay: no values came for the others."""
        self.count = count
        self.kept.clear()
        self.slots[:] = -1
        kernels.fill(self.slots, self.keys, count)

    def content(self) -> dict[str, np.ndarray]:
        """Multi-indices, modes and, where they are few, the values."""
        found: dict[str, np.ndarray] = {"keys": self.keys[: self.count], "modes": self.modes[: self.count]}
        if self.count * self.values.shape[1] <= STORED:
            found["values"] = self.values[: self.count]
        return found

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """As it was then; the values are the caller's to set where there are none."""
        count = len(arrays["keys"])
        self.count = 0
        self._reserve(count)
        self.keys[:count], self.modes[:count] = arrays["keys"], arrays["modes"]
        if "values" in arrays:
            self.values = self.values.astype(arrays["values"].dtype)
            self.values[:count] = arrays["values"]
        self.forget(count)

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
        return self.errors_at(train, np.arange(since, self.count))

    def errors_at(self, train: TensorTrain, at: np.ndarray) -> np.ndarray:
        """|value - train|, the largest over the outputs, at positions (m,)."""
        out = np.zeros(len(at))
        modes = self.modes[at]
        for mode in np.unique(modes):
            chosen = np.flatnonzero(modes == mode)
            rows = at[chosen]
            values = self.values[rows]
            if values.shape[1] > 1:
                indices = self.indices(rows)
                found = np.column_stack(
                    [
                        entries(train, np.column_stack([indices, np.full(len(rows), q)]), int(mode))
                        for q in range(values.shape[1])
                    ]
                )
            else:
                whole = len(at) == self.count
                shared = self._shared(int(mode), rows) if whole else Shared(self.indices(rows), int(mode))
                found = shared.entries(train)[:, None]
            out[chosen] = np.abs(found - values).max(axis=1)
        return out

    def _shared(self, mode: int, rows: np.ndarray) -> Shared:
        """Those of all entries of a mode are kept until there are more: several trains are held against them."""
        kept = self.kept.get(mode)
        if kept is not None and np.array_equal(kept[0], rows):
            return kept[1]
        shared = Shared(self.indices(rows), mode)
        if len(rows) * len(self.masks) <= KEPT:
            self.kept[mode] = rows, shared
        return shared


def entries(train: TensorTrain, indices: np.ndarray, mode: int) -> np.ndarray:
    """Entries of a train at multi-indices (m, d); see ``Shared``."""
    return Shared(indices, mode).entries(train)


class Shared:
    """What multi-indices (m, d) share: the parts in front of ``mode``, and behind. The interfaces of a train are formed
    once for all that agree there: m r for the entries, n r^2 for each different left part, and d r^2 for each different
    left and right part.
    """

    def __init__(self, indices: np.ndarray, mode: int) -> None:
        self.indices, d = np.ascontiguousarray(indices), indices.shape[1]
        self.mode = min(mode, d - 1)
        self.front, self.front_first = _different(self.indices, 0, self.mode)
        self.left, self.left_first = _different(self.indices, 0, self.mode + 1)
        self.right, self.right_first = _different(self.indices, self.mode + 1, d)

    def entries(self, train: TensorTrain) -> np.ndarray:
        """Entries (m,) of a train."""
        mode, indices = self.mode, self.indices
        cores = [np.ascontiguousarray(core.transpose(1, 0, 2)) for core in train.cores[: mode + 1]]
        cores += [np.ascontiguousarray(core.transpose(1, 2, 0)) for core in train.cores[mode + 1 :]]
        u = np.ones((len(self.front_first), 1), dtype=train.dtype)
        for m in range(mode):
            u = times_slice(u, cores[m], np.ascontiguousarray(indices[self.front_first, m]))
        first = self.left_first
        u = times_slice(u[self.front[first]], cores[mode], np.ascontiguousarray(indices[first, mode]))
        v = np.ones((len(self.right_first), 1), dtype=train.dtype)
        for m in range(train.d - 1, mode, -1):
            v = times_slice(v, cores[m], np.ascontiguousarray(indices[self.right_first, m]))
        return kernels.paired(u, v, self.left, self.right)


def _different(indices: np.ndarray, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of the different parts [low, high) each row has, and the row where each comes first."""
    size = 1 << max(4, (2 * len(indices)).bit_length())
    ids, firsts = np.empty(len(indices), dtype=np.int64), np.empty(len(indices), dtype=np.int64)
    count = kernels.distinct(indices, low, high, np.full(size, -1, dtype=np.int64), ids, firsts)
    return ids, firsts[:count]
