"""Where the entries of a tensor come from: a user's function, on indices or coordinates (trains: train_source).

Cross approximation asks for blocks f(left_a, i_k, .., right_b), all combinations of some left indices (i_1..i_k-1), one
or two whole modes and some right indices, and for single points. Every value is checked, counted and kept
(solvers.cross.known), so that a function is not evaluated twice at a point. ``largest`` is the largest |f| so far,
``spread`` a difference from the first value, above rounding errors where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.cross.calling import Calling
from solvers.cross.known import Known
from solvers.kernels.evaluations import written

Function = Callable[..., Any]
Given = tuple[np.ndarray, np.ndarray]  # multi-indices (p, d) and values (p,) or (p, q)
BATCH = 200_000  # multi-indices written out at once
TRIED = 10_000  # random points among which one inside the domain is looked for
PROBES = 16  # entries, fixed once, at which one function is told from another
SAME = 1e-13  # relative: values that differ by no more are one value


class Exhausted(Exception):
    """The next values would pass the budget."""


class Source:
    """What all sources share: the budget, what is known, the size of the values."""

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
        a, b = len(left), len(right)
        inner = modes[0][:, None] if width == 1 else np.stack(np.meshgrid(*modes, indexing="ij"), -1).reshape(-1, width)
        rows = max(1, BATCH // max(1, len(inner) * b))
        parts = [
            self.points(written(left[begin : begin + rows], inner, right), k) for begin in range(0, max(a, 1), rows)
        ]
        if len(parts) == 1:
            return parts[0].reshape(a, *middle, b)
        return np.concatenate(parts).reshape(a, *middle, b)

    def nonzero(self) -> np.ndarray:
        """A multi-index (1, d) of the tensor where the largest known value is, or none (0, d)."""
        values = np.abs(self.known.values[: self.known.count])
        row, column = divmod(int(np.argmax(values)), values.shape[1])
        point = self.known.indices(np.array([row]))
        if point.shape[1] < len(self.shape):
            point = np.append(point, [[column]], axis=1)
        return point if values[row, column] > 0.0 else point[:0]

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
            if self.spread <= SAME * self.largest:  # more is not asked of it
                self.spread = max(self.spread, float(np.abs(values - self._first).max()))


class FunctionSource(Source):
    """f on batches of multi-indices (m, d), or of coordinates with ``grids``: (m,), or (m, q) for q ``outputs``.

    With outputs the tensor has one more mode, the last, of size q; a point is evaluated once for all of them.
    """

    def __init__(
        self,
        f: Function | Calling,
        shape: Sequence[int],
        grids: Sequence[np.ndarray] | None,
        known: Given | None = None,
    ) -> None:
        super().__init__()
        self.calling = f if isinstance(f, Calling) else Calling(f, shape, grids)
        self.told = known
        self._raw: dict[bytes, np.ndarray] = {}  # where gaps are skipped
        self.inputs = tuple(int(n) for n in shape)
        origin = self._one_inside()
        first = self._call(origin, None)
        self.outputs = first.shape[1] if first.ndim == 2 else None
        self.dtype = np.result_type(first.dtype, np.float64)
        self.shape = self.inputs if self.outputs is None else (*self.inputs, self.outputs)
        self.known = Known(self.inputs, self.outputs or 1, self.dtype)
        self.known.locate(origin, len(self.inputs) // 2)
        self.known.values[:1] = first.reshape(1, -1)
        if known is not None:
            self._take(*known)

    def _one_inside(self) -> np.ndarray:
        """A multi-index (1, d) where the function may be called: the first, or one of many that are tried."""
        points = [np.zeros((1, len(self.inputs)), dtype=np.int64)]
        if self.calling.domain is not None:
            rng = np.random.default_rng(0)
            points += [] if self.told is None else [self.told[0]]
            points.append(np.column_stack([rng.integers(0, n, TRIED) for n in self.inputs]))
        tried = np.concatenate(points)
        inside = np.flatnonzero(self.calling.inside(tried))
        if not len(inside):
            raise ValueError(
                f"none of {len(tried)} points tried lies inside the domain: give some with their values as known"
            )
        return tried[inside[:1]]

    def _take(self, points: np.ndarray, values: np.ndarray) -> None:
        """Values (p,) or (p, q) that are given, at multi-indices (p, d); neither asked for nor counted."""
        values = np.asarray(values)
        values = (values.astype(float) if values.dtype.kind in "biu" else values).reshape(len(points), -1)
        if values.shape[1] != (self.outputs or 1):
            raise ValueError(f"known values of {values.shape[1]} outputs, the function has {self.outputs or 1}")
        before = self.known.count
        _, fresh = self.known.locate(points, len(self.inputs) // 2)
        self._set(slice(before, self.known.count), values[fresh])
        self._note(values)

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
        values = self._asked(indices, tail, self._spend)
        self._note(values)
        return values

    def given(self) -> list[np.ndarray]:
        arrays = [*(self.calling.grids or []), *(self.told or ())]
        return [*arrays, *(x for x in (self.calling.domain, self.calling.outside) if isinstance(x, np.ndarray))]

    def again(self, indices: np.ndarray) -> np.ndarray:
        return self._asked(indices, () if self.outputs is None else (self.outputs,)).reshape(len(indices), -1)

    def _asked(
        self, indices: np.ndarray, tail: tuple[int, ...] | None, spend: Callable[[int], None] = lambda count: None
    ) -> np.ndarray:
        """Values inside the domain and outside; ``spend`` is told how many points the function is to be called at."""
        if self.calling.domain is None:
            return self._inner(indices, tail, spend)
        inside = self.calling.inside(indices)
        if inside.all():
            return self._inner(indices, tail, spend)
        count = len(indices)
        values = self.calling.elsewhere(indices[~inside])
        values = _checked(values.astype(float) if values.dtype.kind in "biu" else values, indices[~inside], ())
        if tail:
            values = np.repeat(values[:, None], tail[0], axis=1)
        if inside.any():
            own = self._inner(indices[inside], tail, spend)
            out = np.empty((count, *own.shape[1:]), dtype=np.result_type(own, values))
            out[inside], out[~inside] = own, values
            values = out
        return values

    def _inner(self, indices: np.ndarray, tail: tuple[int, ...] | None, spend: Callable[[int], None]) -> np.ndarray:
        """Values inside the domain, those at gaps continued where gaps are skipped."""
        if not self.calling.skips:
            spend(len(indices))
            return _checked(self.calling.inner(indices), indices, tail)
        values = self._raw_values(indices, spend)
        flat = np.array(values.reshape(len(indices), -1))
        for row in np.flatnonzero(~np.isfinite(flat).all(axis=1)):
            k, near = self.calling.neighbours(indices[row])
            found = self._raw_values(near, spend).reshape(len(near), -1) if len(near) else flat[:0]
            finite = np.isfinite(found).all(axis=1)
            near, found = near[finite], found[finite]
            flat[row] = self.calling.continued(indices[row], k, near, found) if len(near) else 0.0
        return _checked(flat.reshape(values.shape), indices, tail)

    def _raw_values(self, indices: np.ndarray, spend: Callable[[int], None]) -> np.ndarray:
        """Values as they come, of which none is asked for twice: a neighbour of a gap may be asked for later."""
        keys = [row.tobytes() for row in np.ascontiguousarray(indices, dtype=np.int64)]
        places = {key: place for place, key in reversed(list(enumerate(keys))) if key not in self._raw}
        new = np.array(sorted(places.values()), dtype=np.int64)
        if len(new):
            spend(len(new))
            values = _checked(self.calling.inner(indices[new]), indices[new], None, finite=False)
            self._raw.update(zip((keys[place] for place in new), values, strict=True))
        return np.array([self._raw[key] for key in keys])


def _checked(values: np.ndarray, indices: np.ndarray, tail: tuple[int, ...] | None, finite: bool = True) -> np.ndarray:
    """Values of a function at multi-indices (m, d), of shape (m, *tail), as numbers, ``finite`` ones."""
    count = len(indices)
    right = values.ndim in (1, 2) if tail is None else values.shape[1:] == tail
    if not right or values.shape[:1] != (count,):
        wanted = f"({count},) or ({count}, q)" if tail is None else f"{(count, *tail)}"
        raise ValueError(f"the function must return an array of shape {wanted}, not {values.shape}")
    if values.dtype.kind not in "biufc":
        raise ValueError(f"the function must return numbers, not {values.dtype}")
    if values.dtype.kind == "b":
        values = values.astype(float)
    if finite and not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values.reshape(count, -1)).all(axis=1))[0])
        raise ValueError(f"the function is not finite at the multi-index {tuple(indices[bad].tolist())}")
    return values
