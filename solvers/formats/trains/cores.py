"""Bare cores of trains and operators: what is checked of them, how their sizes are evened, and exact arithmetic.

A core has axes (left rank, mode or row and column, right rank); functions that say cores take both kinds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from solvers.formats.trains.factorisations import as_double, check_finite, freeze, frozen, power_of_two

MAX_FULL_SIZE = 10_000_000
MOST_UNEVEN = 100  # powers of two, of products of the first cores beside the whole: 1e30, whose square is no danger
SMALLEST = -1000  # exponent of two of an entry that keeps all its digits


def checked_cores(cores: Iterable[np.ndarray], axes: int) -> tuple[np.ndarray, ...]:
    """Cores of ``axes`` axes (first and last are ranks) in the common dtype, C-ordered, read-only, finite."""
    arrays = [as_double(core, f"core {k}") for k, core in enumerate(cores)]
    if not arrays:
        raise ValueError("a train needs at least one core")
    for k, array in enumerate(arrays):
        if array.ndim != axes or array.size == 0:
            raise ValueError(f"core {k}: expected {axes} axes, none empty, not shape {array.shape}")
        before = 1 if k == 0 else arrays[k - 1].shape[-1]
        if array.shape[0] != before:
            raise ValueError(f"core {k}: left rank {array.shape[0]} does not fit the rank {before} before it")
    if arrays[-1].shape[-1] != 1:
        raise ValueError(f"the last right rank must be 1, not {arrays[-1].shape[-1]}")
    dtype = np.result_type(*arrays)
    checked = []
    for k, array in enumerate(arrays):
        check_finite(array, f"core {k}")
        checked.append(frozen(array, dtype))
    return tuple(checked)


def gauge_shifts(cores: Sequence[np.ndarray]) -> list[int] | None:
    """Powers of two, of sum zero, that make the cores equally large; None where no partial product needs it.

    Products of the first k cores of a train like (1e200, 1e200, 1e-200, 1e-200) overflow, or vanish without a word from
    the other end, although the tensor is of size one. None too where an entry would be lost to underflow.
    """
    tops = [_largest(core) for core in cores]
    if 0.0 in tops:
        return None
    exponents = [math.frexp(top)[1] for top in tops]
    d, total = len(cores), sum(exponents)
    partial, beyond = 0, 0  # how far products of the first cores leave the way from one to the whole
    for own in exponents:
        partial += own
        beyond = max(beyond, partial - max(total, 0), min(total, 0) - partial)
    if beyond <= MOST_UNEVEN:
        return None
    shifts = [total * (k + 1) // d - total * k // d - own for k, own in enumerate(exponents)]
    for core, shift in zip(cores, shifts):
        parts = np.abs(core.view(np.float64) if core.dtype.kind == "c" else core)
        if math.frexp(float(parts.min(where=parts > 0, initial=np.inf)))[1] + shift < SMALLEST:
            return None
    return shifts


def _largest(core: np.ndarray) -> float:
    parts = core.view(np.float64) if core.dtype.kind == "c" else core
    return max(float(parts.max()), -float(parts.min()))


def shifted_cores(cores: tuple[np.ndarray, ...], shifts: Sequence[int] | None) -> tuple[np.ndarray, ...]:
    """The cores times 2^shift each."""
    return cores if shifts is None else tuple(freeze(power_of_two(core, s)) for core, s in zip(cores, shifts))


def added_cores(x: Sequence[np.ndarray], y: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Cores of the sum of two trains (or operators): block rows, block diagonals, block columns."""
    d = len(x)
    if d == 1:
        return (freeze(x[0] + y[0]),)
    added = []
    for k, (p, q) in enumerate(zip(x, y, strict=True)):
        if k == 0:
            core = np.concatenate((p, q), axis=-1)
        elif k == d - 1:
            core = np.concatenate((p, q), axis=0)
        else:
            ranks = (p.shape[0] + q.shape[0], p.shape[-1] + q.shape[-1])
            core = np.zeros((ranks[0], *p.shape[1:-1], ranks[1]), dtype=np.result_type(p, q))
            core[: p.shape[0], ..., : p.shape[-1]] = p
            core[p.shape[0] :, ..., p.shape[-1] :] = q
        added.append(freeze(core))
    return tuple(added)


def scaled_cores(cores: tuple[np.ndarray, ...], scalar: complex, k: int) -> tuple[np.ndarray, ...]:
    """The cores with core ``k`` times ``scalar``."""
    return (*cores[:k], freeze(cores[k] * scalar), *cores[k + 1 :])


def check_scalar(scalar: complex) -> None:
    """Raise ValueError for NaN or infinity."""
    if not np.isfinite(scalar):
        raise ValueError(f"scalar {scalar!r} is not finite")


def contracted(cores: Sequence[np.ndarray]) -> np.ndarray:
    """All cores multiplied out: the entries in C order."""
    product = np.ones((1, 1))
    for core in cores:
        product = (product @ core.reshape(core.shape[0], -1)).reshape(-1, core.shape[-1])
    check_finite(product, "the dense tensor (overflow: rescale the train)")
    return product.reshape(-1)


def check_full_size(shape: Sequence[int], max_size: int) -> None:
    """Raise ValueError when a dense array of ``shape`` has more than ``max_size`` entries."""
    size = math.prod(shape)
    if size > max_size:
        raise ValueError(f"the dense array has {size:.3g} entries, more than max_size = {max_size}")


def kron_core(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    a, n, b = x.shape
    c, _, e = y.shape
    return (x[:, None, :, :, None] * y[None, :, :, None, :]).reshape(a * c, n, b * e)
