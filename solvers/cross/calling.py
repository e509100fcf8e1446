"""How a user's function is called: rows or columns of points, or one point at a time; batches; a domain; gaps.

Where ``domain`` is false the function is not called, and ``outside`` stands for its value. Where it returns NaN or
infinity and ``undefined`` is "skip", the value is continued along the longest mode from the nearest points that have
one (Lagrange), or is zero where there is none: an entry nobody asked for, that needs some value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np

from solvers.kernels.evaluations import looked_up

Arguments = Literal["rows", "columns", "row", "numbers"]
Domain = np.ndarray | Callable[..., np.ndarray]
Outside = complex | Callable[..., np.ndarray]
NEAREST = 3  # steps in both directions in which a gap looks for values ...
LEAST = 5  # ... in a mode of at least so many indices


class Calling:
    """A function ``f`` on multi-indices (m, d) of ``shape``, or on the coordinates ``grids`` give them.

    ``called``: points it was called at.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        shape: Sequence[int],
        grids: Sequence[np.ndarray] | None = None,
        arguments: Arguments | None = None,
        batch: int | None = None,
        domain: Domain | None = None,
        outside: Outside = 0.0,
        undefined: Literal["refuse", "skip"] = "refuse",
    ) -> None:
        if arguments not in (None, *get_args(Arguments)):
            raise ValueError(f"arguments must be one of {', '.join(get_args(Arguments))}, not {arguments!r}")
        if batch is not None and batch < 1:
            raise ValueError(f"batch must be at least 1, not {batch}")
        if undefined not in ("refuse", "skip"):
            raise ValueError(f"undefined must be 'refuse' or 'skip', not {undefined!r}")
        if isinstance(domain, np.ndarray) and (domain.shape != tuple(shape) or domain.dtype.kind != "b"):
            raise ValueError(f"the domain must be a mask of shape {tuple(shape)}, not {domain.shape} {domain.dtype}")
        self.f, self.shape, self.batch = f, tuple(shape), batch
        self.grids = None if grids is None else [np.asarray(g, dtype=float) for g in grids]
        if self.grids is not None:
            self._flat = np.concatenate(self.grids)
            self._firsts = np.concatenate([[0], np.cumsum([len(g) for g in self.grids])[:-1]])
        self.domain, self.outside, self.skips = domain, outside, undefined == "skip"
        self._unsure = arguments is None and _takes(f, len(self.shape))
        self.arguments = arguments or ("columns" if self._unsure else "rows")

    def inside(self, indices: np.ndarray) -> np.ndarray:
        """Which of the multi-indices (m, d) the function is called at."""
        if self.domain is None:
            return np.ones(len(indices), dtype=bool)
        if isinstance(self.domain, np.ndarray):
            return self.domain[tuple(indices.T)]
        found = np.asarray(self._passed(self.domain, indices))
        if found.shape != (len(indices),) or found.dtype.kind != "b":
            wanted = f"({len(indices)},) bool"
            raise ValueError(f"the domain must return an array of {wanted}, not {found.shape} {found.dtype}")
        return found

    def elsewhere(self, indices: np.ndarray) -> np.ndarray:
        """Values (m,) or (m, q) outside the domain."""
        if callable(self.outside):
            return np.asarray(self._passed(self.outside, indices))
        return np.full(len(indices), self.outside)

    def inner(self, indices: np.ndarray) -> np.ndarray:
        """Values of the function, called at most ``batch`` points at once."""
        size = self.batch or max(1, len(indices))
        parts = [self._guessed(indices[k : k + size]) for k in range(0, len(indices), size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _guessed(self, indices: np.ndarray) -> np.ndarray:
        """By columns where the function takes as many arguments as modes, by numbers where it does not bear them."""
        if not self._unsure:
            return np.asarray(self._passed(self.f, indices))
        try:
            values = np.asarray(self._passed(self.f, indices))
            if values.shape[:1] != (len(indices),):
                raise TypeError(f"the function returned {values.shape} for columns of {len(indices)} points")
        except (TypeError, ValueError) as error:
            self.arguments = "numbers"
            try:
                values = np.asarray(self._passed(self.f, indices))
            except Exception:
                raise error from None
            self._unsure = False
        self._unsure &= len(indices) == 1  # arrays of one number pass for numbers
        return values

    def _passed(self, f: Callable[..., Any], indices: np.ndarray) -> Any:
        points = indices
        if self.grids is not None:
            points = looked_up(self._flat, self._firsts, np.ascontiguousarray(indices))
        if self.arguments == "rows":
            return f(points)
        if self.arguments == "columns":
            return f(*points.T)
        if self.arguments == "row":
            return [f(point) for point in points]
        return [f(*point) for point in points.tolist()]

    def neighbours(self, index: np.ndarray) -> tuple[int, np.ndarray]:
        """The longest mode, and multi-indices (p, d) near one along it, the nearest first; none in a short mode."""
        k = int(np.argmax(self.shape))
        steps = np.array([s for step in range(1, NEAREST + 1) for s in (step, -step)])
        found = np.repeat(index[None], len(steps), axis=0)
        found[:, k] += steps
        inside = (found[:, k] >= 0) & (found[:, k] < self.shape[k]) & (self.shape[k] >= LEAST)
        found = found[inside]
        return k, found[self.inside(found)] if len(found) else found

    def continued(self, index: np.ndarray, k: int, near: np.ndarray, values: np.ndarray) -> np.ndarray:
        """The value at ``index`` that finite ``values`` (p, q) at points (p, d) along mode k continue to."""
        axis = np.arange(self.shape[k], dtype=float) if self.grids is None else self.grids[k]
        x, at = axis[near[:, k]], axis[index[k]]
        weights = [np.prod([(at - b) / (a - b) for j, b in enumerate(x) if j != i]) for i, a in enumerate(x)]
        return np.array(weights) @ values


def _takes(f: Callable[..., Any], count: int) -> bool:
    """Whether a function must be given ``count`` arguments, more than one."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.kind in positional and p.default is inspect.Parameter.empty]
    return count > 1 and len(required) == count
