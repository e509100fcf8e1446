"""Where the entries of a tensor come from: a user's function, on indices or coordinates, or existing trains.

Cross approximation asks for blocks f(left_a, i_k, .., right_b), all combinations of some left indices (i_1..i_k-1), one
or two whole modes and some right indices, and for single points. Every value is checked, counted and kept
(solvers.cross.known), so that a function is not evaluated twice at a point. ``largest`` is the largest |f| so far,
``spread`` the largest difference from the first value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.cross.known import Known
from solvers.formats.trains.construct import ones
from solvers.formats.trains.tensor_train import TensorTrain

Function = Callable[[np.ndarray], np.ndarray]
BATCH = 200_000  # multi-indices written out at once
PROBES = 16  # entries, fixed once, at which one function is told from another
SAME = 1e-13  # relative: values that differ by no more are one value


class Exhausted(Exception):
    """The next values would pass the budget."""


class _Source:
    """What both sources share: the budget, what is known, the size of the values."""

    shape: tuple[int, ...]
    dtype: np.dtype
    known: Known

    def __init__(self) -> None:
        self.evaluations, self.budget = 0, math.inf
        self.largest = self.spread = 0.0
        self._first: Any = None

    @property
    def size(self) -> int:
        """Points the function can be evaluated at."""
        raise NotImplementedError

    def free(self, k: int) -> bool:
        """Whether all indices of mode k come with one evaluation."""
        return k >= len(self.known.masks)

    def single_valued(self) -> bool:
        """Whether all values so far are one."""
        return self.spread <= SAME * self.largest

    def constant(self) -> bool:
        """Whether the tensor can be nothing but constant, if one value alone was seen."""
        return self.seen_whole()

    def seen_whole(self) -> bool:
        """Whether every entry is known."""
        return self.known.count >= self.size

    def points(self, indices: np.ndarray, mode: int | None = None) -> np.ndarray:
        """Values (m,) at multi-indices (m, d); ``mode``: of the block they are of."""
        raise NotImplementedError

    def whole(self) -> np.ndarray:
        """All values, of shape ``shape``."""
        raise NotImplementedError

    def block(self, left: np.ndarray, k: int, right: np.ndarray, *only: np.ndarray) -> np.ndarray:
        """Values (a, s_k, .., b): left (a, k), right (b, d - k - w) indices, and of w modes from k on those indices
        (s,) in ``only``: all of mode k where none are given.
        """
        modes = only or (np.arange(self.shape[k]),)
        width, middle = len(modes), tuple(len(rows) for rows in modes)
        a, b, d = len(left), len(right), len(self.shape)
        inner = np.stack(np.meshgrid(*modes, indexing="ij"), axis=-1).reshape(-1, width)
        rows = max(1, BATCH // max(1, len(inner) * b))
        parts = []
        for begin in range(0, a, rows):
            some = left[begin : begin + rows]
            out = np.empty((len(some), len(inner), b, d), dtype=np.int64)
            out[..., :k] = some[:, None, None]
            out[..., k : k + width] = inner[:, None]
            out[..., k + width :] = right
            parts.append(self.points(out.reshape(-1, d), k))
        return np.concatenate(parts).reshape(a, *middle, b)

    def again(self, indices: np.ndarray) -> np.ndarray:
        """Values (m, outputs) asked for once more, neither counted nor kept."""
        raise NotImplementedError

    def given(self) -> list[np.ndarray]:
        """What the function is of, as arrays."""
        raise NotImplementedError

    def probes(self) -> np.ndarray:
        """Values at entries that are fixed once, not counted: they tell one function from another."""
        shape = self.shape[: len(self.known.masks)]  # without the mode of the outputs
        return self.again(np.column_stack([np.random.default_rng(0).integers(0, n, PROBES) for n in shape]))

    def content(self) -> Content:
        """What is known, and what was counted and seen."""
        arrays = {**self.known.content(), "first": np.asarray(self._first)}
        return arrays, {name: getattr(self, name) for name in ("evaluations", "largest", "spread")}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """As it was then; values that were too many to keep are asked for again."""
        self._first = arrays["first"][()]
        self.count(data)
        known = self.known
        known.restore(arrays)
        if "values" not in arrays:
            for begin in range(0, known.count, BATCH):
                rows = np.arange(begin, min(begin + BATCH, known.count))
                self._set(rows, self.again(known.indices(rows)))
        self.dtype = known.values.dtype

    def count(self, data: Mapping[str, Any]) -> None:
        """What was counted and seen then, and no more."""
        self.evaluations, self.largest, self.spread = data["evaluations"], data["largest"], data["spread"]

    def _set(self, rows: np.ndarray | slice, values: np.ndarray) -> None:
        """The values at positions of what is known; it is complex from the first complex value on."""
        if values.dtype.kind == "c" and self.known.values.dtype.kind != "c":
            self.known.values = self.known.values.astype(complex)
            self.dtype = np.dtype(complex)
        self.known.values[rows] = values

    def _spend(self, count: int) -> None:
        if self.evaluations + count > self.budget:
            raise Exhausted
        self.evaluations += count

    def _note(self, values: np.ndarray) -> None:
        if values.size:
            if self._first is None:
                self._first = values.ravel()[0]
            self.largest = max(self.largest, float(np.abs(values).max()))
            self.spread = max(self.spread, float(np.abs(values - self._first).max()))


class FunctionSource(_Source):
    """f on batches of multi-indices (m, d), or of coordinates with ``grids``: (m,), or (m, q) for q ``outputs``.

    With outputs the tensor has one more mode, the last, of size q; a point is evaluated once for all of them.
    """

    def __init__(self, f: Function, shape: Sequence[int], grids: Sequence[np.ndarray] | None) -> None:
        super().__init__()
        self.f, self.grids = f, None if grids is None else [np.asarray(g, dtype=float) for g in grids]
        self.inputs = tuple(int(n) for n in shape)
        origin = np.zeros((1, len(self.inputs)), dtype=np.int64)
        first = self._call(origin, None)
        self.outputs = first.shape[1] if first.ndim == 2 else None
        self.dtype = np.result_type(first.dtype, np.float64)
        self.shape = self.inputs if self.outputs is None else (*self.inputs, self.outputs)
        self.known = Known(self.inputs, self.outputs or 1, self.dtype)
        self.known.locate(origin, len(self.inputs) // 2)
        self.known.values[:1] = first.reshape(1, -1)

    @property
    def size(self) -> int:
        return math.prod(self.inputs)

    def points(self, indices: np.ndarray, mode: int | None = None) -> np.ndarray:
        mode = len(self.shape) // 2 if mode is None else mode
        if self.outputs is None:
            return self._values(indices, mode)[:, 0]
        return self._values(indices[:, :-1], min(mode, len(self.inputs) - 1))[np.arange(len(indices)), indices[:, -1]]

    def whole(self) -> np.ndarray:
        parts = []
        for begin in range(0, self.size, BATCH):
            numbers = np.arange(begin, min(begin + BATCH, self.size))
            parts.append(self._values(np.column_stack(np.unravel_index(numbers, self.inputs)), len(self.inputs) // 2))
        return np.concatenate(parts).reshape(self.shape)

    def _values(self, inputs: np.ndarray, mode: int) -> np.ndarray:
        """Values (m, outputs), those not known yet by one call of the function."""
        known, before = self.known, self.known.count
        positions, fresh = known.locate(inputs, mode)
        beyond = np.flatnonzero(positions < 0) if known.full else fresh[:0]
        wanted = np.concatenate([fresh, beyond])
        if len(wanted):
            try:
                tail = () if self.outputs is None else (self.outputs,)
                values = self._call(inputs[wanted], tail).reshape(len(wanted), -1)
            except BaseException:
                known.forget(before)
                raise
            self._set(slice(before, known.count), values[: len(fresh)])
        out = known.values[positions]
        if len(beyond):
            out[beyond] = values[len(fresh) :]
        return out

    def _call(self, indices: np.ndarray, tail: tuple[int, ...] | None) -> np.ndarray:
        self._spend(len(indices))
        values = self._asked(indices, tail)
        self._note(values)
        return values

    def given(self) -> list[np.ndarray]:
        return self.grids or []

    def again(self, indices: np.ndarray) -> np.ndarray:
        return self._asked(indices, () if self.outputs is None else (self.outputs,)).reshape(len(indices), -1)

    def _asked(self, indices: np.ndarray, tail: tuple[int, ...] | None) -> np.ndarray:
        argument = indices
        if self.grids is not None:
            argument = np.column_stack([g[indices[:, m]] for m, g in enumerate(self.grids)])
        values = np.asarray(self.f(argument))
        count = len(indices)
        right = values.ndim in (1, 2) if tail is None else values.shape[1:] == tail
        if not right or values.shape[:1] != (count,):
            wanted = f"({count},) or ({count}, q)" if tail is None else f"{(count, *tail)}"
            raise ValueError(f"the function must return an array of shape {wanted}, not {values.shape}")
        if values.dtype.kind not in "biufc":
            raise ValueError(f"the function must return numbers, not {values.dtype}")
        if values.dtype.kind == "b":
            values = values.astype(float)
        if not np.isfinite(values).all():
            bad = int(np.flatnonzero(~np.isfinite(values.reshape(count, -1)).all(axis=1))[0])
            raise ValueError(f"the function is not finite at the multi-index {tuple(indices[bad].tolist())}")
        return values


class TrainSource(_Source):
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
