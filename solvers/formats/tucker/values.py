"""Values of f on a Tucker grid, of existing tensors, or of coordinates: of blocks, of fibres, at points.

All are counted. Those that judge are kept: the error at them is a lower bound of the whole error of an approximation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.cross.sources import PROBES, SAME
from solvers.formats.tucker.tensor import TuckerTensor, combine, rank_one

WORST = 3  # rows an axis that join after a pass that was not enough

Function = Callable[..., np.ndarray]
Place = Callable[[tuple[int, ...]], list[int]]


@dataclass(frozen=True)
class Misses:
    """Errors at all combinations of ``rows``, an array an axis; a vector of errors at the tuples of these."""

    errors: np.ndarray
    rows: Sequence[np.ndarray]

    def worst(self) -> list[np.ndarray]:
        """Rows an axis of the WORST of them."""
        count = min(WORST, self.errors.size)
        chosen = np.argpartition(np.abs(self.errors), self.errors.size - count, axis=None)[-count:]
        places = np.unravel_index(chosen, self.errors.shape)
        if len(places) < len(self.rows):
            places = places * len(self.rows)
        return [i[p] for i, p in zip(self.rows, places, strict=True)]


class Values:
    """f of ``tensors`` and, with ``grids``, of coordinates, all of one ``shape``.

    Raises ValueError where there is none, or more than one.
    """

    def __init__(self, f: Function, tensors: Sequence[TuckerTensor], coordinates: Sequence[np.ndarray] | None) -> None:
        self.f, self.tensors = f, list(tensors)
        self.grids = None if coordinates is None else [np.asarray(c, dtype=float) for c in coordinates]
        shapes = {x.shape for x in self.tensors} | ({tuple(map(len, self.grids))} if self.grids else set())
        if len(shapes) != 1:
            raise ValueError(f"needs tensors or coordinates, all of one shape, not {sorted(shapes)}")
        self.shape: tuple[int, ...] = shapes.pop()
        self.d = len(self.shape)
        self.evaluations = 0
        self.least, self.most = np.inf, -np.inf  # of the values
        self.blocks: list[tuple[list[np.ndarray], np.ndarray]] = []  # rows, values: what is known
        self.drawn: list[tuple[np.ndarray, np.ndarray]] = []  # points, values
        self.lines: list[tuple[int, np.ndarray, np.ndarray]] = []  # axis, a point on it, values

    def _checked(self, arguments: list[np.ndarray], shape: tuple[int, ...], place: Place) -> np.ndarray:
        values = np.broadcast_to(np.asarray(self.f(*arguments), dtype=float), shape)
        if not np.isfinite(values).all():
            bad = place(tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0]))
            raise ValueError(f"the function returned NaN or infinity at the multi-index {tuple(int(i) for i in bad)}")
        return values

    def _called(self, arguments: list[np.ndarray], shape: tuple[int, ...], place: Place) -> np.ndarray:
        values = self._checked(arguments, shape, place)
        self.evaluations += values.size
        self.least, self.most = min(self.least, float(values.min())), max(self.most, float(values.max()))
        return values

    def block(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Values at all combinations of rows."""
        arguments = [x.block(rows) for x in self.tensors]
        if self.grids is not None:
            arguments += np.ix_(*[g[i] for g, i in zip(self.grids, rows, strict=True)])
        return self._called(
            arguments, tuple(len(i) for i in rows), lambda bad: [r[i] for r, i in zip(rows, bad, strict=True)]
        )

    def fibres(self, axis: int, others: np.ndarray) -> np.ndarray:
        """Values (n, q) along ``axis`` at the index sets ``others`` (q, d - 1) of the other axes."""
        arguments = [x.fibres(axis, others) for x in self.tensors]
        if self.grids is not None:
            rest = iter(others.T)
            arguments += [g[:, None] if m == axis else g[next(rest)][None] for m, g in enumerate(self.grids)]
        return self._called(
            arguments, (self.shape[axis], len(others)), lambda bad: [*np.insert(others[bad[1]], axis, bad[0])]
        )

    def at(self, points: np.ndarray) -> np.ndarray:
        """Values (p,) at points (p, d)."""
        return self._called(self._arguments_at(points), (len(points),), lambda bad: [*points[bad[0]]])

    def _arguments_at(self, points: np.ndarray) -> list[np.ndarray]:
        arguments = [x.entries(points) for x in self.tensors]
        if self.grids is not None:
            arguments += [g[i] for g, i in zip(self.grids, points.T, strict=True)]
        return arguments

    def question(self) -> list[np.ndarray]:
        """What tells them from others: the tensors, the coordinates, and values at points fixed once, not counted."""
        points = np.column_stack([np.random.default_rng(0).integers(0, n, PROBES) for n in self.shape])
        values = self._checked(self._arguments_at(points), (PROBES,), lambda bad: [*points[bad[0]]])
        known = [array for x in self.tensors for array in (x.core, *x.factors)]
        return [*known, *(self.grids or ()), np.array(values)]

    def single_valued(self) -> bool:
        """Whether one value alone was seen, and the arguments do not say that there is no other."""
        if self.most - self.least > SAME * max(abs(self.most), abs(self.least)):
            return False
        first = [np.zeros(1, dtype=np.int64)] * self.d
        one = [rank_one([np.ones(n) for n in self.shape]) * float(x.block(first).ravel()[0]) for x in self.tensors]
        known = all(combine([(1.0, x), (-1.0, y)]).norm() <= SAME * x.norm() for x, y in zip(self.tensors, one))
        return self.grids is not None or not known

    def missed(self, x: TuckerTensor) -> tuple[float, Misses | None]:
        """The largest 2-norm of the errors of one block or set of fibres known, and which they are, None for zeros."""
        largest, worst = 0.0, None
        for misses in self.known(x):
            if (norm := float(np.linalg.norm(misses.errors))) > largest:
                largest, worst = norm, misses
        return largest, worst

    def known(self, x: TuckerTensor) -> Iterator[Misses]:
        """The errors of ``x`` at everything known."""
        for rows, values in self.blocks:
            yield Misses(values - x.block(rows), rows)
        for axis, point, values in self.lines:
            errors = values - x.fibres(axis, np.delete(point, axis)[None])
            yield Misses(
                errors[:, 0],
                [np.arange(n) if m == axis else np.full(self.shape[axis], point[m]) for m, n in enumerate(self.shape)],
            )
        for points, values in self.drawn:
            yield Misses(values - x.entries(points), [*points.T])

    def content(self) -> Content:
        """What is known, and what was counted."""
        arrays: dict[str, np.ndarray] = {}
        for k, (rows, values) in enumerate(self.blocks):
            arrays |= {f"block.{k}.{m}": i for m, i in enumerate(rows)} | {f"block.{k}": values}
        for k, (_, point, values) in enumerate(self.lines):
            arrays |= {f"line.{k}.point": point, f"line.{k}": values}
        for k, (points, values) in enumerate(self.drawn):
            arrays |= {f"drawn.{k}.points": points, f"drawn.{k}": values}
        data: dict[str, Any] = {"blocks": len(self.blocks), "drawn": len(self.drawn)}
        data["axes"] = [axis for axis, _, _ in self.lines]
        return arrays, data | {name: getattr(self, name) for name in ("evaluations", "least", "most")}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """As it was then."""
        self.blocks = [
            ([arrays[f"block.{k}.{m}"] for m in range(self.d)], arrays[f"block.{k}"]) for k in range(data["blocks"])
        ]
        self.lines = [(axis, arrays[f"line.{k}.point"], arrays[f"line.{k}"]) for k, axis in enumerate(data["axes"])]
        self.drawn = [(arrays[f"drawn.{k}.points"], arrays[f"drawn.{k}"]) for k in range(data["drawn"])]
        for name in ("evaluations", "least", "most"):
            setattr(self, name, data[name])
