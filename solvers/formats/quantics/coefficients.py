"""Coefficients of elliptic problems on [0, 1]^d as users give them, looked at, and what the ends of the axes do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from solvers.measured import numeral

Function: TypeAlias = Callable[[np.ndarray], np.ndarray]  # of points (m, d): (m,)
Coefficient: TypeAlias = Function | float
Given: TypeAlias = Coefficient | np.ndarray
Ends: TypeAlias = str | Sequence[str | tuple[str, str]]
KINDS = ("dirichlet", "face", "neumann")


def checked_ends(ends: object, d: int) -> tuple[tuple[str, str], ...]:
    """A pair (left, right) an axis, of one kind for all or a list of kinds and pairs.  Raises ValueError for others."""
    each = [ends] * d if isinstance(ends, str) or not isinstance(ends, Sequence) else list(ends)
    pairs = [(one, one) if isinstance(one, str) else tuple(one) if isinstance(one, Sequence) else () for one in each]
    if len(pairs) != d or any(len(pair) != 2 or any(end not in KINDS for end in pair) for pair in pairs):
        raise ValueError(
            f"ends must be one of {', '.join(map(repr, KINDS))}, or a list of {d} of these or of pairs, not {ends!r}"
        )
    return tuple((str(pair[0]), str(pair[1])) for pair in pairs)


def function_of(given: Given, d: int, what: str, positive: bool = False) -> Coefficient:
    """Arrays as functions that are constant on cells; functions so that all that they return is looked at."""
    if callable(given):

        def looked_at(points: np.ndarray) -> np.ndarray:
            found = np.asarray(given(points))
            if d == 1 and found.shape == points.shape:  # of one axis x is written as it stands
                found = found[:, 0]
            if found.shape != points.shape[:1] or found.dtype.kind not in "iufb":
                said = f"{found.dtype} {found.shape}"
                raise ValueError(f"{what} must return {len(points)} real numbers for points {points.shape}, not {said}")
            bad = ~np.isfinite(found) | (found <= 0.0 if positive else False)
            if bad.any():
                at = ", ".join(numeral(x) for x in points[int(np.argmax(bad))])
                kind = "positive and finite" if positive else "finite"
                raise ValueError(f"{what} must be {kind}: at ({at}) it is {found[bad][0]}")
            return found.astype(float)

        return looked_at
    array = np.asarray(given)
    if array.dtype.kind not in "iufb" or array.ndim not in (0, d) or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{what} must be a number, a function or a finite real array of {d} axes, not {given!r}"[:300])
    if array.ndim == 0:
        return float(array)
    cells = array.astype(float)

    def on_cells(points: np.ndarray) -> np.ndarray:
        places = np.minimum((points * cells.shape).astype(np.int64), np.array(cells.shape) - 1)
        values: np.ndarray = cells[tuple(places.T)]
        return values

    return on_cells
