"""The tensor train: x[i1, ..., id] = G1[i1] G2[i2] ... Gd[id], and its arithmetic.

Core k has axes (left rank a, mode i, right rank b); d modes of size n, TT-ranks r.  Aliases elsewhere: matrix
product state; TT-rank = bond dimension; centre = canonical form about a site.
Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011); the arithmetic is its section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Number

import numpy as np

from solvers.cards import Card, Fact, dimensions, ranks
from solvers.formats.trains.cores import (
    MAX_FULL_SIZE,
    added_cores,
    check_full_size,
    check_scalar,
    checked_cores,
    contracted,
    gauge_shifts,
    kron_core,
    scaled_cores,
    shifted_cores,
)
from solvers.formats.trains.factorisations import check_finite, freeze, frobenius
from solvers.formats.trains.orthogonalisation import orthogonalise_cores, right_interfaces
from solvers.formats.trains.rounding import round_cores


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
            return TensorTrain(tuple(freeze(kron_core(x, y)) for x, y in zip(self.cores, other.cores, strict=True)))
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


def _same_shape(x: TensorTrain, y: TensorTrain) -> None:
    if x.shape != y.shape:
        raise ValueError(f"trains of shapes {x.shape} and {y.shape} do not fit together")
