"""The uniform meshes of the unit interval and square, as numpy arrays: numbering of nodes and cells."""

from __future__ import annotations

import numpy as np


def midpoints(domain: str, cells: int) -> np.ndarray:
    """Midpoints of the cells (cells^d, d), x1-major: the last axis runs fastest."""
    x = (np.arange(cells) + 0.5) / cells
    return _grid(x, 1 if domain == "interval" else 2)


def nodes(domain: str, cells: int) -> np.ndarray:
    """Nodes ((cells + 1)^d, d), x1-major."""
    return _grid(np.arange(cells + 1) / cells, 1 if domain == "interval" else 2)


def corners(domain: str, cells: int) -> np.ndarray:
    """Nodes of each cell (cells^d, 2^d): anticlockwise from (0, 0) on the square."""
    i = np.arange(cells)
    if domain == "interval":
        return np.column_stack([i, i + 1])
    first = ((cells + 1) * i[:, None] + i[None]).ravel()
    return first[:, None] + np.array([0, cells + 1, cells + 2, 1])


def _grid(x: np.ndarray, dimensions: int) -> np.ndarray:
    if dimensions == 1:
        return x[:, None]
    return np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
