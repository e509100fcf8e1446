"""Points of manifolds and tangent vectors as arrays of a file: arrays, tuples of them, or what the manifold makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from solvers.checkpoint import Content


@runtime_checkable
class StoresPoints(Protocol):
    """A manifold whose points are no arrays, but can be written to a file as some."""

    def point_arrays(self, x: Any) -> Sequence[np.ndarray]:
        """What ``stored_point`` makes the same point of."""

    def stored_point(self, arrays: Sequence[np.ndarray]) -> Any:
        """The point of ``point_arrays``."""


def packed(name: str, x: Any, manifold: object = None) -> Content:
    """A point or a tangent vector as arrays ``name.k``, and how many of what they are."""
    if isinstance(x, np.ndarray):
        kind, parts = "array", [x]
    elif isinstance(x, tuple) and all(isinstance(part, np.ndarray) for part in x):
        kind, parts = "tuple", list(x)
    elif isinstance(manifold, StoresPoints):
        kind, parts = "point", list(manifold.point_arrays(x))
    else:
        raise ValueError(f"no file takes a {type(x).__name__}: give the manifold point_arrays and stored_point")
    return {f"{name}.{k}": part for k, part in enumerate(parts)}, {"kind": kind, "count": len(parts)}


def unpacked(arrays: Mapping[str, np.ndarray], name: str, entry: Mapping[str, Any], manifold: object = None) -> Any:
    """The point or tangent vector of ``packed``."""
    parts = [arrays[f"{name}.{k}"] for k in range(entry["count"])]
    if entry["kind"] == "array":
        return parts[0]
    if entry["kind"] == "tuple":
        return tuple(parts)
    assert isinstance(manifold, StoresPoints)
    return manifold.stored_point(parts)
