"""The tensor train: x[i1, ..., id] = G1[i1] G2[i2] ... Gd[id], and its arithmetic.

Core k has axes (left rank a, mode i, right rank b); d modes of size n, TT-ranks r.  Aliases elsewhere: matrix
product state; TT-rank = bond dimension; centre = canonical form about a site.
Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011); the arithmetic is its section 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from solvers.cards import Fact, dimensions, ranks
from solvers.formats.trains.chain import Chain, check_kind, part_cores
from solvers.formats.trains.contraction import beyond, folded, inner, mode_pieces, modes, scalar
from solvers.formats.trains.cores import (
    MAX_FULL_SIZE,
    added_cores,
    aligned,
    as_scalar,
    check_full_size,
    checked_cores,
    constant_cores,
    contracted,
    gauge_shifts,
    kron_core,
    multiplied_cores,
    scaled_cores,
    shifted_cores,
)
from solvers.formats.trains.factorisations import freeze, frobenius
from solvers.formats.trains.indexing import Key, entries_at, indexed
from solvers.formats.trains.orthogonalisation import orthogonalise_cores, right_interfaces, swept_cores
from solvers.formats.trains.permutation import goals_of, permuted_cores
from solvers.formats.trains.reshaping import reshaped_cores, whole_shape
from solvers.formats.trains.rounding import round_cores
from solvers.formats.trains.singular import singular_values_of, svd_cores


@dataclass(frozen=True, eq=False)
class TensorTrain(Chain):
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

    def __post_init__(self) -> None:
        cores = checked_cores(self.cores, axes=3)
        if self.centre is not None and not 0 <= self.centre < len(cores):
            raise ValueError(f"centre {self.centre} is not one of the {len(cores)} cores")
        if self.centre is None:
            cores = shifted_cores(cores, gauge_shifts(cores))
        object.__setattr__(self, "cores", cores)

    @property
    def shape(self) -> tuple[int, ...]:
        """Mode sizes."""
        return tuple(core.shape[1] for core in self.cores)

    def worded(self) -> list[Fact]:
        """Shape, TT-ranks, what is stored and where the orthogonality centre is."""
        centre = "none" if self.centre is None else str(self.centre)
        stored = f"{self.size} entries, {self.dtype}, orthogonality centre {centre}"
        return [("shape", dimensions(self.shape)), ("TT-ranks", ranks(self.ranks)), ("stored", stored)]

    def __neg__(self) -> TensorTrain:
        return self * -1.0

    def __add__(self, other: TensorTrain | complex) -> TensorTrain:
        """Sum with a train, of ranks added, or with a scalar, one rank more.  Cost: the size of the result.

        Shapes are broadcast as in numpy: aligned at the last mode, modes of size 1 repeated.  Raises ValueError
        for other shapes, NaN or infinity.
        """
        if isinstance(other, TensorTrain):
            return TensorTrain(added_cores(*aligned(self.cores, other.cores)))
        number = as_scalar(other)
        if number is None:
            return NotImplemented
        return self if number == 0.0 else TensorTrain(added_cores(self.cores, constant_cores(self.cores, number)))

    __radd__ = __add__

    def __sub__(self, other: TensorTrain | complex) -> TensorTrain:
        number = as_scalar(other)
        if number is None and not isinstance(other, TensorTrain):
            return NotImplemented
        return self + (-other if number is None else -number)

    def __rsub__(self, other: complex) -> TensorTrain:
        return -self + other

    def __mul__(self, other: TensorTrain | complex) -> TensorTrain:
        """Times a scalar (the centre stays), or the Hadamard product with a train (ranks multiply).

        Cost n r^2 for a scalar, d n r^4 for a product.  Shapes are broadcast as in sums.  Raises ValueError for
        different shapes, NaN, infinity.
        """
        if isinstance(other, TensorTrain):
            return TensorTrain(multiplied_cores(kron_core, *aligned(self.cores, other.cores)))
        number = as_scalar(other)
        if number is None:
            return NotImplemented
        cores, kept = scaled_cores(self.cores, number, self.centre or 0)
        return TensorTrain(cores, self.centre if kept else None)

    __rmul__ = __mul__

    def __truediv__(self, other: TensorTrain | complex) -> TensorTrain:
        """Over a scalar, or entry by entry over a train, by cross: ``divide`` takes an accuracy and says its error."""
        if isinstance(other, TensorTrain):
            return _divided(self, other)
        number = as_scalar(other)
        if number is None:
            return NotImplemented
        if number == 0:
            raise ZeroDivisionError("division of a tensor train by zero")
        return self * (1.0 / number)

    def __rtruediv__(self, other: complex) -> TensorTrain:
        number = as_scalar(other)
        return NotImplemented if number is None else _divided(number, self)

    def __pow__(self, exponent: int) -> TensorTrain:
        """A whole power, by Hadamard products: ranks r^exponent.  Other powers: ``elementwise``."""
        if not isinstance(exponent, int | np.integer) or exponent < 0:
            raise TypeError(f"a power is a whole number from 0, not {exponent!r}: use elementwise for others")
        power = TensorTrain(tuple(constant_cores(self.cores, 1.0)))
        for _ in range(exponent):
            power = power * self
        return power

    def __getitem__(self, key: Key) -> TensorTrain | complex:
        """x[1, :, 2], x[..., None, ::2], x[[0, 3, 3]]: as an array of numpy, exact; a number where no mode is left.

        Integers, negative ones too, slices with steps, None, Ellipsis, masks, and vectors of integers, which on
        neighbouring modes are read together.  Raises IndexError out of range, ValueError for what selects nothing and
        for vectors apart from each other.
        """
        return train_or_number(indexed(self.cores, key))

    def mode_product(self, matrices: Mapping[int, np.ndarray]) -> TensorTrain | complex:
        """Modes multiplied with matrices (m, n) or contracted with vectors (n,): {mode: matrix or vector}.

        A number where no mode is left; ranks do not grow.  Cost m n r^2 a mode.  Raises ValueError for other shapes,
        IndexError for other modes.
        """
        return train_or_number(folded(mode_pieces(self.cores, matrices)))

    def sum(self, axes: int | Sequence[int] | None = None) -> TensorTrain | complex:
        """The sum over some modes, a train of the others, or over all, a number.  Raises IndexError for other modes."""
        summed = range(self.d) if axes is None else modes(axes, self.d)
        return self.mode_product({k: np.ones(self.shape[k]) for k in summed})

    def mean(self, axes: int | Sequence[int] | None = None) -> TensorTrain | complex:
        """The mean over some modes or over all of them; as ``sum``."""
        summed = range(self.d) if axes is None else modes(axes, self.d)
        return self.mode_product({k: np.full(self.shape[k], 1.0 / self.shape[k]) for k in summed})

    def marginal(self, axes: int | Sequence[int]) -> TensorTrain | complex:
        """The sum over all modes but ``axes``, which stay in their order."""
        kept = modes(axes, self.d)
        return self.sum([k for k in range(self.d) if k not in kept])

    def reshape(self, *shape: int | Sequence[int], tol: float = 1e-14) -> TensorTrain:
        """Modes split and merged as ``numpy.reshape`` does, one size -1 allowed; relative error ``tol``.

        New ranks are minimal, those that stay are what they were.  Where a size of the new shape does not fit the old
        ones, the modes across are merged first.  Cost N a b min(a, b) a split of N indices between ranks a, b.
        Raises ValueError for another number of indices, and where merged modes have more than 10^7 entries.
        """
        sizes = whole_shape(shape, self.shape)
        return TensorTrain(reshaped_cores(self.cores, [(n,) for n in sizes], tol))

    def transpose(self, *axes: int | Sequence[int], tol: float = 1e-14) -> TensorTrain:
        """Modes in another order, as ``numpy.transpose``: reversed without ``axes``; relative error ``tol``.

        Neighbours are exchanged by SVD, O(n^3 r^3) each.  Raises ValueError unless ``axes`` is a permutation.
        """
        return TensorTrain(*permuted_cores(self.cores, goals_of(axes, self.d), tol))

    def conj(self) -> TensorTrain:
        """Complex conjugate; a real train is returned as it is."""
        if self.dtype.kind != "c":
            return self
        return TensorTrain(tuple(freeze(core.conj()) for core in self.cores), self.centre)

    @property
    def real(self) -> TensorTrain:
        """The real part, a real train of twice the ranks; a real train is returned as it is."""
        return self if self.dtype.kind != "c" else TensorTrain(part_cores(self.cores, imaginary=False))

    @property
    def imag(self) -> TensorTrain:
        """The imaginary part, a real train of twice the ranks, of a real train zero."""
        return self * 0.0 if self.dtype.kind != "c" else TensorTrain(part_cores(self.cores, imaginary=True))

    def norm(self) -> float:
        """Frobenius norm, to rounding errors of the terms summed (also for a small difference of two trains).

        The norm of the centre core; without a centre by triangular factors from the right, 4 d n r^3.
        Raises ValueError where it is beyond double precision: ``log_norm``.
        """
        if self.centre is not None:
            return frobenius(self.cores[self.centre])
        factor, exponent = self._whole()
        size = frobenius(factor)
        norm = float(np.real(scalar(size, exponent, "the norm")))
        if norm == 0.0 < size:
            raise ValueError(beyond("the norm", size, exponent))
        return norm

    def log_norm(self) -> float:
        """Natural logarithm of the Frobenius norm, of any size; -inf for zero.  Cost as ``norm``."""
        factor, exponent = (self.cores[self.centre], 0) if self.centre is not None else self._whole()
        size = frobenius(factor)
        return math.log(size) + exponent * math.log(2.0) if size > 0.0 else -math.inf

    def normalised(self) -> tuple[TensorTrain, float]:
        """The train over its norm, with centre 0, and the logarithm of the norm, of any size.  Cost 6 d n r^3.

        Raises ZeroDivisionError for zero.
        """
        cores, exponent = swept_cores(self.cores, self.centre, 0)
        size = frobenius(cores[0])
        if size == 0.0:
            raise ZeroDivisionError("a train that is zero cannot be normalised")
        return TensorTrain((freeze(cores[0] / size), *cores[1:]), 0), math.log(size) + exponent * math.log(2.0)

    def _whole(self) -> tuple[np.ndarray, int]:
        """f and e: the tensor is 2^e f times a row of norm one."""
        factors, exponents = right_interfaces(self.cores, None, stop=0, compress=False)
        assert factors[0] is not None
        return factors[0], exponents[0]

    def orthogonalise(self, centre: int = 0) -> TensorTrain:
        """The same tensor with orthogonality centre ``centre`` (negative: from the end).

        Only cores between the known centre and the new one are touched, 6 n r^3 each.
        Raises IndexError for a centre out of range, ValueError for a norm that no core can carry: ``normalised``.
        """
        if not -self.d <= centre < self.d:
            raise IndexError(f"centre {centre} is out of range for {self.d} cores")
        centre %= self.d
        if centre == self.centre:
            return self
        return TensorTrain(orthogonalise_cores(self.cores, self.centre, centre), centre)

    def singular_values(self) -> list[np.ndarray]:
        """Those of the d-1 unfoldings (behind mode 1, behind mode 2, ...), descending: the Schmidt values of each bond.

        Cost 10 d n r^3.  Raises ValueError where they are beyond double precision: ``normalised``.
        """
        return singular_values_of(self.cores, self.centre)

    def svd(self, k: int, tol: float = 1e-14) -> tuple[TensorTrain, np.ndarray, TensorTrain]:
        """The SVD of the unfolding behind mode ``k`` (1 to d-1): a train, singular values (r,), a train.

        The first train has the modes before and one of size r, the other one of size r and the modes after; what is
        within ``tol`` of the norm is cut. Cost 6 d n r^3. Raises ValueError for another k, and as ``orthogonalise``.
        """
        left, s, right = svd_cores(self.cores, self.centre, k, tol)
        return TensorTrain(tuple(left), k), s, TensorTrain(tuple(right), 0)

    def round(self, tol: float = 1e-12, max_rank: int | Sequence[int] | None = None) -> TensorTrain:
        """Smaller ranks with ||x - y|| <= tol ||x||, unless ``max_rank`` binds; see ``round_with_error``."""
        return self.round_with_error(tol, max_rank)[0]

    def round_with_error(
        self, tol: float = 1e-12, max_rank: int | Sequence[int] | None = None
    ) -> tuple[TensorTrain, float]:
        """Rounded train and the relative error made, ||x - y|| / ||x|| (true up to rounding errors).

        ``max_rank``: one number, or the d+1 largest ranks. The result has its centre at the last core, or at the first
        when the present centre lies in the second half.  Cost at most 16 d n r^3.  Raises ValueError unless
        0 <= tol < 1 and max_rank >= 1.
        """
        cores, centre, error = round_cores(self.cores, self.centre, tol, max_rank)
        return TensorTrain(cores, centre), error

    def entries(self, indices: np.ndarray) -> np.ndarray:
        """Entries at the multi-indices ``indices`` (m, d), integers from 0 -> (m,).

        Rows sharing an index of a mode are multiplied at once.  Cost 2 m d r^2.
        Raises ValueError for another shape or non-integers, IndexError outside the tensor.
        """
        return entries_at(self.cores, indices)

    def full(self, max_size: int = MAX_FULL_SIZE) -> np.ndarray:
        """The dense tensor of shape ``shape``.  Raises ValueError for more than ``max_size`` entries."""
        check_full_size(self.shape, max_size)
        return contracted(self.cores).reshape(self.shape)


def dot(x: TensorTrain, y: TensorTrain) -> float | complex:
    """Inner product sum_i conj(x[i]) y[i].  Cost 4 d n r^3.

    Raises ValueError for different shapes, and when the product is beyond double precision: ``log_dot``.
    """
    value, exponent = _inner(x, y)
    return scalar(value, exponent, "the inner product")


def log_dot(x: TensorTrain, y: TensorTrain) -> tuple[float | complex, float]:
    """Sign (phase) and natural logarithm of the modulus of ``dot(x, y)``, of any size, as ``numpy.linalg.slogdet``.

    (0, -inf) for zero.  Cost 4 d n r^3.  Raises ValueError for different shapes.
    """
    value, exponent = _inner(x, y)
    size = abs(value)
    if size == 0.0:
        return 0.0, -math.inf
    return value / size, math.log(size) + exponent * math.log(2.0)


def _inner(x: TensorTrain, y: TensorTrain) -> tuple[complex, int]:
    check_kind("an inner product of trains", TensorTrain, x, y)
    if x.shape != y.shape:
        raise ValueError(f"trains of shapes {x.shape} and {y.shape} do not fit together")
    return inner(x.cores, y.cores)


def train_or_number(found: tuple[np.ndarray, ...] | complex) -> TensorTrain | complex:
    """The train of cores, or the number that is left."""
    return TensorTrain(found) if isinstance(found, tuple) else found


def _divided(x: TensorTrain | complex, y: TensorTrain) -> TensorTrain:
    """x / y: cross works with trains, so it is looked up when it is first asked for."""
    return import_module("solvers.cross.elementwise").quotient(x, y)
