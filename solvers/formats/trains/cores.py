"""Bare cores of trains and operators: what is checked of them, how their sizes are evened, and exact arithmetic.

A core has axes (left rank, mode or row and column, right rank); functions that say cores take both kinds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from solvers.formats.trains.factorisations import as_double, check_finite, freeze, frozen, largest, power_of_two
from solvers.measured import numeral

MAX_FULL_SIZE = 10_000_000
MOST_UNEVEN = 100  # powers of two, of products of the first cores beside the whole: 1e30, whose square is no danger
SMALLEST = -1000  # exponent of two of an entry that keeps all its digits
MODERATE = 64  # exponents of two that products may have before they are scaled: their squares and sums are no danger
WIDEST = 900  # exponents of two that one core may take from a scalar or from the norm of a train


def checked_cores(cores: Iterable[np.ndarray], axes: int) -> tuple[np.ndarray, ...]:
    """Cores of ``axes`` axes (first and last are ranks) in the common dtype, C-ordered, read-only, finite."""
    arrays = [as_double(core, f"core {k}") for k, core in enumerate(cores)]
    if not arrays:
        raise ValueError("a train needs at least one core")
    for k, array in enumerate(arrays):
        if array.ndim != axes or array.size == 0:
            raise ValueError(f"core {k}: expected {axes} axes, none empty, not shape {array.shape}")
        before = 1 if k == 0 else arrays[k - 1].shape[-1]
        if k == 0 and array.shape[0] != 1:
            raise ValueError(
                f"core 0: left rank {array.shape[0]}, where a train begins with 1 (rings and blocks are none)"
            )
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
    tops = [largest(core) for core in cores]
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


def shifted_cores(cores: tuple[np.ndarray, ...], shifts: Sequence[int] | None) -> tuple[np.ndarray, ...]:
    """The cores times 2^shift each."""
    return cores if shifts is None else tuple(freeze(power_of_two(core, s)) for core, s in zip(cores, shifts))


def aligned(x: Sequence[np.ndarray], y: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Two trains (or operators) as numpy broadcasts them: shapes aligned at the end, and modes of size 1 repeated.

    The repeated modes are views. Raises ValueError where two sizes differ and neither is 1.
    """
    d = max(len(x), len(y))
    axes = x[0].ndim
    one = np.ones((1,) * axes)
    p, q = [one] * (d - len(x)) + list(x), [one] * (d - len(y)) + list(y)
    sizes = []
    for a, b in zip(p, q):
        pairs = list(zip(a.shape[1:-1], b.shape[1:-1]))
        if any(n != m and 1 not in (n, m) for n, m in pairs):
            raise ValueError(f"{_kind(axes)} of shapes {_shape(x)} and {_shape(y)} do not fit together")
        sizes.append([max(pair) for pair in pairs])
    wide = [[_repeated(core, size) for core, size in zip(cores, sizes)] for cores in (p, q)]
    return wide[0], wide[1]


def _repeated(core: np.ndarray, size: Sequence[int]) -> np.ndarray:
    return np.broadcast_to(core, (core.shape[0], *size, core.shape[-1]))


def _kind(axes: int) -> str:
    return "trains" if axes == 3 else "operators"


def _shape(cores: Sequence[np.ndarray]) -> tuple:
    if cores[0].ndim == 3:
        return tuple(core.shape[1] for core in cores)
    return tuple(core.shape[1] for core in cores), tuple(core.shape[2] for core in cores)


def constant_cores(cores: Sequence[np.ndarray], value: complex) -> list[np.ndarray]:
    """Cores of rank 1 of the tensor that is ``value`` everywhere, of the modes of ``cores``."""
    new = [np.ones((1, *core.shape[1:-1], 1)) for core in cores]
    new[0] = new[0] * value
    return new


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


def scaled_cores(cores: tuple[np.ndarray, ...], scalar: complex, k: int) -> tuple[tuple[np.ndarray, ...], bool]:
    """The cores with core ``k`` times ``scalar``, and True; where that core cannot hold it all take part, and False."""
    size = max(abs(complex(scalar).real), abs(complex(scalar).imag))
    exponent = math.frexp(size)[1]
    if abs(math.frexp(largest(cores[k]))[1] + exponent) <= WIDEST or size == 0.0 or not cores[k].any():
        return (*cores[:k], freeze(cores[k] * scalar), *cores[k + 1 :]), True
    mantissa = power_of_two(np.asarray(scalar), -exponent).item()
    return spread(cores, exponent, k, mantissa), False


