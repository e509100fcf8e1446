"""What is given of a tensor: indices and values, each entry once, and those set aside to judge what is fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.optimisation.completion.dimension import LEAST_VALIDATION, set_aside
from solvers.optimisation.completion.samples import held_out

Pair = tuple[np.ndarray, np.ndarray]


def checked(indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...], what: str, *, zeros: bool = False) -> Pair:
    """Indices (m, d) and values (m,) as arrays, each entry once; ValueError with the first thing wrong."""
    indices, values = np.asarray(indices), np.asarray(values)
    if indices.ndim != 2 or indices.shape[1] != len(shape) or values.shape != indices.shape[:1] or not len(values):
        wanted = f"indices (m, {len(shape)}) and values (m,), at least one"
        raise ValueError(f"{what}: needs {wanted}, not {indices.shape} and {values.shape}")
    if indices.dtype.kind not in "iu":
        raise ValueError(f"{what}: indices must be integers, not {indices.dtype}")
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{what}: values must be real numbers, not {values.dtype}")
    outside = ((indices < 0) | (indices >= np.array(shape))).any(axis=1)
    if outside.any():
        j = int(np.argmax(outside))
        raise ValueError(f"{what}: index {tuple(indices[j].tolist())} (number {j}) lies outside the shape {shape}")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        j = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"{what}: the value at {tuple(indices[j].tolist())} (number {j}) is not finite")
    if not zeros and not values.any():
        raise ValueError(f"{what}: all values are zero; a relative error needs others")
    _, first, place = np.unique(indices, axis=0, return_index=True, return_inverse=True)
    different = values != values[first][place.ravel()]
    if different.any():
        j = int(np.argmax(different))
        raise ValueError(f"{what}: entry {tuple(indices[j].tolist())} has two different values")
    order = np.sort(first)
    return np.ascontiguousarray(indices[order], dtype=np.int64), values[order]


def split(
    indices: np.ndarray,
    values: np.ndarray,
    shape: Sequence[int],
    share: float,
    rng: np.random.Generator,
    *,
    cold: bool = False,
) -> tuple[Pair, Pair]:
    """Entries to fit, and entries set aside; each index of each mode keeps a sample to fit.

    ``cold``: not so; those set aside are drawn as any others would be, for an index without samples has its effects.
    Raises ValueError where an index has no sample at all, and where too few can be set aside.
    """
    if cold:
        aside = np.zeros(len(values), dtype=bool)
        aside[rng.permutation(len(values))[: min(set_aside(len(values), share), len(values) - 1)]] = True
        if aside.sum() < LEAST_VALIDATION:
            raise ValueError(
                f"too few samples: of {len(values)} only {aside.sum()} can be set aside to choose the rank"
            )
        return (indices[~aside], values[~aside]), (indices[aside], values[aside])
    for k, (column, n) in enumerate(zip(indices.T, shape)):
        count = np.bincount(column, minlength=n)
        if not count.all():
            missing = int(np.argmin(count))
            raise ValueError(f"mode {k + 1} has no sample at index {missing} (from 0): its entries cannot be known")
    aside = held_out(indices, shape, set_aside(len(values), share), rng)
    if aside.sum() < LEAST_VALIDATION:
        raise ValueError(f"too few samples: of {len(values)} only {aside.sum()} can be set aside to choose the rank")
    return (indices[~aside], values[~aside]), (indices[aside], values[aside])
