"""The entries of a function of existing trains; see solvers.cross.sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from solvers.cross.known import Known
from solvers.cross.sources import SAME, Source
from solvers.formats.trains.construct import ones
from solvers.formats.trains.tensor_train import TensorTrain


class TrainSource(Source):
    """f(x(i), y(i), ...) of existing trains of one shape, blocks from the products of their left and right cores."""

    def __init__(self, f: Callable[..., np.ndarray], trains: Sequence[TensorTrain]) -> None:
        super().__init__()
        self.f, self.trains = f, list(trains)
        self.shape = self.trains[0].shape
        if any(x.shape != self.shape for x in self.trains):
            raise ValueError(f"the trains must have one shape, not {[x.shape for x in self.trains]}")
        origin = np.zeros((1, len(self.shape)), dtype=np.int64)
        first = self._call([x.entries(origin) for x in self.trains], lambda _: (0,) * len(self.shape))
        self.dtype = np.result_type(first.dtype, np.float64)
        self.known = Known(self.shape, 1, self.dtype)
        self._keep(origin, first, len(self.shape) // 2)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def constant(self) -> bool:
        """A function of trains that are constant, each, is constant: no value of it is needed to know."""
        origin = np.zeros((1, len(self.shape)), dtype=np.int64)
        return self.seen_whole() or all(
            (x - ones(self.shape) * x.entries(origin)[0]).norm() <= SAME * x.norm() for x in self.trains
        )

    def points(self, indices: np.ndarray, mode: int | None = None) -> np.ndarray:
        out = self._call([x.entries(indices) for x in self.trains], lambda bad: tuple(indices[bad].tolist()))
        self._keep(indices, out, len(self.shape) // 2 if mode is None else mode)
        return out

    def whole(self) -> np.ndarray:
        def place(bad: int) -> tuple[int, ...]:
            return tuple(int(i) for i in np.unravel_index(bad, self.shape))

        return self._call([x.full(self.size) for x in self.trains], place)

    def block(self, left: np.ndarray, k: int, right: np.ndarray, *only: np.ndarray) -> np.ndarray:
        """Cost: d (a + b) r^2 for the interfaces, a s_k b r for the block, a train."""
        if len(only) > 1:
            return super().block(left, k, right, *only)
        rows = only[0] if only else np.arange(self.shape[k])
        values = []
        for x in self.trains:
            u, v = np.ones((len(left), 1)), np.ones((len(right), 1))
            for m in range(k):
                u = np.einsum("pa,apb->pb", u, x.cores[m][:, left[:, m]])
            for m in range(x.d - 1, k, -1):
                v = np.einsum("apb,pb->pa", x.cores[m][:, right[:, m - k - 1]], v)
            values.append(np.tensordot(np.tensordot(u, x.cores[k][:, rows], axes=(1, 0)), v, axes=(2, 1)))
        a, n, b = len(left), len(rows), len(right)

        def place(bad: int) -> tuple[int, ...]:
            i, rest = divmod(bad, n * b)
            return (*left[i].tolist(), int(rows[rest // b]), *right[rest % b].tolist())

        out = self._call(values, place)
        indices = np.empty((a, n, b, len(self.shape)), dtype=np.int64)
        indices[..., :k] = left[:, None, None]
        indices[..., k] = rows[:, None]
        indices[..., k + 1 :] = right
        self._keep(indices.reshape(-1, len(self.shape)), out.ravel(), k)
        return out

    def _keep(self, indices: np.ndarray, values: np.ndarray, mode: int) -> None:
        before = self.known.count
        _, fresh = self.known.locate(indices, mode)
        self._set(slice(before, self.known.count), values[fresh][:, None])

    def _call(self, values: list[np.ndarray], place: Callable[[int], tuple[int, ...]]) -> np.ndarray:
        self._spend(values[0].size)
        out = self._asked(values, place)
        self._note(out)
        return out

    def given(self) -> list[np.ndarray]:
        return [core for x in self.trains for core in x.cores]

    def again(self, indices: np.ndarray) -> np.ndarray:
        values = [x.entries(indices) for x in self.trains]
        return self._asked(values, lambda bad: tuple(indices[bad].tolist()))[:, None]

    def _asked(self, values: list[np.ndarray], place: Callable[[int], tuple[int, ...]]) -> np.ndarray:
        out = np.asarray(self.f(*values))
        if out.shape != values[0].shape:
            raise ValueError(f"the function must return an array of shape {values[0].shape}, not {out.shape}")
        if out.dtype.kind not in "biufc":
            raise ValueError(f"the function must return numbers, not {out.dtype}")
        if out.dtype.kind == "b":
            out = out.astype(float)
        if not np.isfinite(out).all():
            bad = int(np.flatnonzero(~np.isfinite(out.ravel()))[0])
            raise ValueError(f"the function is not finite at the multi-index {place(bad)}")
        return out