def spread(cores: Sequence[np.ndarray], exponent: int, k: int, factor: complex = 1.0) -> tuple[np.ndarray, ...]:
    """The cores times 2^exponent, in equal parts, and core ``k`` times ``factor``."""
    d = len(cores)
    even = [moderate(core) for core in cores]
    total = exponent + sum(own for _, own in even)
    shifts = [total * (m + 1) // d - total * m // d for m in range(d)]
    scaled = [power_of_two(core, shift) for (core, _), shift in zip(even, shifts)]
    scaled[k] = scaled[k] * factor
    return tuple(freeze(core) for core in scaled)


def moderate(array: np.ndarray) -> tuple[np.ndarray, int]:
    """(a, e) with array = a 2^e, exactly: e is 0 as long as the largest entry is between 2^-64 and 2^64.

    Products of many cores are carried as such pairs, so that their size does not end at that of a double.
    """
    exponent = math.frexp(largest(array))[1]
    if abs(exponent) <= MODERATE:
        return array, 0
    return power_of_two(array, -exponent), exponent


def moderate_rows(rows: np.ndarray, exponents: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """``rows`` (m, r) 2^exponents with each row as ``moderate`` has an array; None for exponents that are all zero."""
    tops = np.abs(rows).max(axis=1, initial=0.0)
    if tops.max(initial=1.0) < 2.0**MODERATE and tops.min(where=tops > 0.0, initial=1.0) > 2.0**-MODERATE:
        return rows, exponents
    own = np.frexp(tops)[1]
    return power_of_two(rows, -own[:, None]), own if exponents is None else exponents + own


def as_scalar(value: object) -> complex | None:
    """A number, also as an array without axes; None for anything else.

    Raises ValueError for NaN or infinity, TypeError for an array with axes.
    """
    if isinstance(value, np.ndarray) and value.ndim > 0:
        raise TypeError(f"a dense array {value.shape} is no operand here: bring it into the format first, as tt_svd")
    if isinstance(value, np.ndarray | np.generic) and value.ndim == 0 and value.dtype.kind in "biufc":
        value = complex(value) if value.dtype.kind == "c" else float(value)
    if not isinstance(value, int | float | complex):
        return None
    check_scalar(value)
    return value


def check_scalar(scalar: complex) -> None:
    """Raise ValueError for NaN or infinity."""
    if not np.isfinite(scalar):
        raise ValueError(f"scalar {scalar!r} is not finite")


def contracted(cores: Sequence[np.ndarray]) -> np.ndarray:
    """All cores multiplied out: the entries in C order."""
    product, exponents = np.ones((1, 1)), None
    for core in cores:
        if exponents is not None:
            exponents = np.repeat(exponents, math.prod(core.shape[1:-1]))
        product = (product @ core.reshape(core.shape[0], -1)).reshape(-1, core.shape[-1])
        if core is not cores[-1]:
            product, exponents = moderate_rows(product, exponents)
    if exponents is not None:
        product = power_of_two(product, exponents[:, None])
    check_finite(product, "the dense tensor (overflow: rescale the train)")
    return product.reshape(-1)


def check_full_size(shape: Sequence[int], max_size: int) -> None:
    """Raise ValueError when a dense array of ``shape`` has more than ``max_size`` entries."""
    size = math.prod(shape)
    if size > max_size:
        raise ValueError(f"the dense array has {numeral(size)} entries, more than max_size = {max_size}")


def multiplied_cores(
    product: Callable[[np.ndarray, np.ndarray], np.ndarray], x: Sequence[np.ndarray], y: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """Products core by core, which no single core takes out of double precision as long as all of them can share.

    They are scaled only where a product would leave double precision: what the first cores hold may be far smaller than
    their largest entries say, so that an even share of a power of two is no even share of what partial products are.
    """
    sizes = [math.frexp(largest(p))[1] + math.frexp(largest(q))[1] for p, q in zip(x, y, strict=True)]
    if max(map(abs, sizes)) <= WIDEST:
        return tuple(freeze(product(p, q)) for p, q in zip(x, y))
    cores, exponent = [], 0
    for p, q in zip(x, y):
        p, first = moderate(p)
        q, second = moderate(q)
        cores.append(freeze(product(p, q)))
        exponent += first + second
    return spread(cores, exponent, 0) if exponent else tuple(cores)


def kron_core(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Cores (a, ..., b) and (c, ..., e) of the same modes multiplied entry by entry: (a c, ..., b e)."""
    a, *size, b = x.shape
    c, e = y.shape[0], y.shape[-1]
    return (x[:, None, ..., :, None] * y[None, :, ..., None, :]).reshape(a * c, *size, b * e)
