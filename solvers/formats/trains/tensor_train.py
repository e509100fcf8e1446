"""The tensor train: x[i1, ..., id] = G1[i1] G2[i2] ... Gd[id], and its arithmetic.

Core k has axes (left rank a, mode i, right rank b); d modes of size n, TT-ranks r.  Aliases elsewhere: matrix
product state; TT-rank = bond dimension; centre = canonical form about a site.
Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011); the arithmetic is its section 4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Number

import numpy as np

from solvers.cards import Card, Fact, dimensions, ranks
from solvers.formats.trains.factorisations import as_double, check_finite, freeze, frobenius, frozen, power_of_two
from solvers.formats.trains.orthogonalisation import orthogonalise_cores, right_interfaces
from solvers.formats.trains.rounding import round_cores
from solvers.measured import numeral

MAX_FULL_SIZE = 10_000_000
MOST_UNEVEN = 100  # powers of two, of products of the first cores beside the whole: 1e30, whose square is no danger
SMALLEST = -1000  # exponent of two of an entry that keeps all its digits


@dataclass(frozen=True, eq=False)
class TensorTrain(Card):
    """An immutable tensor train.

    ``cores``: d arrays (r_k, n_k, r_{k+1}) with r_0 = r_d = 1.  Real numbers become float64, complex ones
    complex128, and all cores take the common one of the two; they are stored C-ordered and read-only (a
    writable array is copied).  ``centre``: the caller's word that cores before it are left-orthogonal and
    cores after it right-orthogonal, or None when nothing is known; it is used, not checked.  Without a
    centre, cores whose partial products would leave double precision are scaled by powers of two that cancel.

    Raises ValueError for no cores, wrong shapes, ranks that do not fit, NaN or infinity, a centre out of
    range; TypeError for entries that are not numbers of at most double precision.
    """

    cores: tuple[np.ndarray, ...]
    centre: int | None = None

    __array_ufunc__ = None  # numpy scalars leave ``scalar * train`` to the train

    def __post_init__(self) -> None:
        cores = checked_cores(self.cores, axes=3)
        if self.centre is not None and not 0 <= self.centre < len(cores):
            raise ValueError(f"centre {self.centre} is not one of the {len(cores)} cores")
        if self.centre is None:
            cores = shifted_cores(cores, gauge_shifts(cores))
        object.__setattr__(self, "cores", cores)

    @property
    def d(self) -> int:
        """Number of modes."""
        return len(self.cores)

    @property
    def shape(self) -> tuple[int, ...]:
        """Mode sizes."""
        return tuple(core.shape[1] for core in self.cores)

    @property
    def ranks(self) -> tuple[int, ...]:
        """The d+1 TT-ranks, the outer ones 1."""
        return (1, *(core.shape[2] for core in self.cores))

    @property
    def max_rank(self) -> int:
        return max(self.ranks)

    @property
    def dtype(self) -> np.dtype:
        return self.cores[0].dtype

    @property
    def size(self) -> int:
        """Number of stored entries (of the cores, not of the tensor)."""
        return sum(core.size for core in self.cores)

    def worded(self) -> list[Fact]:
        """Shape, TT-ranks, what is stored and where the orthogonality centre is."""
        centre = "none" if self.centre is None else str(self.centre)
        stored = f"{self.size} entries, {self.dtype}, orthogonality centre {centre}"
        return [("shape", dimensions(self.shape)), ("TT-ranks", ranks(self.ranks)), ("stored", stored)]

    def __neg__(self) -> TensorTrain:
        return self * -1.0

    def __add__(self, other: TensorTrain) -> TensorTrain:
        """Sum, of ranks added.  Cost: the size of the result.  Raises ValueError for different shapes."""
        if not isinstance(other, TensorTrain):
            return NotImplemented
        _same_shape(self, other)
        return TensorTrain(added_cores(self.cores, other.cores))

    def __sub__(self, other: TensorTrain) -> TensorTrain:
        if not isinstance(other, TensorTrain):
            return NotImplemented
        return self + -other

    def __mul__(self, other: TensorTrain | complex) -> TensorTrain:
        """Times a scalar (the centre stays), or the Hadamard product with a train (ranks multiply).

        Cost n r^2 for a scalar, d n r^4 for a product.  Raises ValueError for different shapes, NaN,
        infinity.
        """
        if isinstance(other, TensorTrain):
            _same_shape(self, other)
            return TensorTrain(tuple(freeze(_kron_core(x, y)) for x, y in zip(self.cores, other.cores, strict=True)))
        if not isinstance(other, Number):
            return NotImplemented
        check_scalar(other)
        return TensorTrain(scaled_cores(self.cores, other, self.centre or 0), self.centre)

    __rmul__ = __mul__

    def __truediv__(self, other: complex) -> TensorTrain:
        if not isinstance(other, Number):
            return NotImplemented
        if other == 0:
            raise ZeroDivisionError("division of a tensor train by zero")
        check_scalar(other)
        return self * (1.0 / other)

    def conj(self) -> TensorTrain:
        """Complex conjugate; a real train is returned as it is."""
        if self.dtype.kind != "c":
            return self
        return TensorTrain(tuple(freeze(core.conj()) for core in self.cores), self.centre)

    def norm(self) -> float:
        """Frobenius norm, to rounding errors of the terms summed (also for a small difference of two trains).

        The norm of the centre core; without a centre by triangular factors from the right, 4 d n r^3.
        """
        if self.centre is not None:
            return frobenius(self.cores[self.centre])
        factor = right_interfaces(self.cores, None, stop=0, compress=False)[0]
        assert factor is not None
        return frobenius(factor)

    def orthogonalise(self, centre: int = 0) -> TensorTrain:
        """The same tensor with orthogonality centre ``centre`` (negative: from the end).

        Only cores between the known centre and the new one are touched, 6 n r^3 each.
        Raises IndexError for a centre out of range.
        """
        if not -self.d <= centre < self.d:
            raise IndexError(f"centre {centre} is out of range for {self.d} cores")
        centre %= self.d
        if centre == self.centre:
            return self
        return TensorTrain(orthogonalise_cores(self.cores, self.centre, centre), centre)

    def round(self, tol: float = 1e-12, max_rank: int | None = None) -> TensorTrain:
        """Smaller ranks with ||x - y|| <= tol ||x||, unless ``max_rank`` binds; see ``round_with_error``."""
        return self.round_with_error(tol, max_rank)[0]

    def round_with_error(self, tol: float = 1e-12, max_rank: int | None = None) -> tuple[TensorTrain, float]:
        """Rounded train and the relative error made, ||x - y|| / ||x|| (true up to rounding errors).

        The result has its centre at the last core, or at the first when the present centre lies in the second
        half.  Cost at most 16 d n r^3.  Raises ValueError unless 0 <= tol < 1 and max_rank >= 1.
        """
        cores, centre, error = round_cores(self.cores, self.centre, tol, max_rank)
        return TensorTrain(cores, centre), error

    def entries(self, indices: np.ndarray) -> np.ndarray:
        """Entries at the multi-indices ``indices`` (m, d), integers from 0 -> (m,).

        Rows sharing an index of a mode are multiplied at once.  Cost 2 m d r^2.
        Raises ValueError for another shape or non-integers, IndexError outside the tensor.
        """
        indices = np.asarray(indices)
        if indices.ndim != 2 or indices.shape[1] != self.d:
            raise ValueError(f"indices must have shape (m, {self.d}), not {indices.shape}")
        if indices.dtype.kind not in "iu":
            raise ValueError(f"indices must be integers, not {indices.dtype}")
        if indices.size and not ((indices >= 0) & (indices < np.array(self.shape))).all():
            raise IndexError(f"an index lies outside the tensor of shape {self.shape}")
        rows = np.ones((len(indices), 1), dtype=self.dtype)
        for core, index in zip(self.cores, indices.T, strict=True):
            product = np.empty((len(rows), core.shape[2]), dtype=self.dtype)
            order = np.argsort(index, kind="stable")
            values, starts = np.unique(index[order], return_index=True)
            for value, chosen in zip(values, np.split(order, starts[1:])):
                product[chosen] = rows[chosen] @ core[:, value, :]
            rows = product
        check_finite(rows, "the entries (overflow: rescale the train)")
        return rows[:, 0]

    def full(self, max_size: int = MAX_FULL_SIZE) -> np.ndarray:
        """The dense tensor of shape ``shape``.  Raises ValueError when it has more than ``max_size``
        entries.
        """
        check_full_size(self.shape, max_size)
        return contracted(self.cores).reshape(self.shape)


def dot(x: TensorTrain, y: TensorTrain) -> float | complex:
    """Inner product sum_i conj(x[i]) y[i].  Cost 4 d n r^3.

    Raises ValueError for different shapes, and when the product overflows.
    """
    _same_shape(x, y)
    environment = np.ones((1, 1))
    for p, q in zip(x.cores, y.cores, strict=True):
        product = (environment @ q.reshape(q.shape[0], -1)).reshape(-1, q.shape[2])
        environment = p.reshape(-1, p.shape[2]).conj().T @ product
    check_finite(environment, "the inner product (overflow: rescale the trains)")
    return environment[0, 0].item()


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
        raise ValueError(f"the dense array has {numeral(size)} entries, more than max_size = {max_size}")


def _kron_core(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    a, n, b = x.shape
    c, _, e = y.shape
    return (x[:, None, :, :, None] * y[None, :, :, None, :]).reshape(a * c, n, b * e)


def _same_shape(x: TensorTrain, y: TensorTrain) -> None:
    if x.shape != y.shape:
        raise ValueError(f"trains of shapes {x.shape} and {y.shape} do not fit together")
