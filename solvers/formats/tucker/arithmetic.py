"""Sums, Hadamard products and indices of Tucker tensors, on bare cores and factors; exact.

A sum has the two cores as the diagonal blocks of a larger one and the factors side by side; a product has the Kronecker
product of the cores and, row by row, of the factors. An index picks a row of a factor, which is contracted into the
core; vectors of integers that are read together merge their modes, so that ranks multiply.
Index letters: r, s ranks; n mode size; p points of vectors of integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from solvers.formats.trains.indexing import Key, common_length, parts_of

Bare: TypeAlias = tuple[np.ndarray, Sequence[np.ndarray]]


def added(x: Bare, y: Bare) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Core and factors of the sum; shapes are broadcast."""
    (core, factors), (other, others) = _aligned(x, y)
    total = np.zeros([r + s for r, s in zip(core.shape, other.shape)], dtype=np.result_type(core, other))
    total[tuple(slice(r) for r in core.shape)] = core
    total[tuple(slice(r, None) for r in core.shape)] = other
    return total, tuple(np.hstack(pair) for pair in zip(factors, others, strict=True))


def multiplied(x: Bare, y: Bare) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Core and factors of the Hadamard product; shapes are broadcast."""
    (core, factors), (other, others) = _aligned(x, y)
    return np.kron(core, other), tuple(_rows(u, v) for u, v in zip(factors, others, strict=True))


def indexed(core: np.ndarray, factors: Sequence[np.ndarray], key: Key) -> tuple[np.ndarray, list[np.ndarray]]:
    """Core and factors of x[key]; IndexError and ValueError as of trains (solvers.formats.trains.indexing)."""
    parts = parts_of(key, [len(u) for u in factors])
    length = common_length(parts)
    new: list[np.ndarray] = []
    merging = False
    rest = iter(factors)
    for part in parts:
        if part is None:
            core = np.expand_dims(core, len(new))
            new.append(np.ones((1, 1)))
            continue
        u = next(rest)
        if isinstance(part, slice):
            new.append(u[part])
        elif length is None:
            core = np.tensordot(core, u[part], axes=(len(new), 0))
        elif not merging:
            new.append(u[np.broadcast_to(part, (length,))])
            merging = True
        else:
            at = len(new) - 1
            core = core.reshape(*core.shape[:at], -1, *core.shape[at + 2 :])
            new[-1] = _rows(new[-1], u[np.broadcast_to(part, (length,))])
    return core, new


def _rows(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Kronecker products row by row: (n, r), (n, s) -> (n, r s)."""
    return (u[:, :, None] * v[:, None, :]).reshape(len(u), -1)


def _aligned(x: Bare, y: Bare) -> tuple[Bare, Bare]:
    """Both with the modes of numpy's broadcasting.  Raises ValueError where sizes differ and none is 1."""
    d = max(x[0].ndim, y[0].ndim)
    wide = []
    for core, factors in (x, y):
        lacks = d - core.ndim
        wide.append((core.reshape((1,) * lacks + core.shape), [np.ones((1, 1))] * lacks + list(factors)))
    sizes = [(len(u), len(v)) for u, v in zip(wide[0][1], wide[1][1])]
    if any(n != m and 1 not in (n, m) for n, m in sizes):
        shapes = [tuple(len(u) for u in factors) for _, factors in (x, y)]
        raise ValueError(f"Tucker tensors of shapes {shapes[0]} and {shapes[1]} do not fit together")
    full = [(core, [np.broadcast_to(u, (max(n), u.shape[1])) for u, n in zip(fs, sizes)]) for core, fs in wide]
    return full[0], full[1]
