"""Where the entries of a tensor come from: a user's function, on indices or coordinates, or existing trains.

Cross approximation asks for blocks f(left_a, i_k, right_b), all combinations of some left indices (i_1..i_k-1), the
whole mode k and some right indices, and for single points. Every value is checked, and counted; ``largest``
is the largest |f| so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from solvers.trains.tensor_train import TensorTrain

Function = Callable[[np.ndarray], np.ndarray]


class FunctionSource:
    """f on batches of multi-indices (m, d), or of coordinates with ``grids``: (m,), or (m, q) for q ``outputs``.

    With outputs the tensor has one more mode, the last, of size q; a point is evaluated once for all of them.
    """

    def __init__(self, f: Function, shape: Sequence[int], grids: Sequence[np.ndarray] | None) -> None:
        self.f, self.grids = f, None if grids is None else [np.asarray(g, dtype=float) for g in grids]
        self.evaluations, self.largest = 0, 0.0
        self.inputs = tuple(int(n) for n in shape)
        first = self._call(np.zeros((1, len(self.inputs)), dtype=np.int64), None)
        self.outputs = first.shape[1] if first.ndim == 2 else None
        self.dtype = np.result_type(first.dtype, np.float64)
        self.shape = self.inputs if self.outputs is None else (*self.inputs, self.outputs)

    def points(self, indices: np.ndarray) -> np.ndarray:
        """Values (m,) at multi-indices (m, d)."""
        if self.outputs is None:
            return self._call(indices, ())
        inputs, place = np.unique(indices[:, :-1], axis=0, return_inverse=True)
        return self._call(inputs, (self.outputs,))[place.ravel(), indices[:, -1]]

    def block(self, left: np.ndarray, k: int, right: np.ndarray) -> np.ndarray:
        """Values (a, n_k, b) for left (a, k) and right (b, d - k - 1) indices."""
        n = self.shape[k]
        a, b = len(left), len(right)
        out = np.empty((a, n, b, len(self.shape)), dtype=np.int64)
        out[..., :k] = left[:, None, None]
        out[..., k] = np.arange(n)[:, None]
        out[..., k + 1 :] = right
        return self.points(out.reshape(-1, len(self.shape))).reshape(a, n, b)

    def _call(self, indices: np.ndarray, tail: tuple[int, ...] | None) -> np.ndarray:
        argument = indices
        if self.grids is not None:
            argument = np.column_stack([g[indices[:, m]] for m, g in enumerate(self.grids)])
        values = np.asarray(self.f(argument))
        self.evaluations += len(indices)
        count = len(indices)
        right = values.ndim in (1, 2) if tail is None else values.shape[1:] == tail
        if not right or values.shape[:1] != (count,):
            wanted = f"({count},) or ({count}, q)" if tail is None else f"{(count, *tail)}"
            raise ValueError(f"the function must return an array of shape {wanted}, not {values.shape}")
        if not np.issubdtype(values.dtype, np.number):
            raise ValueError(f"the function must return numbers, not {values.dtype}")
        if not np.isfinite(values).all():
            bad = int(np.flatnonzero(~np.isfinite(values.reshape(count, -1)).all(axis=1))[0])
            raise ValueError(f"the function is not finite at the multi-index {tuple(indices[bad].tolist())}")
        self.largest = max(self.largest, float(np.abs(values).max(initial=0.0)))
        return values


class TrainSource:
    """f(x(i), y(i), ...) of existing trains of one shape, blocks from the products of their left and right cores."""

    def __init__(self, f: Callable[..., np.ndarray], trains: Sequence[TensorTrain]) -> None:
        self.f, self.trains = f, list(trains)
        self.evaluations, self.largest = 0, 0.0
        self.shape = self.trains[0].shape
        if any(x.shape != self.shape for x in self.trains):
            raise ValueError(f"the trains must have one shape, not {[x.shape for x in self.trains]}")
        first = self.points(np.zeros((1, len(self.shape)), dtype=np.int64))
        self.dtype = np.result_type(first.dtype, np.float64)

    def points(self, indices: np.ndarray) -> np.ndarray:
        """Values (m,) at multi-indices (m, d)."""
        values = [x.entries(indices) for x in self.trains]
        return self._call(values, lambda bad: tuple(indices[bad].tolist()))

    def block(self, left: np.ndarray, k: int, right: np.ndarray) -> np.ndarray:
        """Values (a, n_k, b) for left (a, k) and right (b, d - k - 1) indices.

        Cost: d (a + b) r^2 for the interfaces, a n_k b r for the block, a train.
        """
        values = []
        for x in self.trains:
            u, v = np.ones((len(left), 1)), np.ones((len(right), 1))
            for m in range(k):
                u = np.einsum("pa,apb->pb", u, x.cores[m][:, left[:, m]])
            for m in range(x.d - 1, k, -1):
                v = np.einsum("apb,pb->pa", x.cores[m][:, right[:, m - k - 1]], v)
            values.append(np.tensordot(np.tensordot(u, x.cores[k], axes=(1, 0)), v, axes=(2, 1)))
        n, b = self.shape[k], len(right)

        def place(bad: int) -> tuple[int, ...]:
            a, rest = divmod(bad, n * b)
            return (*left[a].tolist(), rest // b, *right[rest % b].tolist())

        return self._call(values, place)

    def _call(self, values: list[np.ndarray], place: Callable[[int], tuple[int, ...]]) -> np.ndarray:
        out = np.asarray(self.f(*values))
        self.evaluations += values[0].size
        if out.shape != values[0].shape:
            raise ValueError(f"the function must return an array of shape {values[0].shape}, not {out.shape}")
        if not np.isfinite(out).all():
            bad = int(np.flatnonzero(~np.isfinite(out.ravel()))[0])
            raise ValueError(f"the function is not finite at the multi-index {place(bad)}")
        self.largest = max(self.largest, float(np.abs(out).max(initial=0.0)))
        return out
