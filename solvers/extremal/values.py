"""Values of a function of indices, each asked for once, within a number of evaluations; the best of them are kept."""

from __future__ import annotations

import numpy as np

from solvers.cross.calling import Calling
from solvers.extremal.prefixes import Seen


class Values:
    """``calling`` with a memory; ``limit``: evaluations in all. ``at`` gives NaN where nothing is (left) to be had."""

    def __init__(self, calling: Calling, limit: int) -> None:
        self.calling, self.limit = calling, limit
        self.known: dict[bytes, float] = {}
        self.recalled: dict[bytes, float] = {}  # values of an earlier call, taken in the place of asking
        self.undefined = 0
        zero = np.zeros(len(calling.shape), dtype=np.int64)
        self.seen = Seen(np.inf, -np.inf, zero, zero)

    @property
    def spent(self) -> bool:
        return len(self.known) >= self.limit

    def at(self, indices: np.ndarray) -> np.ndarray:
        """Values (m,) at multi-indices (m, d).  Raises ValueError for a function that is not real."""
        indices = np.ascontiguousarray(indices, dtype=np.int64)
        keys = [row.tobytes() for row in indices]
        new: dict[bytes, int] = {}
        for j, key in enumerate(keys):
            if key not in self.known and key not in new and len(self.known) + len(new) < self.limit:
                new[key] = j
        if new:
            asked = indices[list(new.values())]
            found = self._found(list(new), asked)
            if found.shape != (len(asked),) or found.dtype.kind not in "biuf":
                raise ValueError(f"the function must return {len(asked)} real values, not {found.shape} {found.dtype}")
            self.keep(list(new), asked, found.astype(float))
        return np.array([self.known.get(key, np.nan) for key in keys])

    def _found(self, keys: list[bytes], asked: np.ndarray) -> np.ndarray:
        missing = [j for j, key in enumerate(keys) if key not in self.recalled]
        if len(missing) == len(keys):
            return np.asarray(self.calling.inner(asked))
        found = np.array([self.recalled.get(key, np.nan) for key in keys])
        if missing:
            found[missing] = self.calling.inner(asked[missing])
        return found

    def keep(self, keys: list[bytes], indices: np.ndarray, values: np.ndarray) -> None:
        """What was asked for; infinity is no value."""
        values = np.where(np.isfinite(values), values, np.nan)
        self.undefined += int(np.isnan(values).sum())
        self.known.update(zip(keys, values.tolist()))
        self.seen.update(values, indices)

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """All points (m, d) and their values, in the order of asking."""
        d = len(self.calling.shape)
        points = np.frombuffer(b"".join(self.known), dtype=np.int64).reshape(-1, d)
        return points.copy(), np.array(list(self.known.values()))
